//! `impasto image`: pictures in, painted pictures out.
//!
//! # Layout
//!
//! | module | purpose |
//! |---|---|
//! | [`mod@jobs`] | which picture goes where |
//! | [`masks`] | masks of pictures |
//! | [`picture_file`] | a picture read upright, and written |
//! | [`wrap`] | textures that tile |

mod jobs;
mod masks;
mod picture_file;
mod wrap;

use std::path::PathBuf;
use std::sync::Arc;

use anyhow::{Context, Result, anyhow, bail};
use clap::Args;
use impasto_models::{
    Colorimetry, Controls, Engine, FrameBuffer, Matrix, Model, PictureInfo, PixelFormat, Range, engine,
};

use crate::arguments::PaintOptions;
use crate::interrupt::{self, Interrupted};
use crate::output_file::OutputFile;
use crate::progress::Progress;
use crate::standard_output::print_error_line;
use jobs::{Job, jobs};
use masks::Masks;
use picture_file::PictureFile;
use wrap::Wrap;

/// What `impasto image` takes, as typed.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  impasto image photo.jpg -o painted.png
  impasto image photos/ more.tiff -o painted/ --model composition-vii --strength 0.8
  impasto image bricks.png -o painted.png --wrap

PNG, JPEG, WebP and TIFF. One picture may go to a file; several, or a folder, go to a folder under their own
names. Orientation from the camera is baked in, alpha and colour profiles are kept.")]
pub struct ImageArguments {
    /// Pictures, or folders of pictures
    #[arg(value_name = "IN", required = true)]
    inputs: Vec<PathBuf>,
    /// The file or folder to write
    #[arg(short, long, value_name = "OUT")]
    output: PathBuf,
    /// The mask of edits whose region is "mask": a picture, or an ONNX network that finds one in each picture
    #[arg(long, value_name = "FILE|NETWORK.onnx")]
    mask: Option<PathBuf>,
    /// The pictures are textures that tile, and are to tile when they are painted
    #[arg(long, conflicts_with_all = ["edit", "mask"])]
    wrap: bool,
    /// Replace pictures that exist
    #[arg(long)]
    overwrite: bool,
    /// Show no progress; warnings and errors only
    #[arg(short, long)]
    quiet: bool,
    #[command(flatten)]
    paint: PaintOptions,
}

/// Paints every picture; one that cannot be painted is named, and the others are done all the same.
///
/// # Errors
/// Where nothing can be painted at all, where a picture could not, or after Ctrl-C.
pub fn run(arguments: &ImageArguments) -> Result<()> {
    let model = arguments.paint.open_model()?;
    arguments.paint.check_mask(arguments.mask.as_deref(), false)?;
    arguments.paint.check_detected(false)?;
    let masks = Masks::open(arguments.mask.as_deref())?;
    let controls = arguments.paint.still_controls(&model)?;
    arguments.paint.device.check()?;
    let jobs = jobs(&arguments.inputs, &arguments.output)?;
    interrupt::watch()?;
    let mut progress = Progress::start(arguments.quiet);
    let mut painter = Painter {
        model,
        controls,
        masks,
        options: &arguments.paint,
        wrap: arguments.wrap,
        notes: Vec::new(),
        engine: None,
        quiet: arguments.quiet,
        said_device: false,
        said_instead: false,
    };
    let mut failed = Vec::new();
    for (done, job) in jobs.iter().enumerate() {
        if interrupt::requested() {
            progress.finish();
            failed.iter().for_each(|error| print_error_line(format_args!("impasto: {error:#}")));
            let painted = done - failed.len();
            bail!(Interrupted(format!("interrupted: {painted} of {} pictures painted", jobs.len())));
        }
        match paint(&mut painter, job, arguments.overwrite) {
            Ok(notes) => {
                notes.iter().for_each(|note| progress.say(&format!("{}: {note}", job.input.display())))
            }
            Err(error) => failed.push(error),
        }
        progress.update(done as u64 + 1, Some((done + 1) as f64 / jobs.len() as f64));
    }
    progress.finish();
    report(jobs.len(), failed, arguments.quiet)
}

/// A single failure is the command's own; of several, each is named.
fn report(all: usize, mut failed: Vec<anyhow::Error>, quiet: bool) -> Result<()> {
    if all == 1
        && let Some(only) = failed.pop()
    {
        return Err(only);
    }
    failed.iter().for_each(|error| print_error_line(format_args!("impasto: {error:#}")));
    if !failed.is_empty() {
        bail!("{} of {all} pictures could not be painted", failed.len());
    }
    if !quiet {
        print_error_line(format_args!("painted {all} picture{}", if all == 1 { "" } else { "s" }));
    }
    Ok(())
}

/// Reads, paints, writes; gives what the user should know.
fn paint(painter: &mut Painter<'_>, job: &Job, overwrite: bool) -> Result<Vec<String>> {
    let output = OutputFile::create(&job.output, &[&job.input], overwrite)?;
    let mut picture = PictureFile::read(&job.input)?;
    let painted = painter.paint(picture.info(), picture.take_pixels());
    let painted = painted.with_context(|| job.input.display().to_string())?;
    picture.write(&painted, output.partial(), &job.output)?;
    output.finish()?;
    let mut notes = picture.into_notes();
    notes.append(&mut painter.notes);
    Ok(notes)
}

/// Keeps its engine as long as pictures have the same size.
struct Painter<'a> {
    model: Arc<Model>,
    controls: Controls,
    masks: Masks,
    options: &'a PaintOptions,
    wrap: bool,
    /// What the user should know of the picture that is painted.
    notes: Vec<String>,
    engine: Option<(PictureInfo, Box<dyn Engine<FrameBuffer>>)>,
    quiet: bool,
    said_device: bool,
    /// Whether it was said that the CPU paints in place of a GPU.
    said_instead: bool,
}

impl Painter<'_> {
    /// The pixels of the picture, painted.
    fn paint(&mut self, info: PictureInfo, pixels: Vec<u8>) -> Result<Vec<u8>> {
        let stroke = self.controls.stroke;
        if !self.wrap {
            return Ok(self.painted(info, pixels, stroke)?.output().to_vec());
        }
        let wrap = Wrap::new(&self.model, info, stroke)?;
        self.notes.extend(wrap.note());
        let painted = self.painted(wrap.info(), wrap.repeated(&pixels), wrap.stroke(stroke));
        let sides = format!("with what repeats around it, which --wrap paints, it is {}", wrap.sides());
        Ok(wrap.cut_out(painted.context(sides)?.output()))
    }

    fn painted(&mut self, info: PictureInfo, pixels: Vec<u8>, stroke: f32) -> Result<FrameBuffer> {
        let mask = self.masks.of(&info, &pixels)?;
        let mut frame = FrameBuffer::new(info, pixels)?;
        frame.controls = Controls { stroke, mask, ..self.controls.clone() };
        let engine = self.engine(info)?;
        // Pictures have nothing to do with those before them.
        engine.reset();
        engine.submit(frame).map_err(|_| anyhow!("the engine is busy"))?;
        let painted = engine.collect().ok_or_else(|| anyhow!("the engine lost the picture"))?;
        let instead = engine.plan().instead.clone();
        if let Some(reason) = instead.filter(|_| !std::mem::replace(&mut self.said_instead, true)) {
            self.notes.push(format!("the CPU paints, not the GPU: {reason}"));
        }
        painted.outcome?;
        Ok(painted.frame)
    }

    fn engine(&mut self, info: PictureInfo) -> Result<&mut dyn Engine<FrameBuffer>> {
        let kept = self.engine.take().filter(|(of, _)| *of == info);
        let engine = match kept {
            Some((_, engine)) => engine,
            None => {
                let engine = engine::open::<FrameBuffer>(&self.model, info, &self.options.engine())?;
                if !self.said_device && !self.quiet {
                    print_error_line(format_args!("painting with {}", engine.plan().device));
                }
                self.said_device = true;
                engine
            }
        };
        Ok(self.engine.insert((info, engine)).1.as_mut())
    }
}

/// 8-bit RGB with or without alpha, full range: what picture files hold.
fn picture_info(width: u32, height: u32, alpha: bool) -> PictureInfo {
    PictureInfo {
        format: if alpha { PixelFormat::Rgba } else { PixelFormat::Rgb },
        width: width as usize,
        height: height as usize,
        colorimetry: Colorimetry { matrix: Matrix::Bt709, range: Range::Full },
    }
}
