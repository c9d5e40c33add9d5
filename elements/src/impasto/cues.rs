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

use std::path::Path;
use std::sync::Arc;

use gstreamer as gst;
use impasto_models::{Model, StyleCode};
use serde::Deserialize;

use super::styling::FrameStyle;

/// The numbers that a sheet may change, and their ranges.
const NUMBERS: [(&str, f32, f32); 4] =
    [("strength", 0.0, 1.0), ("keep-colors", 0.0, 1.0), ("stroke", 0.0, 4.0), ("temporal", -1.0, 1.0)];

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
    ease: Ease,
}

#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum Value {
    Number(f64),
    Text(String),
}

/// How a value gets to a cue from the one before.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Ease {
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
    ease: Ease,
}

/// A sheet that fits a model.
#[derive(Debug)]
pub(super) struct Cues {
    numbers: Vec<(&'static str, Vec<Key<f32>>)>,
    styles: Vec<Key<StyleCode>>,
    model: Arc<Model>,
    /// The style key that was held last, and its code.
    held: Option<(usize, Arc<StyleCode>)>,
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
    /// Reads a sheet.
    ///
    /// # Errors
    /// A message with the file, and with the cue, counted from 1, that cannot be.
    pub fn load(path: &str, model: &Arc<Model>) -> Result<Self, String> {
        let text = std::fs::read_to_string(Path::new(path)).map_err(|error| format!("{path}: {error}"))?;
        Self::parse(&text, model).map_err(|error| format!("{path}: {error}"))
    }

    fn parse(text: &str, model: &Arc<Model>) -> Result<Self, String> {
        let sheet: Sheet = toml::from_str(text).map_err(|error| error.to_string().trim_end().to_owned())?;
        let mut cues = Self { numbers: Vec::new(), styles: Vec::new(), model: Arc::clone(model), held: None };
        for (index, cue) in sheet.cue.into_iter().enumerate() {
            cues.add(cue).map_err(|error| format!("cue {}: {error}", index + 1))?;
        }
        Ok(cues)
    }

    fn add(&mut self, cue: Cue) -> Result<(), String> {
        let Cue { time, property, value, ease } = cue;
        if !(time.is_finite() && time >= 0.0) {
            return Err(format!("time: found {time}, expected seconds, 0 or more"));
        }
        if property == "style" {
            let Value::Text(choice) = value else {
                return Err("value: found a number, expected a style as --style takes it".to_owned());
            };
            let value = self.model.choose_style(&choice).map_err(|error| error.to_string())?;
            return insert(&mut self.styles, Key { time, value, ease });
        }
        let Some((name, least, most)) = NUMBERS.into_iter().find(|(name, ..)| *name == property) else {
            let expected = "strength, keep-colors, stroke, temporal or style";
            return Err(format!("property: found '{property}', expected {expected}"));
        };
        let number = match value {
            Value::Number(number) if (f64::from(least)..=f64::from(most)).contains(&number) => number as f32,
            Value::Number(number) => {
                return Err(format!("value: found {number}, expected {least} to {most}"));
            }
            Value::Text(text) => return Err(format!("value: found '{text}', expected {least} to {most}")),
        };
        let known = self.numbers.iter().position(|(known, _)| *known == name);
        let at = known.unwrap_or_else(|| {
            self.numbers.push((name, Vec::new()));
            self.numbers.len() - 1
        });
        insert(&mut self.numbers[at].1, Key { time, value: number, ease })
    }

    /// The numbers at a time, by property.
    pub fn numbers_at(&self, time: gst::ClockTime) -> impl Iterator<Item = (&'static str, f32)> {
        self.numbers.iter().map(move |(name, keys)| {
            let Place { from, to, .. } =
                place(keys, seconds(time)).expect("a property is listed with its first cue");
            (*name, to.map_or(*from, |(to, share)| from + (to - from) * share))
        })
    }

    /// The style at a time; none where the sheet has no cue for it, or `model` is not the one that it was read for.
    pub fn style_at(&mut self, time: gst::ClockTime, model: &Arc<Model>) -> Option<FrameStyle> {
        if !Arc::ptr_eq(model, &self.model) {
            return None;
        }
        let Place { index, from, to } = place(&self.styles, seconds(time))?;
        if let Some((to, share)) = to.filter(|(_, share)| *share > 0.0) {
            self.held = None;
            return Some(FrameStyle { code: Some(Arc::new(from.toward(to, share))), jumped: false });
        }
        // The same code as long as it is held: another would be folded anew into the weights, frame by frame.
        let jumped = self.held.as_ref().is_some_and(|(held, _)| *held != index);
        let held = self.held.take().filter(|(held, _)| *held == index);
        let (_, code) = self.held.insert(held.unwrap_or_else(|| (index, Arc::new(from.clone()))));
        Some(FrameStyle { code: Some(Arc::clone(code)), jumped })
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
    let next = keys.get(after).filter(|next| after > 0 && next.ease != Ease::Hold);
    let to = next.map(|next| {
        let share = ((time - from.time) / (next.time - from.time)) as f32;
        let share = if next.ease == Ease::Smooth { share * share * (3.0 - 2.0 * share) } else { share };
        (&next.value, share)
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

    fn strength(cues: &Cues, seconds: f64) -> f32 {
        let time = gst::ClockTime::from_nseconds((seconds * 1e9) as u64);
        cues.numbers_at(time).find(|(name, _)| *name == "strength").unwrap().1
    }

    #[test]
    fn numbers_go_from_key_to_key_as_their_ease_says() {
        let text = cue(4.0, "strength", "1.0", "linear")
            + &cue(2.0, "strength", "0.2", "hold")
            + &cue(6.0, "strength", "0", "smooth")
            + &cue(9.0, "strength", "0.5", "hold");
        let cues = Cues::parse(&text, &model()).unwrap();
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
            assert!((strength(&cues, time) - expected).abs() < 1e-4, "{time}: {}", strength(&cues, time));
        }
    }

    #[test]
    fn a_style_that_is_held_stays_the_same_code_and_one_on_its_way_does_not() {
        let model = model();
        let text = cue(0.0, "style", "'style-1'", "hold") + &cue(1.0, "style", "'style-2'", "hold");
        let text = text + &cue(2.0, "style", "'style-1'", "linear");
        let mut cues = Cues::parse(&text, &model).unwrap();
        let mut at = |seconds: f64| {
            let time = gst::ClockTime::from_nseconds((seconds * 1e9) as u64);
            let FrameStyle { code, jumped } = cues.style_at(time, &model).unwrap();
            (code.unwrap(), jumped)
        };
        let [first, again, second, between] = [0.0, 0.9, 1.0, 1.5].map(&mut at);
        assert!(Arc::ptr_eq(&first.0, &again.0) && !first.1 && !again.1);
        assert!(second.1 && *second.0 == model.style("style-2").unwrap());
        assert!(!between.1 && *between.0 == second.0.toward(&first.0, 0.5));
        assert!(cues.style_at(gst::ClockTime::ZERO, &self::model()).is_none());
    }

    #[test]
    fn what_is_wrong_is_named_with_its_cue() {
        let refused = |text: &str| Cues::parse(text, &model()).unwrap_err();
        let good = cue(0.0, "strength", "1", "hold");
        for (bad, reason) in [
            (cue(1.0, "strength", "2", "hold"), "cue 2: value: found 2, expected 0 to 1"),
            (cue(1.0, "strength", "'full'", "hold"), "cue 2: value: found 'full'"),
            (cue(1.0, "sharpness", "1", "hold"), "cue 2: property: found 'sharpness'"),
            (cue(-1.0, "strength", "1", "hold"), "cue 2: time: found -1"),
            (cue(0.0, "strength", "0.5", "hold"), "cue 2: time: found 0 a second time"),
            (cue(1.0, "style", "'cubist'", "hold"), "cue 2: the model 'untrained' has no style 'cubist'"),
            (cue(1.0, "style", "3", "hold"), "cue 2: value: found a number"),
            (cue(1.0, "strength", "1", "bounce"), "unknown variant `bounce`"),
            (
                "[[cue]]\ntime = 1\nproperty = 'strength'\nvalue = 1\nspeed = 2\n".to_owned(),
                "unknown field `speed`",
            ),
        ] {
            let message = refused(&(good.clone() + &bad));
            assert!(message.contains(reason), "{message}");
        }
    }
}
