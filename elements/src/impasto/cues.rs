//! A cue sheet: what changes when, read from a TOML file.
//!
//! ```toml
//! [[cue]]
//! time = 2.5              # seconds of stream time
//! property = "strength"   # strength, keep-colors, adapt, stroke, temporal, style or edit
//! value = 0.4             # a number, or text in quotes: a style, or edits ("" ends them)
//! ease = "smooth"         # from the cue before: linear, smooth, or hold (the default), which changes at once
//! ```
//!
//! Cues of one property are its key frames: at a cue's time it has the cue's value, and the cue's ease says how it got there
//! from the one before. Before the first it has that one's value, after the last it stays. Edits move to others of the same kinds, in
//! the same kinds of regions: a rectangle goes along, an amount grows. The flicker filter rests while what the network sees is moved so
//! (edits before painting, and styles of regions).

use std::collections::BTreeMap;
use std::fmt;
use std::path::Path;
use std::sync::Arc;

use gstreamer as gst;
use impasto_models::controls::STRENGTHS;
use impasto_models::edit::Plan;
use impasto_models::text_file::read_text;
use impasto_models::{Controls, Model, StyleCode};
use serde::Deserialize;
use serde::de::Deserializer;

use super::styling::{Ease, FrameStyle};

/// A number that a sheet may change.
#[derive(Debug)]
struct Number {
    name: &'static str,
    most: f64,
    set: fn(&mut Controls, f32),
}

/// The numbers that a sheet may change, from 0 on.
static NUMBERS: [Number; 5] = [
    Number {
        name: "strength",
        most: *STRENGTHS.end() as f64,
        set: |controls, value| controls.strength = value,
    },
    Number { name: "keep-colors", most: 1.0, set: |controls, value| controls.keep_colors = value },
    Number { name: "adapt", most: 1.0, set: |controls, value| controls.adapt = value },
    Number { name: "stroke", most: 4.0, set: |controls, value| controls.stroke = value },
    Number { name: "temporal", most: 1.0, set: |controls, value| controls.temporal = value },
];

/// The longest file that is read as a sheet.
const MOST_BYTES: u64 = 1 << 20;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Sheet {
    #[serde(default)]
    cue: Vec<Cue>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Cue {
    time: f64,
    property: String,
    value: Value,
    #[serde(default)]
    ease: Easing,
}

#[derive(Debug)]
enum Value {
    Number(f64),
    Text(String),
    /// Neither; what it is.
    Other(&'static str),
}

/// How a value gets to a cue from the one before, as a sheet spells it.
#[derive(Debug, Clone, Copy, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Easing {
    #[default]
    Hold,
    Linear,
    Smooth,
}

/// A value at a time, in seconds.
#[derive(Debug, Clone)]
struct Key<T> {
    time: f64,
    value: T,
    /// How it gets here from the key before; at once where there is none.
    ease: Option<Ease>,
}

/// A sheet that fits a model.
#[derive(Debug)]
pub(super) struct Cues {
    numbers: Vec<(&'static Number, Vec<Key<f32>>)>,
    styles: Vec<Key<Arc<StyleCode>>>,
    edits: Vec<Key<Arc<Plan>>>,
    model: Arc<Model>,
    /// The time of the last frame that had one.
    time: Option<gst::ClockTime>,
    shown: Option<Shown>,
}

/// The style of the last frame.
#[derive(Debug)]
struct Shown {
    /// The key before it.
    index: usize,
    /// Whether it was on the way to the next.
    eased: bool,
    code: Arc<StyleCode>,
}

/// What edits of a sheet go by, beside a frame's colours.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct GoesBy {
    /// The mask that comes with it.
    pub mask: bool,
    /// Its alpha.
    pub alpha: bool,
    /// What a detector found in it.
    pub detected: bool,
}

/// Whether a sheet fits a model, as the element finds when it starts; and what its edits go by.
///
/// # Errors
/// A message with the file, and with the cue, counted from 1, that cannot be.
pub fn check_cues(path: &str, model: &Arc<Model>) -> Result<GoesBy, String> {
    let any = |cues: &Cues, goes_by: fn(&Plan) -> bool| cues.edits.iter().any(|key| goes_by(&key.value));
    Cues::load(path, model).map(|cues| GoesBy {
        mask: any(&cues, Plan::has_mask),
        alpha: any(&cues, Plan::has_alpha),
        detected: any(&cues, Plan::has_detected),
    })
}

/// Between which keys a time lies.
struct Place<'a, T> {
    /// The key before, or the first.
    index: usize,
    from: &'a T,
    /// The next, and how far on the way to it.
    to: Option<(&'a T, f32)>,
}

impl Cues {
    /// Reads a sheet; the files that it names are looked for from where it lies.
    ///
    /// # Errors
    /// A message with the file, and with the cue, counted from 1, that cannot be.
    pub fn load(path: &str, model: &Arc<Model>) -> Result<Self, String> {
        let text = read_text(Path::new(path), MOST_BYTES).map_err(|error| format!("{path}: {error}"))?;
        let folder = Path::new(path).parent().unwrap_or(Path::new(""));
        Self::parse(&text, folder, model).map_err(|error| format!("{path}: {error}"))
    }

    fn parse(text: &str, folder: &Path, model: &Arc<Model>) -> Result<Self, String> {
        let sheet: Sheet = toml::from_str(text).map_err(|error| error.to_string().trim_end().to_owned())?;
        if sheet.cue.is_empty() {
            return Err("found no [[cue]], expected one or more".to_owned());
        }
        let model = Arc::clone(model);
        let mut cues = Self {
            numbers: Vec::new(),
            styles: Vec::new(),
            edits: Vec::new(),
            model,
            time: None,
            shown: None,
        };
        let mut codes = BTreeMap::new();
        for (index, cue) in sheet.cue.into_iter().enumerate() {
            cues.add(cue, folder, &mut codes).map_err(|error| format!("cue {}: {error}", index + 1))?;
        }
        cues.check_edits()?;
        Ok(cues)
    }

    /// `codes` has those of the styles so far, by what was written.
    fn add(
        &mut self,
        cue: Cue,
        folder: &Path,
        codes: &mut BTreeMap<String, Arc<StyleCode>>,
    ) -> Result<(), String> {
        let Cue { time, property, value, ease } = cue;
        let ease = ease.ease();
        if !(time.is_finite() && time >= 0.0) {
            return Err(format!("time: found {time}, expected seconds, 0 or more"));
        }
        match property.as_str() {
            "style" => {
                let choice = text_of(value, "a style as --style takes it")?;
                let value = match codes.get(&choice) {
                    Some(code) => Arc::clone(code),
                    None => Arc::new(self.code(&choice, folder)?),
                };
                codes.insert(choice, Arc::clone(&value));
                insert(&mut self.styles, Key { time, value, ease })
            }
            "edit" => {
                let text = text_of(value, "edits as --edit takes them")?;
                let value = Arc::new(self.plan(&text, folder)?);
                insert(&mut self.edits, Key { time, value, ease })
            }
            _ => self.add_number(&property, time, value, ease),
        }
    }

    /// What is eased into must be what there was, with other numbers.
    fn check_edits(&self) -> Result<(), String> {
        let unlike =
            |keys: &&[Key<Arc<Plan>>]| keys[1].ease.is_some() && !keys[0].value.is_alike(&keys[1].value);
        match self.edits.windows(2).find(unlike) {
            Some(keys) => Err(format!(
                "the edits at {} s are eased into: found others than at {} s, expected the same kinds of edits and regions, or hold",
                keys[1].time, keys[0].time
            )),
            None => Ok(()),
        }
    }

    fn add_number(
        &mut self,
        property: &str,
        time: f64,
        value: Value,
        ease: Option<Ease>,
    ) -> Result<(), String> {
        let Some(number) = NUMBERS.iter().find(|number| number.name == property) else {
            let expected = "strength, keep-colors, adapt, stroke, temporal, style or edit";
            return Err(format!("property: found '{property}', expected {expected}"));
        };
        let value = match value {
            Value::Number(value) if (0.0..=number.most).contains(&value) => value as f32,
            found => return Err(format!("value: found {found}, expected 0 to {}", number.most)),
        };
        let fits = match number.name {
            "strength" => self.model.check_strength(value),
            "adapt" => self.model.check_adapt(value),
            _ => Ok(()),
        };
        fits.map_err(|error| format!("value: {error}"))?;
        let known = self.numbers.iter().position(|(known, _)| known.name == number.name);
        let at = known.unwrap_or_else(|| {
            self.numbers.push((number, Vec::new()));
            self.numbers.len() - 1
        });
        insert(&mut self.numbers[at].1, Key { time, value, ease })
    }

    /// The plan of a cue; no edits where it says nothing.
    fn plan(&self, text: &str, folder: &Path) -> Result<Plan, String> {
        let plan = if text.is_empty() { Ok(Plan::default()) } else { Plan::of(text, folder) };
        let plan = plan.map_err(|error| format!("value: {error}"))?;
        plan.in_styles_of(&self.model, folder).map_err(|error| format!("value: {error}"))
    }

    fn code(&self, choice: &str, folder: &Path) -> Result<StyleCode, String> {
        let code = self.model.choose_style(choice, folder).map_err(|error| error.to_string())?;
        code.ok_or_else(|| format!("value: '{choice}' is the model's only style, there is nothing to change"))
    }

    /// Lays the numbers at a time over `controls`. At a frame without a time they stay.
    pub fn lay_over(&mut self, time: Option<gst::ClockTime>, controls: &mut Controls) {
        self.time = time.or(self.time);
        let Some(time) = self.time else { return };
        if !self.edits.is_empty() {
            let Place { from, to, .. } = place(&self.edits, seconds(time)).expect("there is one");
            // The same plan as long as it is held: another is checked anew, frame by frame.
            controls.edits = Some(match to {
                Some((to, share)) if share > 0.0 => Arc::new(from.toward(to, share)),
                _ => Arc::clone(from),
            });
        }
        for (number, keys) in &self.numbers {
            let Place { from, to, .. } =
                place(keys, seconds(time)).expect("a property is listed with its first cue");
            (number.set)(controls, to.map_or(*from, |(to, share)| from + (to - from) * share));
        }
    }

    /// The style at a time, or, at a frame without one, that of the frame before; none where the sheet has no cue for it, or
    /// `model` is not the one that it was read for.
    pub fn style_at(&mut self, time: Option<gst::ClockTime>, model: &Arc<Model>) -> Option<FrameStyle> {
        if !Arc::ptr_eq(model, &self.model) {
            return None;
        }
        let Some(time) = time else {
            let code = self.shown.as_ref().map(|shown| Arc::clone(&shown.code));
            return code.map(|code| FrameStyle { code: Some(code), jumped: false });
        };
        let Place { index, from, to } = place(&self.styles, seconds(time))?;
        let reached = |shown: &Shown| shown.index == index || shown.eased && shown.index + 1 == index;
        let jumped = self.shown.as_ref().is_some_and(|shown| !reached(shown));
        // The same code as long as it is held: another would be folded anew into the weights, frame by frame.
        let code = match to {
            Some((to, share)) if share > 0.0 => Arc::new(from.toward(to, share)),
            _ => Arc::clone(from),
        };
        self.shown = Some(Shown { index, eased: to.is_some(), code: Arc::clone(&code) });
        Some(FrameStyle { code: Some(code), jumped })
    }
}

impl Easing {
    fn ease(self) -> Option<Ease> {
        match self {
            Self::Hold => None,
            Self::Linear => Some(Ease::Linear),
            Self::Smooth => Some(Ease::Smooth),
        }
    }
}

impl<'de> Deserialize<'de> for Value {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match toml::Value::deserialize(deserializer)? {
            toml::Value::Integer(number) => Ok(Self::Number(number as f64)),
            toml::Value::Float(number) => Ok(Self::Number(number)),
            toml::Value::String(text) => Ok(Self::Text(text)),
            other => Ok(Self::Other(other.type_str())),
        }
    }
}

impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let article = |word: &str| if word.starts_with(['a', 'i']) { "an" } else { "a" };
        match self {
            Self::Number(number) => write!(f, "{number}"),
            Self::Text(text) => write!(f, "'{text}'"),
            Self::Other(kind) => write!(f, "{} {kind}", article(kind)),
        }
    }
}

/// A text in quotes; `expected` says what of.
fn text_of(value: Value, expected: &str) -> Result<String, String> {
    match value {
        Value::Text(text) => Ok(text),
        Value::Number(_) => Err(format!("value: found a number, expected {expected}, in quotes")),
        found => Err(format!("value: found {found}, expected {expected}, in quotes")),
    }
}

fn seconds(time: gst::ClockTime) -> f64 {
    time.nseconds() as f64 * 1e-9
}

/// In the order of time; two at one time would contradict each other.
fn insert<T>(keys: &mut Vec<Key<T>>, key: Key<T>) -> Result<(), String> {
    match keys.binary_search_by(|other| other.time.total_cmp(&key.time)) {
        Ok(_) => Err(format!("time: found {} a second time for this property", key.time)),
        Err(at) => {
            keys.insert(at, key);
            Ok(())
        }
    }
}

fn place<T>(keys: &[Key<T>], time: f64) -> Option<Place<'_, T>> {
    let after = keys.partition_point(|key| key.time <= time);
    let index = after.saturating_sub(1);
    let from = keys.get(index)?;
    let next = keys.get(after).filter(|_| after > 0);
    let to = next.and_then(|next| {
        let share = ((time - from.time) / (next.time - from.time)) as f32;
        Some((&next.value, next.ease?.at(share)))
    });
    Some(Place { index, from: &from.value, to })
}

#[cfg(test)]
mod tests;
