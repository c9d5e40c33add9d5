//! `impasto edit`: what an instruction means.

use std::path::Path;

use anyhow::Result;
use clap::{Args, Subcommand};
use impasto_models::edit::Plan;

use crate::standard_output::print_line;

/// What is typed behind `impasto edit`.
#[derive(Debug, Args)]
#[command(
    after_help = "Example:\n  impasto edit explain \"make the left half slightly warmer, leave the centre unpainted\""
)]
pub struct EditArguments {
    #[command(subcommand)]
    command: EditCommand,
}

#[derive(Debug, Subcommand)]
enum EditCommand {
    /// Say what an instruction does, in plain sentences and as a plan
    #[command(after_help = "Example:\n  impasto edit explain \"把左半边调亮一点\"")]
    Explain(ExplainArguments),
}

#[derive(Debug, Args)]
struct ExplainArguments {
    /// An instruction in English or Chinese, a plan as JSON, or a .json file that holds one
    #[arg(value_name = "INSTRUCTION|PLAN|FILE.json")]
    instruction: String,
}

/// Does what the subcommand says.
///
/// # Errors
/// An instruction or a plan that cannot be followed.
pub fn run(arguments: &EditArguments) -> Result<()> {
    let EditCommand::Explain(arguments) = &arguments.command;
    let plan = Plan::of(&arguments.instruction, Path::new(""))?;
    print_line(plan.explain());
    print_line(plan.to_json());
    Ok(())
}
