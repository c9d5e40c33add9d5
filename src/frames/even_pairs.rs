//! Frames spread evenly over a clip whose length nobody knows beforehand, each with its successor.

/// Keeps the frames at multiples of a stride that doubles whenever there are twice as many as are wanted: so at most
/// four times the wanted frames are in memory, however long the clip is, and no header needs to be believed.
#[derive(Debug)]
pub(super) struct EvenPairs<F> {
    wanted: usize,
    stride: usize,
    seen: usize,
    kept: Vec<(F, Option<F>)>,
}

impl<F: Clone> EvenPairs<F> {
    pub(super) fn new(wanted: usize) -> Self {
        Self { wanted: wanted.max(1), stride: 1, seen: 0, kept: Vec::new() }
    }

    /// Takes the next frame of the clip; `make` is called where it is kept.
    pub(super) fn offer(&mut self, make: impl FnOnce() -> F) {
        let index = self.seen;
        self.seen += 1;
        let succeeds = index % self.stride == 1 % self.stride && index > 0;
        let mut begins = index.is_multiple_of(self.stride);
        if !succeeds && !begins {
            return;
        }
        let frame = make();
        if succeeds && let Some((_, successor)) = self.kept.last_mut() {
            *successor = Some(frame.clone());
        }
        if begins && self.kept.len() == 2 * self.wanted {
            self.thin_out();
            begins = index.is_multiple_of(self.stride);
        }
        if begins {
            self.kept.push((frame, None));
        }
    }

    fn thin_out(&mut self) {
        let mut index = 0;
        self.kept.retain(|_| {
            index += 1;
            index % 2 == 1
        });
        self.stride *= 2;
    }

    /// The pairs one behind the other; the frame itself of a clip that has only one.
    pub(super) fn finish(self) -> Vec<F> {
        let Self { wanted, seen, mut kept, .. } = self;
        if seen <= 1 {
            return kept.into_iter().map(|(frame, _)| frame).collect();
        }
        kept.retain(|(_, successor)| successor.is_some());
        let chosen = wanted.min(kept.len());
        let place = |i: usize| if chosen == 1 { kept.len() / 2 } else { i * (kept.len() - 1) / (chosen - 1) };
        let pairs = (0..chosen).map(|i| kept[place(i)].clone());
        pairs.flat_map(|(frame, successor)| std::iter::once(frame).chain(successor)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pairs(frames: usize, wanted: usize) -> Vec<usize> {
        let mut kept = EvenPairs::new(wanted);
        (0..frames).for_each(|index| kept.offer(|| index));
        kept.finish()
    }

    #[test]
    fn every_frame_is_followed_by_its_successor() {
        for frames in 2..100 {
            for wanted in 1..9 {
                let pairs = pairs(frames, wanted);
                assert_eq!(pairs.len(), 2 * wanted.min(frames - 1), "{wanted} of {frames}");
                assert!(pairs.as_chunks::<2>().0.iter().all(|[a, b]| a + 1 == *b), "{pairs:?}");
            }
        }
    }

    #[test]
    fn the_pairs_spread_over_the_whole_clip() {
        for frames in [25, 100, 1000, 1023] {
            let pairs = pairs(frames, 8);
            let firsts: Vec<usize> = pairs.iter().step_by(2).copied().collect();
            assert!(firsts[0] == 0 && firsts[7] >= frames * 3 / 4 - 2, "{frames}: {firsts:?}");
            let gaps = firsts.windows(2).map(|pair| pair[1] - pair[0]);
            let (least, most) = (gaps.clone().min().unwrap(), gaps.max().unwrap());
            assert!(most <= 2 * least, "{frames}: {firsts:?}");
        }
    }

    #[test]
    fn a_single_frame_comes_alone_and_none_gives_none() {
        assert_eq!(pairs(1, 4), [0]);
        assert!(pairs(0, 4).is_empty());
    }
}
