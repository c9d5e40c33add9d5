//! Who paints which pixels of a map where networks lie side by side.
//!
//! Pixels that have shares of two are painted by a network that is the mean of those: a convolution is linear, so that is the mean of what
//! they would say. Shares are taken in steps, the finer the more slowly they change, so that there are few such networks. Where three or
//! more meet, and where there are more means than can be kept, each network says what it has to say, and that is summed. Runs of a row that
//! are all of one network or mean are painted by it, and what is too short for that together with all others of the same shares in a band
//! of rows.

use std::ops::Range;

use super::map::Map;

/// Means that are kept at most: some 560 kB each of *tiny* in f32, and half of that in bf16. A soft edge between two networks has about 25.
const MOST_MEANS: usize = 128;

/// In this many parts shares are counted.
const PARTS: usize = 64;
/// Where they change by so much from pixel to pixel or more, they go in steps of so many parts; where they change less than all of these,
/// part by part. A step of four, a sixteenth, is no more than what changes over two pixels there.
const STEPS: [(f32, usize); 2] = [(1.0 / 32.0, 4), (1.0 / 64.0, 2)];

/// Where a pixel lies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) x: u32,
    pub(super) y: u32,
}

/// A part of a row. Networks are counted, and behind them means.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Part {
    /// All of one network, or of one mean.
    Whole(Range<usize>, usize),
    /// Of shares that no network is kept for.
    Summed(Range<usize>),
    /// A pixel of the group of a network or mean, and which of it.
    Grouped { x: usize, group: usize, index: usize },
}

/// Pixels of the same shares, row by row.
pub(super) type Group = Vec<Place>;

/// A map's pixels, shared out.
#[derive(Debug, Default)]
pub(super) struct Partition {
    /// For each row its parts, from left to right.
    rows: Vec<Vec<Part>>,
    /// Of each network, and then of each mean, those of its pixels that are too few for a run.
    groups: Vec<Group>,
    /// What the last layer makes of each group's pixels, one group behind the other, and at which pixel each begins.
    floats: Vec<f32>,
    starts: Vec<usize>,
    /// The shares that these are by, row by row.
    shares: Vec<f32>,
    /// Numbers of a row of them.
    row: usize,
}

/// Those of a group in some rows.
pub(super) fn within<'a>(group: &'a Group, rows: &Range<usize>) -> &'a [Place] {
    let before = |row: usize| group.partition_point(|place| (place.y as usize) < row);
    &group[before(rows.start)..before(rows.end)]
}

impl Partition {
    pub(super) fn row(&self, y: usize) -> &[Part] {
        &self.rows[y]
    }

    pub(super) fn groups(&self) -> &[Group] {
        &self.groups
    }

    /// What the last layer made of a pixel of a group, `outputs` numbers.
    pub(super) fn floats(&self, group: usize, index: usize, outputs: usize) -> &[f32] {
        &self.floats[(self.starts[group] + index) * outputs..][..outputs]
    }

    /// Room for what the last layer makes, `outputs` numbers of each pixel of a group, one group behind the other.
    pub(super) fn floats_mut(&mut self, outputs: usize) -> (&[Group], &mut [f32]) {
        let mut count = 0;
        self.starts.clear();
        for group in &self.groups {
            self.starts.push(count);
            count += group.len();
        }
        self.floats.resize(self.floats.len().max(count * outputs), 0.0);
        (&self.groups, &mut self.floats[..count * outputs])
    }

    /// Whether it is by these shares.
    pub(super) fn is_by(&self, shares: &Map<f32>) -> bool {
        let row = shares.width() * shares.pitch();
        let mut known = self.shares.chunks_exact(row.max(1)).enumerate();
        (self.row, self.rows.len()) == (row, shares.height())
            && known.all(|(y, known)| *known == shares.row(y)[..row])
    }

    /// By the shares of a map, `[networks]` a pixel; runs have `least` pixels or more.
    pub(super) fn share_out<L>(&mut self, shares: &Map<f32>, least: usize, means: &mut Means<L>) {
        self.groups.iter_mut().for_each(Vec::clear);
        self.rows.resize_with(shares.height(), Vec::new);
        self.shares.clear();
        self.row = shares.width() * shares.pitch();
        for y in 0..shares.height() {
            self.shares.extend_from_slice(&shares.row(y)[..self.row]);
            self.rows[y].clear();
            self.share_out_row(y, shares, least, means);
        }
    }

    fn share_out_row<L>(&mut self, y: usize, shares: &Map<f32>, least: usize, means: &mut Means<L>) {
        let width = shares.width();
        let mut next = means.of(shares, 0, y, None);
        let mut from = 0;
        while from < width {
            let own = next;
            let mut end = from + 1;
            while end < width {
                next = means.of(shares, end, y, own);
                if next != own {
                    break;
                }
                end += 1;
            }
            match own {
                Some(own) if end - from >= least || end - from == width => {
                    self.rows[y].push(Part::Whole(from..end, own));
                }
                Some(own) => (from..end).for_each(|x| self.seat(x, y, own)),
                None => self.rows[y].push(Part::Summed(from..end)),
            }
            from = end;
        }
    }

    fn seat(&mut self, x: usize, y: usize, group: usize) {
        if self.groups.len() <= group {
            self.groups.resize_with(group + 1, Group::default);
        }
        let places = &mut self.groups[group];
        self.rows[y].push(Part::Grouped { x, group, index: places.len() });
        places.push(Place { x: x as u32, y: y as u32 });
    }
}

/// How much the share of a network changes from a pixel to the next one, across or down.
fn change(shares: &Map<f32>, network: usize, x: usize, y: usize) -> f32 {
    let (networks, width, height) = (shares.pitch(), shares.width(), shares.height());
    let share = |x: usize, y: usize| shares.row(y)[x * networks + network];
    let across = share((x + 1).min(width - 1), y) - share(x.saturating_sub(1), y);
    let down = share(x, (y + 1).min(height - 1)) - share(x, y.saturating_sub(1));
    0.5 * across.abs().max(down.abs())
}

/// The parts of a step where shares change by so much.
fn step(change: f32) -> usize {
    STEPS.into_iter().find(|(least, _)| change >= *least).map_or(1, |(_, parts)| parts)
}

/// Networks that are means of two others.
pub(super) struct Means<L> {
    networks: usize,
    /// For each pair, and each share of its second one in parts, which mean; 0 where there is none, else one more.
    known: Vec<u8>,
    kept: Vec<Mean<L>>,
    /// Counts frames.
    now: u64,
    tiled: bool,
}

struct Mean<L> {
    pair: [usize; 2],
    /// Of the second.
    parts: usize,
    /// None where they are yet to be made.
    layers: Option<L>,
    used: u64,
}

impl<L> Means<L> {
    /// Of so many networks.
    pub(super) fn new(networks: usize) -> Self {
        Self {
            networks,
            known: vec![0; networks * networks * (PARTS + 1)],
            kept: Vec::new(),
            now: 0,
            tiled: false,
        }
    }

    /// A frame begins. Tiles do without means: where memory is short there is none for them.
    pub(super) fn begin(&mut self, tiled: bool) {
        self.now += 1;
        self.tiled = tiled;
    }

    /// Whether pixels of this frame may be those of means. Not in the first one of these networks, when all that is mixed is summed: of
    /// networks that change with every frame, as in a fade, means are not worth making.
    pub(super) fn serve(&self) -> bool {
        self.now > 1 && !self.tiled
    }

    /// Which network paints a pixel, or, behind those, which mean; none where it has to be summed. `before` is what is true of the pixel
    /// before it.
    fn of(&mut self, shares: &Map<f32>, x: usize, y: usize, before: Option<usize>) -> Option<usize> {
        let own = &shares.row(y)[x * self.networks..][..self.networks];
        if before.is_some_and(|network| own.get(network) == Some(&1.0)) {
            return before;
        }
        let mut some = own.iter().enumerate().filter(|(_, share)| **share > 0.0).map(|(network, _)| network);
        let (first, second, third) = (some.next()?, some.next(), some.next());
        let Some(second) = second else { return Some(first) };
        if third.is_some() || !self.serve() {
            return None;
        }
        let steps = (PARTS / step(change(shares, second, x, y))) as f32;
        let parts = (own[second] * steps).round() as usize * (PARTS / steps as usize);
        match parts {
            0 => Some(first),
            PARTS => Some(second),
            _ => self.mean([first, second], parts).map(|mean| self.networks + mean),
        }
    }

    fn mean(&mut self, pair: [usize; 2], parts: usize) -> Option<usize> {
        let at = self.place(pair, parts);
        let index = match self.known[at] {
            0 => self.keep(Mean { pair, parts, layers: None, used: self.now })?,
            known => usize::from(known) - 1,
        };
        self.known[at] = index as u8 + 1;
        self.kept[index].used = self.now;
        Some(index)
    }

    /// Where a mean is kept: in place of the oldest where there is no more room, and nowhere where that too is of this frame.
    fn keep(&mut self, mean: Mean<L>) -> Option<usize> {
        if self.kept.len() < MOST_MEANS {
            self.kept.push(mean);
            return Some(self.kept.len() - 1);
        }
        let (index, oldest) = self.kept.iter().enumerate().min_by_key(|(_, mean)| mean.used)?;
        if oldest.used == self.now {
            return None;
        }
        let gone = self.place(oldest.pair, oldest.parts);
        self.known[gone] = 0;
        self.kept[index] = mean;
        Some(index)
    }

    fn place(&self, [first, second]: [usize; 2], parts: usize) -> usize {
        (first * self.networks + second) * (PARTS + 1) + parts
    }

    /// Makes those that are yet to be made, of two networks and the second one's share.
    pub(super) fn make(&mut self, make: impl Fn([usize; 2], f32) -> L) {
        for mean in self.kept.iter_mut().filter(|mean| mean.layers.is_none()) {
            mean.layers = Some(make(mean.pair, mean.parts as f32 / PARTS as f32));
        }
    }

    /// A mean that was made.
    pub(super) fn layers(&self, index: usize) -> &L {
        self.kept[index].layers.as_ref().expect("it was made when its pixels were shared out")
    }
}

#[cfg(test)]
mod tests;
