//! Which parts of a picture are painted in one go: the whole, or tiles with a halo where memory is short.

use crate::generators::GeneratorConfig;
use crate::numbers::{Region, Window};
use crate::temporal::STATE_BYTES_PER_PIXEL;
use crate::{Error, PictureInfo, Result};

/// Tiles narrower than this would be mostly halo.
const MIN_TILE: usize = 64;

/// A part of the picture.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Tile {
    /// What of the output is taken.
    pub(super) region: Region,
    /// What the network sees: the region with its halo and padding.
    pub(super) window: Window,
}

/// How a picture is cut up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Tiling {
    width: usize,
    height: usize,
    alignment: usize,
    halo: usize,
    tile_width: usize,
    tile_height: usize,
    peak_bytes: u64,
}

impl Tile {
    /// The part of the picture that a network's output of this shape, `[1, 3, h, w]`, covers: networks may give
    /// rows and columns more than they took.
    pub(super) fn painted_window(&self, shape: &[usize]) -> Window {
        Window { height: shape[2], width: shape[3], ..self.window }
    }
}

impl Tiling {
    /// The whole picture if `limit` bytes allow it, else the largest tiles that do. An engine takes `bytes_per_pixel` of a
    /// (padded) tile.
    pub(super) fn plan(
        generator: &GeneratorConfig,
        bytes_per_pixel: u64,
        info: &PictureInfo,
        limit: u64,
    ) -> Result<Self> {
        let alignment = generator.alignment();
        let mut tiling = Self {
            width: info.width,
            height: info.height,
            alignment,
            halo: 0,
            tile_width: info.width.next_multiple_of(alignment),
            tile_height: info.height.next_multiple_of(alignment),
            peak_bytes: 0,
        };
        tiling.peak_bytes = tiling.peak(bytes_per_pixel);
        let whole_bytes = tiling.peak_bytes;
        if whole_bytes <= limit {
            return Ok(tiling);
        }
        let too_large = |remedy: &str| memory_error(info, whole_bytes, limit, remedy);
        let Some(radius) = generator.receptive_radius() else {
            return Err(too_large(
                "this network takes statistics of the whole picture; scale the frame down",
            ));
        };
        tiling.halo = radius.next_multiple_of(alignment);
        while tiling.peak_bytes > limit {
            let side = if tiling.tile_width >= tiling.tile_height {
                &mut tiling.tile_width
            } else {
                &mut tiling.tile_height
            };
            if *side < 2 * MIN_TILE {
                return Err(too_large(
                    "even in the smallest tiles; free some memory or scale the frame down",
                ));
            }
            *side = side.div_ceil(2).next_multiple_of(alignment);
            tiling.peak_bytes = tiling.peak(bytes_per_pixel);
        }
        Ok(tiling)
    }

    /// The same of memory in which there is no flicker filter.
    pub(super) fn plan_without_filter(
        generator: &GeneratorConfig,
        bytes_per_pixel: u64,
        info: &PictureInfo,
        limit: u64,
    ) -> Result<Self> {
        let filter = (info.width * info.height * STATE_BYTES_PER_PIXEL) as u64;
        Self::plan(generator, bytes_per_pixel, info, limit.saturating_add(filter))
    }

    /// The tiles of another plan for the same picture, where a pixel of a tile takes so many bytes.
    pub(super) fn take_tiles_of(&mut self, other: &Self, bytes_per_pixel: u64) {
        *self = other.clone();
        self.peak_bytes = self.peak(bytes_per_pixel);
    }

    /// Peak of one tile, and the flicker filter's state of the whole picture.
    fn peak(&self, bytes_per_pixel: u64) -> u64 {
        let side = |tile: usize, whole: usize| {
            (tile + 2 * self.halo).min(whole.next_multiple_of(self.alignment)) as u64
        };
        let tile = side(self.tile_width, self.width) * side(self.tile_height, self.height);
        let picture = (self.width * self.height) as u64;
        tile * bytes_per_pixel + picture * STATE_BYTES_PER_PIXEL as u64
    }

    pub(super) fn peak_bytes(&self) -> u64 {
        self.peak_bytes
    }

    /// The tiles, row by row.
    pub(super) fn tiles(&self) -> impl Iterator<Item = Tile> + use<> {
        let tiling = self.clone();
        let rows = (0..self.height).step_by(self.tile_height);
        rows.flat_map(move |y| {
            let tiling = tiling.clone();
            (0..tiling.width).step_by(tiling.tile_width).map(move |x| tiling.tile(x, y))
        })
    }

    fn tile(&self, x: usize, y: usize) -> Tile {
        let (x0, x1) = self.span(x, self.tile_width, self.width);
        let (y0, y1) = self.span(y, self.tile_height, self.height);
        let region = Region {
            x,
            y,
            width: self.tile_width.min(self.width - x),
            height: self.tile_height.min(self.height - y),
        };
        let window = Window { x: x0 as isize, y: y0 as isize, width: x1 - x0, height: y1 - y0 };
        Tile { region, window }
    }

    /// Start and end of a tile with its halo. At the picture's edge the window ends where the whole picture's would,
    /// so that the network's own borders fall on the same numbers.
    fn span(&self, start: usize, tile: usize, whole: usize) -> (usize, usize) {
        let end = whole.next_multiple_of(self.alignment);
        (start.saturating_sub(self.halo), (start + tile + self.halo).min(end))
    }
}

fn memory_error(info: &PictureInfo, need: u64, limit: u64, remedy: &str) -> Error {
    Error::Memory {
        width: info.width,
        height: info.height,
        need_mib: need >> 20,
        have_mib: limit >> 20,
        remedy: remedy.to_owned(),
    }
}
