//! Middlebury's `.flo` files: `PIEH`, width and height as 32-bit integers, then `[height, width, 2]` 32-bit floats,
//! all little-endian; a component above 1e9 is unknown (Baker et al., IJCV 2011).

use std::fs;
use std::path::Path;

use anyhow::{Context, Result, bail};

use super::Flow;

const MAGIC: &[u8; 4] = b"PIEH";
const HEADER: usize = 12;

/// The longest side that is believed.
const LONGEST_SIDE: u32 = 16_384;

/// Reads a `.flo` file.
///
/// # Errors
/// A file that cannot be read, is no `.flo` file, or is longer or shorter than its header says.
pub fn read_flo(path: &Path) -> Result<Flow> {
    let bytes = fs::read(path).with_context(|| format!("cannot read {}", path.display()))?;
    parse(&bytes).with_context(|| format!("{} is no .flo file", path.display()))
}

fn parse(bytes: &[u8]) -> Result<Flow> {
    if bytes.len() < HEADER || !bytes.starts_with(MAGIC) {
        bail!("it must begin with PIEH, a width and a height");
    }
    let side = |at: usize| u32::from_le_bytes([bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]]);
    let (width, height) = (side(4), side(8));
    let sides = 1..=LONGEST_SIDE;
    if !sides.contains(&width) || !sides.contains(&height) {
        bail!("its header says {width}x{height}, expected 1 to {LONGEST_SIDE} a side");
    }
    let (width, height) = (width as usize, height as usize);
    let expected = HEADER + 8 * width * height;
    if bytes.len() != expected {
        bail!("{width}x{height} vectors take {expected} bytes, found {}", bytes.len());
    }
    let numbers =
        bytes[HEADER..].chunks_exact(4).map(|part| f32::from_le_bytes([part[0], part[1], part[2], part[3]]));
    Ok(Flow::new(width, height, numbers.collect()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn write_flo(flow: &Flow, path: &Path) {
        let sides = [flow.width, flow.height].map(|side| (side as u32).to_le_bytes()).concat();
        let numbers = flow.data.iter().flat_map(|part| part.to_le_bytes());
        let bytes: Vec<u8> = MAGIC.iter().copied().chain(sides).chain(numbers).collect();
        fs::write(path, bytes).unwrap();
    }

    #[test]
    fn a_flow_comes_back_from_its_file_as_it_was() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.flo");
        let flow = Flow::new(2, 3, (0..12).map(|at| at as f32 - 4.5).collect());
        write_flo(&flow, &path);
        assert_eq!(read_flo(&path).unwrap(), flow);
        assert_eq!(fs::read(&path).unwrap()[..8], *b"PIEH\x02\0\0\0");
    }

    #[test]
    fn a_file_that_is_cut_off_or_another_or_missing_is_refused_with_its_name() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.flo");
        write_flo(&Flow::constant(4, 4, [0.0, 0.0]), &path);
        let whole = fs::read(&path).unwrap();
        let huge = [&whole[..4], &[0xff; 8]].concat();
        for bad in [&whole[..60], b"PNG", &huge, &[whole.clone(), vec![0]].concat()] {
            fs::write(&path, bad).unwrap();
            let message = format!("{:#}", read_flo(&path).unwrap_err());
            assert!(message.contains("a.flo is no .flo file"), "{message}");
        }
        assert!(read_flo(&folder.path().join("none.flo")).is_err());
    }
}
