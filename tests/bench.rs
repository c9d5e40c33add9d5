//! `impasto bench`: figures that were measured, and no allocation of our own in the steady state.

mod program;

use program::{refusal, run, stdout, test_model};
use serde_json::Value;

#[test]
fn a_frame_is_painted_without_an_allocation_of_our_own() {
    let folder = tempfile::tempdir().unwrap();
    test_model(folder.path());
    let output =
        run(folder.path(), "bench --model test --size 96x64,161x121 --format NV12,RGBA --frames 20 --json");
    let document: Value = serde_json::from_str(&stdout(&output)).unwrap();
    let runs = document["runs"].as_array().unwrap();
    assert_eq!(runs.len(), 4);
    for run in runs {
        // Far below one a frame: the thread pool's queue takes a block for every few dozen jobs.
        assert!(run["allocations_per_frame"]["ours"].as_f64().unwrap() < 0.5, "{run}");
        assert!(run["allocations_per_frame"]["tensor_library"].as_f64().unwrap() > 0.0, "{run}");
    }
}

#[test]
fn every_stage_is_timed_and_the_element_beside_the_engine() {
    let folder = tempfile::tempdir().unwrap();
    test_model(folder.path());
    let output = run(folder.path(), "bench --model test --size 160x120 --frames 10 --json");
    let document: Value = serde_json::from_str(&stdout(&output)).unwrap();
    let run = &document["runs"][0];
    let median = |stage: &str| run["ms"][stage]["median"].as_f64().unwrap();
    let stages = ["read", "network", "temporal", "write"].map(median);
    assert!(stages.iter().all(|ms| *ms > 0.0), "{run}");
    assert!(stages.iter().sum::<f64>() < 1.5 * median("frame") + 1.0, "{run}");
    assert!(run["element"]["frames_per_second"].as_f64().unwrap() > 0.0, "{run}");
    assert!(run["peak_bytes"].as_u64().unwrap() > 160 * 120 * 3 * 4, "{run}");
}

#[test]
fn the_table_says_that_random_weights_do_not_matter_and_what_cannot_be_painted() {
    let folder = tempfile::tempdir().unwrap();
    let output = run(folder.path(), "bench --size 32x32,8x8 --frames 1");
    let table = stdout(&output);
    assert!(table.contains("random weights"), "{table}");
    assert!(table.contains("cannot paint a 8x8 frame"), "{table}");
    assert!(table.contains("johnson") && table.contains("tiny"), "{table}");
}

#[test]
fn a_model_that_is_not_there_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    assert!(refusal(&run(folder.path(), "bench --model absent")).contains("absent"));
}
