//! What `--output` means: a window, nothing, a device, a file or an address.

use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;

use anyhow::{Result, bail};

/// Where the painted stream goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Target {
    /// A window on the screen.
    Window,
    /// Nowhere: for measuring.
    None,
    /// A V4L2 output device, such as a virtual camera.
    Device(String),
    /// A file.
    File(PathBuf, Container),
    /// An RTMP server.
    Rtmp(String),
    /// An SRT peer.
    Srt(String),
    /// A UDP receiver: host and port.
    Udp(String, i32),
}

/// How a file holds the stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Container {
    /// MPEG-4: `.mp4`.
    Mp4,
    /// QuickTime: `.mov`.
    Mov,
    /// Matroska: `.mkv`.
    Matroska,
    /// WebM: `.webm`.
    WebM,
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Window => f.write_str("the window"),
            Self::None => f.write_str("none"),
            Self::Device(text) | Self::Rtmp(text) | Self::Srt(text) => f.write_str(text),
            Self::File(path, _) => write!(f, "{}", path.display()),
            Self::Udp(host, port) => write!(f, "udp://{host}:{port}"),
        }
    }
}

impl FromStr for Target {
    type Err = anyhow::Error;

    fn from_str(text: &str) -> Result<Self> {
        match text.split_once("://") {
            Some(("rtmp" | "rtmps", _)) => Ok(Self::Rtmp(text.to_owned())),
            Some(("srt", _)) => Ok(Self::Srt(text.to_owned())),
            Some(("udp", address)) => udp(text, address),
            Some((scheme, _)) => {
                bail!(
                    "cannot send to a {scheme}:// address: expected rtmp://, rtmps://, srt:// or udp://host:port"
                )
            }
            None if text == "window" => Ok(Self::Window),
            None if text == "none" => Ok(Self::None),
            None if text.starts_with("/dev/") => Ok(Self::Device(text.to_owned())),
            None => file(text),
        }
    }
}

fn udp(text: &str, address: &str) -> Result<Target> {
    let address = address.trim_end_matches('/');
    if let Some((host, port)) = address.rsplit_once(':')
        && let Ok(port @ 1..) = port.parse::<u16>()
        && !host.is_empty()
    {
        let host = host.trim_start_matches('[').trim_end_matches(']');
        return Ok(Target::Udp(host.to_owned(), port.into()));
    }
    bail!("'{text}' names no receiver: expected udp://host:port, such as udp://127.0.0.1:5000")
}

fn file(text: &str) -> Result<Target> {
    let path = PathBuf::from(text);
    let extension = path.extension().map(|extension| extension.to_string_lossy().to_lowercase());
    let container = match extension.as_deref() {
        Some("mp4" | "m4v") => Container::Mp4,
        Some("mov") => Container::Mov,
        Some("mkv") => Container::Matroska,
        Some("webm") => Container::WebM,
        _ => bail!(
            "cannot tell what to write to '{text}': expected a file that ends in .mp4, .mkv, .webm or .mov, \
             /dev/videoN, rtmp://, srt://, udp://host:port, window or none"
        ),
    };
    Ok(Target::File(path, container))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_kind_of_output_is_told_by_its_spelling() {
        let parse = |text: &str| text.parse::<Target>().unwrap();
        assert_eq!(parse("none"), Target::None);
        assert_eq!(parse("/dev/video9"), Target::Device("/dev/video9".to_owned()));
        assert_eq!(parse("a.b/Show.MKV"), Target::File("a.b/Show.MKV".into(), Container::Matroska));
        assert_eq!(parse("udp://[::1]:5000"), Target::Udp("::1".to_owned(), 5000));
        assert_eq!(parse("rtmp://host/app/key"), Target::Rtmp("rtmp://host/app/key".to_owned()));
    }

    #[test]
    fn an_output_of_unknown_kind_is_refused_with_what_was_expected() {
        for text in ["show.avi", "show", "http://host/", "udp://host", "udp://host:0", "udp://:5000"] {
            let error = text.parse::<Target>().unwrap_err().to_string();
            assert!(error.contains("expected"), "{text}: {error}");
        }
    }
}
