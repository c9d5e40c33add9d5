//! Frames that are brought to the light of photos, and their paintings to the style's colours: the host looks at what the device has found,
//! frame by frame, and chooses weights by it. The definition is [`crate::engine::adapt`].

use std::sync::Arc;
use std::time::{Duration, Instant};

use cudarc::driver::CudaStream;

use super::batch::{Member, Ticket};
use super::context::failed;
use super::layers::Layers;
use super::painter::DevicePainter;
use super::parameters::MeterGrid;
use super::scene::SceneNumbers;
use crate::engine::DevicePicture;
use crate::engine::adapt::{Adapt, Amounts, Learned};
use crate::engine::meter::Grid;
use crate::engine::sight::Sight;
use crate::{Controls, Picture, Result};

/// What is known of the scene.
#[derive(Default)]
pub(super) struct Adapted {
    adapt: Adapt,
    /// Since a frame was first adapted.
    numbers: Option<SceneNumbers>,
}

/// A picture on the device, and the same on the host where it came from there.
pub(super) struct Seen<'a> {
    pub(super) on_device: DevicePicture,
    pub(super) on_host: Option<Picture<'a>>,
}

impl Adapted {
    /// Forgets the scene.
    pub(super) fn forget(&mut self) {
        self.adapt.forget();
    }

    /// Paints a frame as [`DevicePainter::paint`] does, and waits for what it teaches; twice, where nothing was known of its scene. `amounts` are of
    /// the controls as they were asked for. Also how long it took before the painting that is shown was put on the device.
    ///
    /// # Safety
    /// As for that.
    pub(super) unsafe fn paint(
        &mut self,
        painter: &mut DevicePainter,
        stream: &Arc<CudaStream>,
        (source, output): (Seen<'_>, DevicePicture),
        (controls, amounts): (&Controls, &Amounts),
        ticket: &Arc<Ticket>,
    ) -> Result<(Option<Arc<Layers>>, Duration)> {
        let begun = Instant::now();
        let Self { adapt, numbers } = self;
        let numbers = match numbers {
            Some(numbers) => numbers,
            none => none.insert(SceneNumbers::new(stream).map_err(failed)?),
        };
        let Seen { on_device, on_host } = source;
        let model = Arc::clone(painter.model());
        // Its maps of colours are looked into before its weights are.
        controls.style.as_deref().map_or(Ok(()), |style| model.check_style(style))?;
        match &on_host {
            Some(picture) => adapt.follow(&model, amounts, Sight::Picture(picture)),
            None => {
                // SAFETY: the caller vouches for the picture.
                let sight = unsafe { numbers.look(painter.kernels(), &on_device) }?;
                adapt.follow(&model, amounts, sight);
            }
        }
        let grid = adapt.lit().map(|lit| MeterGrid::of(Grid::of(lit, painter.kernels().size())));
        let measured = grid.map(|grid| (grid, numbers.sums()));
        let lit = adapt.apply(controls.clone(), amounts);
        let before = begun.elapsed();
        // SAFETY: as the caller says; the sums' memory stays with this, which waits for them.
        let kept = unsafe { painter.paint(on_device, output, &lit, ticket, measured) }?;
        let found = painter.await_painting(ticket).map_err(failed).and_then(|()| numbers.measured());
        if found.is_err() {
            // Some of it may have been put on a stream, and what it is painted with must not go before.
            painter.member().into_iter().for_each(Member::settle);
        }
        let found = found?;
        let learned = adapt.learn(|into| {
            into.clear();
            into.push(found);
        });
        if learned == Learned::Little {
            return Ok((kept, before));
        }
        // Nothing of the past fits another scene. What the first was painted with is no longer needed: it has been waited for.
        drop(kept);
        painter.reset();
        let lit = adapt.apply(controls.clone(), amounts);
        let before = begun.elapsed();
        // SAFETY: as above.
        let kept = unsafe { painter.paint(on_device, output, &lit, ticket, None) }?;
        // It has waited for others' frames once.
        painter.member().into_iter().for_each(Member::hurry);
        Ok((kept, before))
    }
}
