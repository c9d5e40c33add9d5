//! From a frame to how much of each of its places belongs to the object.

use std::path::Path;

use impasto_models::Picture;
use impasto_models::edit::Matte;

use super::answer::Answer;
use super::network::Network;
use super::sight::Sight;

/// A network of the user, and what it said last.
pub struct Segmenter {
    network: Network,
    answer: Answer,
    /// For frames of one kind.
    sight: Option<Sight>,
    threads: usize,
    /// What was given last, `[height, width]`; nothing where `begun` is false.
    mean: Vec<f32>,
    begun: bool,
}

impl Segmenter {
    /// Opens an ONNX file, and runs it once. It runs on `threads` of its own; 0 takes those of rayon.
    ///
    /// # Errors
    /// What is wrong with the file, which is named, and what is expected: see the element's documentation.
    pub fn open(file: &Path, threads: usize) -> Result<Self, String> {
        let network = Network::open(file, threads);
        let network = network.map_err(|error| format!("the network {}: {error}", file.display()))?;
        let gives = network.gives();
        let threads = if threads == 0 { rayon::current_num_threads() } else { threads };
        let mean = vec![0.0; gives.width * gives.height];
        Ok(Self { network, answer: Answer::new(gives), sight: None, threads, mean, begun: false })
    }

    /// Width and height of the masks, in pixels: whatever the frames have.
    pub fn size(&self) -> [usize; 2] {
        [self.network.gives().width, self.network.gives().height]
    }

    /// How much of each place belongs to the object, 0 to 1, `[height, width]`; `smooth` of it, 0 to 1, is what was given before.
    ///
    /// # Errors
    /// Where the runtime fails.
    pub fn shares(&mut self, picture: &Picture, smooth: f32) -> Result<&[f32], String> {
        let takes = self.network.takes();
        let fitting = self.sight.take().filter(|sight| sight.info() == picture.info());
        let make = || Sight::new(*picture.info(), [takes.width, takes.height], self.threads);
        let sight = self.sight.insert(fitting.unwrap_or_else(make));
        let answered = self.network.answer(sight.of(picture))?;
        let shares = self.answer.shares(answered.numbers()?);
        if std::mem::replace(&mut self.begun, true) && smooth > 0.0 {
            let new = 1.0 - smooth;
            self.mean.iter_mut().zip(shares).for_each(|(mean, share)| *mean += new * (share - *mean));
        } else {
            self.mean.copy_from_slice(shares);
        }
        Ok(&self.mean)
    }

    /// The mask of a picture by itself.
    ///
    /// # Errors
    /// Where the runtime fails.
    pub fn matte(&mut self, picture: &Picture) -> Result<Matte, String> {
        let [width, height] = self.size();
        let bytes: Vec<u8> = self.shares(picture, 0.0)?.iter().copied().map(byte).collect();
        Matte::new(width, height, width, Box::new(bytes)).map_err(|error| error.to_string())
    }

    /// The next frame has no past.
    pub fn forget(&mut self) {
        self.begun = false;
    }
}

/// A share as masks have it.
pub(super) fn byte(share: f32) -> u8 {
    (share * 255.0).round() as u8
}
