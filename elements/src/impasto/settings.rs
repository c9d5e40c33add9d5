//! The properties: what the user asked for, always writable.

use std::ops::RangeInclusive;
use std::sync::LazyLock;
use std::time::Duration;

use super::editing::Editing;
use super::styling::Ease;
use gstreamer::glib;
use gstreamer::glib::prelude::*;
use gstreamer::prelude::*;
use impasto_models::controls::STRENGTHS;
use impasto_models::{Controls, DeviceChoice, EngineOptions, Error, Model, Precision};

/// What the user asked for. Read by the streaming thread before every frame, written by anybody.
#[derive(Debug, Clone)]
pub(super) struct Settings {
    /// Name or file of a model; the bundled default where there is none.
    pub model: Option<String>,
    /// How far from the input to the painting, 0 to 1.
    pub strength: f32,
    /// How much of the input's colours stays, 0 to 1.
    pub keep_colors: f32,
    /// How far the scene is brought to the light of photos first, 0 to 1.
    pub adapt: f32,
    /// How wide strokes are, 0.25 to 4, relative to the picture; as wide as its own size makes them where it is 0.
    pub stroke: f32,
    /// The flicker filter, 0 to 1; what the model recommends where it is negative.
    pub temporal: f32,
    /// The style.
    pub style: WantedStyle,
    /// How long another style is faded into, in milliseconds.
    pub style_fade: u32,
    /// How a fade goes along.
    pub style_ease: Ease,
    /// What is edited: as it was written, as it was meant, and as it is painted.
    pub edit: Editing,
    /// The file of a cue sheet.
    pub cues: Option<String>,
    /// Which device paints, as the user wrote it.
    pub device: String,
    /// In which numbers the network is computed, as the user wrote it.
    pub precision: String,
    /// How long a frame may wait for other elements', in milliseconds.
    pub batch_wait: u32,
}

impl Default for Settings {
    fn default() -> Self {
        let Controls { strength, keep_colors, adapt, stroke, .. } = Controls::default();
        Self {
            model: None,
            strength,
            keep_colors,
            adapt,
            stroke,
            temporal: AS_RECOMMENDED,
            style: WantedStyle::default(),
            style_fade: 0,
            style_ease: Ease::default(),
            edit: Editing::default(),
            cues: None,
            device: DeviceChoice::Auto.to_string(),
            precision: Precision::Auto.to_string(),
            batch_wait: 0,
        }
    }
}

/// Names, style files or pictures, with weights.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct WantedStyle {
    /// The model's first style where there is none.
    pub style: Option<String>,
    /// Whose colours it has; its own where there is none.
    pub palette: Option<String>,
}

/// What a changed property asks the element to do.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Change {
    /// Nothing at once: the next frame sees it.
    NextFrame,
    /// Another model.
    Model,
    /// Another style.
    Style,
}

impl Settings {
    /// The controls of the next frame but for its style, painted by `model`.
    pub fn controls(&self, model: &Model) -> Controls {
        let recommended = model.metadata().defaults.temporal;
        let temporal = if self.temporal < 0.0 { recommended } else { self.temporal };
        let Self { strength, keep_colors, adapt, stroke, .. } = *self;
        let edits = self.edit.made();
        Controls { strength, keep_colors, adapt, temporal, stroke, edits, ..Controls::default() }.clamped()
    }

    /// What an engine is opened with.
    pub fn engine(&self) -> Result<EngineOptions, Error> {
        let (device, precision) = (self.device.parse()?, self.precision.parse()?);
        let batch_wait = Duration::from_millis(self.batch_wait.into());
        Ok(EngineOptions { device, precision, batch_wait, ..EngineOptions::default() })
    }

    /// Takes a property's value, but that of `edit`. GLib has checked name, type and range.
    pub fn set(&mut self, name: &str, value: &glib::Value) -> Change {
        match name {
            "model" => {
                self.model = text(value);
                return Change::Model;
            }
            "style" => {
                self.style.style = text(value);
                return Change::Style;
            }
            "palette" => {
                self.style.palette = text(value);
                return Change::Style;
            }
            "style-fade" => self.style_fade = value.get().expect(CHECKED),
            "style-ease" => self.style_ease = value.get().expect(CHECKED),
            "cues" => self.cues = text(value),
            "strength" => self.strength = value.get().expect(CHECKED),
            "keep-colors" => self.keep_colors = value.get().expect(CHECKED),
            "adapt" => self.adapt = value.get().expect(CHECKED),
            "stroke" => self.stroke = value.get().expect(CHECKED),
            "temporal" => self.temporal = value.get().expect(CHECKED),
            "device" => {
                let device: Option<String> = value.get().expect(CHECKED);
                self.device = device.unwrap_or_else(|| DeviceChoice::Auto.to_string());
            }
            "precision" => {
                let precision: Option<String> = value.get().expect(CHECKED);
                self.precision = precision.unwrap_or_else(|| Precision::Auto.to_string());
            }
            "batch-wait" => self.batch_wait = value.get().expect(CHECKED),
            _ => unreachable!("{CHECKED}"),
        }
        Change::NextFrame
    }

    /// A property's value.
    pub fn get(&self, name: &str) -> glib::Value {
        match name {
            "model" => self.model.to_value(),
            "style" => self.style.style.to_value(),
            "palette" => self.style.palette.to_value(),
            "style-fade" => self.style_fade.to_value(),
            "style-ease" => self.style_ease.to_value(),
            "edit" => self.edit.text().to_value(),
            "cues" => self.cues.to_value(),
            "strength" => self.strength.to_value(),
            "keep-colors" => self.keep_colors.to_value(),
            "adapt" => self.adapt.to_value(),
            "stroke" => self.stroke.to_value(),
            "temporal" => self.temporal.to_value(),
            "device" => self.device.to_value(),
            "precision" => self.precision.to_value(),
            "batch-wait" => self.batch_wait.to_value(),
            _ => unreachable!("{CHECKED}"),
        }
    }
}

/// A name, a file, a choice or edits. A `GstPreset` that is loaded leaves a backslash before what is no letter (GStreamer 1.22), and
/// writes NULL for nothing. JSON has backslashes of its own and stays as it is; that version's presets lose its quotes, so it is none of
/// theirs.
pub(super) fn text(value: &glib::Value) -> Option<String> {
    let text = value.get::<Option<String>>().expect(CHECKED)?;
    if text.trim_start().starts_with('{') {
        return Some(text);
    }
    let mut plain = String::with_capacity(text.len());
    let mut characters = text.chars().peekable();
    while let Some(character) = characters.next() {
        let escaped = characters.next_if(|next| character == '\\' && !next.is_alphanumeric());
        plain.push(escaped.unwrap_or(character));
    }
    (plain != "NULL").then_some(plain)
}

/// The value of `temporal` that leaves it to the model.
const AS_RECOMMENDED: f32 = -1.0;

const CHECKED: &str = "GLib passes only the properties listed here, with values of their type";

/// The properties as GStreamer lists them.
pub(super) fn properties() -> &'static [glib::ParamSpec] {
    static PROPERTIES: LazyLock<Vec<glib::ParamSpec>> =
        LazyLock::new(|| [looks(), controls(), machinery()].concat());
    &PROPERTIES
}

/// What paints, and in which style.
fn looks() -> Vec<glib::ParamSpec> {
    vec![
        glib::ParamSpecString::builder("model")
            .nick("Model")
            .blurb("Name or file of the model that paints; the bundled default where none is given")
            .mutable_playing()
            .build(),
        glib::ParamSpecString::builder("style")
            .nick("Style")
            .blurb("A style of the model, a style file, a picture, or a mix: NAME|FILE[:WEIGHT],...; the model's first where none is given")
            .mutable_playing()
            .build(),
        glib::ParamSpecString::builder("palette")
            .nick("Palette")
            .blurb("Whose colours the style has, as style names them, for a model that takes pictures; its own where none is given")
            .mutable_playing()
            .build(),
        glib::ParamSpecUInt::builder("style-fade")
            .nick("Style fade")
            .blurb("How long another style is faded into, in milliseconds; 0 is at once")
            .maximum(3_600_000)
            .mutable_playing()
            .build(),
        glib::ParamSpecEnum::builder_with_default("style-ease", Ease::default())
            .nick("Style ease")
            .blurb("How a fade goes along")
            .mutable_playing()
            .build(),
        glib::ParamSpecString::builder("edit")
            .nick("Edit")
            .blurb("What is edited, region by region: an instruction in English or Chinese, a plan as JSON, or a .json file that holds one")
            .mutable_playing()
            .build(),
        glib::ParamSpecString::builder("cues")
            .nick("Cues")
            .blurb("A cue sheet: a TOML file that says which control, style or edits there are when; it goes before the properties")
            .mutable_ready()
            .build(),
    ]
}

/// The numbers of a frame.
fn controls() -> Vec<glib::ParamSpec> {
    vec![
        control(
            "strength",
            "Strength",
            "How far from the input (0) to the painting (1); with a model that has a style 'photo' beyond, others stop at 1",
            *STRENGTHS.start()..=*STRENGTHS.end(),
            1.0,
        ),
        control("keep-colors", "Keep colours", "How much of the input's own colours stays", 0.0..=1.0, 0.0),
        control(
            "adapt",
            "Adapt",
            "How far the painting's palette and contrasts come out, whatever the scene's light; with any and its like, others leave it out",
            0.0..=1.0,
            0.0,
        ),
        control(
            "stroke",
            "Stroke",
            "Width of strokes whatever the frame's size: 1 is as in a frame of 1280 pixels (0.25 to 4); 0: as its own size makes them",
            0.0..=4.0,
            0.0,
        ),
        control(
            "temporal",
            "Temporal",
            "Strength of the flicker filter, 0 (off) to 1; below 0: as the model recommends",
            AS_RECOMMENDED..=1.0,
            AS_RECOMMENDED,
        ),
    ]
}

/// On what it runs, and how that goes.
fn machinery() -> Vec<glib::ParamSpec> {
    vec![
        glib::ParamSpecString::builder("device")
            .nick("Device")
            .blurb("What paints: auto (a GPU where there is one), cpu, burn-cpu, cuda:N or burn-cuda:N")
            .default_value(Some("auto"))
            .mutable_ready()
            .build(),
        glib::ParamSpecString::builder("precision")
            .nick("Precision")
            .blurb("In which numbers the network is computed: auto, f32, bf16 or f16")
            .default_value(Some("auto"))
            .mutable_ready()
            .build(),
        glib::ParamSpecUInt::builder("batch-wait")
            .nick("Batch wait")
            .blurb("On a GPU, how long a frame may wait for those of other impasto elements to be painted with them in one launch, in milliseconds; 0: not at all")
            .maximum(1000)
            .mutable_ready()
            .build(),
        glib::ParamSpecBoxed::builder::<gstreamer::Structure>("stats")
            .nick("Statistics")
            .blurb("Frames painted and dropped, mean milliseconds of each stage of recent frames, latency")
            .read_only()
            .build(),
    ]
}

/// A number that may change with every frame.
fn control(name: &str, nick: &str, blurb: &str, range: RangeInclusive<f32>, default: f32) -> glib::ParamSpec {
    glib::ParamSpecFloat::builder(name)
        .nick(nick)
        .blurb(blurb)
        .minimum(*range.start())
        .maximum(*range.end())
        .default_value(default)
        .mutable_playing()
        .controllable()
        .build()
}

#[cfg(test)]
mod tests {
    use super::*;
    use impasto_models::generators::{GeneratorConfig, TinyConfig};

    #[test]
    fn the_model_decides_how_much_is_filtered_until_the_user_does() {
        let untrained = Model::untrained(GeneratorConfig::Tiny(TinyConfig::new(1)), 1);
        let mut metadata = untrained.metadata().clone();
        metadata.defaults.temporal = 0.7;
        let model = Model::new(metadata, untrained.weights().clone()).unwrap();
        let mut settings = Settings::default();
        assert_eq!(settings.controls(&model).temporal, 0.7);
        settings.set("temporal", &0f32.to_value());
        assert_eq!(settings.controls(&model).temporal, 0.0);
    }

    #[test]
    fn backslashes_are_a_presets_but_in_json() {
        let json = r#"{"edits": [{"style": "a \"b\".jpg"}]}"#;
        assert_eq!(text(&json.to_value()).as_deref(), Some(json));
        assert_eq!(text(&r"a\ b\.jpg".to_value()).as_deref(), Some("a b.jpg"));
    }
}
