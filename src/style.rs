//! `impasto style`: a style kept in a file.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use clap::{Args, Subcommand};
use impasto_models::style::file_text;

use crate::arguments::open_model;
use crate::output_file::OutputFile;
use crate::standard_output::print_line;

/// What is typed behind `impasto style`.
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  impasto style save painting.jpg --model any -o painting.style")]
pub struct StyleArguments {
    #[command(subcommand)]
    command: StyleCommand,
}

#[derive(Debug, Subcommand)]
enum StyleCommand {
    /// Make a style of a picture, of styles with names, or of a mix, and keep it in a file that --style takes
    #[command(
        after_help = "Example:\n  impasto style save starry-night:0.7,photo.jpg:0.3 --model any -o night.style"
    )]
    Save(SaveArguments),
}

#[derive(Debug, Args)]
struct SaveArguments {
    /// A style of the model, a style file, a picture, or a mix
    #[arg(value_name = "NAME|FILE[:WEIGHT],...")]
    style: String,
    /// The model that will paint in it, one of several styles or with an encoder
    #[arg(long, value_name = "NAME|FILE")]
    model: String,
    /// The style file to write
    #[arg(short, long, value_name = "FILE.style")]
    output: PathBuf,
    /// Replace the file where it exists
    #[arg(long)]
    overwrite: bool,
}

/// Does what the subcommand says.
///
/// # Errors
/// A model or a style that cannot be used, or a file that cannot be written.
pub fn run(arguments: &StyleArguments) -> Result<()> {
    let StyleCommand::Save(arguments) = &arguments.command;
    anyhow::ensure!(
        arguments.output.extension().is_some_and(|extension| extension == "style"),
        "{} is no name for a style file: expected one that ends with .style",
        arguments.output.display()
    );
    let model = open_model(Some(&arguments.model))?;
    let here = Path::new("");
    let code = model.choose_style(&arguments.style, here)?;
    let code =
        code.with_context(|| format!("the model '{}' has one style, part of its weights", model.name()))?;
    let sources = model.style_parts(&arguments.style, here)?;
    let inputs: Vec<&Path> = sources.iter().map(|part| Path::new(&part.source)).collect();
    let output = OutputFile::create(&arguments.output, &inputs, arguments.overwrite)?;
    std::fs::write(output.partial(), file_text(&code, &arguments.style))
        .with_context(|| format!("cannot write {}", output.partial().display()))?;
    output.finish()?;
    print_line(format_args!(
        "{}: use it with --model {} --style {}",
        arguments.output.display(),
        arguments.model,
        arguments.output.display()
    ));
    Ok(())
}
