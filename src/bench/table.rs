//! The figures: a table for people, JSON for machines.

use anyhow::Result;
use impasto_models::{Controls, PictureInfo};
use serde_json::{Value, json};

use super::element_run::ElementRun;
use super::engine_run::{EngineRun, Spread};
use crate::standard_output::print_line;

/// The figures of one size and format, or why there are none.
pub type Outcome = Result<(EngineRun, ElementRun), String>;

/// One line of the table.
#[derive(Debug)]
pub struct Row {
    /// The model, for people.
    pub model: String,
    /// The frames.
    pub info: PictureInfo,
    /// What they took.
    pub outcome: Outcome,
}

/// The processor, as far as the system says.
pub fn print_machine() {
    print_line(format_args!("{}", machine()));
    if cfg!(debug_assertions) {
        print_line(format_args!(
            "this is a debug build: build with --release for figures that mean something"
        ));
    }
}

fn machine() -> String {
    let cpus = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let name = cpus.lines().find_map(|line| line.strip_prefix("model name")?.split_once(':'));
    let name = name.map_or("unknown processor", |(_, name)| name.trim());
    let threads = std::thread::available_parallelism().map_or(1, |threads| threads.get());
    format!("{name}, {threads} threads")
}

/// The model, the engine, and the columns' names.
pub fn print_heading(row: &Row) {
    let engine = row.outcome.as_ref().map_or(String::new(), |(run, _)| format!(": {}", run.device));
    print_line(format_args!("\n{}{engine}", row.model));
    print_line(format_args!(
        "{:10} {:6} {:>15} {:>17} {:>15} {:>15} {:>17} {:>8} {:>12} {:>9} {:>15}",
        "size",
        "format",
        "read ms",
        "network ms",
        "temporal ms",
        "write ms",
        "frame ms",
        "frames/s",
        "allocations",
        "peak MiB",
        "element"
    ));
}

/// The figures of one line.
pub fn print_row(row: &Row) {
    let PictureInfo { format, width, height, .. } = row.info;
    let figures = match &row.outcome {
        Ok((engine, element)) => figures(engine, element),
        Err(reason) => reason.clone(),
    };
    print_line(format_args!("{:10} {:6} {figures}", format!("{width}x{height}"), format.name()));
}

fn figures(engine: &EngineRun, element: &ElementRun) -> String {
    let spread = |spread: &Spread| format!("{:.2} ({:.2})", spread.median_ms, spread.p90_ms);
    let [read, network, temporal, write] = engine.stages.each_ref().map(|(_, stage)| spread(stage));
    let [ours, library] = engine.allocations;
    format!(
        "{read:>15} {network:>17} {temporal:>15} {write:>15} {:>17} {:>8.1} {:>12} {:>9.0} {:>15}",
        spread(&engine.frame),
        frames_per_second(engine),
        format!("{} + {}", whole(ours), whole(library)),
        engine.peak_bytes as f64 / 1_048_576.0,
        format!("{:.1} f/s, {:.2}", element.frames_per_second, ratio(engine, element)),
    )
}

/// What the columns mean, and what the lines above did.
pub fn print_legend(rows: &[Row]) {
    let runs: Vec<&(EngineRun, ElementRun)> =
        rows.iter().filter_map(|row| row.outcome.as_ref().ok()).collect();
    if runs.is_empty() {
        return;
    }
    let plain = runs.iter().all(|(engine, _)| engine.controls.temporal == 0.0);
    let frames: Vec<String> = runs.iter().map(|(engine, _)| engine.frames.to_string()).collect();
    let ours: Vec<String> = runs.iter().map(|(_, element)| whole(element.allocations[0])).collect();
    print_line(format_args!(
        "  ms: median (ninth decile) over {} frames; {}",
        frames.join(", "),
        if plain { "full strength, no flicker filter" } else { "the flicker filter is on" }
    ));
    print_line(format_args!(
        "  allocations a frame: ours + the tensor library's; on the element's whole path {} are ours",
        ours.join(", ")
    ));
    print_line(format_args!(
        "  peak: heap of engine, network and frame; element: videotestsrc ! impasto ! fakesink, and its rate over the engine's"
    ));
    let average =
        |(engine, element): &&(EngineRun, ElementRun)| engine.allocations[0].max(element.allocations[0]);
    if runs.iter().map(average).any(|ours| ours > 0.0 && ours < 0.5) {
        print_line("  a small fraction is the thread pool's: 1520 bytes for every 63 jobs that it is handed");
    }
}

/// Every figure as one JSON document.
///
/// # Errors
/// None that a figure could cause.
pub fn print_json(rows: &[Row]) -> Result<()> {
    let document = json!({ "machine": machine(), "debug_build": cfg!(debug_assertions), "runs": rows.iter().map(to_json).collect::<Vec<_>>() });
    print_line(format_args!("{}", serde_json::to_string_pretty(&document)?));
    Ok(())
}

fn to_json(row: &Row) -> Value {
    let PictureInfo { format, width, height, .. } = row.info;
    let mut value = json!({ "model": row.model, "format": format.name(), "width": width, "height": height });
    match &row.outcome {
        Ok((engine, element)) => {
            for (stage, spread) in engine.stages.iter().chain([&("frame", engine.frame)]) {
                value["ms"][stage] = json!({ "median": spread.median_ms, "p90": spread.p90_ms });
            }
            value["engine"] = json!(engine.device);
            let Controls { strength, keep_colors, temporal, .. } = engine.controls;
            value["controls"] =
                json!({ "strength": strength, "keep_colors": keep_colors, "temporal": temporal });
            value["tiles"] = json!(engine.tiles);
            value["frames"] = json!(engine.frames);
            value["frames_per_second"] = json!(frames_per_second(engine));
            value["allocations_per_frame"] = allocations(engine.allocations);
            value["peak_bytes"] = json!(engine.peak_bytes);
            value["element"] = json!({
                "frames_per_second": element.frames_per_second,
                "rate_over_engine": ratio(engine, element),
                "allocations_per_frame": allocations(element.allocations),
            });
        }
        Err(reason) => value["error"] = json!(reason),
    }
    value
}

fn allocations([ours, library]: [f64; 2]) -> Value {
    json!({ "ours": ours, "tensor_library": library })
}

fn frames_per_second(engine: &EngineRun) -> f64 {
    1e3 / engine.frame.median_ms
}

fn ratio(engine: &EngineRun, element: &ElementRun) -> f64 {
    element.frames_per_second / frames_per_second(engine)
}

/// Without a fraction where there is none: an average of 0 shows as `0`.
fn whole(average: f64) -> String {
    if average.fract() == 0.0 { format!("{average:.0}") } else { format!("{average:.2}") }
}
