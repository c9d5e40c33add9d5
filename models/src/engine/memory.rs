//! How much memory there is to work with.

use sysinfo::{MemoryRefreshKind, ProcessRefreshKind, ProcessesToUpdate, RefreshKind, System};

/// What this process may still take, in bytes: what the machine has available, or what its cgroup leaves, if
/// that is less. Where the system does not tell, all there is.
pub fn available_memory() -> u64 {
    let memory = RefreshKind::nothing().with_memory(MemoryRefreshKind::nothing().with_ram());
    let Ok(mut system) = System::new_with_specifics(memory) else {
        return u64::MAX;
    };
    system.available_memory().min(cgroup_memory(&mut system).unwrap_or(u64::MAX))
}

fn cgroup_memory(system: &mut System) -> Option<u64> {
    let own = sysinfo::get_current_pid().ok()?;
    system.refresh_processes_specifics(ProcessesToUpdate::Some(&[own]), false, ProcessRefreshKind::nothing());
    // Not `free_memory`: that counts the cache of files, which the kernel gives back, as taken.
    let limits = system.process(own)?.cgroup_limits()?;
    Some(limits.total_memory.saturating_sub(limits.rss))
}

#[cfg(test)]
mod tests {
    #[test]
    fn a_machine_that_runs_tests_has_memory_and_an_end_of_it() {
        let available = super::available_memory();
        assert!(available > 16 << 20 && available < 1 << 50, "{available}");
    }
}
