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
        let mut first = None;
        outcome = ctrlc::set_handler(move || {
            REQUESTED.store(true, Ordering::SeqCst);
            if first.get_or_insert_with(Instant::now).elapsed() > ONE_SIGNAL {
                std::process::exit(EXIT_CODE.into());
            }
        });
    });
    Ok(outcome?)
}

/// True after the first Ctrl-C.
pub fn requested() -> bool {
    REQUESTED.load(Ordering::SeqCst)
}
