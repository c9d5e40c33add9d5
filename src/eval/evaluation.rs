//! Clip by clip to a report.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use impasto_models::EngineOptions;
use sha2::{Digest, Sha256};

use super::footage::{Extent, Footage, Motions, read_flows};
use super::measure::Measure;
use super::metrics::gram::Textures;
use super::painter::{Painter, Role};
use super::painting::Painting;
use super::report::{
    ClipReport, ControlsReport, DEFINITIONS, Exhibit, PainterReport, PaintingReport, Report, SourceFile,
};
use super::series::{Reference, Series, Value, values};
use crate::flow::{ESTIMATOR, Flow};
use crate::progress::Progress;
use crate::still::Still;

/// What is measured.
#[derive(Debug)]
pub enum Work {
    /// Clips, as models paint them; each painter with the index of the one it is compared with.
    Models {
        /// Who paints.
        painters: Vec<(Painter, Option<usize>)>,
        /// What is painted.
        clips: Vec<PathBuf>,
    },
    /// A video, as somebody painted it.
    Videos {
        /// As it was.
        input: PathBuf,
        /// As it was painted.
        painted: PathBuf,
    },
}

impl Work {
    /// The files that are read.
    pub fn files(&self) -> Vec<&Path> {
        match self {
            Self::Models { painters, clips } => {
                let models = painters.iter().filter_map(|(painter, _)| painter.model.path());
                clips.iter().map(PathBuf::as_path).chain(models).collect()
            }
            Self::Videos { input, painted } => vec![input, painted],
        }
    }
}

/// Refuses a clip that is not there, before an hour's work on the others.
///
/// # Errors
/// Names the file.
pub fn check_there(clip: &Path) -> Result<()> {
    let found = fs::metadata(clip).with_context(|| format!("cannot read {}", clip.display()))?;
    if found.is_dir() {
        bail!("{} is a folder, expected a video or a picture", clip.display());
    }
    Ok(())
}

/// How everything is measured.
#[derive(Debug)]
pub struct Evaluation<'a> {
    /// How much of each clip, and at which size.
    pub extent: Extent,
    /// The painting whose style is looked for.
    pub painting: Option<&'a Painting>,
    /// What takes a frame's texture.
    pub textures: &'a Textures,
    /// What paints.
    pub engine: EngineOptions,
    /// A folder of `.flo` files of the only clip.
    pub flow: Option<&'a Path>,
    /// Whether no progress is shown.
    pub quiet: bool,
}

/// A clip that was read, with what the input's own values are.
struct Measured {
    footage: Footage,
    motions: Motions,
    input_series: Series,
}

impl Evaluation<'_> {
    /// Measures everything; the figures, and each clip's pictures.
    ///
    /// # Errors
    /// A clip that cannot be read or painted; Ctrl-C.
    pub fn run(&self, work: &Work) -> Result<(Report, Vec<Exhibit>)> {
        let mut progress = Progress::start(self.quiet);
        let (painters, measured) = match work {
            Work::Models { painters, clips } => {
                let mut reports = reports(painters)?;
                let measured = clips
                    .iter()
                    .enumerate()
                    .map(|(index, clip)| {
                        let base = (index as f64, clips.len() as f64);
                        self.paint(clip, painters, &mut reports, &mut progress, base)
                    })
                    .collect::<Result<Vec<_>>>()?;
                (reports, measured)
            }
            Work::Videos { input, painted } => {
                let label = painted.file_name().unwrap_or_default().to_string_lossy().into_owned();
                let report = PainterReport {
                    label,
                    role: Role::Subject,
                    source: Some(source_file(painted)?),
                    controls: None,
                    device: String::new(),
                    baseline: None,
                };
                (vec![report], vec![self.compare(input, painted)?])
            }
        };
        progress.finish();
        let (clips, exhibits) = measured.into_iter().unzip();
        let flow = match self.flow {
            Some(folder) => format!("{}, the way back by {ESTIMATOR}", folder.display()),
            None => ESTIMATOR.to_owned(),
        };
        let mut report = Report {
            impasto: env!("CARGO_PKG_VERSION"),
            definitions: DEFINITIONS,
            flow,
            longer_side: self.extent.longer_side,
            style: self.painting.map(|painting| source_file(&painting.file)).transpose()?,
            painters,
            clips,
            overall: Vec::new(),
        };
        report.conclude();
        Ok((report, exhibits))
    }

    /// Has a clip painted by each painter, and measures what they made of it.
    fn paint(
        &self,
        clip: &Path,
        painters: &[(Painter, Option<usize>)],
        reports: &mut [PainterReport],
        progress: &mut Progress,
        (index, clips): (f64, f64),
    ) -> Result<(ClipReport, Exhibit)> {
        let measured = self.measure(Footage::read(clip, self.extent)?)?;
        let frames = &measured.footage.frames;
        let work = (painters.len() * Painter::work(frames.len())) as f64;
        let (mut count, mut paintings, mut painted_clips) = (0, Vec::new(), Vec::new());
        for ((painter, _), report) in painters.iter().zip(reports) {
            let name = measured.footage.name();
            let painted = painter.paint(frames, self.engine, &mut || {
                count += 1;
                let part = (index + f64::from(count) / work) / clips;
                progress.show(format!("{name}: {}, {:.0} % of all", report.label, 100.0 * part), Some(part));
            });
            let painted = painted.with_context(|| format!("{} by {}", clip.display(), report.label))?;
            let mut painting = self.of_painting(&measured, &painted.frames);
            painting.values.insert(Measure::NoiseGain, Value::new(painted.noise_gain, 1.0));
            report.device = painted.device;
            paintings.push(painting);
            painted_clips.push(painted.frames);
        }
        measured.into_report(paintings, &painted_clips, Vec::new())
    }

    /// Measures a video that somebody painted against what it was.
    fn compare(&self, input: &Path, painted: &Path) -> Result<(ClipReport, Exhibit)> {
        let [mut footage, mut other] =
            [Footage::read(input, self.extent)?, Footage::read(painted, self.extent)?];
        let (size, found) = (footage.size_in_file, other.size_in_file);
        if size != found {
            bail!(
                "{} has {}x{} pixels, expected {}x{} as {} has",
                painted.display(),
                found.0,
                found.1,
                size.0,
                size.1,
                input.display()
            );
        }
        let mut notes = Vec::new();
        let (frames, painted_frames) = (footage.frames.len(), other.frames.len());
        let count = frames.min(painted_frames);
        if frames != painted_frames {
            notes.push(format!(
                "{frames} frames of the input, {painted_frames} painted: the first {count} are measured"
            ));
        }
        notes.append(&mut other.notes);
        footage.frames.truncate(count);
        let measured = self.measure(footage)?;
        let painting = self.of_painting(&measured, &other.frames[..count]);
        measured.into_report(vec![painting], &[other.frames], notes)
    }

    fn measure(&self, footage: Footage) -> Result<Measured> {
        let flows: Option<Vec<Flow>> =
            self.flow.map(|folder| read_flows(folder, footage.frames.len(), footage.size())).transpose()?;
        let motions = Motions::of(&footage.frames, flows.as_deref())?;
        let mut measured = Measured { footage, motions, input_series: Series::new() };
        measured.input_series = self.reference(&measured).series(&measured.footage.frames);
        Ok(measured)
    }

    fn reference<'a>(&'a self, measured: &'a Measured) -> Reference<'a> {
        Reference {
            input: &measured.footage.frames,
            motions: &measured.motions,
            painting: self.painting,
            textures: self.textures,
        }
    }

    fn of_painting(&self, measured: &Measured, painted: &[Still]) -> PaintingReport {
        let series = self.reference(measured).series(painted);
        let values = values(&series, &measured.input_series);
        PaintingReport { values, against_baseline: Default::default(), series }
    }
}

impl Measured {
    fn into_report(
        self,
        paintings: Vec<PaintingReport>,
        painted: &[Vec<Still>],
        mut notes: Vec<String>,
    ) -> Result<(ClipReport, Exhibit)> {
        let footage = &self.footage;
        let clips: Vec<&[Still]> =
            std::iter::once(footage.frames.as_slice()).chain(painted.iter().map(Vec::as_slice)).collect();
        let exhibit = Exhibit::of(&clips)?;
        notes.extend(footage.notes.iter().cloned());
        let report = ClipReport {
            name: footage.name(),
            file: footage.file.clone(),
            size_in_file: footage.size_in_file,
            size: footage.size(),
            frames: footage.frames.len(),
            rate: footage.rate,
            seen: self.motions.seen(),
            cuts: self.motions.cuts,
            notes,
            input_series: self.input_series,
            paintings,
        };
        Ok((report, exhibit))
    }
}

fn reports(painters: &[(Painter, Option<usize>)]) -> Result<Vec<PainterReport>> {
    let report = |(painter, baseline): &(Painter, Option<usize>)| {
        let controls = &painter.controls;
        Ok(PainterReport {
            label: painter.label(),
            role: painter.role,
            source: painter.model.path().map(source_file).transpose()?,
            controls: Some(ControlsReport {
                strength: controls.strength,
                keep_colors: controls.keep_colors,
                adapt: controls.adapt,
                temporal: controls.temporal,
                stroke: controls.stroke,
                style: painter.style.clone(),
                palette: painter.palette.clone(),
            }),
            device: String::new(),
            baseline: *baseline,
        })
    };
    painters.iter().map(report).collect()
}

fn source_file(file: &Path) -> Result<SourceFile> {
    let mut opened = fs::File::open(file).with_context(|| format!("cannot read {}", file.display()))?;
    let mut hash = Sha256::new();
    std::io::copy(&mut opened, &mut hash).with_context(|| format!("cannot read {}", file.display()))?;
    let sha256 = hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect();
    Ok(SourceFile { file: file.to_owned(), sha256 })
}
