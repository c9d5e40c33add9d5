//! Shares as buffers of GRAY8, which are used again.

use gstreamer as gst;
use gstreamer::prelude::*;
use gstreamer_video::{VideoFormat, VideoInfo};

use super::segmenter::byte;

/// Makes masks of one size.
pub(super) struct Masks {
    pool: gst::BufferPool,
    info: VideoInfo,
    caps: gst::Caps,
}

impl Masks {
    /// Masks of so many pixels.
    ///
    /// # Errors
    /// Where GStreamer has no room for them.
    pub fn new([width, height]: [usize; 2]) -> Result<Self, gst::glib::BoolError> {
        let info = VideoInfo::builder(VideoFormat::Gray8, width as u32, height as u32).build()?;
        let caps = info.to_caps()?;
        let pool = gst::BufferPool::new();
        let mut config = pool.config();
        config.set_params(Some(&caps), info.size() as u32, 0, 0);
        pool.set_config(config)?;
        pool.set_active(true)?;
        Ok(Self { pool, info, caps })
    }

    /// The mask of shares `[height, width]`, 0 to 1.
    ///
    /// # Errors
    /// Where there is no memory for it.
    pub fn sample(&self, shares: &[f32]) -> Result<gst::Sample, String> {
        let buffer = self.pool.acquire_buffer(None);
        let mut buffer = buffer.map_err(|error| format!("no buffer for a mask: {error}"))?;
        let (width, stride) = (self.info.width() as usize, self.info.stride()[0] as usize);
        {
            let bytes = buffer.get_mut().and_then(|buffer| buffer.map_writable().ok());
            let mut bytes = bytes.ok_or("a mask's buffer cannot be written")?;
            for (line, shares) in bytes.chunks_mut(stride).zip(shares.chunks_exact(width)) {
                line.iter_mut().zip(shares).for_each(|(to, share)| *to = byte(*share));
            }
        }
        Ok(gst::Sample::builder().buffer(&buffer).caps(&self.caps).build())
    }
}

impl Drop for Masks {
    fn drop(&mut self) {
        // Masks that are still on their way keep their memory; a pool that cannot be stopped has nobody to tell.
        let _ = self.pool.set_active(false);
    }
}
