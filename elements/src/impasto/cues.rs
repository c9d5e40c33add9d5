//! A cue sheet: what changes when, read from a TOML file.
//!
//! ```toml
//! [[cue]]
//! time = 2.5              # seconds of stream time
//! property = "strength"   # strength, keep-colors, stroke, temporal or style
//! value = 0.4
//! ease = "smooth"         # from the cue before: linear, smooth, or hold (the default), which changes at once
//! ```
//!
//! Cues of one property are its key frames: at a cue's time it has the cue's value, and the cue's ease says how it got there
//! from the one before. Before the first it has that one's value, after the last it stays.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use gstreamer as gst;
use impasto_models::{Controls, Model, StyleCode};
use serde::Deserialize;
use serde::de::{Deserializer, Error as _};

use super::styling::{Ease, FrameStyle};

/// A number that a sheet may change.
#[derive(Debug)]
struct Number {
    name: &'static str,
    most: f64,
    set: fn(&mut Controls, f32),
}

/// The numbers that a sheet may change, from 0 on.
static NUMBERS: [Number; 4] = [
    Number { name: "strength", most: 1.0, set: |controls, value| controls.strength = value },
    Number { name: "keep-colors", most: 1.0, set: |controls, value| controls.keep_colors = value },
    Number { name: "stroke", most: 4.0, set: |controls, value| controls.stroke = value },
    Number { name: "temporal", most: 1.0, set: |controls, value| controls.temporal = value },
];

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
        let text = std::fs::read_to_string(path).map_err(|error| format!("{path}: {error}"))?;
        let folder = Path::new(path).parent().unwrap_or(Path::new(""));
        Self::parse(&text, folder, model).map_err(|error| format!("{path}: {error}"))
    }

    fn parse(text: &str, folder: &Path, model: &Arc<Model>) -> Result<Self, String> {
        let sheet: Sheet = toml::from_str(text).map_err(|error| error.to_string().trim_end().to_owned())?;
        if sheet.cue.is_empty() {
            return Err("found no [[cue]], expected one or more".to_owned());
        }
        let model = Arc::clone(model);
        let mut cues = Self { numbers: Vec::new(), styles: Vec::new(), model, time: None, shown: None };
        let mut codes = BTreeMap::new();
        for (index, cue) in sheet.cue.into_iter().enumerate() {
            cues.add(cue, folder, &mut codes).map_err(|error| format!("cue {}: {error}", index + 1))?;
        }
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
        if property == "style" {
            let Value::Text(choice) = value else {
                return Err("value: found a number, expected a style as --style takes it".to_owned());
            };
            let value = match codes.get(&choice) {
                Some(code) => Arc::clone(code),
                None => Arc::new(self.code(&choice, folder)?),
            };
            codes.insert(choice, Arc::clone(&value));
            return insert(&mut self.styles, Key { time, value, ease });
        }
        let Some(number) = NUMBERS.iter().find(|number| number.name == property) else {
            let expected = "strength, keep-colors, stroke, temporal or style";
            return Err(format!("property: found '{property}', expected {expected}"));
        };
        let value = match value {
            Value::Number(value) if (0.0..=number.most).contains(&value) => value as f32,
            Value::Number(value) => {
                return Err(format!("value: found {value}, expected 0 to {}", number.most));
            }
            Value::Text(text) => return Err(format!("value: found '{text}', expected 0 to {}", number.most)),
        };
        let known = self.numbers.iter().position(|(known, _)| known.name == number.name);
        let at = known.unwrap_or_else(|| {
            self.numbers.push((number, Vec::new()));
            self.numbers.len() - 1
        });
        insert(&mut self.numbers[at].1, Key { time, value, ease })
    }

    fn code(&self, choice: &str, folder: &Path) -> Result<StyleCode, String> {
        let code = self.model.choose_style(choice, folder).map_err(|error| error.to_string())?;
        code.ok_or_else(|| format!("value: '{choice}' is the model's only style, there is nothing to change"))
    }

    /// Lays the numbers at a time over `controls`. At a frame without a time they stay.
    pub fn lay_over(&mut self, time: Option<gst::ClockTime>, controls: &mut Controls) {
        self.time = time.or(self.time);
        let Some(time) = self.time else { return };
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
            other => Err(D::Error::custom(format!("found {other}, expected a number, or a style in quotes"))),
        }
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
mod tests {
    use impasto_models::generators::{GeneratorConfig, TinyConfig};

    use super::*;

    fn model() -> Arc<Model> {
        Arc::new(Model::untrained(GeneratorConfig::Tiny(TinyConfig::new(2)), 1))
    }

    fn cue(time: f64, property: &str, value: &str, ease: &str) -> String {
        format!("[[cue]]\ntime = {time}\nproperty = '{property}'\nvalue = {value}\nease = '{ease}'\n")
    }

    fn clock(seconds: f64) -> gst::ClockTime {
        gst::ClockTime::from_nseconds((seconds * 1e9) as u64)
    }

    fn parsed(text: &str, model: &Arc<Model>) -> Result<Cues, String> {
        Cues::parse(text, Path::new(""), model)
    }

    fn strength(cues: &mut Cues, seconds: f64) -> f32 {
        let mut controls = Controls::default();
        cues.lay_over(Some(clock(seconds)), &mut controls);
        controls.strength
    }

    #[test]
    fn numbers_go_from_key_to_key_as_their_ease_says() {
        let text = cue(4.0, "strength", "1.0", "linear")
            + &cue(2.0, "strength", "0.2", "hold")
            + &cue(6.0, "strength", "0", "smooth")
            + &cue(9.0, "strength", "0.5", "hold");
        let mut cues = parsed(&text, &model()).unwrap();
        for (time, expected) in [
            (0.0, 0.2),
            (2.0, 0.2),
            (3.0, 0.6),
            (4.0, 1.0),
            (5.0, 0.5),
            (5.5, 0.15625),
            (8.9, 0.0),
            (9.0, 0.5),
            (99.0, 0.5),
        ] {
            let found = strength(&mut cues, time);
            assert!((found - expected).abs() < 1e-4, "{time}: {found}");
        }
    }

    #[test]
    fn a_style_that_is_held_stays_the_same_code_and_one_on_its_way_does_not() {
        let model = model();
        let text = cue(0.0, "style", "'style-1'", "hold") + &cue(1.0, "style", "'style-2'", "hold");
        let text = text + &cue(2.0, "style", "'style-1'", "linear");
        let mut cues = parsed(&text, &model).unwrap();
        let mut at = |seconds: f64| {
            let FrameStyle { code, jumped } = cues.style_at(Some(clock(seconds)), &model).unwrap();
            (code.unwrap(), jumped)
        };
        let [first, again, second, between] = [0.0, 0.9, 1.0, 1.5].map(&mut at);
        assert!(Arc::ptr_eq(&first.0, &again.0) && !first.1 && !again.1);
        assert!(second.1 && *second.0 == model.style("style-2").unwrap());
        assert!(!between.1 && *between.0 == second.0.toward(&first.0, 0.5));
        assert!(cues.style_at(Some(gst::ClockTime::ZERO), &self::model()).is_none());
    }

    #[test]
    fn what_follows_an_eased_passage_is_a_jump_only_where_it_is_not_its_end() {
        let model = model();
        let text = cue(0.0, "style", "'style-1'", "hold")
            + &cue(1.0, "style", "'style-2'", "linear")
            + &cue(1.01, "style", "'style-1'", "hold");
        let jumps = |times: &[f64]| -> Vec<bool> {
            let mut cues = parsed(&text, &model).unwrap();
            times.iter().map(|time| cues.style_at(Some(clock(*time)), &model).unwrap().jumped).collect()
        };
        assert_eq!(jumps(&[0.0, 0.5, 1.0, 1.005]), [false, false, false, false]);
        assert_eq!(jumps(&[0.5, 0.98, 1.02]), [false, false, true]);
        assert_eq!(jumps(&[1.005, 1.02, 0.5]), [false, true, true]);
    }

    #[test]
    fn a_frame_without_a_time_keeps_what_was_cued() {
        let model = model();
        let text = cue(0.0, "style", "'style-1'", "hold") + &cue(1.0, "style", "'style-2'", "hold");
        let text = text + &cue(0.0, "strength", "0.5", "hold");
        let mut cues = parsed(&text, &model).unwrap();
        let mut controls = Controls::default();
        cues.lay_over(None, &mut controls);
        assert!(cues.style_at(None, &model).is_none() && controls.strength == 1.0);
        let second = cues.style_at(Some(clock(2.0)), &model).unwrap().code.unwrap();
        cues.lay_over(Some(clock(2.0)), &mut Controls::default());
        cues.lay_over(None, &mut controls);
        let kept = cues.style_at(None, &model).unwrap();
        assert!(Arc::ptr_eq(&kept.code.unwrap(), &second) && !kept.jumped && controls.strength == 0.5);
    }

    #[test]
    fn files_are_looked_for_from_the_sheet() {
        let model = model();
        let folder = tempfile::tempdir().unwrap();
        let code = model.style("style-2").unwrap();
        std::fs::write(folder.path().join("kept.style"), impasto_models::style::file_text(&code, ""))
            .unwrap();
        let sheet = folder.path().join("show.toml");
        std::fs::write(&sheet, cue(0.0, "style", "'kept.style'", "hold")).unwrap();
        let mut cues = Cues::load(sheet.to_str().unwrap(), &model).unwrap();
        assert_eq!(*cues.style_at(Some(clock(0.0)), &model).unwrap().code.unwrap(), code);
    }

    #[test]
    fn what_is_wrong_is_named_with_its_cue() {
        let refused = |text: &str| parsed(text, &model()).unwrap_err();
        let good = cue(0.0, "strength", "1", "hold");
        for (bad, reason) in [
            (cue(1.0, "strength", "2", "hold"), "cue 2: value: found 2, expected 0 to 1"),
            (cue(1.0, "strength", "'full'", "hold"), "cue 2: value: found 'full'"),
            (cue(1.0, "sharpness", "1", "hold"), "cue 2: property: found 'sharpness'"),
            (cue(-1.0, "strength", "1", "hold"), "cue 2: time: found -1"),
            (cue(0.0, "strength", "0.5", "hold"), "cue 2: time: found 0 a second time"),
            (cue(1.0, "style", "'cubist'", "hold"), "cue 2: the model 'untrained' has no style 'cubist'"),
            (cue(1.0, "style", "3", "hold"), "cue 2: value: found a number"),
            (cue(1.0, "temporal", "-1", "hold"), "cue 2: value: found -1, expected 0 to 1"),
            (cue(1.0, "strength", "true", "hold"), "found true, expected a number, or a style"),
            (cue(1.0, "strength", "1", "bounce"), "unknown variant `bounce`"),
            (
                "[[cue]]\ntime = 1\nproperty = 'strength'\nvalue = 1\nspeed = 2\n".to_owned(),
                "unknown field `speed`",
            ),
        ] {
            let message = refused(&(good.clone() + &bad));
            assert!(message.contains(reason), "{message}");
        }
        assert!(refused("").contains("found no [[cue]]"));
    }
}
