//! Who paints which pixels of a map where networks lie side by side.
//!
//! Pixels that have shares of several are painted by a network that is the mean of those: a convolution is linear, so that is the mean of
//! what they would say. Shares are taken in steps, the finer the more slowly they change, so that there are few such networks and no step
//! shows; where there are more than can be kept, each network says what it has to say, and that is summed. Runs of a row that are all of
//! one network or mean are painted by it, and what is too short for that together with all others of the same shares, wherever they lie.

use std::collections::HashMap;
use std::ops::Range;

use super::map::Map;

/// Networks side by side at most, for means of them to be made.
const MOST_NETWORKS: usize = 16;
/// Means that are kept at most: of *tiny* some 200 kB each.
const MOST_MEANS: usize = 128;

/// In this many parts shares are counted.
const PARTS: u8 = 64;
/// Where they change by so much from pixel to pixel or more, they go in steps of so many parts; where they change less than all of these,
/// part by part. A step of four, a sixteenth, is no more than what changes over two pixels there.
const STEPS: [(f32, u8); 2] = [(1.0 / 32.0, 4), (1.0 / 64.0, 2)];

/// Shares in parts.
type Key = [u8; MOST_NETWORKS];

/// Where a pixel lies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) x: u32,
    pub(super) y: u32,
}

/// A part of a row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Part {
    /// All of one network, or of one mean.
    Whole(Range<usize>, usize),
    /// Of shares that no network is kept for.
    Summed(Range<usize>),
    /// A pixel of a group, and which of it.
    Grouped { x: usize, group: usize, index: usize },
}

/// Pixels of the same shares, row by row.
#[derive(Debug, Default)]
pub(super) struct Group {
    pub(super) places: Vec<Place>,
    /// What the last layer makes of them.
    pub(super) floats: Vec<f32>,
}

impl Group {
    /// Those in some rows.
    pub(super) fn within(&self, rows: &Range<usize>) -> &[Place] {
        let before = |row: usize| self.places.partition_point(|place| (place.y as usize) < row);
        &self.places[before(rows.start)..before(rows.end)]
    }
}

/// A map's pixels, shared out.
#[derive(Debug, Default)]
pub(super) struct Partition {
    /// For each row its parts, from left to right.
    rows: Vec<Vec<Part>>,
    /// Of each network, and then of each mean, those of its pixels that are too few for a run.
    groups: Vec<Group>,
    /// The shares that these are by.
    shares: Vec<f32>,
}

impl Partition {
    pub(super) fn row(&self, y: usize) -> &[Part] {
        &self.rows[y]
    }

    pub(super) fn groups(&self) -> &[Group] {
        &self.groups
    }

    pub(super) fn groups_mut(&mut self) -> &mut [Group] {
        &mut self.groups
    }

    /// Whether it is by these shares.
    pub(super) fn is_by(&self, shares: &Map<f32>) -> bool {
        let row = shares.width() * shares.pitch();
        let mut rows = self.shares.chunks_exact(row.max(1)).enumerate();
        self.shares.len() == row * shares.height() && rows.all(|(y, known)| *known == shares.row(y)[..row])
    }

    /// By the shares of a map, `[networks]` a pixel; runs have `least` pixels or more.
    pub(super) fn share_out<L>(&mut self, shares: &Map<f32>, least: usize, means: &mut Means<L>) {
        self.groups.iter_mut().for_each(|group| group.places.clear());
        self.rows.resize_with(shares.height(), Vec::new);
        self.shares.clear();
        for y in 0..shares.height() {
            self.shares.extend_from_slice(&shares.row(y)[..shares.width() * shares.pitch()]);
            self.rows[y].clear();
            self.share_out_row(y, shares, least, means);
        }
    }

    fn share_out_row<L>(&mut self, y: usize, shares: &Map<f32>, least: usize, means: &mut Means<L>) {
        let (width, networks) = (shares.width(), shares.pitch());
        let mut painter = |x: usize| {
            let own = &shares.row(y)[x * networks..][..networks];
            let whole = own.iter().position(|share| *share == 1.0);
            whole.or_else(|| means.of(own, step(change(shares, x, y), own)).map(|mean| networks + mean))
        };
        let mut next = painter(0);
        let mut from = 0;
        while from < width {
            let own = next;
            let mut end = from + 1;
            while end < width {
                next = painter(end);
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
        let places = &mut self.groups[group].places;
        self.rows[y].push(Part::Grouped { x, group, index: places.len() });
        places.push(Place { x: x as u32, y: y as u32 });
    }
}

/// How much the largest share of a pixel changes from there to the next one, across or down.
fn change(shares: &Map<f32>, x: usize, y: usize) -> f32 {
    let (networks, width, height) = (shares.pitch(), shares.width(), shares.height());
    let row = shares.row(y);
    let own = &row[x * networks..][..networks];
    let largest =
        (1..networks).fold(0, |most, network| if own[network] > own[most] { network } else { most });
    let across = |x: usize| row[x * networks + largest];
    let down = |y: usize| shares.row(y)[x * networks + largest];
    let across = across((x + 1).min(width - 1)) - across(x.saturating_sub(1));
    let down = down((y + 1).min(height - 1)) - down(y.saturating_sub(1));
    0.5 * across.abs().max(down.abs())
}

/// The parts of a step where shares change by so much; of three networks or more there would be too many means otherwise.
fn step(change: f32, shares: &[f32]) -> u8 {
    let step = STEPS.into_iter().find(|(least, _)| change >= *least).map_or(1, |(_, parts)| parts);
    if shares.iter().filter(|share| **share > 0.0).count() > 2 { step.max(PARTS / 8) } else { step }
}

/// Shares that sum up to one in parts, as near as whole steps come with that sum.
fn in_parts(shares: &[f32], step: u8) -> Key {
    let mut key = [0; MOST_NETWORKS];
    let steps = f32::from(PARTS / step);
    let mut left = steps;
    for (parts, share) in key.iter_mut().zip(shares) {
        *parts = (share * steps) as u8;
        left -= f32::from(*parts);
    }
    // What is missing goes to those that lose most.
    while left >= 0.5 {
        let lost = |network: &usize| shares[*network] * steps - f32::from(key[*network]);
        let most = (0..shares.len()).max_by(|a, b| lost(a).total_cmp(&lost(b)));
        most.iter().for_each(|network| key[*network] += 1);
        left -= 1.0;
    }
    key.map(|parts| parts * step)
}

/// Networks that are means of others, by their shares.
pub(super) struct Means<L> {
    known: HashMap<Key, usize>,
    /// None where one is yet to be made.
    layers: Vec<(Key, Option<L>)>,
    /// Those that this frame's pixels have.
    used: Vec<bool>,
}

impl<L> Default for Means<L> {
    fn default() -> Self {
        Self { known: HashMap::new(), layers: Vec::new(), used: Vec::new() }
    }
}

impl<L> Means<L> {
    /// Before a frame's pixels are shared out: makes room where many are kept that the last one had no use for.
    pub(super) fn begin(&mut self) {
        if self.layers.len() > MOST_MEANS / 2 {
            let mut used = self.used.iter().copied();
            self.layers.retain(|_| used.next().unwrap_or(false));
            self.known = self.layers.iter().enumerate().map(|(index, (key, _))| (*key, index)).collect();
        }
        self.used.clear();
        self.used.resize(self.layers.len(), false);
    }

    /// The mean by these shares, in steps of so many parts, or, where as many are in use as can be kept, in coarser ones; none where
    /// those are not among them.
    fn of(&mut self, shares: &[f32], step: u8) -> Option<usize> {
        if shares.len() > MOST_NETWORKS {
            return None;
        }
        let index = match self.known.get(&in_parts(shares, step)) {
            Some(index) => *index,
            None if self.layers.len() < MOST_MEANS => self.add(in_parts(shares, step)),
            None => {
                let coarser = [2, 4, 8, 16].into_iter().filter(|coarser| *coarser > step);
                coarser.map(|step| in_parts(shares, step)).find_map(|key| self.known.get(&key).copied())?
            }
        };
        self.used[index] = true;
        Some(index)
    }

    fn add(&mut self, key: Key) -> usize {
        self.known.insert(key, self.layers.len());
        self.layers.push((key, None));
        self.used.push(true);
        self.layers.len() - 1
    }

    /// Makes those that are yet to be made, of networks and their shares.
    pub(super) fn make(&mut self, make: impl Fn(&mut dyn Iterator<Item = (usize, f32)>) -> L) {
        for (key, layers) in self.layers.iter_mut().filter(|(_, layers)| layers.is_none()) {
            let parts = key.iter().enumerate().filter(|(_, parts)| **parts > 0);
            let mut shares = parts.map(|(network, parts)| (network, f32::from(*parts) / f32::from(PARTS)));
            *layers = Some(make(&mut shares));
        }
    }

    /// A mean that was made.
    pub(super) fn layers(&self, index: usize) -> &L {
        self.layers[index].1.as_ref().expect("it was made when its pixels were shared out")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shares(rows: &[&[[f32; 2]]]) -> Map<f32> {
        let mut map = Map::new(2);
        map.reshape(rows[0].len(), rows.len());
        map.rows_mut().for_each(|y, row| {
            row.iter_mut().zip(rows[y].as_flattened()).for_each(|(to, share)| *to = *share);
        });
        map
    }

    const A: [f32; 2] = [1.0, 0.0];
    const B: [f32; 2] = [0.0, 1.0];
    const MIXED: [f32; 2] = [0.25, 0.75];

    #[test]
    fn long_runs_are_parts_and_the_others_are_grouped_by_their_shares() {
        let map = shares(&[&[A, A, A, MIXED, B], &[B, B, B, B, MIXED]]);
        let (mut partition, mut means) = (Partition::default(), Means::<()>::default());
        for _ in 0..2 {
            means.begin();
            partition.share_out(&map, 3, &mut means);
            assert!(
                partition.is_by(&map) && !partition.is_by(&shares(&[&[A, A, A, A, B], &[B, B, B, B, MIXED]]))
            );
            assert_eq!(means.layers.len(), 1, "both are a quarter of the first");
        }
        let grouped = |x, group, index| Part::Grouped { x, group, index };
        assert_eq!(partition.row(0), [Part::Whole(0..3, 0), grouped(3, 2, 0), grouped(4, 1, 0)]);
        assert_eq!(partition.row(1), [Part::Whole(0..4, 1), grouped(4, 2, 1)]);
        assert_eq!(partition.groups()[2].places, [Place { x: 3, y: 0 }, Place { x: 4, y: 1 }]);
        assert_eq!(partition.groups()[2].within(&(1..2)), [Place { x: 4, y: 1 }]);
        means.make(|shares| assert_eq!(shares.collect::<Vec<_>>(), [(0, 0.25), (1, 0.75)]));
    }

    #[test]
    fn a_row_that_is_all_of_one_network_is_a_part_however_short() {
        let (mut partition, mut means) = (Partition::default(), Means::<()>::default());
        partition.share_out(&shares(&[&[B, B]]), 8, &mut means);
        assert_eq!(partition.row(0), [Part::Whole(0..2, 1)]);
    }

    #[test]
    fn shares_are_whole_steps_that_sum_up_to_one() {
        let parts = |shares: &[f32], step| in_parts(shares, step)[..shares.len()].to_vec();
        assert_eq!(parts(&[0.26, 0.74], 4), [16, 48]);
        assert_eq!(parts(&[0.26, 0.74], 1), [17, 47]);
        assert_eq!(parts(&[1.0 / 3.0, 1.0 / 3.0, 1.0 / 3.0], 4).iter().sum::<u8>(), PARTS);
        assert_eq!(parts(&[0.01, 0.01, 0.98], 4), [0, 0, 64]);
        assert_eq!([0.1, 0.03, 0.001].map(|change| step(change, &[0.5, 0.5, 0.0])), [4, 2, 1]);
        assert_eq!(step(0.1, &[0.5, 0.25, 0.25]), 8);
    }

    #[test]
    fn shares_beyond_what_is_kept_are_summed_and_those_of_before_make_room() {
        let mut means = Means::<()>::default();
        let cells = |third: f32| (1..64).map(move |a| [a as f32 / 64.0 * (1.0 - third), third]);
        let cells = |third| cells(third).map(move |[a, third]| [a, 1.0 - third - a, third]);
        let all: Vec<_> = [0.0, 0.25, 0.5].into_iter().flat_map(cells).collect();
        assert!(all.iter().take(63).all(|cell| means.of(cell, 1).is_some()));
        assert!(all.iter().any(|cell| means.of(cell, 1).is_none()));
        let last = &all[all.len() - 1];
        assert_eq!((means.layers.len(), means.of(last, 1)), (MOST_MEANS, None));
        // What a frame has no use for goes before the next one.
        means.begin();
        assert!(means.of(&all[0], 1).is_some());
        means.begin();
        assert!(means.layers.len() == 1 && means.of(last, 1).is_some());
    }
}
