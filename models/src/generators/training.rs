//! Networks that learn: their start, their whole state, and what a model file holds of them.

use std::collections::BTreeMap;

use burn::tensor::{Device, Tensor};

use super::styles::{Look, code_parts};
use super::weights::{WeightTensor, bind_training, host_weights, training_start};
use super::{Base, Generator, GeneratorConfig, Tiny, Weights, expected_shapes, tiny};

/// A state that does not belong to the network.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[non_exhaustive]
pub enum StateError {
    /// The network has no training form.
    #[error("a network of kind '{0}' cannot be trained; expected tiny or base")]
    Kind(&'static str),
    /// A tensor is missing, superfluous, or of another shape.
    #[error("tensor '{name}' has shape {found:?}, expected {expected:?} (none: it should not be there)")]
    Tensor {
        /// Its path.
        name: String,
        /// What the state has.
        found: Option<Vec<usize>>,
        /// What the network asks for.
        expected: Option<Vec<usize>>,
    },
}

impl GeneratorConfig {
    /// The network in its training form, at a seeded start: *base* paints what it sees, *tiny* something
    /// smoother.
    ///
    /// # Errors
    /// [`StateError::Kind`] where the kind cannot be trained.
    pub fn init_training(&self, seed: u64, device: &Device) -> Result<Generator, StateError> {
        let network = self.training_form(device)?;
        let mut start = training_start(&shapes(&network), seed);
        match network {
            Generator::Tiny(_) => Tiny::prepare_start(&mut start),
            Generator::Base(_) => Base::prepare_start(&mut start),
            Generator::Johnson(_) | Generator::MicroAst(_) => {}
        }
        Ok(bound(network, &start, device))
    }

    /// The network in its training form with the state that [`Generator::state`] gave.
    ///
    /// # Errors
    /// [`StateError`] where the state is not complete, or of another network.
    pub fn with_state(&self, state: &Weights, device: &Device) -> Result<Generator, StateError> {
        let network = self.training_form(device)?;
        check(&shapes(&network), state)?;
        Ok(bound(network, state, device))
    }

    /// The network in its training form, painting as the folded `weights` do: norms and branches change nothing yet. First and last
    /// layers that are not smooth, as those of an earlier version, come as near as smooth ones can (`cells`).
    ///
    /// # Errors
    /// [`StateError`] where the weights are not those of this configuration.
    pub fn resume_training(&self, weights: &Weights, device: &Device) -> Result<Generator, StateError> {
        check(&self.shapes(), weights)?;
        let network = self.training_form(device)?;
        let mut start = training_start(&shapes(&network), 0);
        start.extend(weights.iter().map(|(path, tensor)| (path.clone(), tensor.clone())));
        match network {
            Generator::Tiny(_) => Tiny::prepare_resumption(&mut start),
            Generator::Base(_) => Base::prepare_resumption(&mut start),
            Generator::Johnson(_) | Generator::MicroAst(_) => {}
        }
        let mut network = bound(network, &start, device);
        network.hold_statistics();
        Ok(network)
    }

    fn training_form(&self, device: &Device) -> Result<Generator, StateError> {
        match self {
            Self::Tiny(config) => Ok(Generator::Tiny(config.init_training(device))),
            Self::Base(config) => Ok(Generator::Base(config.init_training(device))),
            Self::Johnson(_) | Self::MicroAst(_) => Err(StateError::Kind(self.kind())),
        }
    }
}

impl Generator {
    /// Every parameter and statistic of the training form, by path.
    pub fn state(&self) -> Weights {
        match self {
            Self::Tiny(tiny) => host_weights(tiny),
            Self::Base(base) => host_weights(base),
            Self::Johnson(johnson) => host_weights(johnson),
            Self::MicroAst(microast) => host_weights(microast),
        }
    }

    /// From here on batch norm uses the statistics it has: a constant, folded into the kernels, so that what is trained
    /// is what plays.
    pub fn hold_statistics(&mut self) {
        match self {
            Self::Tiny(tiny) => tiny.hold_statistics(),
            Self::Base(base) => base.hold_statistics(),
            Self::Johnson(_) | Self::MicroAst(_) => {}
        }
    }

    /// The weights of the folded form, as a model file holds them.
    pub fn folded(&self) -> Weights {
        match self {
            Self::Tiny(tiny) => tiny.folded(),
            Self::Base(base) => base.folded(),
            Self::Johnson(johnson) => host_weights(johnson),
            Self::MicroAst(microast) => host_weights(microast),
        }
    }
}

impl Generator {
    /// The affine layers of styles that are described, `[1, numbers of a description]` each, as a model file holds them; nothing
    /// where there is no encoder.
    pub fn named_styles(&self, descriptions: impl Iterator<Item = Tensor<2>>) -> Weights {
        let looks = descriptions.filter_map(|description| self.encoded(description));
        let codes: Vec<Vec<f32>> = looks.map(Look::into_numbers).collect();
        if codes.is_empty() {
            return Weights::new();
        }
        let mut at = 0;
        let rows = |(path, width)| {
            let values = codes.iter().flat_map(|code| code[at..at + width].iter().copied()).collect();
            at += width;
            (path, WeightTensor { shape: vec![codes.len(), width], values })
        };
        let Self::Tiny(tiny) = self else { return Weights::new() };
        code_parts(tiny::styled_widths(tiny::BLOCKS).into_iter(), tiny.mixes(), true).map(rows).collect()
    }
}

fn shapes(network: &Generator) -> BTreeMap<String, Vec<usize>> {
    match network {
        Generator::Tiny(tiny) => expected_shapes(tiny),
        Generator::Base(base) => expected_shapes(base),
        Generator::Johnson(johnson) => expected_shapes(johnson),
        Generator::MicroAst(microast) => expected_shapes(microast),
    }
}

fn bound(network: Generator, weights: &Weights, device: &Device) -> Generator {
    match network {
        Generator::Tiny(tiny) => Generator::Tiny(bind_training(tiny, weights, device)),
        Generator::Base(base) => Generator::Base(bind_training(base, weights, device)),
        Generator::Johnson(johnson) => Generator::Johnson(bind_training(johnson, weights, device)),
        Generator::MicroAst(microast) => Generator::MicroAst(bind_training(microast, weights, device)),
    }
}

fn check(expected: &BTreeMap<String, Vec<usize>>, found: &Weights) -> Result<(), StateError> {
    for name in expected.keys().chain(found.keys()) {
        let (expected, found) = (expected.get(name), found.get(name).map(|tensor| &tensor.shape));
        if expected != found {
            let (found, expected) = (found.cloned(), expected.cloned());
            return Err(StateError::Tensor { name: name.clone(), found, expected });
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use burn::tensor::TensorData;

    use super::super::{BaseConfig, DESCRIPTION, TinyConfig};
    use super::*;

    #[test]
    fn fewer_blocks_go_with_one_style_and_come_to_less_than_200_kb() {
        let few = TinyConfig { blocks: 2, ..TinyConfig::new(1) };
        assert_eq!(few.validate(), Ok(()));
        for wrong in [
            TinyConfig { blocks: 3, ..few.clone() },
            TinyConfig { styles: 2, ..few.clone() },
            TinyConfig { encoder: true, ..few.clone() },
        ] {
            assert!(wrong.validate().unwrap_err().contains("expected 4, or 2"), "{wrong:?}");
        }
        let device = Device::flex();
        let config = GeneratorConfig::Tiny(few);
        let mut network = shaken(&config, &device);
        network.hold_statistics();
        let folded = network.folded();
        let numbers: usize = folded.values().map(|tensor| tensor.values.len()).sum();
        assert!((80_000..100_000).contains(&numbers), "{numbers} of two bytes");
        let played = config.build(&folded, &device).forward(picture(&device));
        assert!(difference(network.forward(picture(&device)), played) < 1e-5);
    }

    fn configs() -> [GeneratorConfig; 4] {
        let (one, three) = (1, 3);
        [
            GeneratorConfig::Tiny(TinyConfig::new(one)),
            GeneratorConfig::Tiny(TinyConfig::new(three)),
            GeneratorConfig::Base(BaseConfig { styles: one }),
            GeneratorConfig::Base(BaseConfig { styles: three }),
        ]
    }

    fn picture(device: &Device) -> Tensor<4> {
        let values: Vec<f32> = (0..2 * 3 * 32 * 40).map(|i| ((i * 7919) % 101) as f32 / 100.0).collect();
        Tensor::from_data(TensorData::new(values, [2, 3, 32, 40]), device)
    }

    fn difference(a: Tensor<4>, b: Tensor<4>) -> f32 {
        (a - b).abs().max().into_scalar()
    }

    /// A state in which every branch, norm and style does something.
    fn shaken(config: &GeneratorConfig, device: &Device) -> Generator {
        let mut state = config.init_training(3, device).unwrap().state();
        for (path, tensor) in &mut state {
            for (i, value) in tensor.values.iter_mut().enumerate() {
                let wobble = ((i * 31 + path.len()) % 17) as f32 / 17.0 - 0.5;
                *value += 0.1 * wobble;
            }
        }
        config.with_state(&state, device).unwrap()
    }

    #[test]
    fn a_new_base_draws_no_grid_of_its_own() {
        let state = BaseConfig { styles: 1 };
        let state = GeneratorConfig::Base(state).init_training(1, &Device::flex()).unwrap().state();
        for name in ["from_eighth.weight", "from_quarter.weight"] {
            let kernel = state[name].values.len() / state[name].shape[0];
            let mut channels = state[name].values.chunks_exact(4 * kernel);
            assert!(
                channels.all(|phases| phases.chunks_exact(kernel).all(|phase| *phase == phases[..kernel])),
                "{name}"
            );
        }
    }

    #[test]
    fn a_new_base_changes_nothing() {
        let device = Device::flex();
        let [_, _, bases @ ..] = configs();
        for config in bases {
            let network = config.init_training(1, &device).unwrap();
            assert_eq!(difference(network.forward(picture(&device)), picture(&device)), 0.0);
        }
    }

    /// A ramp is what bilinear upsampling leaves alone, but for the border.
    #[test]
    fn a_new_tiny_leaves_what_is_smooth_alone() {
        let device = Device::flex();
        let ramp: Vec<f32> =
            (0..3 * 32 * 40).map(|i| (i / 40 % 32) as f32 / 50.0 + (i % 40) as f32 / 80.0).collect();
        let ramp = Tensor::<4>::from_data(TensorData::new(ramp, [1, 3, 32, 40]), &device);
        let inner = |x: Tensor<4>| x.narrow(2, 4, 24).narrow(3, 4, 32);
        let [tiny, several, ..] = configs();
        for config in [tiny, several] {
            let network = config.init_training(1, &device).unwrap();
            assert!(difference(inner(network.forward(ramp.clone())), inner(ramp.clone())) < 1e-5);
        }
    }

    #[test]
    fn a_held_network_paints_as_its_folded_form_does() {
        let device = Device::flex();
        for config in configs() {
            let mut network = shaken(&config, &device);
            network.hold_statistics();
            let folded = config.build(&network.folded(), &device);
            let mix = (network.folded().contains_key("styles.0.scale"))
                .then(|| Tensor::<2>::from_data([[0.2, 0.5, 0.3], [0.0, 1.0, 0.0]], &device));
            let (held, _) = network.forward_styled(picture(&device), &network.mixed(mix.as_ref()));
            let (folded, _) = folded.forward_styled(picture(&device), &folded.mixed(mix.as_ref()));
            assert!(difference(held.clone(), picture(&device)) > 0.01);
            let worst = difference(held, folded);
            assert!(worst < 1e-5, "{} differs by {worst}", config.kind());
        }
    }

    #[test]
    fn a_plain_surface_shows_no_grid_whatever_was_learned() {
        let device = Device::flex();
        let mut network = shaken(&GeneratorConfig::Tiny(TinyConfig::new(1)), &device);
        network.hold_statistics();
        for network in [network.clone(), network_of(&network.folded(), &device)] {
            let plain = Tensor::<4>::ones([1, 3, 32, 32], &device) * 0.3;
            let painted = network.forward(plain);
            let spread = (painted.clone() - painted.clone().mean_dim(3).mean_dim(2)).abs().max();
            assert!(spread.into_scalar::<f32>() < 1e-5);
            assert!((painted - 0.3).abs().max().into_scalar::<f32>() > 0.01);
        }
    }

    fn network_of(weights: &Weights, device: &Device) -> Generator {
        GeneratorConfig::Tiny(TinyConfig::new(1)).build(weights, device)
    }

    #[test]
    fn live_statistics_come_to_what_is_held() {
        let device = Device::flex();
        let config = GeneratorConfig::Tiny(TinyConfig::new(1));
        let mut network = shaken(&config, &device);
        let mut live = network.forward(picture(&device));
        for _ in 0..900 {
            live = network.forward(picture(&device));
        }
        network.hold_statistics();
        let worst = difference(network.forward(picture(&device)), live);
        assert!(worst < 1e-3, "differs by {worst}");
    }

    #[test]
    fn training_goes_on_exactly_where_a_folded_model_is() {
        let device = Device::flex();
        for config in configs() {
            let mut network = shaken(&config, &device);
            network.hold_statistics();
            let weights = network.folded();
            let resumed = config.resume_training(&weights, &device).unwrap();
            let folded = config.build(&weights, &device);
            let worst = difference(resumed.forward(picture(&device)), folded.forward(picture(&device)));
            assert!(worst < 2e-5, "{} differs by {worst}", config.kind());
        }
    }

    /// What a model of several styles is given of paintings must be what its encoder makes of each.
    #[test]
    fn a_named_style_is_its_row_of_the_file() {
        let device = Device::flex();
        let config = GeneratorConfig::Tiny(TinyConfig { encoder: true, ..TinyConfig::new(2) });
        let network = shaken(&config, &device);
        let described = |by: f32| Tensor::<2>::ones([1, DESCRIPTION], &device) * by;
        let mut weights = network.folded();
        weights.extend(network.named_styles([0.5, 0.8].map(described).into_iter()));
        assert_eq!(check(&config.shapes(), &weights), Ok(()));
        for (style, by) in [0.5, 0.8].into_iter().enumerate() {
            let code = network.encoded(described(by)).unwrap().into_numbers();
            assert_eq!(crate::style::of_row(&config, &weights, style), Some(code));
        }
        assert!(
            shaken(&GeneratorConfig::Tiny(TinyConfig::new(2)), &device)
                .named_styles([0.5].map(described).into_iter())
                .is_empty()
        );
    }

    /// One style's kernels are the sum of the network's and of so much of each basis, in training, as held, and folded into a file's.
    #[test]
    fn bases_fold_into_the_kernels_of_a_style() {
        let device = Device::flex();
        let several = TinyConfig { encoder: true, bases: 2, ..TinyConfig::new(3) };
        let config = GeneratorConfig::Tiny(several.clone());
        let mut network = shaken(&config, &device);
        network.hold_statistics();
        let weights = network.folded();
        assert_eq!(check(&config.shapes(), &weights), Ok(()));
        let paint = |network: &Generator, style: Option<[f32; 3]>| {
            let mix = style.map(|style| Tensor::<2>::from_data([style], &device));
            network.forward_styled(picture(&device), &network.mixed(mix.as_ref())).0
        };
        let styles = [[1.0, 0.0, 0.0], [0.0, 1.0, 0.0]].map(|style| paint(&network, Some(style)));
        assert!(difference(styles[0].clone(), styles[1].clone()) > 0.01);
        let file = config.build(&weights, &device);
        let code = crate::style::of_row(&config, &weights, 1).unwrap();
        let mut folded = crate::style::fold(&config, &weights, &code);
        crate::style::recolour(&mut folded, &crate::StyleCode::new(0, code), true);
        let one = config.of_one_style().build(&folded, &device);
        for painted in [paint(&file, Some([0.0, 1.0, 0.0])), paint(&one, None)] {
            let worst = difference(painted, styles[1].clone());
            assert!(worst < 2e-5, "{worst}");
        }
        let resumed = config.resume_training(&weights, &device).unwrap();
        assert!(difference(paint(&resumed, Some([0.0, 1.0, 0.0])), styles[1].clone()) < 5e-5);
    }

    #[test]
    fn a_network_that_is_given_bases_paints_as_before_and_its_encoder_takes_some_of_each() {
        let device = Device::flex();
        let plain = TinyConfig { encoder: true, ..TinyConfig::new(2) };
        let (config, wide) =
            (GeneratorConfig::Tiny(plain.clone()), GeneratorConfig::Tiny(TinyConfig { bases: 3, ..plain }));
        let mut network = shaken(&config, &device);
        network.hold_statistics();
        let weights = network.folded();
        let widened = super::super::widened(&wide, weights.clone());
        assert_eq!(check(&wide.shapes(), &widened), Ok(()));
        let described = Tensor::<2>::ones([1, DESCRIPTION], &device) * 0.5;
        let paint = |config: &GeneratorConfig, weights: &Weights| {
            let network = config.build(weights, &device);
            network.forward_styled(picture(&device), &network.encoded(described.clone()).unwrap()).0
        };
        assert!(difference(paint(&config, &weights), paint(&wide, &widened)) < 1e-6);
        // Else neither they nor the bases would ever learn.
        for network in [wide.build(&widened, &device), wide.init_training(1, &device).unwrap()] {
            let mixes = network.encoded(described.clone()).unwrap().mixes.unwrap();
            assert!(mixes.abs().mean().into_scalar::<f32>() > 0.01);
        }
        for wrong in [
            TinyConfig { bases: 3, ..TinyConfig::new(2) },
            TinyConfig { bases: 17, encoder: true, ..TinyConfig::new(2) },
        ] {
            assert!(wrong.validate().unwrap_err().contains("expected 0, or up to 16 beside an encoder"));
        }
    }

    #[test]
    fn a_state_comes_back_whole_and_another_networks_is_refused() {
        let device = Device::flex();
        let config = GeneratorConfig::Tiny(TinyConfig::new(1));
        let state = shaken(&config, &device).state();
        assert_eq!(config.with_state(&state, &device).unwrap().state(), state);
        let mut short = state.clone();
        short.remove("stem.bias");
        assert!(config.with_state(&short, &device).is_err());
        let three = GeneratorConfig::Tiny(TinyConfig::new(3));
        assert!(three.with_state(&state, &device).is_err());
    }

    #[test]
    fn base_is_as_large_as_stated() {
        let shapes = GeneratorConfig::Base(BaseConfig { styles: 1 }).shapes();
        let parameters: usize = shapes.values().map(|shape| shape.iter().product::<usize>()).sum();
        assert_eq!(parameters, 1_472_892);
    }

    /// A changed pixel changes nothing beyond the radius.
    #[test]
    fn the_receptive_radius_bounds_what_a_pixel_reaches() {
        let device = Device::flex();
        let [tiny, _, base, _] = configs();
        for config in [tiny, base] {
            let radius = config.receptive_radius().unwrap();
            let (side, at) = (2 * radius.next_multiple_of(8) + 64, radius.next_multiple_of(8) + 27);
            let network = shaken(&config, &device);
            let network = config.build(&network.folded(), &device);
            let plain = Tensor::<4>::ones([1, 3, side, side], &device) * 0.5;
            let dotted = plain.clone().slice_fill([0..1, 0..3, at..at + 1, at..at + 1], 1.0);
            let change = (network.forward(plain) - network.forward(dotted)).abs();
            let far = change.clone().narrow(3, 0, at - radius).max().into_scalar::<f32>();
            let near: f32 = change.narrow(3, at - radius / 2, radius / 2).max().into_scalar();
            assert!(far < 1e-6 && near > 1e-6, "{}: {far} beyond, {near} within", config.kind());
        }
    }
}
