//! The kernels around the network.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError, Weak};

use cudarc::driver::{
    CudaContext, CudaFunction, CudaModule, CudaStream, DriverError, LaunchConfig, PushKernelArg,
};
use cudarc::nvrtc::Ptx;

use super::filter::CutAddresses;
use super::parameters::{Codes, Finishing, MeterGrid, PastAddresses, Planes, Size};
use crate::engine::DevicePicture;
use crate::style::SCENE_NUMBERS;
use crate::temporal::CUT_GRID_NUMBERS;

/// All kernels, as `kernels/build` makes them; the driver compiles them for the card and keeps the result.
const PTX: &str = include_str!("kernels/kernels.ptx");

const THREADS: u32 = 128;

/// Cells of the grid that cuts and scenes are known by.
const CELLS: usize = CUT_GRID_NUMBERS / 3;
const _: () = assert!(SCENE_NUMBERS == 10 * CELLS, "one grid for both");

fn of(blocks: usize, threads: u32) -> LaunchConfig {
    LaunchConfig { grid_dim: (blocks as u32, 1, 1), block_dim: (threads, 1, 1), shared_mem_bytes: 0 }
}

/// The kernels in a device's primary context, loaded once for all who use them at the same time.
pub(super) fn load(context: &Arc<CudaContext>) -> Result<Arc<CudaModule>, DriverError> {
    static LOADED: Mutex<BTreeMap<usize, Weak<CudaModule>>> = Mutex::new(BTreeMap::new());
    let mut loaded = LOADED.lock().unwrap_or_else(PoisonError::into_inner);
    let known = loaded.get(&context.ordinal()).and_then(Weak::upgrade);
    if let Some(known) = known {
        return Ok(known);
    }
    let module = context.load_module(Ptx::from_src(PTX))?;
    loaded.insert(context.ordinal(), Arc::downgrade(&module));
    Ok(module)
}

/// From pixels to the network's cells and back.
pub(super) struct FrameKernels {
    codes: Codes,
    picture: Size,
    read: CudaFunction,
    write: CudaFunction,
    write_filtered: CudaFunction,
    look: CudaFunction,
    find: CudaFunction,
    look_at_scene: CudaFunction,
    measure: CudaFunction,
}

impl FrameKernels {
    /// Those of the network of this name, for pictures of these codes and this size.
    pub(super) fn new(
        module: &Arc<CudaModule>,
        network: &str,
        codes: Codes,
        picture: Size,
    ) -> Result<Self, DriverError> {
        let of_network = |name: &str| module.load_function(&format!("{network}_{name}"));
        Ok(Self {
            codes,
            picture,
            read: of_network("read")?,
            write: of_network("write")?,
            write_filtered: of_network("write_filtered")?,
            look: module.load_function("cut_look")?,
            find: module.load_function("cut_find")?,
            look_at_scene: module.load_function("scene_look")?,
            measure: of_network("measure")?,
        })
    }

    /// Width and height of the pictures.
    pub(super) fn size(&self) -> [usize; 2] {
        [self.picture.width as usize, self.picture.height as usize]
    }

    /// The picture into cells of a map of `map`, and their means into a wide map where there is one.
    ///
    /// # Safety
    /// The addresses are of the network's own maps, the picture's of memory that it fills.
    pub(super) unsafe fn read(
        &self,
        stream: &Arc<CudaStream>,
        source: &DevicePicture,
        map: Size,
        [cells, wide]: [u64; 2],
    ) -> Result<(), DriverError> {
        let source = Planes::of(source);
        let config = LaunchConfig {
            grid_dim: ((map.width as u32).div_ceil(THREADS), map.height as u32, 1),
            block_dim: (THREADS, 1, 1),
            shared_mem_bytes: 0,
        };
        let mut launch = stream.launch_builder(&self.read);
        launch.arg(&source).arg(&self.codes).arg(&self.picture).arg(&map).arg(&cells).arg(&wide);
        // SAFETY: the kernel's parameters; the caller vouches for what they point to.
        unsafe { launch.launch(config) }.map(|_| ())
    }

    /// Cells of the painting, `columns` of them a row, into the output; through the flicker filter where there is a past.
    ///
    /// # Safety
    /// As for [`Self::read`].
    pub(super) unsafe fn write(
        &self,
        stream: &Arc<CudaStream>,
        [source, output]: [&DevicePicture; 2],
        (columns, painting): (i32, u64),
        finishing: Finishing,
        past: Option<PastAddresses>,
    ) -> Result<(), DriverError> {
        let [source, output] = [source, output].map(Planes::of);
        let Size { width, height } = self.picture;
        let blocks = |side: i32| (side as u32).div_ceil(2);
        let config = LaunchConfig {
            grid_dim: (blocks(width).div_ceil(THREADS), blocks(height), 1),
            block_dim: (THREADS, 1, 1),
            shared_mem_bytes: 0,
        };
        let function = if past.is_some() { &self.write_filtered } else { &self.write };
        let past = past.unwrap_or_default();
        let mut launch = stream.launch_builder(function);
        launch.arg(&source).arg(&output).arg(&self.codes).arg(&self.picture).arg(&columns).arg(&painting);
        // SAFETY: the kernel's parameters; the caller vouches for what they point to.
        unsafe { launch.arg(&finishing).arg(&past).launch(config) }.map(|_| ())
    }

    /// Looks whether a cut lies before this frame.
    ///
    /// # Safety
    /// As for [`Self::read`].
    pub(super) unsafe fn look_for_cut(
        &self,
        stream: &Arc<CudaStream>,
        source: &DevicePicture,
        cuts: CutAddresses,
    ) -> Result<(), DriverError> {
        let CutAddresses { fresh, old, difference, cut, known } = cuts;
        // SAFETY: the caller vouches for the addresses.
        unsafe { self.look(stream, source, fresh) }?;
        let mut find = stream.launch_builder(&self.find);
        find.arg(&fresh).arg(&old).arg(&difference).arg(&cut).arg(&known);
        // SAFETY: as above; one block.
        unsafe { find.launch(of(1, 1024)) }.map(|_| ())
    }

    /// Mean colours of the cells of the grid that cuts are found by.
    ///
    /// # Safety
    /// As for [`Self::read`].
    unsafe fn look(
        &self,
        stream: &Arc<CudaStream>,
        source: &DevicePicture,
        grid: u64,
    ) -> Result<(), DriverError> {
        let source = Planes::of(source);
        let mut look = stream.launch_builder(&self.look);
        look.arg(&source).arg(&self.codes).arg(&self.picture).arg(&grid);
        // SAFETY: the kernel's parameters, a warp for each of the grid's cells; the caller vouches for what they point to.
        unsafe { look.launch(of(CELLS, 32)) }.map(|_| ())
    }

    /// What adaptation looks at of a frame: the grid that cuts are found by, and the scene's numbers.
    ///
    /// # Safety
    /// As for [`Self::read`].
    pub(super) unsafe fn look_at_scene(
        &self,
        stream: &Arc<CudaStream>,
        source: &DevicePicture,
        [grid, scene]: [u64; 2],
    ) -> Result<(), DriverError> {
        // SAFETY: the caller vouches for the addresses.
        unsafe { self.look(stream, source, grid) }?;
        let source = Planes::of(source);
        let mut look = stream.launch_builder(&self.look_at_scene);
        look.arg(&source).arg(&self.codes).arg(&self.picture).arg(&scene);
        // SAFETY: the kernel's parameters, a thread for each cell; the caller vouches for what they point to.
        unsafe { look.launch(of(CELLS.div_ceil(THREADS as usize), THREADS)) }.map(|_| ())
    }

    /// Sums over the pixels of a grid, before and after the network.
    ///
    /// # Safety
    /// As for [`Self::read`].
    pub(super) unsafe fn measure(
        &self,
        stream: &Arc<CudaStream>,
        source: &DevicePicture,
        (columns, painting): (i32, u64),
        finishing: Finishing,
        (grid, sums): (MeterGrid, u64),
    ) -> Result<(), DriverError> {
        let source = Planes::of(source);
        let mut measure = stream.launch_builder(&self.measure);
        measure
            .arg(&source)
            .arg(&self.codes)
            .arg(&columns)
            .arg(&painting)
            .arg(&finishing)
            .arg(&grid)
            .arg(&sums);
        // SAFETY: the kernel's parameters, one block of its threads; the caller vouches for what they point to.
        unsafe { measure.launch(of(1, 256)) }.map(|_| ())
    }
}
