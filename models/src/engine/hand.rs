//! A painter at work: in the styles that it was told of last, at the frame's own size or at another.

use std::sync::Arc;
use std::time::Instant;

use super::at_once::{FrameViews, Painter, paint, same};
use super::burn::BurnPainter;
use super::fused::FusedPainter;
use super::meter::Meter;
use super::stroke::{Scaled, painted_info, painted_size};
use super::{DeviceChoice, EngineOptions, Precision};
use crate::{Controls, Model, PictureInfo, Result, StyleCode, edit};

/// Paints frames by their controls, edits but for those that are layers.
pub(super) struct Hand {
    model: Arc<Model>,
    options: EngineOptions,
    painter: Box<dyn Painter>,
    look: Option<Look>,
    /// Paints at another size, where strokes of another width were asked for last.
    scaled: Option<(Scaled, Option<Look>)>,
}

impl Hand {
    /// For frames of `info`.
    ///
    /// # Errors
    /// What keeps a painter from being opened.
    pub(super) fn open(model: &Arc<Model>, info: PictureInfo, options: &EngineOptions) -> Result<Self> {
        let painter = open_painter(model, info, options)?;
        let (model, look) = (Arc::clone(model), Some(Look::default()));
        Ok(Self { model, options: *options, painter, look, scaled: None })
    }

    /// Another one for the same frames.
    pub(super) fn another(&self) -> Result<Self> {
        Self::open(&self.model, *self.painter.info(), &self.options)
    }

    /// A painter of another model's network for the same frames.
    pub(super) fn painter_of(&self, model: &Arc<Model>) -> Result<Box<dyn Painter>> {
        open_painter(model, *self.painter.info(), &self.options)
    }

    pub(super) fn painter(&self) -> &dyn Painter {
        &*self.painter
    }

    /// What was measured of the colours of the last frame.
    pub(super) fn meter(&mut self) -> &Meter {
        match &mut self.scaled {
            Some((scaled, _)) => scaled.painter().meter(),
            None => self.painter.meter(),
        }
    }

    /// Paints a frame.
    pub(super) fn paint(&mut self, frame: &mut FrameViews<'_>) -> Result<()> {
        let Some(size) = painted_size(self.painter.info(), frame.controls.stroke) else {
            if self.scaled.take().is_some() {
                self.painter.filter().reset();
            }
            restyle(&mut *self.painter, &mut self.look, frame)?;
            return paint(&mut *self.painter, frame);
        };
        let scaled = self.scaled.take().filter(|(scaled, _)| scaled.size() == size);
        let scaled = match scaled {
            Some(scaled) => scaled,
            None => {
                let painter = open_painter(&self.model, painted_info(size), &self.options)?;
                (Scaled::new(*self.painter.info(), painter), Some(Look::default()))
            }
        };
        let (scaled, look) = self.scaled.insert(scaled);
        restyle(scaled.painter(), look, frame)?;
        scaled.paint(frame)
    }

    /// Forgets what earlier frames left behind.
    pub(super) fn forget(&mut self) {
        self.painter.filter().reset();
        self.scaled.iter_mut().for_each(|(scaled, _)| scaled.painter().filter().reset());
    }
}

/// The painter of a model's network on the device that was asked for.
fn open_painter(model: &Arc<Model>, info: PictureInfo, options: &EngineOptions) -> Result<Box<dyn Painter>> {
    // What its engine has not, learned edits mostly, is the CPU's, in the precision that it has.
    let on_the_cpu = EngineOptions { device: DeviceChoice::Cpu, precision: Precision::Auto, ..*options };
    let (painter, options) = match options.device {
        DeviceChoice::Auto | DeviceChoice::Cpu => (FusedPainter::open(model, info, options)?, options),
        DeviceChoice::Cuda(index) => match FusedPainter::open_on_device(model, info, options, index)? {
            None => (FusedPainter::open(model, info, &on_the_cpu)?, &on_the_cpu),
            painter => (painter, options),
        },
        DeviceChoice::BurnCpu | DeviceChoice::BurnCuda(_) => (None, options),
    };
    Ok(match painter {
        Some(painter) => Box::new(painter),
        None => Box::new(BurnPainter::open(model, info, options)?),
    })
}

/// The styles that a painter was told of last.
#[derive(Default)]
struct Look {
    style: Option<Arc<StyleCode>>,
    /// Edits whose regions have styles of their own.
    regions: Option<Arc<edit::Plan>>,
}

/// Has the painter paint in the frame's styles from here on, where those are not what it `has`: nothing is known of that after a
/// failure. That is the network's time: in a fade every frame takes it.
fn restyle(painter: &mut dyn Painter, has: &mut Option<Look>, frame: &mut FrameViews<'_>) -> Result<()> {
    let Controls { style, edits, .. } = &frame.controls;
    let regions = edits.as_ref().filter(|edits| edits.has_codes());
    let had = has.take().filter(|had| same(&had.style, style) && same(&had.regions, &regions.cloned()));
    let looks = match had {
        Some(had) => had,
        None => {
            let start = Instant::now();
            let codes: Vec<_> = regions.iter().flat_map(|edits| edits.codes()).collect();
            painter.restyle(style.as_deref(), &codes)?;
            frame.timings.network += start.elapsed();
            Look { style: style.clone(), regions: regions.cloned() }
        }
    };
    *has = Some(looks);
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::engine::tiles::{Tile, Tiling};
    use crate::engine::{Plan, Timings};
    use crate::temporal::FlickerFilter;
    use crate::{Colorimetry, Error, Matrix, PixelFormat, Range};

    const TAKES: Duration = Duration::from_millis(5);

    /// Takes its time to paint in another style, or fails at it.
    struct Slow {
        fails: bool,
    }

    impl Painter for Slow {
        fn info(&self) -> &PictureInfo {
            unreachable!()
        }

        fn plan(&self) -> &Plan {
            unreachable!()
        }

        fn tiling(&self) -> &Tiling {
            unreachable!()
        }

        fn filter(&mut self) -> &mut FlickerFilter {
            unreachable!()
        }

        fn meter(&mut self) -> &mut Meter {
            unreachable!()
        }

        fn restyle(&mut self, _style: Option<&StyleCode>, _regions: &[&StyleCode]) -> Result<()> {
            std::thread::sleep(TAKES);
            if self.fails { Err(Error::Engine("on purpose".to_owned())) } else { Ok(()) }
        }

        fn paint_tile(&mut self, _tile: Tile, _frame: &mut FrameViews<'_>, _filtered: bool) -> Result<()> {
            unreachable!()
        }
    }

    /// What the network takes for a frame in this style.
    fn took(painter: &mut Slow, has: &mut Option<Look>, style: Option<&Arc<StyleCode>>) -> Result<Duration> {
        let colorimetry = Colorimetry { matrix: Matrix::Bt709, range: Range::Full };
        let info = PictureInfo { format: PixelFormat::Rgb, width: 16, height: 16, colorimetry };
        let (source, mut output) = (vec![0; info.packed_size()], vec![0; info.packed_size()]);
        let mut frame = FrameViews {
            source: info.packed_view(&source).unwrap(),
            keys: None,
            alpha: None,
            output: info.packed_view_mut(&mut output).unwrap(),
            controls: Controls { style: style.cloned(), ..Controls::default() },
            number: 1,
            timings: Timings::default(),
            measured: None,
        };
        restyle(painter, has, &mut frame).map(|()| frame.timings.network)
    }

    #[test]
    fn another_style_is_time_of_the_network_and_the_same_one_takes_none() {
        let (mut painter, mut has) = (Slow { fails: false }, Some(Look::default()));
        let style = Arc::new(StyleCode::new(1, Vec::new()));
        assert_eq!(took(&mut painter, &mut has, None).unwrap(), Duration::ZERO);
        assert!(took(&mut painter, &mut has, Some(&style)).unwrap() >= TAKES);
        assert_eq!(took(&mut painter, &mut has, Some(&style)).unwrap(), Duration::ZERO);
    }

    #[test]
    fn after_a_style_that_failed_the_one_before_is_made_anew() {
        let (mut painter, mut has) = (Slow { fails: true }, Some(Look::default()));
        let style = Arc::new(StyleCode::new(1, Vec::new()));
        assert!(took(&mut painter, &mut has, Some(&style)).is_err());
        painter.fails = false;
        assert!(took(&mut painter, &mut has, None).unwrap() >= TAKES);
    }
}
