//! The region of a clause, put together name by name.

use super::place::inverted;
use crate::edit::{Region, Shape};

/// How a region goes with those before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Link {
    /// "the reds and the blues".
    Or,
    /// "the reds in the left half".
    Within,
}

/// What is named, and what is left out. What lies in all regions of any of the lists.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Where {
    named: Vec<Vec<Region>>,
    except: Option<Vec<Vec<Region>>>,
}

impl Where {
    /// This region.
    pub(super) fn of(region: Region) -> Self {
        Self { named: vec![vec![region]], except: None }
    }

    /// Whether nothing is named or left out.
    pub(super) fn is_empty(&self) -> bool {
        self.named.is_empty() && self.except.is_none()
    }

    /// Whether all that is said is what is left out.
    pub(super) fn is_remainder(&self) -> bool {
        self.named.is_empty() && self.except.as_ref().is_some_and(|except| !except.is_empty())
    }

    /// Whether "except" stands without what it leaves out.
    pub(super) fn is_open(&self) -> bool {
        self.except.as_ref().is_some_and(Vec::is_empty)
    }

    /// Regions from here on are left out.
    pub(super) fn leave_out(&mut self) {
        self.except.get_or_insert_default();
    }

    /// What is named is left out, where nothing is left out so far.
    pub(super) fn turn_out(&mut self) {
        if self.except.is_none() && !self.named.is_empty() {
            self.except = Some(std::mem::take(&mut self.named));
        }
    }

    /// Adds a region.
    pub(super) fn add(&mut self, region: Region, link: Link) {
        let lists = self.except.as_mut().unwrap_or(&mut self.named);
        match lists.last_mut() {
            Some(last) if link == Link::Within => last.push(region),
            _ => lists.push(vec![region]),
        }
    }

    /// All of it in one.
    pub(super) fn region(&self) -> Region {
        let named = any(self.named.iter().map(|list| all(list)).collect());
        let Some(except) = self.except.as_ref().filter(|except| !except.is_empty()) else { return named };
        let outside = inverted(any(except.iter().map(|list| all(list)).collect()));
        match named {
            Region { shape: Shape::Whole, .. } => outside,
            Region { shape: Shape::All(mut parts), invert: false, .. } => {
                parts.push(outside);
                Region { shape: Shape::All(parts), ..Region::default() }
            }
            named => Region { shape: Shape::All(vec![named, outside]), ..Region::default() },
        }
    }
}

/// What lies in any of these; the whole frame where there are none.
pub(super) fn any(regions: Vec<Region>) -> Region {
    let whole = |region: &Region| region.shape == Shape::Whole;
    if regions.is_empty() || regions.iter().any(whole) {
        return Region::default();
    }
    let mut kept: Vec<Region> = Vec::new();
    for region in regions {
        if !kept.contains(&region) {
            kept.push(region);
        }
    }
    match kept.len() {
        1 => kept.swap_remove(0),
        _ => Region { shape: Shape::Any(kept), ..Region::default() },
    }
}

fn all(regions: &[Region]) -> Region {
    let mut parts: Vec<Region> =
        regions.iter().filter(|region| region.shape != Shape::Whole).cloned().collect();
    match parts.len() {
        0 => Region::default(),
        1 => parts.swap_remove(0),
        _ => Region { shape: Shape::All(parts), ..Region::default() },
    }
}
