//! The report: figures for machines, and a page for people.
//!
//! | file | purpose |
//! |---|---|
//! | `mod.rs` | the figures, as JSON has them |
//! | `page.rs` | the page: one HTML file that needs nothing else |
//! | `table.rs` | its tables |
//! | `pictures.rs` | its pictures: frames, and a row of pixels over time |
//! | `plots.rs` | its plots |

mod page;
mod pictures;
mod plots;
mod table;

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde::Serialize;

pub use self::page::page;
pub use self::pictures::Exhibit;
pub use self::plots::short;

use super::measure::Measure;
use super::painter::Role;
use super::series::{Series, Value, geometric_mean, ratio};

/// Changes when a measure's definition does: values under different numbers are not to be compared.
pub const DEFINITIONS: u32 = 1;

/// A whole report.
#[derive(Debug, Serialize)]
pub struct Report {
    /// Version of the program.
    pub impasto: &'static str,
    /// [`DEFINITIONS`].
    pub definitions: u32,
    /// What tells how the input moves.
    pub flow: String,
    /// Frames were reduced to a longer side of this, where they were larger.
    pub longer_side: usize,
    /// The painting whose style is looked for.
    pub style: Option<SourceFile>,
    /// What painted, in the order of every list below.
    pub painters: Vec<PainterReport>,
    /// Clip by clip.
    pub clips: Vec<ClipReport>,
    /// All clips together, painter by painter.
    pub overall: Vec<Overall>,
}

/// A file and what is in it.
#[derive(Debug, Serialize)]
pub struct SourceFile {
    /// Where it was.
    pub file: PathBuf,
    /// SHA-256 of its bytes, in hexadecimal.
    pub sha256: String,
}

/// A painter: a model with controls, or a video that somebody painted.
#[derive(Debug, Serialize)]
pub struct PainterReport {
    /// What tables call it.
    pub label: String,
    /// What it is measured for.
    pub role: Role,
    /// The model file, or the painted video; none of a model that comes with the program.
    pub source: Option<SourceFile>,
    /// Its controls; none of a video.
    pub controls: Option<ControlsReport>,
    /// What ran it.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub device: String,
    /// Which painter of this list it is compared with.
    pub baseline: Option<usize>,
}

/// The controls of a painter.
#[derive(Debug, Clone, Serialize)]
pub struct ControlsReport {
    /// From the input to the painting.
    pub strength: f32,
    /// The input's own colours.
    pub keep_colors: f32,
    /// To the light of photos.
    pub adapt: f32,
    /// The flicker filter.
    pub temporal: f32,
    /// The width of strokes; 0 is by the clip's own size.
    pub stroke: f32,
    /// The style as it was typed; the model's first where there is none.
    pub style: Option<String>,
    /// Whose colours the style is in, as typed; its own where there is none.
    pub palette: Option<String>,
}

/// A clip.
#[derive(Debug, Serialize)]
pub struct ClipReport {
    /// Its name.
    pub name: String,
    /// Its file.
    pub file: PathBuf,
    /// Width and height in the file.
    pub size_in_file: (usize, usize),
    /// Width and height as measured.
    pub size: (usize, usize),
    /// Frames that were measured.
    pub frames: usize,
    /// Frames a second; 0 of a picture.
    pub rate: f64,
    /// The first frames after cuts; nothing is compared across one.
    pub cuts: Vec<usize>,
    /// The mean share of a frame that is seen in the next as well.
    pub seen: Option<f64>,
    /// What the reader should know.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<String>,
    /// The input's own values, frame by frame.
    pub input_series: Series,
    /// What each painter made of it.
    pub paintings: Vec<PaintingReport>,
}

/// What a painter made of a clip.
#[derive(Debug, Serialize)]
pub struct PaintingReport {
    /// One value a measure.
    pub values: BTreeMap<Measure, Value>,
    /// Each over the baseline's.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub against_baseline: BTreeMap<Measure, f64>,
    /// Frame by frame.
    pub series: Series,
}

/// A painter over all clips.
#[derive(Debug, Default, Serialize)]
pub struct Overall {
    /// Means over the clips.
    pub mean: BTreeMap<Measure, f64>,
    /// Means over the clips of the inputs' own values.
    pub input_mean: BTreeMap<Measure, f64>,
    /// Geometric means of the ratios to the input's own value.
    pub against_input: BTreeMap<Measure, f64>,
    /// Geometric means of the ratios to the baseline.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub against_baseline: BTreeMap<Measure, f64>,
}

impl Report {
    /// Fills in what follows from the rest: ratios to the baseline, and all clips together.
    pub fn conclude(&mut self) {
        for clip in &mut self.clips {
            compare(clip, &self.painters);
        }
        self.overall = (0..self.painters.len()).map(|painter| self.over_all_clips(painter)).collect();
    }

    fn over_all_clips(&self, painter: usize) -> Overall {
        let mut overall = Overall::default();
        let paintings: Vec<_> = self.clips.iter().map(|clip| &clip.paintings[painter]).collect();
        for measure in Measure::ALL {
            let values = paintings.iter().filter_map(|painting| painting.values.get(&measure).copied());
            let values: Vec<Value> = values.collect();
            if values.is_empty() {
                continue;
            }
            let mean = |of: fn(&Value) -> f64| values.iter().map(of).sum::<f64>() / values.len() as f64;
            overall.mean.insert(measure, mean(|value| value.painted));
            overall.input_mean.insert(measure, mean(|value| value.input));
            let to_input = geometric_mean(values.iter().filter_map(|value| value.ratio));
            overall.against_input.extend(to_input.map(|ratio| (measure, ratio)));
            let ratios = paintings.iter().filter_map(|painting| painting.against_baseline.get(&measure));
            let to_baseline = geometric_mean(ratios.copied());
            overall.against_baseline.extend(to_baseline.map(|ratio| (measure, ratio)));
        }
        overall
    }

    /// What is in question: the first painter.
    pub fn title(&self) -> &str {
        self.painters.first().map_or("", |painter| &painter.label)
    }
}

fn compare(clip: &mut ClipReport, painters: &[PainterReport]) {
    for (index, painter) in painters.iter().enumerate() {
        let Some(baseline) = painter.baseline else { continue };
        let other = clip.paintings[baseline].values.clone();
        let painting = &mut clip.paintings[index];
        let against = |(measure, value): (&Measure, &Value)| {
            Some((*measure, ratio(value.painted, other.get(measure)?.painted)?))
        };
        painting.against_baseline = painting.values.iter().filter_map(against).collect();
    }
}

#[cfg(test)]
pub(in crate::eval) mod tests {
    use super::*;

    /// A report of a model and its baseline on two clips: E_warp is twice and half the baseline's.
    pub(in crate::eval) fn report() -> Report {
        let painter = |label: &str, role, baseline| PainterReport {
            label: label.to_owned(),
            role,
            source: None,
            controls: None,
            device: String::new(),
            baseline,
        };
        let painting = |error: f64| PaintingReport {
            values: BTreeMap::from([(Measure::WarpError, Value::new(error, 0.001))]),
            against_baseline: BTreeMap::new(),
            series: BTreeMap::from([(Measure::WarpError, vec![Some(error), None, Some(error), Some(error)])]),
        };
        let clip = |name: &str, errors: [f64; 2]| ClipReport {
            name: name.to_owned(),
            file: name.into(),
            size_in_file: (64, 48),
            size: (64, 48),
            frames: 5,
            rate: 25.0,
            cuts: vec![2],
            seen: Some(0.9),
            notes: Vec::new(),
            input_series: BTreeMap::from([(
                Measure::WarpError,
                vec![Some(0.001), None, Some(0.001), Some(0.001)],
            )]),
            paintings: errors.map(painting).into(),
        };
        Report {
            impasto: "0",
            definitions: DEFINITIONS,
            flow: "none".to_owned(),
            longer_side: 512,
            style: None,
            painters: vec![painter("<new>", Role::Subject, Some(1)), painter("old", Role::Baseline, None)],
            clips: vec![clip("a & b.mp4", [0.004, 0.002]), clip("c.mp4", [0.001, 0.002])],
            overall: Vec::new(),
        }
    }

    #[test]
    fn twice_and_half_the_baseline_are_on_average_its_equal() {
        let mut report = report();
        report.conclude();
        assert_eq!(report.clips[0].paintings[0].against_baseline[&Measure::WarpError], 2.0);
        let overall = &report.overall[0];
        assert!((overall.against_baseline[&Measure::WarpError] - 1.0).abs() < 1e-12);
        assert!((overall.mean[&Measure::WarpError] - 0.0025).abs() < 1e-12);
        assert!((overall.against_input[&Measure::WarpError] - 2.0).abs() < 1e-12);
        assert!(report.overall[1].against_baseline.is_empty());
    }

    #[test]
    fn the_json_names_measures_as_the_program_does() {
        let mut report = report();
        report.conclude();
        let json = serde_json::to_value(&report).unwrap();
        assert_eq!(json["clips"][1]["paintings"][0]["values"]["warp_error"]["ratio"], 1.0);
        assert_eq!(json["clips"][0]["input_series"]["warp_error"][1], serde_json::Value::Null);
    }
}
