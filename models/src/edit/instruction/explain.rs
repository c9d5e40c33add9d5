//! A plan in plain sentences.

use super::detected::labelled;
use super::place::{Place, SOFT, soften};
use crate::edit::{Adjust, Edit, Plan, Region, Shape};

impl Plan {
    /// What the plan does, in English, an edit a line: `1. In the left half: warmer by 20%.`
    pub fn explain(&self) -> String {
        if self.edits.is_empty() {
            return "Nothing is edited.".to_owned();
        }
        let lines = self.edits.iter().enumerate();
        lines.map(|(index, edit)| format!("{}. {}", index + 1, sentence(edit))).collect::<Vec<_>>().join("\n")
    }
}

/// An edit, in a sentence.
fn sentence(edit: &Edit) -> String {
    let mut does = Vec::new();
    does.extend(painted(edit));
    if let Some(kept) = edit.keep_colors {
        does.push(match kept {
            0.0 => "none of its own colours kept".to_owned(),
            1.0 => "its own colours kept".to_owned(),
            part => format!("{} of its own colours kept", percent(part)),
        });
    }
    let mut changes = changes(&edit.adjust);
    if let Some(learned) = &edit.learned {
        changes.insert(0, format!("edited by {} to {}", learned.edit, percent(learned.amount)));
    }
    if let Some(palette) = &edit.palette {
        does.push(format!("in the colours of {palette}"));
    }
    if let Some(width) = edit.stroke {
        does.push(format!("strokes of width {}", rounded(width)));
    }
    if edit.before && !changes.is_empty() {
        does.push(format!("{}, before it is painted", listed(&changes)));
    } else {
        does.extend(changes);
    }
    let does = if does.is_empty() { "nothing changes".to_owned() } else { listed(&does) };
    let whole = edit.region.shape == Shape::Whole && !edit.region.invert;
    let place = if whole { "Everywhere".to_owned() } else { format!("In {}", described(&edit.region)) };
    format!("{place}: {does}.")
}

/// In which style, and how strongly.
fn painted(edit: &Edit) -> Option<String> {
    let style = edit.style.as_ref().map(|style| format!(" as {style}")).unwrap_or_default();
    match edit.strength {
        None if style.is_empty() => None,
        None => Some(format!("painted{style}")),
        Some(0.0) => Some("not painted".to_owned()),
        Some(1.0) => Some(format!("painted{style} in full")),
        Some(part) => Some(format!("painted{style} at {}", percent(part))),
    }
}

/// "a, b and c".
fn listed(parts: &[String]) -> String {
    match parts {
        [] => String::new(),
        [one] => one.clone(),
        [most @ .., last] => format!("{} and {last}", most.join(", ")),
    }
}

/// What becomes of light and colours.
fn changes(adjust: &Adjust) -> Vec<String> {
    let ways = [
        ("brighter", "darker"),
        ("more contrast,", "less contrast,"),
        ("more colourful", "less colourful"),
        ("hues turned", "hues turned"),
        ("warmer", "cooler"),
        ("more magenta", "greener"),
        ("highlights lighter", "highlights darker"),
        ("shadows lighter", "shadows darker"),
        ("pale colours stronger", "pale colours weaker"),
        ("film grain", "film grain"),
        ("blurred", "sharper"),
        ("lines of ink", "lines of ink"),
        ("abstracted", "abstracted"),
    ];
    let said = adjust.amounts().into_iter().zip(ways).filter(|((_, amount, _), _)| *amount != 0.0);
    said.map(|((name, amount, _), (more, less))| match name {
        "hue" => format!("{more} by {} degrees", rounded(amount * 180.0)),
        "saturation" if amount == -1.0 => "in greys".to_owned(),
        "grain" | "ink" => format!("{more} of {}", percent(amount)),
        _ => format!("{} by {}", if amount > 0.0 { more } else { less }, percent(amount.abs())),
    })
    .map(|change| change.replace(", by", " by"))
    .collect()
}

/// A region, such as "the left half (edges soft over 20%)".
fn described(region: &Region) -> String {
    if let Some((name, soft)) = named(region) {
        return format!("{name}{soft}");
    }
    if region.invert {
        let inside = Region { invert: false, ..region.clone() };
        return format!("all but {}", bracketed(&inside));
    }
    let parts = |parts: &[Region], word: &str| parts.iter().map(bracketed).collect::<Vec<_>>().join(word);
    let places = |numbers: &[f32]| numbers.iter().map(|n| percent(*n)).collect::<Vec<_>>().join(", ");
    let text = match &region.shape {
        Shape::Whole => "the whole frame".to_owned(),
        Shape::Rectangle { x, y, width, height } => {
            format!("the rectangle from {} to {}", places(&[*x, *y]), places(&[x + width, y + height]))
        }
        Shape::Ellipse { x, y, width, height } => {
            format!("the ellipse from {} to {}", places(&[*x, *y]), places(&[x + width, y + height]))
        }
        Shape::Polygon { points } => format!("a polygon of {} points", points.len()),
        Shape::Gradient { from, to } => format!("a gradient from {} to {}", places(from), places(to)),
        Shape::Luma { low, high } => {
            format!("what has a brightness from {} to {}", percent(*low), percent(*high))
        }
        Shape::Colour { colour: [r, g, b], .. } => {
            let [r, g, b] = [r, g, b].map(|number| (number * 255.0).round() as u8);
            format!("colours like #{r:02x}{g:02x}{b:02x}")
        }
        Shape::Picture { file, .. } => format!("what {file} masks"),
        Shape::Mask => return "the mask".to_owned(),
        Shape::Alpha => return "the opaque parts".to_owned(),
        Shape::Detected { label } => {
            let edges = if region.feather > 0.0 { edges(region.feather) } else { String::new() };
            return format!("{}{edges}", labelled(label));
        }
        Shape::All(regions) => return together(regions),
        Shape::Any(regions) => return parts(regions, " and "),
    };
    format!("{text}{}", edges(region.feather))
}

/// What lies in all regions: those that are left out come last.
fn together(regions: &[Region]) -> String {
    let (outside, inside): (Vec<&Region>, Vec<&Region>) = regions.iter().partition(|region| region.invert);
    let inside = if inside.is_empty() {
        "all".to_owned()
    } else {
        inside.into_iter().map(bracketed).collect::<Vec<_>>().join(" within ")
    };
    let outside = outside.into_iter().map(|region| bracketed(&Region { invert: false, ..region.clone() }));
    outside.fold(inside, |text, left_out| format!("{text} but not {left_out}"))
}

/// In brackets where it is made of several.
fn bracketed(region: &Region) -> String {
    let several = matches!(&region.shape, Shape::All(parts) | Shape::Any(parts) if parts.len() > 1);
    if several { format!("({})", described(region)) } else { described(region) }
}

/// A region's name, and how soft its edges are where that is not as usual.
fn named(region: &Region) -> Option<(&'static str, String)> {
    Place::ALL.into_iter().find_map(|(place, name)| {
        let mut usual = place.region();
        let soft = usual.feather;
        soften(&mut usual, region.feather);
        let edges = if region.feather == soft { String::new() } else { edges(region.feather) };
        (usual == *region).then_some((name, edges))
    })
}

fn edges(feather: f32) -> String {
    match feather {
        0.0 => " (hard edges)".to_owned(),
        SOFT => " (soft edges)".to_owned(),
        other => format!(" (edges soft over {})", percent(other)),
    }
}

fn percent(share: f32) -> String {
    format!("{}%", rounded(share * 100.0))
}

/// To a tenth, and no more digits than that takes.
fn rounded(number: f32) -> f32 {
    // No minus before a zero.
    (number * 10.0).round() / 10.0 + 0.0
}

#[cfg(test)]
mod tests {
    use super::*;

    fn explained(instruction: &str) -> String {
        Plan::from_instruction(instruction).unwrap().explain()
    }

    #[test]
    fn a_plan_is_explained_an_edit_a_line() {
        let text = explained(
            "make the left half slightly warmer and keep its colours, brighten the rest; before painting, less \
             contrast",
        );
        let lines = [
            "1. In the left half: its own colours kept and warmer by 20%.",
            "2. In all but the left half: brighter by 50%.",
            "3. Everywhere: less contrast by 50%, before it is painted.",
        ];
        assert_eq!(text, lines.join("\n"));
        assert_eq!(
            explained("softly darken the reds in the top half but not the centre"),
            "1. In the reds (soft edges) within the top half (soft edges) but not the centre: darker by 50%."
        );
        assert_eq!(
            explained("softly darken the detected faces, leave the detected \"stop sign\" unpainted"),
            "1. In the detected face (soft edges): darker by 50%.\n2. In the detected \"stop sign\": not painted."
        );
        assert_eq!(
            explained("darken outside the detections"),
            "1. In all but the detections: darker by 50%."
        );
        assert_eq!(Plan::default().explain(), "Nothing is edited.");
    }
}
