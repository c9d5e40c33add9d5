//! Content, paintings and motion, ready to train on: everything that a recipe's files give, at every step the same
//! whatever happened before it.
//!
//! # Layout
//!
//! | module | purpose |
//! |---|---|
//! | [`sources`] | which pictures and videos, decoded once |
//! | [`target`] | the paintings, or the painted key frames |
//! | [`mod@draw`] | random numbers that follow from seed, step and purpose |
//! | [`mod@view`] | a square part of a picture as numbers |
//! | [`crops`] | crops of content, paintings and key frames |
//! | [`study`] | paintings as an encoder studies them |
//! | `strokes` | paintings that nobody painted |
//! | [`motion`] | pairs of frames whose motion is known |

pub mod crops;
pub mod draw;
pub mod motion;
pub mod sources;
mod strokes;
pub mod study;
pub mod target;
mod view;

use std::path::Path;

use anyhow::Result;
use image::RgbImage;
use rayon::prelude::*;

use super::recipe::{Content, Recipe, Temporal};
use crate::still::Still;
use crops::{KeyCrop, content_crop, key_crop, style_crop};
use draw::{Draw, Purpose};
use motion::video::{EstimatedFlow, VideoPair};
use motion::{Motions, Pairs};
use sources::{Pictures, Warn};
use study::{Studies, Study};
use target::{Paintings, Style};

/// A recipe's pictures in memory.
#[derive(Debug)]
pub struct Dataset {
    seed: u64,
    content: Content,
    temporal: Temporal,
    photo: f64,
    procedural: f64,
    batch: usize,
    crop: usize,
    pictures: Pictures,
    videos: Vec<VideoPair>,
    target: Paintings,
}

impl Dataset {
    /// Reads everything that the recipe names; paths are taken from the folder `base`.
    ///
    /// # Errors
    /// What cannot be read or does not fit together, by its name; what can be done without is a warning.
    pub fn open(recipe: &Recipe, base: &Path, warn: Warn) -> Result<Self> {
        // The target first: it is small, and more often wrong.
        let target = target::read(&recipe.target, base, warn)?;
        let pictures = sources::read(&recipe.content, recipe.seed, base, warn)?;
        let crop = recipe.training.crop;
        let small = pictures.stills.iter().filter(|picture| {
            let scaled = f64::from(picture.width().min(picture.height())) * recipe.content.scale[1];
            scaled < crop as f64
        });
        let (small, all) = (small.count(), pictures.stills.len());
        if small > 0 {
            warn(format!(
                "{small} of {all} pictures are smaller than a crop of {crop} pixels even at the largest scale, and are enlarged"
            ));
        }
        Ok(Self {
            seed: recipe.seed,
            content: recipe.content.clone(),
            temporal: recipe.temporal.clone(),
            photo: recipe.generator.photo,
            procedural: recipe.target.procedural,
            batch: recipe.training.batch,
            crop,
            pictures,
            videos: Vec::new(),
            target,
        })
    }

    /// The crops of content that a step paints: `training.batch` of `training.crop` pixels.
    pub fn content(&self, step: u64) -> Vec<Still> {
        let draw = Draw::new(self.seed, step, Purpose::Content);
        let crops = (0..self.batch).into_par_iter();
        crops
            .map(|index| {
                content_crop(&mut draw.of_picture(index), &self.pictures.stills, &self.content, self.crop)
            })
            .collect()
    }

    /// Pairs of frames with their motion, all of one kind.
    pub fn pairs(&self, step: u64, batch: usize, crop: usize) -> Pairs {
        let motions = Motions {
            pictures: &self.pictures.stills,
            videos: &self.videos,
            content: &self.content,
            temporal: &self.temporal,
        };
        motions.pairs(&mut Draw::new(self.seed, step, Purpose::Motion), batch, crop)
    }

    /// Crops of a style's paintings.
    ///
    /// # Panics
    /// Where there is no such style.
    pub fn style(&self, step: u64, style: usize, count: usize, side: usize) -> Vec<Still> {
        let draw = Draw::new(self.seed, step, Purpose::Style(style));
        let style = &self.target.styles[style];
        let crops = (0..count).into_par_iter();
        crops.map(|index| style_crop(&mut draw.of_picture(index), style, side)).collect()
    }

    /// What an encoder studies in a step, so many.
    pub fn studies(&self, step: u64, count: usize) -> Vec<Study> {
        let studies = Studies {
            paintings: self.paintings().collect(),
            named: self.target.styles.iter().map(|style| style.paintings.len()).sum(),
            pictures: &self.pictures.stills,
            photo: self.photo,
            procedural: self.procedural,
        };
        let draw = Draw::new(self.seed, step, Purpose::Study);
        (0..count).map(|index| studies.draw(&mut draw.of_picture(index))).collect()
    }

    /// Every painting: those of the styles, then those without a name.
    fn paintings(&self) -> impl Iterator<Item = &RgbImage> {
        self.target.styles.iter().flat_map(|style| &style.paintings).chain(&self.target.more)
    }

    /// The first painting of the first style.
    pub fn first_painting(&self) -> &RgbImage {
        &self.target.styles[0].paintings[0]
    }

    /// Paintings without a name, that an encoder learns from.
    pub fn nameless(&self) -> &[RgbImage] {
        &self.target.more
    }

    /// Crops of key frames; none where the target has no key frames.
    pub fn key_frames(&self, step: u64, count: usize, side: usize) -> Vec<KeyCrop> {
        if self.target.key_frames.is_empty() {
            return Vec::new();
        }
        let draw = Draw::new(self.seed, step, Purpose::KeyFrames);
        let crops = (0..count).into_par_iter();
        crops.map(|index| key_crop(&mut draw.of_picture(index), &self.target.key_frames, side)).collect()
    }

    /// Estimates the motion of the videos' pairs, for [`motion::PairKind::Video`]: without this there are no such pairs.
    /// `estimate` gets the first and the second frame. Frames smaller than a crop are left out.
    ///
    /// # Errors
    /// The estimator's.
    pub fn estimate_motion(
        &mut self,
        mut estimate: impl FnMut(&Still, &Still) -> Result<EstimatedFlow>,
    ) -> Result<()> {
        let fits = |frames: &&[RgbImage; 2]| VideoPair::has_room_for(&frames[0], self.crop);
        let pairs = self.pictures.pairs.iter().filter(fits);
        let estimated = pairs.map(|frames| {
            let [first, second] = frames.each_ref().map(Still::from_rgb);
            VideoPair::new(frames.clone(), estimate(&first, &second)?)
        });
        self.videos = estimated.collect::<Result<_>>()?;
        Ok(())
    }

    /// The styles, in the order of the recipe.
    pub fn styles(&self) -> &[Style] {
        &self.target.styles
    }

    /// The content whole: pictures, and of each pair of frames the first.
    #[cfg(test)]
    pub fn pictures(&self) -> &[RgbImage] {
        &self.pictures.stills
    }
}

#[cfg(test)]
mod tests;
