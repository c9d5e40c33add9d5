//! Whose memory frames lie in: pools, and who reads strides from a `GstVideoMeta`.

use gstreamer as gst;
use gstreamer::glib;
use gstreamer::prelude::*;
use gstreamer_video as gst_video;
use gstreamer_video::{VideoInfo, VideoMeta};

/// Frames that may be inside the element: it must not starve a pool of fixed size.
const HELD: u32 = 3;

/// Answers upstream: a pool of plain video frames for those who want one, and any strides will do.
pub(super) fn propose(query: &mut gst::query::Allocation) -> Result<(), glib::BoolError> {
    let (caps, need_pool) = query.get_owned();
    let caps = caps.ok_or_else(|| glib::bool_error!("an allocation query without caps"))?;
    let size = frame_size(&caps)?;
    let pool = if need_pool { Some(video_pool(&caps, size, HELD)?) } else { None };
    query.add_allocation_pool(pool.as_ref(), size, HELD, 0);
    query.add_allocation_meta::<VideoMeta>(None);
    Ok(())
}

/// Settles with downstream's answer: its pool where it offers one that is large enough, else one of our own.
/// The base class configures and starts the pool that the query holds afterwards.
pub(super) fn decide(query: &mut gst::query::Allocation) -> Result<(), glib::BoolError> {
    let caps = query.get_owned().0.ok_or_else(|| glib::bool_error!("an allocation query without caps"))?;
    let own_size = frame_size(&caps)?;
    let offered = query.allocation_pools().next();
    let listed = offered.is_some();
    let (pool, size, min, max) = offered.unwrap_or((None, own_size, 0, 0));
    let (size, min) = (size.max(own_size), min + HELD);
    let roomy = pool.filter(|_| max == 0 || min <= max);
    let (pool, max) = match roomy {
        Some(pool) => (pool, max),
        None => (video_pool(&caps, size, min)?, 0),
    };
    ask_for_video_meta(&pool)?;
    match listed {
        true => query.set_nth_allocation_pool(0, Some(&pool), size, min, max),
        false => query.add_allocation_pool(Some(&pool), size, min, max),
    }
    Ok(())
}

/// Whether downstream reads strides from a `GstVideoMeta`.
pub(super) fn takes_strides(query: &gst::query::Allocation) -> bool {
    query.find_allocation_meta::<VideoMeta>().is_some()
}

/// The meta tells downstream where the planes are; a pool that cannot attach one lays frames out plainly.
fn ask_for_video_meta(pool: &gst::BufferPool) -> Result<(), glib::BoolError> {
    if pool.is_active() || !pool.has_option(gst_video::BUFFER_POOL_OPTION_VIDEO_META.as_str()) {
        return Ok(());
    }
    let mut config = pool.config();
    config.add_option(gst_video::BUFFER_POOL_OPTION_VIDEO_META.as_str());
    pool.set_config(config)
}

fn video_pool(caps: &gst::Caps, size: u32, min: u32) -> Result<gst::BufferPool, glib::BoolError> {
    let pool = gst_video::VideoBufferPool::new();
    let mut config = pool.config();
    config.set_params(Some(caps), size, min, 0);
    pool.set_config(config)?;
    Ok(pool.upcast())
}

fn frame_size(caps: &gst::Caps) -> Result<u32, glib::BoolError> {
    let info = VideoInfo::from_caps(caps)?;
    u32::try_from(info.size()).map_err(|_| glib::bool_error!("a frame of {} bytes is too large", info.size()))
}
