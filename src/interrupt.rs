//! Ctrl-C, and the polite signals like it: the first asks for an orderly end, the second ends at once.

use std::sync::Once;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use anyhow::Result;

/// What the shell sees after an interrupted command, as after any other that SIGINT ended.
pub const EXIT_CODE: u8 = 130;

/// Signals closer together than this are one: `timeout` and some shells send each twice.
const ONE_SIGNAL: Duration = Duration::from_millis(300);

static REQUESTED: AtomicBool = AtomicBool::new(false);

/// The orderly end of an interrupted command; `main` turns it into [`EXIT_CODE`].
#[derive(Debug)]
pub struct Interrupted(
    /// What was kept, for people.
    pub String,
);

impl std::fmt::Display for Interrupted {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Interrupted {}

/// From here on Ctrl-C sets [`requested`] instead of ending the program; a second one ends it.
///
/// # Errors
/// Where the handler cannot be installed.
pub fn watch() -> Result<()> {
    static ONCE: Once = Once::new();
    let mut outcome = Ok(());
    ONCE.call_once(|| {
        let ignored = ignored_signals();
        let mut first = None;
        outcome = ctrlc::set_handler(move || {
            REQUESTED.store(true, Ordering::SeqCst);
            if first.get_or_insert_with(Instant::now).elapsed() > ONE_SIGNAL {
                std::process::exit(EXIT_CODE.into());
            }
        });
        ignored.into_iter().for_each(ignore);
    });
    Ok(outcome?)
}

/// What the parent asked to be ignored, as `nohup` does with SIGHUP and shells do for background jobs: the handler must
/// not take those back.
fn ignored_signals() -> Vec<libc::c_int> {
    let is_ignored = |signal: &libc::c_int| {
        let mut action = std::mem::MaybeUninit::<libc::sigaction>::zeroed();
        // SAFETY: without a new action the call only fills in the present one, which it is given room for.
        let known = unsafe { libc::sigaction(*signal, std::ptr::null(), action.as_mut_ptr()) } == 0;
        // SAFETY: all zeros is a valid `sigaction`, and the call has overwritten it where it succeeded.
        known && unsafe { action.assume_init() }.sa_sigaction == libc::SIG_IGN
    };
    [libc::SIGINT, libc::SIGTERM, libc::SIGHUP].into_iter().filter(is_ignored).collect()
}

fn ignore(signal: libc::c_int) {
    // SAFETY: SIG_IGN is a valid disposition of each of the three signals; no handler code is involved.
    unsafe { libc::signal(signal, libc::SIG_IGN) };
}

/// True after the first Ctrl-C.
pub fn requested() -> bool {
    REQUESTED.load(Ordering::SeqCst)
}
