//! How long features take.
#![cfg(feature = "features")]
use burn::tensor::{Device, Tensor, TensorData};
use impasto_models::features::{FeatureBank, FeatureConfig, gram};
use std::path::PathBuf;
use std::time::Instant;

#[test]
#[ignore]
fn timing() {
    let device = Device::flex().autodiff();
    for config in [
        FeatureConfig::Random { seed: 0 },
        FeatureConfig::DistilledVgg19(PathBuf::from(
            "/work/shared/material/weights/cd16x/cd16x_5SE.safetensors",
        )),
    ] {
        let bank = FeatureBank::load(&config, &device).unwrap();
        let values: Vec<f32> =
            (0..4 * 3 * 192 * 192).map(|i| ((i as u64 * 7919) % 1001) as f32 / 1000.0).collect();
        let data = TensorData::new(values, [4, 3, 192, 192]);
        println!("{} {:.0} MAC", bank.name(), bank.macs_per_pixel());
        for _ in 0..4 {
            let x = Tensor::<4>::from_data(data.clone(), &Device::flex());
            let t = Instant::now();
            let taps = bank.forward(x);
            let f = t.elapsed();
            drop(taps);
            let x = Tensor::<4>::from_data(data.clone(), &device).require_grad();
            let t = Instant::now();
            let taps = bank.forward(x.clone());
            let loss = taps.into_iter().map(|t| t.powi_scalar(2).mean()).reduce(|a, b| a + b).unwrap();
            let g = loss.backward();
            let g = x.grad(&g).unwrap();
            let b = t.elapsed();
            println!("  forward {f:?} both {b:?} {}", g.abs().mean().into_scalar::<f32>());
        }
        let _ = gram(Tensor::<4>::ones([1, 2, 4, 4], &device));
    }
}
