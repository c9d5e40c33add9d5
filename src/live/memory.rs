//! How much memory this process holds, and whether that grows.

use std::time::Duration;

/// Caches, pools and thread stacks fill during the first minute; growth is counted from then on.
const SETTLED: Duration = Duration::from_secs(60);

/// Resident memory of this process, in bytes; none where the system does not say.
pub fn resident_bytes() -> Option<u64> {
    parse_status(&std::fs::read_to_string("/proc/self/status").ok()?)
}

fn parse_status(status: &str) -> Option<u64> {
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    let kib: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kib * 1024)
}

/// Resident memory over a run: its peak, and where it settled.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct MemoryRecord {
    /// The latest reading, in bytes.
    pub now: u64,
    /// The largest reading, in bytes.
    pub peak: u64,
    /// The first reading after a minute, in bytes; none in a shorter run.
    pub settled: Option<u64>,
    /// The largest reading from then on, in bytes.
    pub peak_since: u64,
}

impl MemoryRecord {
    /// Adds a reading taken `elapsed` after the start.
    pub fn add(&mut self, elapsed: Duration, resident: u64) {
        self.now = resident;
        self.peak = self.peak.max(resident);
        if elapsed >= SETTLED {
            self.settled.get_or_insert(resident);
            self.peak_since = self.peak_since.max(resident);
        }
    }

    /// Largest growth after the first minute, in percent of what was held then; none in a shorter run.
    pub fn growth_percent(&self) -> Option<f64> {
        let settled = self.settled? as f64;
        Some((self.peak_since as f64 - settled) / settled * 100.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn resident_memory_is_read_in_bytes() {
        assert_eq!(parse_status("Name:\tx\nVmRSS:\t    1204 kB\nThreads:\t1\n"), Some(1204 * 1024));
        assert!(resident_bytes().is_none_or(|bytes| bytes > 100_000));
    }

    #[test]
    fn growth_is_counted_from_the_first_minute_on() {
        let mut record = MemoryRecord::default();
        for (second, resident) in [(1, 10), (59, 50), (60, 100), (61, 103), (62, 101)] {
            record.add(Duration::from_secs(second), resident);
        }
        assert_eq!(record.growth_percent(), Some(3.0));
        assert_eq!((record.peak, record.now), (103, 101));
    }
}
