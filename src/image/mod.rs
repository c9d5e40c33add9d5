//! `impasto image`: pictures in, painted pictures out.

use clap::Args;

/// What `impasto image` takes, as typed.
#[derive(Debug, Args)]
pub struct ImageArguments {}

/// Runs the command.
pub fn run(_arguments: &ImageArguments) -> anyhow::Result<()> {
    anyhow::bail!("not written yet")
}
