//! The program `impasto`: paints video files, pictures and live video.
//!
//! # Layout
//!
//! | module | purpose |
//! |---|---|
//! | [`arguments`] | what the user types, and what the options that all commands share mean |
//! | [`video`] | `impasto video`: a video file in, a painted one out |
//! | [`image`] | `impasto image`: the same for pictures |
//! | [`live`] | `impasto live`: camera, URI or test source to window, file, device or network |
//! | [`mod@train`] | `impasto train`: a recipe in, a model file out |
//! | [`model`] | `impasto model`: list, show, import |
//! | [`mod@style`] | `impasto style`: a style kept in a file |
//! | [`mod@edit`] | `impasto edit`: what an instruction means |
//! | [`mod@bench`] | `impasto bench`: what each stage of a frame takes here |
//! | [`eval`] | `impasto eval`: a model, or a painted video, measured |
//! | [`plugins`] | GStreamer started, and which package brings a missing element |
//! | [`output_file`] | a file that stands under its final name only when it is whole |
//! | [`mod@frames`] | frames of video files as stills |
//! | [`still`] | one picture as numbers |
//! | [`flow`] | how far pixels move from one frame to the next |
//! | [`progress`], [`standard_output`], [`interrupt`] | the progress line; lines for other programs; Ctrl-C |

mod arguments;
mod bench;
mod edit;
mod eval;
mod flow;
mod frames;
mod image;
mod interrupt;
mod live;
mod model;
mod onnx;
mod output_file;
mod plugins;
mod progress;
mod segmentation;
mod standard_output;
mod still;
mod style;
mod train;
mod video;

use std::process::ExitCode;

use clap::Parser;

use arguments::{Arguments, Command};
use standard_output::print_error_line;

fn main() -> ExitCode {
    let outcome = match Arguments::parse().command {
        Command::Video(arguments) => video::run(&arguments),
        Command::Image(arguments) => image::run(&arguments),
        Command::Live(arguments) => live::run(&arguments),
        Command::Train(arguments) => train::run(&arguments),
        Command::Eval(arguments) => eval::run(&arguments),
        Command::Model(arguments) => model::run(&arguments),
        Command::Style(arguments) => style::run(&arguments),
        Command::Edit(arguments) => edit::run(&arguments),
        Command::Bench(arguments) => bench::run(&arguments),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            print_error_line(format_args!("impasto: {}", spelled(&error)));
            ExitCode::from(if error.is::<interrupt::Interrupted>() { interrupt::EXIT_CODE } else { 1 })
        }
    }
}

/// The error and its causes in a line, without those that say again what was said.
fn spelled(error: &anyhow::Error) -> String {
    let mut text = String::new();
    for cause in error.chain().map(ToString::to_string) {
        if text.is_empty() {
            text = cause;
        } else if !text.contains(&cause) {
            text = format!("{text}: {cause}");
        }
    }
    text
}
