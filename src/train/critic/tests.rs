use std::time::Instant;

use burn::optim::{AdamConfig, GradientsParams};

use impasto_models::features::{FeatureBank, FeatureConfig};

use super::*;
use crate::train::losses::testing::{numbers, picture};

fn config() -> CriticConfig {
    CriticConfig { views: EYES.channels(), widths: [4, 6, 8], spectral_norm: true }
}

const EYES: Eyes = Eyes::Pixels { scales: 3 };

/// What the critic sees of a picture whose sides are `side`.
fn views(side: usize, batch: usize, seed: u64) -> Vec<Tensor<4>> {
    let seen = picture([batch, 3, side, side], seed);
    let [views, _] = EYES.views(seen.clone(), seen);
    views
}

fn device() -> Device {
    Device::flex().autodiff()
}

/// A step of Adam towards large logits of one picture.
fn trained(critic: Critic) -> Critic {
    let mut optimizer = AdamConfig::new().init();
    let logits = critic.forward(&views(48, 1, 1)).into_iter().map(|l| l.mean());
    let loss = logits.reduce(|a, b| a + b).expect("scales").neg();
    let gradients = GradientsParams::from_grads(loss.backward(), &critic);
    optimizer.step(0.01, critic, gradients)
}

#[test]
fn crops_of_48_to_192_pixels_have_logits_at_every_scale() {
    let critic = config().init(1, &Device::flex());
    for side in [EYES.least_side(), 96, 192] {
        let sides: Vec<_> = critic.forward(&views(side, 2, 1)).iter().map(|l| l.dims()).collect();
        let expected = |scale: usize| [2, 1, (side >> scale) / 4 - 2, (side >> scale) / 4 - 2];
        assert_eq!(sides, [expected(0), expected(1), expected(2)]);
    }
}

#[test]
fn a_seed_gives_the_same_critic_and_another_seed_another() {
    let state = |seed| config().init(seed, &Device::flex()).state();
    assert_eq!(state(1), state(1));
    assert_ne!(state(1), state(2));
}

#[test]
fn a_normalised_layer_stretches_nothing_by_more_than_about_one() {
    let mut critic = config().init(1, &Device::flex());
    (0..50).for_each(|_| critic.advance());
    let layer = &critic.views[0].layers[1];
    let vectors = layer.singular.as_ref().expect("spectral norm");
    let norm = vectors.norm(layer.matrix()).into_scalar::<f32>();
    // The largest singular value squared is the largest eigenvalue of W W^T, and below its trace.
    let gram = layer.matrix().matmul(layer.matrix().transpose());
    let image = gram.clone().matmul(vectors.left.clone()) - vectors.left.clone() * (norm * norm);
    assert!(image.abs().max().into_scalar::<f32>() < 1e-3 * norm * norm, "not an eigenvector");
    for seed in 0..20 {
        let other = picture([6, 1], seed) - 0.5;
        let stretched: f32 = gram.clone().matmul(other.clone()).square().sum().sqrt().into_scalar();
        let length: f32 = other.square().sum().sqrt().into_scalar();
        assert!(stretched <= norm * norm * length * 1.001);
    }
}

#[test]
fn forward_is_pure_and_advance_moves_the_vectors_alone() {
    let mut critic = config().init(1, &Device::flex());
    let before = critic.state();
    let x = views(48, 1, 2);
    let logits: Vec<_> = critic.forward(&x).into_iter().map(numbers).collect();
    assert_eq!(critic.forward(&x).into_iter().map(numbers).collect::<Vec<_>>(), logits);
    assert_eq!(critic.state(), before);
    critic.advance();
    for (name, tensor) in critic.state() {
        let is_vector = name.ends_with("left") || name.ends_with("right");
        assert!(is_vector || tensor == before[&name], "{name} moved");
    }
}

#[test]
fn adam_moves_every_weight_and_raises_the_logits_it_is_told_to() {
    let critic = config().init(1, &device());
    let mean = |critic: &Critic| {
        let logits = critic.forward(&views(48, 1, 1));
        logits.into_iter().map(|l| l.mean().into_scalar::<f32>()).sum::<f32>()
    };
    let (before, state) = (mean(&critic), critic.state());
    let mut after = trained(critic);
    after.advance();
    assert!(mean(&after) > before);
    assert!(
        after.state().iter().filter(|(name, _)| name.ends_with("weight")).all(|(name, t)| *t != state[name])
    );
}

#[test]
fn a_restored_critic_goes_on_bit_for_bit() {
    let mut critic = trained(config().init(1, &device()));
    critic.advance();
    let restored = config().init(2, &device()).with_state(&critic.state()).expect("the state fits");
    assert_eq!(restored.state(), critic.state());
    let (mut a, mut b) = (trained(critic), trained(restored));
    a.advance();
    b.advance();
    assert_eq!(a.state(), b.state());
}

#[test]
fn a_state_of_another_width_is_refused_by_name_and_shape() {
    let wide = CriticConfig { widths: [8, 6, 8], ..config() };
    let error =
        config().init(1, &device()).with_state(&wide.init(1, &device()).state()).expect_err("refused");
    assert_eq!(
        error.to_string(),
        "the critic's views.0.layers.0.weight is [8, 3, 4, 4], expected [4, 3, 4, 4]"
    );
}

#[test]
fn without_spectral_norm_there_are_weights_alone() {
    let plain = CriticConfig { spectral_norm: false, ..config() };
    assert_eq!(plain.init(1, &Device::flex()).state().len(), 3 * 4 * 2);
}

#[test]
fn features_are_seen_in_units_of_the_paintings_own_and_leave_a_logit_at_the_least_side() {
    let bank = FeatureBank::load(&FeatureConfig::Random { seed: 1 }, &device()).expect("no file");
    let eyes = Eyes::Features(Box::new(bank));
    let side = eyes.least_side();
    let (real, fake) = (picture([3, 3, side, side], 1), picture([3, 3, side, side], 2) * 0.5);
    let [real, fake] = eyes.views(real.autodiff(), fake.autodiff());
    let critic = CriticConfig { views: eyes.channels(), ..config() }.init(1, &device());
    assert!(critic.forward(&real).iter().all(|logits| logits.dims().iter().all(|side| *side >= 1)));
    for (real, fake) in real.into_iter().zip(fake) {
        let power = |x: Tensor<4>| numbers(x.inner().square().mean_dims(&[0, 2, 3]));
        let (of_real, of_fake) = (power(real), power(fake));
        assert!(of_real.iter().all(|power| (power - 1.0).abs() < 1e-3), "{of_real:?}");
        assert!(of_fake.iter().any(|power| *power < 0.9), "the output is not made like the paintings");
    }
}

#[test]
#[ignore = "a measurement: run with --ignored --nocapture"]
fn a_step_on_four_crops_of_96_pixels_is_timed() {
    for widths in [[24, 48, 64], [64, 128, 256]] {
        let mut critic = CriticConfig { widths, ..config() }.init(1, &device());
        for _ in 0..3 {
            let start = Instant::now();
            critic.advance();
            let advanced = start.elapsed();
            let logits = critic.forward(&views(96, 4, 1)).into_iter().map(|l| l.square().mean());
            let loss = logits.reduce(|a, b| a + b).expect("scales");
            let forward = start.elapsed();
            loss.backward();
            println!(
                "{widths:?}: advance {advanced:?}, forward {:?}, all {:?}",
                forward - advanced,
                start.elapsed()
            );
            let frozen = critic.clone().no_grad();
            let x = picture([4, 3, 96, 96], 1).autodiff().require_grad();
            let start = Instant::now();
            let [views, _] = EYES.views(x.clone(), x);
            let logits = frozen.forward(&views).into_iter().map(|l| l.mean());
            logits.reduce(|a, b| a + b).expect("scales").backward();
            println!("{widths:?}: frozen, to the pictures: {:?}", start.elapsed());
        }
    }
}
