//! The masks of pictures: one for all, or what a network finds in each.

use std::path::Path;
use std::sync::Arc;

use anyhow::{Error, Result};
use impasto_models::PictureInfo;
use impasto_models::edit::Matte;

use crate::segmentation::{self, Segmenter};

/// Where masks come from.
pub(super) enum Masks {
    /// One for all pictures, or none.
    One(Option<Arc<Matte>>),
    /// A network that looks at each.
    Found(Box<Segmenter>),
}

impl Masks {
    /// What `--mask` names.
    ///
    /// # Errors
    /// A file that is neither picture nor network.
    pub(super) fn open(path: Option<&Path>) -> Result<Self> {
        match path {
            Some(network) if segmentation::is_network(network) => {
                Ok(Self::Found(Box::new(segmentation::open(network)?)))
            }
            picture => {
                let matte = picture.map(|picture| Matte::from_file(picture, 0.0)).transpose()?;
                Ok(Self::One(matte.map(Arc::new)))
            }
        }
    }

    /// That of a picture.
    ///
    /// # Errors
    /// Where the network fails.
    pub(super) fn of(&mut self, info: &PictureInfo, pixels: &[u8]) -> Result<Option<Arc<Matte>>> {
        match self {
            Self::One(matte) => Ok(matte.clone()),
            Self::Found(segmenter) => {
                let matte = segmenter.matte(&info.packed_view(pixels)?);
                matte.map(|matte| Some(Arc::new(matte))).map_err(Error::msg)
            }
        }
    }
}
