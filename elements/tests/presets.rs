//! Looks kept as presets, as `GstPreset` does: a file of their own, because it looks for the user's folder but once.

mod studio;

use gstreamer as gst;
use gstreamer::prelude::*;

#[test]
fn a_look_is_kept_as_a_preset() {
    let folder = tempfile::tempdir().unwrap();
    // SAFETY: the only test of this program, before GStreamer starts threads.
    unsafe { std::env::set_var("XDG_DATA_HOME", folder.path()) };
    studio::init();
    let [kept, other] = [0; 2].map(|_| gst::ElementFactory::make("impasto").build().unwrap());
    kept.set_property("style", "scream:0.5,a photo.jpg");
    let edit = "warm the left half, add 10% grain";
    kept.set_property("edit", edit);
    kept.set_property("keep-colors", 0.25f32);
    kept.set_property("stroke", 2f32);
    let [kept, other] = [kept, other].map(|element| element.dynamic_cast::<gst::Preset>().unwrap());
    kept.save_preset("evening").unwrap();
    assert!(folder.path().join("gstreamer-1.0/presets/GstImpasto.prs").exists());
    other.load_preset("evening").unwrap();
    assert_eq!(other.property::<String>("style"), "scream:0.5,a photo.jpg");
    assert_eq!(other.property::<String>("edit"), edit);
    assert_eq!((other.property::<f32>("keep-colors"), other.property::<f32>("stroke")), (0.25, 2.0));
    assert_eq!(other.property::<Option<String>>("cues"), None);
}
