//! Cameras: which there are, and which of its modes one is asked for.

use anyhow::{Context, Result, bail};
use gstreamer as gst;
use gstreamer::prelude::*;

use crate::standard_output::print_line;

/// What a camera is asked for where the user leaves it open: what most cameras give at full rate, and
/// what can be painted in real time.
const DEFAULT_SIZE: (i32, i32) = (640, 480);
const DEFAULT_RATE: f64 = 30.0;

/// The size and rate that the user wishes for; the nearest that the camera has is taken.
#[derive(Debug, Clone, Copy, Default)]
pub struct Wish {
    /// Width and height in pixels.
    pub size: Option<(i32, i32)>,
    /// Frames a second.
    pub rate: Option<gst::Fraction>,
}

/// The cameras that GStreamer finds.
///
/// # Errors
/// Where no device monitor can be started.
pub fn cameras() -> Result<Vec<gst::Device>> {
    let monitor = gst::DeviceMonitor::new();
    monitor.add_filter(Some("Video/Source"), None);
    monitor.start().context("cameras cannot be looked for")?;
    let devices = monitor.devices();
    monitor.stop();
    Ok(devices.into_iter().collect())
}

/// Prints each camera's number, name and modes.
///
/// # Errors
/// As [`cameras`].
pub fn list() -> Result<()> {
    let cameras = cameras()?;
    if cameras.is_empty() {
        print_line("no camera found");
    }
    for (number, camera) in cameras.iter().enumerate() {
        print_line(format_args!("{number}  {}", camera.display_name()));
        let modes: Vec<String> =
            camera.caps().map(|caps| caps.iter().map(describe).collect()).unwrap_or_default();
        let mut seen = Vec::new();
        for mode in modes.into_iter().filter(|mode| !mode.is_empty()) {
            if !seen.contains(&mode) {
                print_line(format_args!("     {mode}"));
                seen.push(mode);
            }
        }
    }
    Ok(())
}

/// One structure of a camera's caps for people: `YUY2 640x480 at 30, 15`.
fn describe(mode: &gst::StructureRef) -> String {
    let words = |name: &str| mode.value(name).ok().map(spelled).unwrap_or_default();
    let kind = match mode.name().as_str() {
        "video/x-raw" => words("format"),
        "image/jpeg" => "MJPEG".to_owned(),
        other => other.trim_start_matches("video/x-").to_uppercase(),
    };
    format!("{kind} {}x{} at {}", words("width"), words("height"), words("framerate"))
}

/// A caps value for people: lists with commas, whole rates without their denominator.
fn spelled(value: &gst::glib::SendValue) -> String {
    if let Ok(list) = value.get::<gst::List>() {
        return list.iter().map(spelled).collect::<Vec<_>>().join(", ");
    }
    if let Ok(rate) = value.get::<gst::Fraction>() {
        let rate = f64::from(rate.numer()) / f64::from(rate.denom());
        return format!("{}", (rate * 100.0).round() / 100.0);
    }
    if let Ok(range) = value.get::<gst::IntRange<i32>>() {
        return format!("{}-{}", range.min(), range.max());
    }
    if let Ok(range) = value.get::<gst::FractionRange>() {
        return format!("{}-{}", range.min(), range.max());
    }
    value.get::<String>().or_else(|_| value.get::<i32>().map(|number| number.to_string())).unwrap_or_default()
}

/// The camera of this number, asked for its mode nearest to `wish`, as a bin with one source pad; and the
/// mode in words.
///
/// # Errors
/// Where there is no such camera, or it cannot be used.
pub fn open(number: usize, wish: Wish) -> Result<(gst::Element, String)> {
    let cameras = cameras()?;
    let Some(camera) = cameras.get(number) else {
        bail!(
            "camera {number} not found: {}",
            match cameras.len() {
                0 => "no camera is there; try --test".to_owned(),
                count => format!("there are {count}, from 0 on; `impasto live --list` shows them"),
            }
        );
    };
    let name = camera.display_name();
    let source =
        camera.create_element(None).with_context(|| format!("camera {number} ({name}) cannot be opened"))?;
    let mode = camera.caps().and_then(|caps| nearest_mode(&caps, wish));
    let caps = mode.clone().unwrap_or_else(gst::Caps::new_any);
    let filter = gst::ElementFactory::make("capsfilter").property("caps", &caps).build()?;
    let bin = gst::Bin::new();
    bin.add_many([&source, &filter])?;
    source.link(&filter).with_context(|| format!("camera {number} ({name}) gives no video"))?;
    let pad = filter.static_pad("src").context("a caps filter has a source pad")?;
    bin.add_pad(&gst::GhostPad::with_target(&pad)?)?;
    let mode = mode.as_ref().and_then(|caps| caps.structure(0)).map(describe).unwrap_or_default();
    Ok((bin.upcast(), format!("{name}, {mode}")))
}

/// The mode of `offered` that comes nearest to `wish`: size first, then rate, then raw before compressed.
/// The rate is left to the camera where it names none.
fn nearest_mode(offered: &gst::CapsRef, wish: Wish) -> Option<gst::Caps> {
    let (width, height) = wish.size.unwrap_or(DEFAULT_SIZE);
    let wished_rate = wish.rate.map_or(DEFAULT_RATE, number);
    let mut modes: Vec<gst::Structure> = Vec::new();
    for structure in offered.iter().filter(|structure| structure.name() != "video/x-bayer") {
        let mut mode = structure.to_owned();
        mode.fixate_field_nearest_int("width", width);
        mode.fixate_field_nearest_int("height", height);
        let rate = wish.rate.unwrap_or(gst::Fraction::new(30, 1));
        mode.fixate_field_nearest_fraction("framerate", rate);
        modes.push(mode);
    }
    let distance = |mode: &gst::Structure| {
        let side = |name, wished: i32| mode.get::<i32>(name).map_or(0, |found| (found - wished).abs());
        let rate = mode.get::<gst::Fraction>("framerate").map_or(wished_rate, number);
        // A rate within a twentieth is as good as the wished one.
        let rate_off = ((rate - wished_rate).abs() / wished_rate * 20.0) as i64;
        (side("width", width) + side("height", height), rate_off, mode.name() != "video/x-raw")
    };
    let best = modes.into_iter().min_by_key(distance)?;
    Some(gst::Caps::builder_full().structure(best).build())
}

fn number(rate: gst::Fraction) -> f64 {
    f64::from(rate.numer()) / f64::from(rate.denom())
}

#[cfg(test)]
mod tests {
    use std::str::FromStr;

    use super::*;

    /// What a common webcam offers: raw is slow above 640x480.
    fn webcam() -> gst::Caps {
        gst::init().unwrap();
        gst::Caps::from_str(
            "video/x-raw, format=YUY2, width=640, height=480, framerate={ 30/1, 15/1 };\
             video/x-raw, format=YUY2, width=1280, height=720, framerate=10/1;\
             image/jpeg, width=640, height=480, framerate=30/1;\
             image/jpeg, width=1280, height=720, framerate=30/1;\
             image/jpeg, width=1920, height=1080, framerate=30/1",
        )
        .unwrap()
    }

    fn mode(wish: Wish) -> String {
        describe(nearest_mode(&webcam(), wish).unwrap().structure(0).unwrap())
    }

    #[test]
    fn a_camera_is_asked_for_raw_pictures_where_they_come_at_full_rate() {
        assert_eq!(mode(Wish::default()), "YUY2 640x480 at 30");
    }

    #[test]
    fn a_camera_is_asked_for_jpeg_where_raw_pictures_would_come_slowly() {
        let wish = Wish { size: Some((1280, 720)), rate: None };
        assert_eq!(mode(wish), "MJPEG 1280x720 at 30");
        let slow = Wish { rate: Some(gst::Fraction::new(10, 1)), ..wish };
        assert_eq!(mode(slow), "YUY2 1280x720 at 10");
    }

    #[test]
    fn a_size_that_a_camera_lacks_becomes_its_nearest() {
        let wish = Wish { size: Some((2000, 1100)), rate: None };
        assert_eq!(mode(wish), "MJPEG 1920x1080 at 30");
    }
}
