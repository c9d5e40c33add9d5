//! *tiny* and *base*, layer by layer, as kernels; the definitions are [`crate::generators::Tiny`] and
//! [`crate::generators::Base`].

use std::sync::Arc;

use cudarc::driver::{
    CudaFunction, CudaModule, CudaSlice, CudaStream, DevicePtr, DriverError, LaunchConfig, PushKernelArg,
};

use super::convolution::{Convolution, Ends};
use super::parameters::Size;
use crate::generators::Weights;

/// Channels of a map, and how much smaller than the picture it is.
type MapShape = (usize, usize);

/// A layer: its path, its kernel, the maps it reads and writes, and the one that it adds.
pub(super) struct Layer {
    path: &'static str,
    kernel: &'static str,
    from: usize,
    to: usize,
    added: Option<usize>,
    /// Whether its kernel rectifies.
    pub(super) rectified: bool,
}

const fn layer(path: &'static str, kernel: &'static str, from: usize, to: usize) -> Layer {
    Layer { path, kernel, from, to, added: None, rectified: true }
}

const fn plain(path: &'static str, kernel: &'static str, from: usize, to: usize) -> Layer {
    Layer { rectified: false, ..layer(path, kernel, from, to) }
}

const fn adding(path: &'static str, kernel: &'static str, from: usize, to: usize, added: usize) -> Layer {
    Layer { added: Some(added), ..layer(path, kernel, from, to) }
}

/// A network as tables.
pub(super) struct Tables {
    /// What its kernels' names begin with.
    pub(super) name: &'static str,
    /// The first is of cells of the input, the last of cells of the painting.
    maps: &'static [MapShape],
    layers: &'static [Layer],
    /// The layer before which the wide map is made: from which small map, with which skip, to which.
    doubled: Option<(usize, [usize; 3])>,
}

const TINY_WIDE: usize = 5;

pub(super) static TINY: Tables = Tables {
    name: "tiny",
    maps: &[(48, 4), (32, 4), (48, 8), (48, 8), (32, 8), (48, 4), (48, 4)],
    layers: &[
        layer("stem", "tiny_stem", 0, 1),
        layer("down", "tiny_down", 1, 2),
        layer("blocks.0", "tiny_block", 2, 3),
        layer("blocks.1", "tiny_block", 3, 2),
        layer("blocks.2", "tiny_block", 2, 3),
        layer("blocks.3", "tiny_block", 3, 2),
        plain("up", "tiny_up", 2, 4),
        plain("head", "tiny_head", TINY_WIDE, 6),
    ],
    doubled: Some((7, [4, 1, TINY_WIDE])),
};

pub(super) static BASE: Tables = Tables {
    name: "base",
    maps: &[
        (16, 2),
        (48, 2),
        (96, 4),
        (128, 8),
        (128, 8),
        (128, 8),
        (96, 4),
        (64, 4),
        (48, 2),
        (32, 2),
        (16, 2),
    ],
    layers: &[
        layer("stem", "base_stem", 0, 1),
        layer("to_quarter", "base_to_quarter", 1, 2),
        layer("to_eighth", "base_to_eighth", 2, 3),
        layer("blocks.0.first", "base_first", 3, 4),
        adding("blocks.0.second", "base_second", 4, 5, 3),
        layer("blocks.1.first", "base_first", 5, 4),
        adding("blocks.1.second", "base_second", 4, 3, 5),
        layer("blocks.2.first", "base_first", 3, 4),
        adding("blocks.2.second", "base_second", 4, 5, 3),
        layer("blocks.3.first", "base_first", 5, 4),
        adding("blocks.3.second", "base_second", 4, 3, 5),
        adding("from_eighth", "base_from_eighth", 3, 6, 2),
        layer("quarter", "base_quarter", 6, 7),
        adding("from_quarter", "base_from_quarter", 7, 8, 1),
        layer("half", "base_half", 8, 9),
        plain("head", "base_head", 9, 10),
    ],
    doubled: None,
};

/// In which form layers are launched.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    /// As a network has them.
    Whole,
    /// What they say before it is rectified, to be blended. *base* has none of that form.
    Plain,
}

impl Tables {
    /// Numbers of the cells of the input and of the painting, for each cell.
    pub(super) fn channels(&self) -> [usize; 2] {
        [self.maps[0].0, self.maps[self.maps.len() - 1].0]
    }

    /// Pixels of a cell's side.
    pub(super) fn side(&self) -> usize {
        self.maps[0].1
    }

    /// The layers, with weights.
    pub(super) fn convolutions(
        &self,
        module: &Arc<CudaModule>,
        stream: &Arc<CudaStream>,
        weights: &Weights,
        form: Form,
    ) -> Result<Vec<Convolution>, DriverError> {
        let convolution = |layer: &Layer| {
            let plain = (form == Form::Plain && layer.rectified).then(|| format!("{}_plain", layer.kernel));
            let kernel = plain.as_deref().unwrap_or(layer.kernel);
            Convolution::new(module, stream, weights, layer.path, kernel, layer.is_shuffled())
        };
        self.layers.iter().map(convolution).collect()
    }

    /// Whether the means of cells are part of a map.
    pub(super) fn has_means(&self) -> bool {
        self.doubled.is_some()
    }

    /// Numbers of the largest map that a layer makes.
    pub(super) fn most_numbers(&self, size: Size) -> usize {
        self.layers.iter().map(|layer| numbers(self.maps[layer.to], size)).fold(0, usize::max)
    }

    /// Numbers of all maps of a picture of this size, whose sides are multiples of 8.
    pub(super) fn numbers(&self, size: Size) -> usize {
        self.maps.iter().map(|&map| numbers(map, size)).sum()
    }
}

impl Layer {
    fn is_shuffled(&self) -> bool {
        self.path.starts_with("from_")
    }
}

fn size_of_map((_, smaller): MapShape, size: Size) -> Size {
    Size { width: size.width / smaller as i32, height: size.height / smaller as i32 }
}

fn numbers(map: MapShape, size: Size) -> usize {
    let Size { width, height } = size_of_map(map, size);
    map.0 * width as usize * height as usize
}

/// A network's maps, for pictures of one size, or smaller ones: of one picture, or of several, one below the other.
pub(super) struct Network {
    tables: &'static Tables,
    size: Size,
    maps: Vec<CudaSlice<u16>>,
    double: Option<CudaFunction>,
}

impl Network {
    /// Takes all the memory that it will need. `size` has multiples of 8.
    pub(super) fn new(
        tables: &'static Tables,
        module: &Arc<CudaModule>,
        stream: &Arc<CudaStream>,
        size: Size,
        pictures: usize,
    ) -> Result<Self, DriverError> {
        let double = tables.doubled.map(|_| module.load_function("tiny_double")).transpose()?;
        let maps = tables.maps.iter().map(|&map| stream.alloc_zeros(pictures * numbers(map, size)));
        Ok(Self { tables, size, maps: maps.collect::<Result<_, _>>()?, double })
    }

    /// Where the input's cells of a picture go, and, for *tiny*, the map that their means go into.
    pub(super) fn inputs(&self, stream: &Arc<CudaStream>, picture: usize) -> [u64; 2] {
        let of = |map| self.address_of(stream, map, picture);
        [of(0), self.tables.doubled.map_or(0, |(_, [.., wide])| of(wide))]
    }

    /// Where a painting's cells are.
    pub(super) fn output(&self, stream: &Arc<CudaStream>, picture: usize) -> u64 {
        self.address_of(stream, self.maps.len() - 1, picture)
    }

    fn address_of(&self, stream: &Arc<CudaStream>, map: usize, picture: usize) -> u64 {
        let bytes = numbers(self.tables.maps[map], self.size) * size_of::<u16>();
        self.address(stream, map) + (picture * bytes) as u64
    }

    /// Cells of the picture.
    pub(super) fn cells(&self) -> Size {
        size_of_map(self.tables.maps[0], self.size)
    }

    fn address(&self, stream: &Arc<CudaStream>, map: usize) -> u64 {
        self.maps[map].device_ptr(stream).0
    }

    /// The cells of the input, to be copied to.
    pub(super) fn cells_mut(&mut self) -> &mut CudaSlice<u16> {
        &mut self.maps[0]
    }

    /// The cells of the painting, to be copied from.
    pub(super) fn painting(&self) -> &CudaSlice<u16> {
        &self.maps[self.maps.len() - 1]
    }

    /// Takes pictures of this size from here on; false, and nothing is changed, where the maps are too small for them.
    pub(super) fn resize(&mut self, size: Size) -> bool {
        let mut all = self.tables.maps.iter().zip(&self.maps);
        let fits = all.all(|(&map, memory)| numbers(map, size) <= memory.len());
        if fits {
            self.size = size;
        }
        fits
    }

    /// Cells of the largest picture that there is memory for.
    pub(super) fn most_cells(&self) -> usize {
        self.maps[0].len() / self.tables.maps[0].0
    }

    /// Numbers of the largest map that a layer makes, of that picture.
    pub(super) fn most_numbers(&self) -> usize {
        self.tables.layers.iter().map(|layer| self.maps[layer.to].len()).fold(0, usize::max)
    }

    /// Puts every layer on the stream, for as many pictures as there are layers of; not more than it was made for.
    pub(super) fn launch<L: AsRef<[Convolution]>>(
        &self,
        stream: &Arc<CudaStream>,
        pictures: &[L],
    ) -> Result<(), DriverError> {
        self.for_each_layer(stream, pictures.len(), |index, _, ends| {
            let layers = pictures.iter().map(|layers| &layers.as_ref()[index]);
            // SAFETY: the tables name maps of these sizes and of the kernel's channels; their memory goes with the work of the stream that
            // they were made on, which is this one, or with a network whose owner waits for his stream first.
            unsafe { Convolution::launch_all(stream, layers, ends) }
        })
    }

    /// Every layer, with what it reads and writes; what comes between them is put on the stream.
    pub(super) fn for_each_layer(
        &self,
        stream: &Arc<CudaStream>,
        pictures: usize,
        mut launch: impl FnMut(usize, &Layer, Ends) -> Result<(), DriverError>,
    ) -> Result<(), DriverError> {
        for (index, layer) in self.tables.layers.iter().enumerate() {
            if let (Some((before, maps)), Some(double)) = (self.tables.doubled, &self.double)
                && before == index
            {
                self.double(stream, double, maps, pictures)?;
            }
            let (from, to) = (self.tables.maps[layer.from], self.tables.maps[layer.to]);
            let ends = Ends {
                input: self.address(stream, layer.from),
                output: self.address(stream, layer.to),
                residual: layer.added.map_or(0, |added| self.address(stream, added)),
                input_size: size_of_map(from, self.size),
                size: size_of_map(if layer.is_shuffled() { from } else { to }, self.size),
            };
            launch(index, layer, ends)?;
        }
        Ok(())
    }

    fn double(
        &self,
        stream: &Arc<CudaStream>,
        function: &CudaFunction,
        [small, skip, wide]: [usize; 3],
        pictures: usize,
    ) -> Result<(), DriverError> {
        const THREADS: u32 = 256;
        let (small, skip) = (self.address(stream, small), self.address(stream, skip));
        let (size, wide) = (size_of_map(self.tables.maps[wide], self.size), self.address(stream, wide));
        let config = LaunchConfig {
            grid_dim: ((size.width as u32 * 4).div_ceil(THREADS), size.height as u32, pictures as u32),
            block_dim: (THREADS, 1, 1),
            shared_mem_bytes: 0,
        };
        let mut launch = stream.launch_builder(function);
        // SAFETY: the parameters are those of the kernel; the maps are of the sizes that it computes from `size`.
        unsafe { launch.arg(&small).arg(&skip).arg(&wide).arg(&size).launch(config) }.map(|_| ())
    }
}
