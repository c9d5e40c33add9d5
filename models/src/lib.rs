//! Pictures to numbers and back, the generators, the model file and the engines of Impasto.
//!
//! Nothing here knows GStreamer: a game, a tool or a plugin hands over frames as plain memory. See
//! `examples/paint_frame.rs` for one painted frame buffer.
//!
//! # Layout, in the order in which a frame meets it
//!
//! | module | purpose |
//! |---|---|
//! | [`picture`] | what a frame in memory is: format, size, colorimetry, planes, strides |
//! | [`picture_file`], [`mod@resample`] | pictures read from files, and scaled |
//! | [`text_file`] | plans, styles and cue sheets read from files |
//! | [`numbers`] | the one definition of bytes <-> numbers, and its fast passes |
//! | [`controls`] | what may change from frame to frame: strength, colours kept, temporal filter |
//! | [`engine`] | what runs a generator: frames in, painted frames out |
//! | [`mod@convolution`] | the convolution that networks share, fast in training |
//! | [`generators`] | the networks, one file each |
//! | [`temporal`] | the flicker filter and the cut detector |
//! | [`style`] | the code of a style: mixed, faded, made of a picture |
//! | [`model`] | the model file, and where models are found |
//! | [`features`] | perceptual features: the seeded random bank, VGG, a distilled VGG (feature `features`) |
//! | [`mod@import`] | other projects' weights (feature `import`) |

pub mod controls;
pub mod convolution;
pub mod edit;
pub mod engine;
mod error;
#[cfg(feature = "features")]
pub mod features;
#[cfg(not(feature = "features"))]
mod features;
#[cfg(any(feature = "import", feature = "features"))]
mod foreign;
pub mod generators;
#[cfg(feature = "import")]
pub mod import;
pub mod model;
pub mod numbers;
pub mod picture;
pub mod picture_file;
pub mod resample;
pub mod style;
pub mod temporal;
pub mod text_file;

pub use controls::Controls;
pub use engine::{
    DeviceChoice, Engine, EngineOptions, Frame, FrameBuffer, Painted, Precision, Rejected, Timings,
};
pub use error::{Error, Result};
pub use model::{Model, ModelError};
pub use picture::{Colorimetry, Matrix, Picture, PictureError, PictureInfo, PictureMut, PixelFormat, Range};
pub use style::{StyleCode, StyleError};
