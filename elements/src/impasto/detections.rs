//! What a detector upstream found: the regions of interest that come with a frame (`GstVideoRegionOfInterestMeta`).

use std::ffi::CStr;
use std::sync::Arc;

use gstreamer as gst;
use gstreamer::glib;
use gstreamer_video::{VideoInfo, VideoRegionOfInterestMeta};
use impasto_models::Controls;
use impasto_models::edit::{Detected, MOST_DETECTIONS};

/// The regions that a frame came with, in their order, where its edits go by them: the first [`MOST_DETECTIONS`] that lie in it.
pub(super) fn of(frame: &gst::BufferRef, info: &VideoInfo, controls: &Controls) -> Option<Arc<[Detected]>> {
    controls.edits.as_ref().filter(|edits| edits.has_detected())?;
    let size = [info.width(), info.height()];
    let found = frame.iter_meta::<VideoRegionOfInterestMeta>();
    let found = found.filter_map(|meta| {
        let (x, y, width, height) = meta.rect();
        let [(x, width), (y, height)] = [inside(x, width, size[0])?, inside(y, height, size[1])?];
        Some(Detected { label: label(&meta), x, y, width, height })
    });
    let found: Vec<_> = found.take(MOST_DETECTIONS).collect();
    (!found.is_empty()).then(|| found.into())
}

/// Where a side begins and how long it is, as shares of the frame's, as far as it lies inside.
fn inside(start: u32, length: u32, frame: u32) -> Option<(f32, f32)> {
    let end = start.saturating_add(length).min(frame);
    let [start, end] = [start.min(end), end].map(|at| at as f32 / frame as f32);
    (end > start).then_some((start, end - start))
}

/// What the detector calls it; nothing where it does not say.
fn label(meta: &gst::MetaRef<'_, VideoRegionOfInterestMeta>) -> String {
    // SAFETY: the meta is borrowed, and the text of a quark stays as long as the process does. `roi_type` of the binding would not do:
    // it takes neither a quark of nothing nor text that is no UTF-8.
    let name = unsafe { glib::ffi::g_quark_to_string((*meta.as_ptr()).roi_type) };
    if name.is_null() {
        return String::new();
    }
    // SAFETY: a string of C that is not null and, as above, stays.
    unsafe { CStr::from_ptr(name) }.to_string_lossy().into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use gstreamer_video::VideoFormat;
    use impasto_models::edit::Plan;

    /// What is found in a frame of 64x48 pixels with these regions.
    fn found(regions: &[(&str, [u32; 4])], edit: &str) -> Option<Arc<[Detected]>> {
        gst::init().unwrap();
        let info = VideoInfo::builder(VideoFormat::Rgb, 64, 48).build().unwrap();
        let mut frame = gst::Buffer::new();
        for (label, [x, y, width, height]) in regions {
            VideoRegionOfInterestMeta::add(frame.make_mut(), label, (*x, *y, *width, *height));
        }
        let edits = Some(Arc::new(Plan::from_instruction(edit).unwrap()));
        of(&frame, &info, &Controls { edits, ..Controls::default() })
    }

    #[test]
    fn regions_are_shares_of_the_frame_and_end_where_it_does() {
        let far = [48, 24, u32::MAX, 200];
        let found = found(&[("face", [16, 12, 32, 12]), ("Person", far)], "darken the detections").unwrap();
        let of = |label: &str, [x, y, width, height]: [f32; 4]| {
            let label = label.to_owned();
            Detected { label, x, y, width, height }
        };
        assert_eq!(*found, [of("face", [0.25, 0.25, 0.5, 0.25]), of("Person", [0.75, 0.5, 0.25, 0.5])]);
    }

    #[test]
    fn regions_without_a_size_and_outside_are_none_and_so_many_count() {
        let nowhere = [[0, 0, 0, 9], [9, 9, 9, 0], [64, 0, 9, 9], [0, 50, 9, 9], [u32::MAX; 4]];
        let nowhere = nowhere.map(|rectangle| ("face", rectangle));
        assert_eq!(found(&nowhere, "darken the detected face"), None);
        let mut many = nowhere.to_vec();
        many.resize(100, ("face", [1, 1, 9, 9]));
        assert_eq!(found(&many, "darken the detected face").unwrap().len(), MOST_DETECTIONS);
    }

    #[test]
    fn a_plan_that_goes_by_none_reads_none() {
        assert_eq!(found(&[("face", [1, 1, 9, 9])], "darken the mask"), None);
    }

    #[test]
    fn a_region_without_a_name_has_no_label() {
        gst::init().unwrap();
        let mut frame = gst::Buffer::new();
        let frame = frame.make_mut();
        // SAFETY: the buffer is borrowed mutably, so it may be written to; 0 is the quark of no text.
        unsafe {
            gstreamer_video::ffi::gst_buffer_add_video_region_of_interest_meta_id(
                frame.as_mut_ptr(),
                0,
                1,
                1,
                9,
                9,
            );
        }
        assert_eq!(label(&frame.meta::<VideoRegionOfInterestMeta>().unwrap()), "");
    }
}
