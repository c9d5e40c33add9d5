//! The engine of NVIDIA GPUs: *tiny* and *base*, from pixels to pixels, by kernels of this crate's own and the driver alone.
//!
//! Frames come from the host or lie on the device. Those of the host go there and back through pinned pages, on streams of their
//! own, while other frames are painted; of those on the device nothing is copied. Numbers are those of [`crate::numbers`];
//! maps and weights are f16, sums f32.
//!
//! | module | purpose |
//! |---|---|
//! | `kernels/` | CUDA C++, and the PTX that `kernels/build` makes of it |
//! | `context` | the context that the process shares |
//! | `parameters` | what kernels are given |
//! | `fragments` | weights in the order of the tensor cores |
//! | `convolution` | a convolution, its weights in place |
//! | `layers` | the layers of a model in a style, for all who paint with them |
//! | `network` | the networks, layer by layer |
//! | `kernels` | pixels to cells and back |
//! | `filter` | the flicker filter's memory |
//! | `several` | networks side by side |
//! | `hosted` | a network whose cells are the host's |
//! | `picture_work` | what is done for a picture around the network |
//! | `painter` | a model: pictures on the device in and out |
//! | `scene` | what adaptation goes by, found on the device |
//! | `adapted` | frames in the light of photos |
//! | `batch` | frames of several engines in one launch |
//! | `staging` | pictures of the host on their way |
//! | `frames` | frames in flight |

mod adapted;
mod batch;
mod context;
mod convolution;
mod filter;
mod fragments;
mod frames;
mod hosted;
mod kernels;
mod layers;
mod network;
mod painter;
mod parameters;
mod picture_work;
mod scene;
mod several;
mod staging;

pub(super) use self::context::has_gpu;
pub use self::context::{PrimaryContext, primary_context, primary_context_or_reason};
pub(super) use self::frames::{CudaEngine, computes_in};
pub(super) use self::hosted::HostedNetwork;
pub use self::painter::serves;
