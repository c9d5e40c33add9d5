//! What the output file may be: its container, and what that takes.

use std::path::Path;

use anyhow::{Result, anyhow};
use gstreamer as gst;

use super::encoder::Codec;
use crate::plugins;

/// A container that `impasto video` writes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Container {
    /// MPEG-4, `.mp4` and `.m4v`.
    Mp4,
    /// QuickTime, `.mov`.
    Mov,
    /// Matroska, `.mkv`.
    Mkv,
    /// WebM, `.webm`.
    Webm,
}

/// A kind of stream that is copied as it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CopyKind {
    /// Sound.
    Sound,
    /// Subtitles.
    Subtitles,
}

impl Container {
    /// All of them, in the order in which they are offered.
    pub const ALL: [Self; 4] = [Self::Mp4, Self::Mkv, Self::Mov, Self::Webm];

    /// The container that a file's extension asks for.
    ///
    /// # Errors
    /// Lists the extensions where this one is unknown or absent.
    pub fn of(file: &Path) -> Result<Self> {
        let extension = file.extension().map(|extension| extension.to_string_lossy().to_lowercase());
        match extension.as_deref() {
            Some("mp4" | "m4v") => Ok(Self::Mp4),
            Some("mov") => Ok(Self::Mov),
            Some("mkv") => Ok(Self::Mkv),
            Some("webm") => Ok(Self::Webm),
            _ => Err(anyhow!("{}: the output must end in .mp4, .m4v, .mov, .mkv or .webm", file.display())),
        }
    }

    /// Its extension.
    pub fn extension(self) -> &'static str {
        match self {
            Self::Mp4 => "mp4",
            Self::Mov => "mov",
            Self::Mkv => "mkv",
            Self::Webm => "webm",
        }
    }

    /// The GStreamer element that writes it.
    pub fn muxer(self) -> &'static str {
        match self {
            Self::Mp4 => "mp4mux",
            Self::Mov => "qtmux",
            Self::Mkv => "matroskamux",
            Self::Webm => "webmmux",
        }
    }

    /// The codecs that are tried where the user names none: the first that every player shows, then what
    /// stands in for it.
    pub fn default_codecs(self) -> &'static [Codec] {
        match self {
            Self::Webm => &[Codec::Vp9, Codec::Vp8],
            _ => &[Codec::H264, Codec::Mpeg4],
        }
    }

    /// What its pads of this name take: `video_%u`, `audio_%u`, `subtitle_%u`. Empty where it has none.
    pub fn accepts(self, pad: &str) -> gst::Caps {
        // webmmux offers the pad, but plain text in WebM is against the format, and no browser shows it.
        if self == Self::Webm && pad == "subtitle_%u" {
            return gst::Caps::new_empty();
        }
        let templates = gst::ElementFactory::find(self.muxer()).map(|factory| factory.static_pad_templates());
        let template =
            templates.and_then(|templates| templates.into_iter().find(|t| t.name_template() == pad));
        template.map_or_else(gst::Caps::new_empty, |template| template.caps())
    }

    /// Another container that takes what this one does not.
    pub fn taker(caps: &gst::Caps, kind: CopyKind) -> Option<Self> {
        Self::ALL.into_iter().find(|container| container.fit(caps, kind).is_some())
    }

    /// How a stream gets into this container without re-encoding; none where it cannot.
    pub fn fit(self, caps: &gst::Caps, kind: CopyKind) -> Option<Fit> {
        let accepted = self.accepts(kind.pad());
        if caps.can_intersect(&accepted) {
            return Some(Fit::AsItIs);
        }
        if caps.structure(0).is_some_and(|text| text.name() == "text/x-raw") && !accepted.is_empty() {
            return Some(Fit::PlainText);
        }
        parser_between(caps, &accepted).map(Fit::Parsed)
    }

    /// Makes its muxer.
    ///
    /// # Errors
    /// Names the package where it is not installed.
    pub fn make_muxer(self) -> Result<gst::Element> {
        plugins::make(self.muxer())
    }
}

impl CopyKind {
    /// The muxers' name for a pad of this kind.
    pub fn pad(self) -> &'static str {
        match self {
            Self::Sound => "audio_%u",
            Self::Subtitles => "subtitle_%u",
        }
    }
}

/// How a stream gets into a container without re-encoding.
#[derive(Debug, Clone)]
pub enum Fit {
    /// Its packets are taken as they are.
    AsItIs,
    /// Its packets must be framed anew, by this parser: AAC from MPEG-TS, for one.
    Parsed(gst::ElementFactory),
    /// Marked-up text becomes what the container understands; see [`super::subtitles`].
    PlainText,
}

/// A parser that turns streams of `caps` into ones that are `accepted`.
fn parser_between(caps: &gst::Caps, accepted: &gst::Caps) -> Option<gst::ElementFactory> {
    let parsers =
        gst::ElementFactory::factories_with_type(gst::ElementFactoryType::PARSER, gst::Rank::MARGINAL);
    let gives = |factory: &gst::ElementFactory| {
        let mut templates = factory.static_pad_templates().into_iter();
        templates.any(|t| t.direction() == gst::PadDirection::Src && t.caps().can_intersect(accepted))
    };
    parsers
        .into_iter()
        .find(|factory| factory.can_sink_any_caps(caps) && gives(factory) && same_codec(caps, factory))
}

/// True where the parser's output carries the codec of `caps`: a parser never changes the media type.
fn same_codec(caps: &gst::Caps, factory: &gst::ElementFactory) -> bool {
    let Some(name) = caps.structure(0).map(|structure| structure.name().as_str()) else { return false };
    factory.static_pad_templates().into_iter().any(|template| {
        template.direction() == gst::PadDirection::Src
            && template.caps().iter().any(|structure| structure.name().as_str() == name)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_extension_in_capitals_is_understood_and_an_unknown_one_refused() {
        assert_eq!(Container::of(Path::new("A.MP4")).unwrap(), Container::Mp4);
        assert!(Container::of(Path::new("a.avi")).unwrap_err().to_string().contains(".webm"));
        assert!(Container::of(Path::new("a")).is_err());
    }

    #[test]
    fn aac_from_a_transport_stream_fits_into_mp4_through_a_parser_and_not_into_webm() {
        gst::init().unwrap();
        let aac =
            gst::Caps::builder("audio/mpeg").field("mpegversion", 4).field("stream-format", "adts").build();
        assert!(matches!(Container::Mp4.fit(&aac, CopyKind::Sound), Some(Fit::Parsed(_))));
        assert!(Container::Webm.fit(&aac, CopyKind::Sound).is_none());
    }

    #[test]
    fn lossless_sound_that_mp4_does_not_take_is_taken_by_matroska() {
        gst::init().unwrap();
        let flac = gst::Caps::builder("audio/x-flac").field("framed", true).build();
        assert!(Container::Mp4.fit(&flac, CopyKind::Sound).is_none());
        assert_eq!(Container::taker(&flac, CopyKind::Sound), Some(Container::Mkv));
    }
}
