//! How late the frames of a whole run left, in memory that does not grow.

/// Delays are counted by the millisecond up to here.
const LONGEST_MS: usize = 10_000;

/// Counts of delays, a millisecond a bin; the last bin holds all that were longer.
#[derive(Debug)]
pub struct Histogram {
    bins: Vec<u64>,
    count: u64,
}

impl Default for Histogram {
    fn default() -> Self {
        Self { bins: vec![0; LONGEST_MS + 1], count: 0 }
    }
}

impl Histogram {
    /// Counts a delay in nanoseconds.
    pub fn add(&mut self, nanoseconds: u64) {
        let millisecond = (nanoseconds / 1_000_000).min(LONGEST_MS as u64);
        self.bins[millisecond as usize] += 1;
        self.count += 1;
    }

    /// The delay in milliseconds, rounded up, that this share of the frames did not exceed; none of no frames.
    pub fn quantile(&self, share: f64) -> Option<u64> {
        let wanted = (self.count as f64 * share).ceil().max(1.0) as u64;
        let mut seen = 0;
        let bin = self.bins.iter().position(|count| {
            seen += count;
            seen >= wanted
        })?;
        Some(bin as u64 + 1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_quantile_is_the_delay_that_its_share_of_the_frames_did_not_exceed() {
        let mut histogram = Histogram::default();
        assert_eq!(histogram.quantile(0.5), None);
        (0..100).for_each(|i| histogram.add(i * 1_000_000));
        assert_eq!([0.0, 0.5, 0.99, 1.0].map(|share| histogram.quantile(share)), [1, 50, 99, 100].map(Some));
        histogram.add(u64::MAX);
        assert_eq!(histogram.quantile(1.0), Some(10_001));
    }
}
