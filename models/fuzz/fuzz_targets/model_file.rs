//! Loading a model file never panics, never runs anything of it, and never takes more memory than a small multiple
//! of the file. See the README, "Tests", for how to run it.
#![no_main]

use impasto_models::Model;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    if let Ok(model) = Model::from_bytes(bytes) {
        assert!(model.weights().values().all(|tensor| tensor.values.iter().all(|value| value.is_finite())));
    }
});
