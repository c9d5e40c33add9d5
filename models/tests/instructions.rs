//! Instructions in words: what they mean, what is said about those that mean nothing, and any text at all.

use std::collections::HashMap;
use std::path::Path;

use impasto_models::edit::{Edit, EditError, Plan, Region, Shape};
use rand::prelude::*;
use rand_chacha::ChaCha8Rng;
use serde::Deserialize;
use serde_json::{Map, Value, json};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Meant {
    regions: HashMap<String, Region>,
    instruction: Vec<Instruction>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Instruction {
    text: String,
    edits: Vec<Map<String, Value>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Refused {
    wrong: Vec<Wrong>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Wrong {
    text: String,
    at: String,
    says: String,
}

fn meant() -> Meant {
    toml::from_str(include_str!("instructions/instructions.toml")).unwrap()
}

fn refused() -> Vec<Wrong> {
    toml::from_str::<Refused>(include_str!("instructions/wrong.toml")).unwrap().wrong
}

/// A region as the set of instructions writes it: names with `|`, `&`, `!` and one pair of brackets.
fn region(text: &str, named: &HashMap<String, Region>) -> Region {
    let parts = |word: &str| text.split(word).map(|part| region(part.trim(), named)).collect();
    let of = |shape| Region { shape, ..Region::default() };
    if let Some(inner) = text.strip_prefix("!(").and_then(|inner| inner.strip_suffix(')')) {
        return Region { invert: true, ..region(inner, named) };
    }
    if text.contains('|') {
        return of(Shape::Any(parts("|")));
    }
    if text.contains('&') {
        return of(Shape::All(parts("&")));
    }
    match text.strip_prefix('!') {
        Some(outside) => Region { invert: true, ..region(outside, named) },
        None => named[text].clone(),
    }
}

/// An edit as the set of instructions writes it: amounts beside the rest.
fn edit(mut fields: Map<String, Value>, named: &HashMap<String, Region>) -> Edit {
    let place = fields.remove("in").map(|place| region(place.as_str().unwrap(), named));
    let mut edit = json!({"region": place.unwrap_or_default(), "adjust": {}});
    for (name, value) in fields {
        let rest = ["strength", "keep_colors", "style", "before", "learned", "stroke", "palette"]
            .contains(&name.as_str());
        let place = if rest { &mut edit } else { &mut edit["adjust"] };
        place[&name] = value;
    }
    serde_json::from_value(edit).unwrap()
}

#[test]
fn every_instruction_of_the_set_means_its_plan() {
    let Meant { regions, instruction } = meant();
    assert!(instruction.len() >= 60);
    let mut apart = Vec::new();
    for Instruction { text, edits } in instruction {
        let edits = edits.into_iter().map(|fields| edit(fields, &regions)).collect();
        let expected = Plan { edits, ..Plan::default() };
        match Plan::of(&text, Path::new("")) {
            Ok(plan) if plan == expected => {}
            Ok(plan) => apart.push(format!("{text}\n{}\n  not\n{}", plan.explain(), expected.explain())),
            Err(error) => apart.push(format!("{text}\n{error}")),
        }
    }
    assert!(apart.is_empty(), "{} are wrong\n\n{}", apart.len(), apart.join("\n\n"));
}

#[test]
fn every_wrong_instruction_is_refused_at_the_word_with_what_is_expected() {
    let refused = refused();
    assert!(refused.len() >= 30);
    let mut apart = Vec::new();
    for Wrong { text, at, says } in refused {
        match Plan::of(&text, Path::new("")) {
            Err(EditError::Instruction { at: found, problem, .. }) => {
                if text[found.clone()] != at || !problem.contains(&says) {
                    apart.push(format!("{text}\n  at '{}': {problem}", &text[found]));
                }
            }
            other => apart.push(format!("{text}\n{other:?}")),
        }
    }
    assert!(apart.is_empty(), "{} are wrong\n\n{}", apart.len(), apart.join("\n\n"));
}

#[test]
fn an_error_points_at_the_word_below_the_text() {
    let message = |text| Plan::from_instruction(text).unwrap_err().to_string();
    let english = message("make the left half brigter");
    let caret = "\n  make the left half brigter\n                     ^^^^^^^";
    assert!(english.ends_with(caret) && english.contains("did you mean 'brighter'?"), "{english}");
    let chinese = message("让天空更蓝");
    assert!(chinese.ends_with("\n  让天空更蓝\n    ^^^^"), "{chinese}");
}

#[test]
fn what_is_too_long_or_too_much_is_refused() {
    let long = Plan::from_instruction(&"warmer ".repeat(1000)).unwrap_err().to_string();
    assert!(long.contains("more than 2000 characters"), "{long}");
    let many =
        ["left half", "right half", "top half", "bottom half", "centre", "reds", "greens", "blues", "cyans"];
    let many = many.map(|place| format!("make the {place} warmer")).join("; ");
    let many = Plan::from_instruction(&many).unwrap_err().to_string();
    assert!(many.contains("expected at most 8"), "{many}");
    let nested = format!("the left half warmer; {}", "the rest in the reds warmer; ".repeat(60));
    assert!(Plan::from_instruction(&nested).is_err());
}

#[test]
fn the_examples_of_the_readme_mean_the_same_in_both_languages() {
    let readme = include_str!("../../README.md");
    let (_, section) = readme.split_once("take sentences, in English or Chinese:").unwrap();
    let examples: Vec<&str> = section.lines().skip(2).take_while(|line| line.starts_with("    ")).collect();
    assert_eq!(examples.len(), 5);
    for line in examples {
        let (english, chinese) = line.trim().split_once("   ").unwrap();
        let [english, chinese] = [english, chinese.trim()].map(|text| Plan::from_instruction(text).unwrap());
        assert_eq!(english, chinese, "{line}");
    }
}

#[test]
fn json_and_files_of_it_are_plans_as_before() {
    let folder = tempfile::tempdir().unwrap();
    let plan = Plan::from_instruction("make it warmer").unwrap();
    std::fs::write(folder.path().join("warm.json"), plan.to_json()).unwrap();
    assert_eq!(Plan::of("warm.json", folder.path()).unwrap(), plan);
    assert_eq!(Plan::of(&plan.to_json(), folder.path()).unwrap(), plan);
}

/// Words of every kind, known and not.
const WORDS: &[&str] = &[
    "make",
    "paint",
    "keep",
    "leave",
    "add",
    "remove",
    "turn down",
    "brighten",
    "warmer",
    "more",
    "less",
    "contrast",
    "grain",
    "hue",
    "the",
    "left half",
    "right half",
    "reds",
    "centre",
    "shadows",
    "highlights",
    "the rest",
    "except",
    "but not",
    "but",
    "and",
    "then",
    ",",
    ";",
    ".",
    "in",
    "it",
    "its colours",
    "unpainted",
    "not",
    "as great-wave",
    "as",
    "\"a b\"",
    "\"",
    "slightly",
    "very",
    "half",
    "30%",
    "-20%",
    "150%",
    "40 degrees",
    "7",
    "before painting",
    "softly",
    "with a hard edge",
    "black and white",
    "sky",
    "the detected face",
    "detected",
    "detections",
    "outside",
    "blur",
    "qwerty",
    "把",
    "让",
    "左半边",
    "右半边",
    "红色",
    "中间",
    "其余",
    "除了",
    "以外",
    "和",
    "，",
    "。",
    "、",
    "然后",
    "但",
    "调",
    "亮",
    "更",
    "暗",
    "提高",
    "降低",
    "对比度",
    "饱和度",
    "颗粒",
    "阴影",
    "高光",
    "一点",
    "稍微",
    "百分之三十",
    "三成",
    "画成",
    "不画",
    "画",
    "保留",
    "原色",
    "它的",
    "颜色",
    "边缘柔和",
    "绘画之前",
    "天空",
    "检测到的",
    "检测到的人",
    "模糊",
    "龘",
    "用",
    "“画”",
    "的",
];

/// A text that nobody would write, or that somebody nearly wrote.
fn text(random: &mut ChaCha8Rng, written: &[String]) -> String {
    let count = random.random_range(0..14);
    let space = if random.random() { " " } else { "" };
    match random.random_range(0..4) {
        0 | 1 => (0..count).map(|_| *WORDS.choose(random).unwrap()).collect::<Vec<_>>().join(space),
        2 => {
            let mut characters: Vec<char> = written.choose(random).unwrap().chars().collect();
            for _ in 0..random.random_range(1..4) {
                let at = random.random_range(0..characters.len());
                match random.random_range(0..3) {
                    0 => characters[at] = *characters.choose(random).unwrap(),
                    1 => characters.insert(at, random.random()),
                    _ => drop(characters.drain(at..(at + 3).min(characters.len() - 1).max(at))),
                }
            }
            characters.into_iter().collect()
        }
        _ => {
            let bytes: Vec<u8> = (0..random.random_range(0..60)).map(|_| random.random()).collect();
            String::from_utf8_lossy(&bytes).into_owned()
        }
    }
}

#[test]
fn any_text_is_a_plan_that_holds_or_an_error_that_points_into_it() {
    let mut random = ChaCha8Rng::seed_from_u64(7);
    let written: Vec<String> = meant().instruction.into_iter().map(|one| one.text).collect();
    let mut plans = 0;
    for _ in 0..20_000 {
        let text = text(&mut random, &written);
        match Plan::from_instruction(&text) {
            Ok(plan) => {
                plans += 1;
                plan.check().unwrap();
                assert_eq!(Plan::from_json(&plan.to_json()).unwrap(), plan, "{text}");
                assert_eq!(plan.explain().lines().count(), plan.edits.len(), "{text}");
            }
            Err(error) => {
                let message = error.to_string();
                if let EditError::Instruction { at, .. } = error {
                    assert!(text.get(at.clone()).is_some(), "{at:?} is not in {text:?}");
                    let caret = message.lines().last().unwrap();
                    assert!(caret.trim_start().chars().all(|c| c == '^') && caret.contains('^'), "{message}");
                }
            }
        }
    }
    assert!(plans > 1000, "{plans} plans");
}
