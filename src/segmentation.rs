//! `--mask NETWORK.onnx`: masks that a network of the user finds in each frame. The feature `segmentation` runs it.

use std::path::Path;

use anyhow::{Context, Error, Result};
#[cfg(feature = "segmentation")]
pub use gstimpasto::Segmenter;
use gstreamer as gst;
use gstreamer::prelude::*;

use crate::plugins;

/// A network, of which there is none in a build that runs none.
#[cfg(not(feature = "segmentation"))]
pub enum Segmenter {}

#[cfg(not(feature = "segmentation"))]
impl Segmenter {
    fn open(network: &Path, _threads: usize) -> Result<Self, String> {
        let network = network.display();
        Err(format!("{network}: this build runs no networks, build with --features segmentation"))
    }

    /// There is none to ask.
    pub fn matte(&mut self, _: &impasto_models::Picture) -> Result<impasto_models::edit::Matte, String> {
        match *self {}
    }
}

/// Whether `--mask` names a network.
pub fn is_network(path: &Path) -> bool {
    path.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("onnx"))
}

/// Opens a network.
///
/// # Errors
/// A file that is none, or one that takes or gives something else than a picture and its mask; a build that runs no networks.
pub fn open(network: &Path) -> Result<Segmenter> {
    Segmenter::open(network, 0).map_err(Error::msg).context("--mask")
}

/// What gives frames the masks that a network finds in them.
///
/// # Errors
/// A build that runs no networks.
pub fn element(network: &Path) -> Result<gst::Element> {
    let element = plugins::make("impastosegment")?;
    element.set_property("model", network.display().to_string());
    Ok(element)
}
