//! GStreamer started with the element `impasto` in it, and which package brings what is missing.

use anyhow::{Context, Result, bail};
use gstreamer as gst;

/// Which Debian and Ubuntu package brings an element; the first row that names it counts.
const PACKAGES: [(&str, &[&str]); 7] = [
    (
        "gstreamer1.0-plugins-base",
        &["videoconvert", "videoscale", "videorate", "decodebin", "parsebin", "compositor", "appsink"],
    ),
    (
        "gstreamer1.0-plugins-good",
        &[
            "mp4mux",
            "qtmux",
            "matroskamux",
            "webmmux",
            "deinterlace",
            "videoflip",
            "videocrop",
            "vp8enc",
            "vp9enc",
            "capssetter",
            "v4l2src",
            "v4l2sink",
            "flvmux",
            "rtspsrc",
            "udpsink",
            "udpsrc",
            "autovideosink",
            "autoaudiosink",
            "autoaudiosrc",
        ],
    ),
    (
        "gstreamer1.0-plugins-bad",
        &[
            "openh264enc",
            "x265enc",
            "h264parse",
            "h265parse",
            "av1parse",
            "vp9parse",
            "av1enc",
            "svtav1enc",
            "srtsink",
            "srtsrc",
            "rtmp2sink",
            "rtmpsink",
            "mpegtsmux",
            "voaacenc",
            "fdkaacenc",
            "waylandsink",
            "kmssink",
        ],
    ),
    ("gstreamer1.0-plugins-ugly", &["x264enc"]),
    ("gstreamer1.0-libav", &["avenc_mpeg4", "avdec_h264", "avdec_h265", "avenc_aac", "avdec_aac"]),
    ("gstreamer1.0-x", &["ximagesink", "xvimagesink"]),
    ("gstreamer1.0-gl", &["glimagesink"]),
];

/// Starts GStreamer, once, with the element `impasto` registered.
///
/// # Errors
/// Where GStreamer or the element cannot start.
pub fn start() -> Result<()> {
    gst::init().context("GStreamer could not start")?;
    gstimpasto::plugin_register_static().context("the element 'impasto' could not be registered")
}

/// True where an element of this factory name can be made.
pub fn has(factory: &str) -> bool {
    gst::ElementFactory::find(factory).is_some()
}

/// Makes an element.
///
/// # Errors
/// Names the package that brings the element where it is missing.
pub fn make(factory: &str) -> Result<gst::Element> {
    if !has(factory) {
        bail!("the GStreamer element '{factory}' is not installed: {}", remedy(factory));
    }
    gst::ElementFactory::make(factory)
        .build()
        .with_context(|| format!("the GStreamer element '{factory}' is broken"))
}

/// How to install a missing element.
pub fn remedy(factory: &str) -> String {
    match PACKAGES.iter().find(|(_, elements)| elements.contains(&factory)) {
        Some((package, _)) => format!("apt install {package}"),
        None => "it comes with one of the gstreamer1.0-plugins packages".to_owned(),
    }
}

/// What a missing-plugin message asks for, and how to install it; none where the message is another one.
pub fn missing(message: &gst::MessageRef) -> Option<String> {
    let structure = message.structure().filter(|structure| structure.name() == "missing-plugin")?;
    let name = structure.get::<String>("name").unwrap_or_else(|_| "a GStreamer plugin".to_owned());
    Some(match structure.get::<String>("type").as_deref() {
        Ok("element") => {
            let factory = structure.get::<String>("detail").unwrap_or_default();
            format!("the GStreamer element '{factory}' is not installed: {}", remedy(&factory))
        }
        // Demuxers are missing "decoders", too; only their name tells.
        _ if name.ends_with("demuxer") => {
            format!("no {name} is installed: apt install gstreamer1.0-plugins-good gstreamer1.0-plugins-bad")
        }
        _ => format!("no {name} is installed: apt install gstreamer1.0-libav"),
    })
}
