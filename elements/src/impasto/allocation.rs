//! Whose memory frames lie in: pools, and who reads strides from a `GstVideoMeta`.

use gstreamer as gst;
use gstreamer::glib;
use gstreamer::prelude::*;
use gstreamer_video as gst_video;
use gstreamer_video::{VideoInfo, VideoMeta};

use super::caps;
use crate::cuda::Cuda;

/// Frames that may be inside the element: it must not starve a pool of fixed size.
const HELD: u32 = 3;

/// Answers upstream: a pool of plain video frames for those who want one, on `device` where the caps say so, and any
/// strides will do.
pub(super) fn propose(
    query: &mut gst::query::Allocation,
    device: Option<&Cuda>,
) -> Result<(), glib::BoolError> {
    let (caps, need_pool) = query.get_owned();
    let caps = caps.ok_or_else(|| glib::bool_error!("an allocation query without caps"))?;
    let device = memory(&caps, device)?;
    let (pool, size) = match need_pool {
        true => own_pool(&caps, HELD, device).map(|(pool, size)| (Some(pool), size))?,
        false => (None, frame_size(&caps)?),
    };
    query.add_allocation_pool(pool.as_ref(), size, HELD, 0);
    query.add_allocation_meta::<VideoMeta>(None);
    Ok(())
}

/// Settles with downstream's answer: its pool where it offers one that is large enough and of the memory that the caps
/// say, else one of our own. The base class configures and starts the pool that the query holds afterwards.
pub(super) fn decide(
    query: &mut gst::query::Allocation,
    device: Option<&Cuda>,
) -> Result<(), glib::BoolError> {
    let caps = query.get_owned().0.ok_or_else(|| glib::bool_error!("an allocation query without caps"))?;
    let device = memory(&caps, device)?;
    let own_size = frame_size(&caps)?;
    let offered = query.allocation_pools().next();
    let listed = offered.is_some();
    let (pool, size, min, max) = offered.unwrap_or((None, own_size, 0, 0));
    let (size, min) = (size.max(own_size), min + HELD);
    let roomy = pool.filter(|_| max == 0 || min <= max);
    let fitting = roomy.filter(|pool| device.is_none_or(|device| device.owns_pool(pool)));
    let (pool, size, max) = match fitting.filter(|pool| agrees(pool, &caps, size, min, max)) {
        Some(pool) => (pool, size, max),
        None => own_pool(&caps, min, device).map(|(pool, own)| (pool, size.max(own), 0))?,
    };
    match listed {
        true => query.set_nth_allocation_pool(0, Some(&pool), size, min, max),
        false => query.add_allocation_pool(Some(&pool), size, min, max),
    }
    Ok(())
}

/// The device that frames of `caps` lie on; none where they are the host's.
fn memory<'a>(caps: &gst::Caps, device: Option<&'a Cuda>) -> Result<Option<&'a Cuda>, glib::BoolError> {
    match caps::on_device(caps) {
        true => {
            device.map(Some).ok_or_else(|| glib::bool_error!("frames on a device, expected none: {caps}"))
        }
        false => Ok(None),
    }
}

/// Whether downstream reads strides from a `GstVideoMeta`.
pub(super) fn takes_strides(query: &gst::query::Allocation) -> bool {
    query.find_allocation_meta::<VideoMeta>().is_some()
}

/// Whether a pool takes these parameters, or has some that will do. The meta tells downstream where the planes
/// are; a pool that cannot attach one lays frames out plainly.
fn agrees(pool: &gst::BufferPool, caps: &gst::Caps, size: u32, min: u32, max: u32) -> bool {
    let mut config = pool.config();
    config.set_params(Some(caps), size, min, max);
    if pool.has_option(gst_video::BUFFER_POOL_OPTION_VIDEO_META.as_str()) {
        config.add_option(gst_video::BUFFER_POOL_OPTION_VIDEO_META.as_str());
    }
    if pool.set_config(config).is_ok() {
        return true;
    }
    // A pool that refuses may have written down what it would take instead.
    let config = pool.config();
    config.validate_params(Some(caps), size, min, max).is_ok() && pool.set_config(config).is_ok()
}

/// A pool of our own, and how many bytes its frames have.
fn own_pool(
    caps: &gst::Caps,
    min: u32,
    device: Option<&Cuda>,
) -> Result<(gst::BufferPool, u32), glib::BoolError> {
    match device {
        Some(device) => device.buffer_pool(caps, min),
        None => {
            let size = frame_size(caps)?;
            Ok((video_pool(caps, size, min)?, size))
        }
    }
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cuda::stand_in;

    fn caps(size: i32) -> gst::Caps {
        gst::init().unwrap();
        format!("video/x-raw,format=I420,width={size},height={size},framerate=25/1").parse().unwrap()
    }

    /// The pool that is settled on for frames of 64x64 where downstream offers `pool`.
    fn settled(pool: &gst::BufferPool) -> gst::BufferPool {
        let mut query = gst::query::Allocation::new(Some(&caps(64)), true);
        query.add_allocation_pool(Some(pool), 64 * 64 * 3 / 2, 0, 0);
        decide(&mut query, None).unwrap();
        query.allocation_pools().next().unwrap().0.unwrap()
    }

    #[test]
    fn a_pool_that_refuses_is_replaced_by_one_of_our_own() {
        let busy = video_pool(&caps(16), 16 * 16 * 3 / 2, 1).unwrap();
        busy.set_active(true).unwrap();
        let own = settled(&busy);
        assert_ne!(own, busy);
        assert_eq!(own.config().params().unwrap().0, Some(caps(64)));
        busy.set_active(false).unwrap();
    }

    const ON_DEVICE: &str = "video/x-raw(memory:CUDAMemory),format=NV12,width=64,height=64,framerate=25/1";

    #[test]
    fn a_pool_of_the_host_is_replaced_where_frames_lie_on_a_device() {
        let device = Cuda::of(stand_in::INDEX).unwrap();
        let caps: gst::Caps = ON_DEVICE.parse().unwrap();
        let offered = gst_video::VideoBufferPool::new().upcast::<gst::BufferPool>();
        let mut query = gst::query::Allocation::new(Some(&caps), true);
        query.add_allocation_pool(Some(&offered), 64 * 64 * 3 / 2, 0, 0);
        decide(&mut query, Some(&device)).unwrap();
        let own = query.allocation_pools().next().unwrap().0.unwrap();
        assert_ne!(own, offered);
        assert_eq!(own.config().params().unwrap().0, Some(caps));
    }

    #[test]
    fn frames_on_a_device_need_one() {
        let _ = Cuda::of(stand_in::INDEX);
        let caps: gst::Caps = ON_DEVICE.parse().unwrap();
        let mut query = gst::query::Allocation::new(Some(&caps), true);
        assert!(propose(&mut query, None).is_err() && decide(&mut query, None).is_err());
    }

    #[test]
    fn a_pool_that_agrees_is_used_with_metas() {
        gst::init().unwrap();
        let pool = gst_video::VideoBufferPool::new().upcast::<gst::BufferPool>();
        assert_eq!(settled(&pool), pool);
        assert!(pool.config().has_option(gst_video::BUFFER_POOL_OPTION_VIDEO_META.as_str()));
    }
}
