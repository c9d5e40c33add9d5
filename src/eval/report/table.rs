//! The tables of a report: a line for each measure.

use std::collections::BTreeMap;
use std::fmt::Write;

use super::page::escaped;
use super::plots::{colour, short};
use super::{ClipReport, Report};
use crate::eval::measure::{Better, Measure};

/// What a table says of one painter.
struct Column<'a> {
    label: &'a str,
    values: BTreeMap<Measure, f64>,
    to_input: BTreeMap<Measure, f64>,
    to_baseline: &'a BTreeMap<Measure, f64>,
    /// The painter it is compared with.
    baseline: Option<usize>,
}

/// The figures of one clip.
pub fn of_clip(report: &Report, clip: &ClipReport) -> String {
    let columns = std::iter::zip(&report.painters, &clip.paintings).map(|(painter, painting)| {
        let values = painting.values.iter();
        Column {
            label: &painter.label,
            values: values.clone().map(|(measure, value)| (*measure, value.painted)).collect(),
            to_input: values.filter_map(|(measure, value)| Some((*measure, value.ratio?))).collect(),
            to_baseline: &painting.against_baseline,
            baseline: painter.baseline,
        }
    });
    let values = clip.paintings.iter().flat_map(|painting| &painting.values);
    let input = values.map(|(measure, value)| (*measure, value.input)).collect();
    table(&columns.collect::<Vec<_>>(), &input)
}

/// The figures of all clips together: means of values, geometric means of ratios.
pub fn of_all_clips(report: &Report) -> String {
    let columns = std::iter::zip(&report.painters, &report.overall).map(|(painter, overall)| Column {
        label: &painter.label,
        values: overall.mean.clone(),
        to_input: overall.against_input.clone(),
        to_baseline: &overall.against_baseline,
        baseline: painter.baseline,
    });
    let values = report.overall.iter().flat_map(|overall| &overall.input_mean);
    let input = values.map(|(measure, value)| (*measure, *value)).collect();
    table(&columns.collect::<Vec<_>>(), &input)
}

fn table(columns: &[Column<'_>], input: &BTreeMap<Measure, f64>) -> String {
    let mut html = String::from("<table>\n");
    html.push_str(&heading(columns));
    for measure in Measure::ALL.into_iter().filter(|measure| input.contains_key(measure)) {
        html.push_str(&line(measure, columns, input[&measure]));
    }
    html.push_str("</table>\n");
    html
}

fn heading(columns: &[Column<'_>]) -> String {
    let swatch = |painter| format!("<i style=\"background:{}\"></i>", colour(painter));
    let mut html = format!("<tr><th>measure</th><th>{}input's own</th>", swatch(None));
    for (index, column) in columns.iter().enumerate() {
        let label = escaped(column.label);
        let _ = write!(html, "<th>{}{label}</th><th class=\"own\">/ input's own</th>", swatch(Some(index)));
    }
    for column in columns {
        if let Some(baseline) = column.baseline {
            let (label, other) = (escaped(column.label), escaped(columns[baseline].label));
            let _ = write!(html, "<th>{label}<br>/ {other}</th>");
        }
    }
    html.push_str("</tr>\n");
    html
}

fn line(measure: Measure, columns: &[Column<'_>], input: f64) -> String {
    let better = measure.better();
    let arrow = match better {
        Better::Lower => "\u{2193}",
        Better::Higher => "\u{2191}",
        Better::NearOne => "\u{2192}1",
    };
    let mut html = format!(
        "<tr><td title=\"{}\">{} <small title=\"{}\">{arrow}</small></td><td class=\"own\">{}</td>",
        escaped(measure.meaning()),
        escaped(measure.title()),
        better.name(),
        short(input)
    );
    for column in columns {
        let value = column.values.get(&measure).map_or_else(dash, |value| short(*value));
        let ratio = column.to_input.get(&measure).map_or_else(dash, |ratio| times(*ratio));
        let _ = write!(html, "<td>{value}</td><td class=\"own\">{ratio}</td>");
    }
    for column in columns {
        if let Some(baseline) = column.baseline {
            html.push_str(&against_baseline(measure, column, &columns[baseline]));
        }
    }
    html.push_str("</tr>\n");
    html
}

/// The ratio to the baseline, marked where it says which of the two is the better.
fn against_baseline(measure: Measure, column: &Column<'_>, baseline: &Column<'_>) -> String {
    let Some(ratio) = column.to_baseline.get(&measure) else { return format!("<td>{}</td>", dash()) };
    // A ratio tells by itself which is the better, but for what is best near 1.
    let better = match measure.better() {
        Better::NearOne => {
            let values = column.values.get(&measure).zip(baseline.values.get(&measure));
            values.and_then(|(one, other)| Better::NearOne.is_better(*one, *other))
        }
        better => better.is_better(*ratio, 1.0),
    };
    let class = match better {
        Some(true) => " class=\"better\" title=\"better\"",
        Some(false) => " class=\"worse\" title=\"worse\"",
        None => "",
    };
    format!("<td{class}>{}</td>", times(*ratio))
}

fn times(ratio: f64) -> String {
    format!("\u{d7}{}", short(ratio))
}

fn dash() -> String {
    "\u{2013}".to_owned()
}

#[cfg(test)]
mod tests {
    use super::super::tests::report;
    use super::*;

    #[test]
    fn a_clip_with_twice_the_error_of_its_baseline_is_marked_worse() {
        let mut report = report();
        report.conclude();
        let worse = of_clip(&report, &report.clips[0]);
        assert!(worse.contains("class=\"worse\" title=\"worse\">\u{d7}2.00<"), "{worse}");
        let better = of_clip(&report, &report.clips[1]);
        assert!(better.contains("class=\"better\" title=\"better\">\u{d7}0.500<"), "{better}");
        assert!(of_all_clips(&report).contains("&lt;new&gt;<br>/ old"));
    }
}
