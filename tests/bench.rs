//! `impasto bench`: figures that were measured, and no allocation of our own in the steady state.

mod program;

use std::io::{BufRead, BufReader, Read};
use std::process::{Command, Stdio};

use program::{impasto, refusal, run, stdout, test_model};
use serde_json::Value;

#[test]
fn a_frame_is_painted_without_an_allocation_of_our_own() {
    let folder = tempfile::tempdir().unwrap();
    test_model(folder.path());
    for (device, has_library) in [("cpu", false), ("burn-cpu", true)] {
        let sizes = "--size 96x64,161x121 --format NV12,RGBA --frames 20";
        let output = run(folder.path(), &format!("bench --model test --device {device} {sizes} --json"));
        let document: Value = serde_json::from_str(&stdout(&output)).unwrap();
        let runs = document["runs"].as_array().unwrap();
        assert_eq!(runs.len(), 4);
        for run in runs {
            for path in [run, &run["element"]] {
                let allocations = &path["allocations_per_frame"];
                // Far below one a frame: the thread pool's queue takes a block for every 63 jobs.
                assert!(allocations["ours"].as_f64().unwrap() < 0.5, "{run}");
                assert_eq!(allocations["tensor_library"].as_f64().unwrap() > 0.0, has_library, "{run}");
            }
        }
    }
}

#[test]
fn every_stage_is_timed_and_the_element_beside_the_engine() {
    let folder = tempfile::tempdir().unwrap();
    test_model(folder.path());
    let output = run(folder.path(), "bench --model test --size 160x120 --frames 10 --json --device cpu");
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
    let output = run(folder.path(), "bench --size 32x32,8x8 --frames 1 --device cpu");
    let table = stdout(&output);
    assert!(table.contains("random weights"), "{table}");
    assert!(table.contains("cannot paint a 8x8 frame"), "{table}");
    for kind in ["tiny", "base", "johnson"] {
        assert!(table.contains(kind), "no {kind} in {table}");
    }
}

#[test]
fn a_model_that_is_not_there_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    assert!(refusal(&run(folder.path(), "bench --model absent")).contains("absent"));
}

#[test]
fn figures_that_were_cut_short_are_not_shown() {
    let folder = tempfile::tempdir().unwrap();
    test_model(folder.path());
    let mut command = impasto(folder.path());
    command.args("bench --model test --size 320x240 --frames 100000".split(' '));
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap());
    // The machine is named when Ctrl-C is being watched for, and before anything is timed.
    lines.read_line(&mut String::new()).unwrap();
    Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(130));
    let mut table = String::new();
    lines.read_to_string(&mut table).unwrap();
    assert!(!table.contains("320x240"), "{table}");
}
