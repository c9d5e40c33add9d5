//! Sheets that fit, frame by frame, and sheets that do not.

use impasto_models::generators::{GeneratorConfig, TinyConfig};

use super::*;

fn model() -> Arc<Model> {
    Arc::new(Model::untrained(GeneratorConfig::Tiny(TinyConfig::new(2)), 1))
}

fn cue(time: f64, property: &str, value: &str, ease: &str) -> String {
    format!("[[cue]]\ntime = {time}\nproperty = '{property}'\nvalue = {value}\nease = '{ease}'\n")
}

fn clock(seconds: f64) -> gst::ClockTime {
    gst::ClockTime::from_nseconds((seconds * 1e9) as u64)
}

fn parsed(text: &str, model: &Arc<Model>) -> Result<Cues, String> {
    Cues::parse(text, Path::new(""), model)
}

fn strength(cues: &mut Cues, seconds: f64) -> f32 {
    let mut controls = Controls::default();
    cues.lay_over(Some(clock(seconds)), &mut controls);
    controls.strength
}

#[test]
fn numbers_go_from_key_to_key_as_their_ease_says() {
    let text = cue(4.0, "strength", "1.0", "linear")
        + &cue(2.0, "strength", "0.2", "hold")
        + &cue(6.0, "strength", "0", "smooth")
        + &cue(9.0, "strength", "0.5", "hold");
    let mut cues = parsed(&text, &model()).unwrap();
    for (time, expected) in [
        (0.0, 0.2),
        (2.0, 0.2),
        (3.0, 0.6),
        (4.0, 1.0),
        (5.0, 0.5),
        (5.5, 0.15625),
        (8.9, 0.0),
        (9.0, 0.5),
        (99.0, 0.5),
    ] {
        let found = strength(&mut cues, time);
        assert!((found - expected).abs() < 1e-4, "{time}: {found}");
    }
}

#[test]
fn a_style_that_is_held_stays_the_same_code_and_one_on_its_way_does_not() {
    let model = model();
    let text = cue(0.0, "style", "'style-1'", "hold") + &cue(1.0, "style", "'style-2'", "hold");
    let text = text + &cue(2.0, "style", "'style-1'", "linear");
    let mut cues = parsed(&text, &model).unwrap();
    let mut at = |seconds: f64| {
        let FrameStyle { code, jumped } = cues.style_at(Some(clock(seconds)), &model).unwrap();
        (code.unwrap(), jumped)
    };
    let [first, again, second, between] = [0.0, 0.9, 1.0, 1.5].map(&mut at);
    assert!(Arc::ptr_eq(&first.0, &again.0) && !first.1 && !again.1);
    assert!(second.1 && *second.0 == model.style("style-2").unwrap());
    assert!(!between.1 && *between.0 == second.0.toward(&first.0, 0.5));
    assert!(cues.style_at(Some(gst::ClockTime::ZERO), &self::model()).is_none());
}

#[test]
fn what_follows_an_eased_passage_is_a_jump_only_where_it_is_not_its_end() {
    let model = model();
    let text = cue(0.0, "style", "'style-1'", "hold")
        + &cue(1.0, "style", "'style-2'", "linear")
        + &cue(1.01, "style", "'style-1'", "hold");
    let jumps = |times: &[f64]| -> Vec<bool> {
        let mut cues = parsed(&text, &model).unwrap();
        times.iter().map(|time| cues.style_at(Some(clock(*time)), &model).unwrap().jumped).collect()
    };
    assert_eq!(jumps(&[0.0, 0.5, 1.0, 1.005]), [false, false, false, false]);
    assert_eq!(jumps(&[0.5, 0.98, 1.02]), [false, false, true]);
    assert_eq!(jumps(&[1.005, 1.02, 0.5]), [false, true, true]);
}

#[test]
fn a_frame_without_a_time_keeps_what_was_cued() {
    let model = model();
    let text = cue(0.0, "style", "'style-1'", "hold") + &cue(1.0, "style", "'style-2'", "hold");
    let text = text + &cue(0.0, "strength", "0.5", "hold");
    let mut cues = parsed(&text, &model).unwrap();
    let mut controls = Controls::default();
    cues.lay_over(None, &mut controls);
    assert!(cues.style_at(None, &model).is_none() && controls.strength == 1.0);
    let second = cues.style_at(Some(clock(2.0)), &model).unwrap().code.unwrap();
    cues.lay_over(Some(clock(2.0)), &mut Controls::default());
    cues.lay_over(None, &mut controls);
    let kept = cues.style_at(None, &model).unwrap();
    assert!(Arc::ptr_eq(&kept.code.unwrap(), &second) && !kept.jumped && controls.strength == 0.5);
}

#[test]
fn files_are_looked_for_from_the_sheet() {
    let model = model();
    let folder = tempfile::tempdir().unwrap();
    let code = model.style("style-2").unwrap();
    std::fs::write(folder.path().join("kept.style"), impasto_models::style::file_text(&code, "")).unwrap();
    let sheet = folder.path().join("show.toml");
    std::fs::write(&sheet, cue(0.0, "style", "'kept.style'", "hold")).unwrap();
    let mut cues = Cues::load(sheet.to_str().unwrap(), &model).unwrap();
    assert_eq!(*cues.style_at(Some(clock(0.0)), &model).unwrap().code.unwrap(), code);
}

#[test]
fn no_text_ends_edits() {
    let text = cue(0.0, "edit", "'warmer'", "hold") + &cue(1.0, "edit", "''", "hold");
    let mut cues = parsed(&text, &model()).unwrap();
    let mut edits = |seconds: f64| {
        let mut controls = Controls::default();
        cues.lay_over(Some(clock(seconds)), &mut controls);
        controls.clamped().edits
    };
    assert!(edits(0.5).is_some() && edits(1.5).is_none());
}

#[test]
fn edits_move_as_their_ease_says_and_are_one_plan_while_they_are_held() {
    let text = cue(1.0, "edit", "'darken the left half by 20%'", "hold")
        + &cue(3.0, "edit", "'darken the right half by 80%'", "linear");
    let mut cues = parsed(&text, &model()).unwrap();
    let mut edits = |seconds: f64| {
        let mut controls = Controls::default();
        cues.lay_over(Some(clock(seconds)), &mut controls);
        controls.edits.unwrap()
    };
    let halfway = Plan::from_json(
        r#"{"edits": [{"region": {"shape": {"rectangle": {"x": 0.25, "y": 0, "width": 0.5, "height": 1}}},
            "adjust": {"brightness": -0.5}}]}"#,
    );
    assert_eq!(*edits(2.0), halfway.unwrap());
    assert!(Arc::ptr_eq(&edits(0.0), &edits(1.0)) && Arc::ptr_eq(&edits(3.0), &edits(9.0)));
}

#[test]
fn a_pipe_and_a_file_without_end_are_no_sheets() {
    let refused = Cues::load("/dev/zero", &model()).unwrap_err();
    assert!(refused.contains("/dev/zero: it is no regular file"), "{refused}");
}

#[test]
fn what_is_wrong_is_named_with_its_cue() {
    let refused = |text: &str| parsed(text, &model()).unwrap_err();
    let good = cue(0.0, "strength", "1", "hold");
    for (bad, reason) in [
        (cue(1.0, "strength", "2", "hold"), "cue 2: value: found 2, expected 0 to 1.5"),
        (cue(1.0, "strength", "'full'", "hold"), "cue 2: value: found 'full'"),
        (
            cue(1.0, "adapt", "0.5", "hold"),
            "cue 2: value: the model 'untrained' paints scenes in their own light",
        ),
        (cue(1.0, "sharpness", "1", "hold"), "cue 2: property: found 'sharpness'"),
        (cue(-1.0, "strength", "1", "hold"), "cue 2: time: found -1"),
        (cue(0.0, "strength", "0.5", "hold"), "cue 2: time: found 0 a second time"),
        (cue(1.0, "style", "'cubist'", "hold"), "cue 2: the model 'untrained' has no style 'cubist'"),
        (cue(1.0, "style", "3", "hold"), "cue 2: value: found a number"),
        (cue(1.0, "temporal", "-1", "hold"), "cue 2: value: found -1, expected 0 to 1"),
        (cue(1.0, "edit", "3", "hold"), "cue 2: value: found a number, expected edits"),
        (cue(1.0, "edit", "'{}'", "hold"), "cue 2: value: a plan that cannot be read"),
        (
            cue(0.0, "edit", "'darken the left half'", "hold") + &cue(1.0, "edit", "'warmer'", "linear"),
            "the edits at 1 s are eased into: found others than at 0 s",
        ),
        (cue(1.0, "strength", "true", "hold"), "cue 2: value: found a boolean, expected 0 to 1.5"),
        (
            cue(1.0, "style", "{ name = 'scream' }", "hold"),
            "cue 2: value: found a table, expected a style as",
        ),
        (cue(1.0, "edit", "['warmer']", "hold"), "cue 2: value: found an array, expected edits as"),
        (cue(1.0, "strength", "1", "bounce"), "unknown variant `bounce`"),
        (
            "[[cue]]\ntime = 1\nproperty = 'strength'\nvalue = 1\nspeed = 2\n".to_owned(),
            "unknown field `speed`",
        ),
    ] {
        let message = refused(&(good.clone() + &bad));
        assert!(message.contains(reason), "{message}");
    }
    assert!(refused("").contains("found no [[cue]]"));
}
