//! The pictures of a report.

use anyhow::Result;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use image::ExtendedColorType;
use image::codecs::jpeg::JpegEncoder;

use crate::still::Still;

/// JPEG's quality, 1 to 100: strokes and grain stay as they are.
const QUALITY: u8 = 90;

/// How many rows of the picture of pixels over time a frame takes.
const ROWS_A_FRAME: usize = 3;

/// What a page shows of a clip, as `src` attributes: of the input, then of each painter.
#[derive(Debug)]
pub struct Exhibit {
    /// Which frame is shown.
    pub frame: usize,
    /// That frame.
    pub frames: Vec<String>,
    /// A row of pixels over time; nothing of a single picture.
    pub rows: Vec<String>,
}

impl Exhibit {
    /// Of the input and its paintings, all of as many frames.
    ///
    /// # Errors
    /// Where the encoder refuses.
    pub fn of(clips: &[&[Still]]) -> Result<Self> {
        let count = clips.iter().map(|clip| clip.len()).min().unwrap_or(0);
        let frame = count / 2;
        let frames = clips.iter().map(|clip| source(&clip[frame])).collect::<Result<_>>()?;
        let over_time = |clip: &&[Still]| source(&row_over_time(&clip[..count]));
        let rows = if count > 1 { clips.iter().map(over_time).collect::<Result<_>>()? } else { Vec::new() };
        Ok(Self { frame, frames, rows })
    }
}

/// The middle row of each frame below that of the frame before. What stands still is a vertical line there; what
/// flickers is a frayed one.
fn row_over_time(frames: &[Still]) -> Still {
    let (width, height) = (frames[0].width, frames[0].height);
    let mut data = Vec::with_capacity(3 * width * frames.len() * ROWS_A_FRAME);
    for channel in 0..3 {
        for frame in frames {
            let row = &frame.data[(channel * height + height / 2) * width..][..width];
            (0..ROWS_A_FRAME).for_each(|_| data.extend_from_slice(row));
        }
    }
    Still::new(width, frames.len() * ROWS_A_FRAME, data)
}

/// A picture inside the page: `data:image/jpeg;base64,...`.
///
/// # Errors
/// Where the encoder refuses.
pub fn source(still: &Still) -> Result<String> {
    let mut bytes = Vec::new();
    let mut encoder = JpegEncoder::new_with_quality(&mut bytes, QUALITY);
    encoder.encode(&still.to_rgb8(), still.width as u32, still.height as u32, ExtendedColorType::Rgb8)?;
    Ok(format!("data:image/jpeg;base64,{}", STANDARD.encode(bytes)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::eval::metrics::test_pictures::grey;

    #[test]
    fn each_frame_gives_its_middle_row_in_the_order_of_time() {
        let mut second = grey(4, 3, 0.2);
        second.data[4..8].fill(0.9);
        let rows = row_over_time(&[grey(4, 3, 0.1), second]);
        assert_eq!((rows.width, rows.height), (4, 6));
        assert_eq!((rows.data[0], rows.data[12], rows.data[24 + 12]), (0.1, 0.9, 0.2));
    }

    #[test]
    fn a_picture_in_the_page_is_a_jpeg() {
        assert!(source(&grey(8, 8, 0.5)).unwrap().starts_with("data:image/jpeg;base64,/9j/"));
    }
}
