//! A style as a generator knows it: a code, that can be mixed with others, faded into them and kept in a file.
//!
//! | module | purpose |
//! |---|---|
//! | `code` | the code: mixed, faded, folded into a network's weights |
//! | `beside` | several styles in one picture, each where it has a share |
//! | `choice` | what a user writes to choose one |
//! | `file` | a style file |
//! | `colour` | a painting's colours as a map of a photo's |
//! | `scene` | a scene's colours, and their way to those of photos |
//! | `description` | what a style is made of where it comes from a picture |

mod beside;
mod choice;
mod code;
mod colour;
mod description;
mod file;
mod scene;

pub(crate) use beside::{Apart, StylesBeside};
pub(crate) use choice::files_beside;
pub use choice::{PHOTO_STYLE, Part, STYLE_SIDE, parse};
pub use code::{StyleCode, StyleError};
pub(crate) use code::{fold, mixes_in, network_tag, of_row, recolour};
pub(crate) use colour::COLOUR;
pub use colour::ColourMap;
pub use description::Describer;
pub(crate) use description::colours;
pub use file::text as file_text;
pub use scene::SceneColours;
pub(crate) use scene::{Lit, SCENE_NUMBERS};
