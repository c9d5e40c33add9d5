use std::time::Instant;

use burn::optim::{AdamConfig, GradientsParams};

use super::*;
use crate::train::losses::testing::{numbers, picture};

fn config() -> CriticConfig {
    CriticConfig { widths: [4, 6, 8], scales: 3, spectral_norm: true }
}

fn device() -> Device {
    Device::flex().autodiff()
}

/// A step of Adam towards large logits of one picture.
fn trained(critic: Critic) -> Critic {
    let mut optimizer = AdamConfig::new().init();
    let logits = critic.forward(picture([1, 3, 48, 48], 1)).into_iter().map(|l| l.mean());
    let loss = logits.reduce(|a, b| a + b).expect("scales").neg();
    let gradients = GradientsParams::from_grads(loss.backward(), &critic);
    optimizer.step(0.01, critic, gradients)
}

#[test]
fn crops_of_48_to_192_pixels_have_logits_at_every_scale() {
    let critic = config().init(1, &Device::flex());
    for side in [config().least_side(), 96, 192] {
        let sides: Vec<_> = critic.forward(picture([2, 3, side, side], 1)).iter().map(|l| l.dims()).collect();
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
    let layer = &critic.scales[0].layers[1];
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
    let x = picture([1, 3, 48, 48], 2);
    let logits: Vec<_> = critic.forward(x.clone()).into_iter().map(numbers).collect();
    assert_eq!(critic.forward(x).into_iter().map(numbers).collect::<Vec<_>>(), logits);
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
        let logits = critic.forward(picture([1, 3, 48, 48], 1));
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
        "the critic's scales.0.layers.0.weight is [8, 3, 4, 4], expected [4, 3, 4, 4]"
    );
}

#[test]
fn without_spectral_norm_there_are_weights_alone() {
    let plain = CriticConfig { spectral_norm: false, ..config() };
    assert_eq!(plain.init(1, &Device::flex()).state().len(), 3 * 4 * 2);
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
            let logits = critic.forward(picture([4, 3, 96, 96], 1)).into_iter().map(|l| l.square().mean());
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
            let logits = frozen.forward(x).into_iter().map(|l| l.mean());
            logits.reduce(|a, b| a + b).expect("scales").backward();
            println!("{widths:?}: frozen, to the pictures: {:?}", start.elapsed());
        }
    }
}
