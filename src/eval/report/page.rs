//! The page: one HTML file that needs nothing else.

use std::fmt::Write;

use anyhow::Result;

use super::pictures::{Exhibit, source};
use super::plots::{colour, over_frames};
use super::{ClipReport, ControlsReport, PainterReport, Report, table};
use crate::eval::measure::Measure;
use crate::still::Still;

const STYLE: &str = include_str!("page.css");

/// The whole page. `exhibits` are the clips' pictures, `painting` the one whose style is looked for.
///
/// # Errors
/// Where a picture or plot cannot be encoded.
pub fn page(report: &Report, exhibits: &[Exhibit], painting: Option<&Still>) -> Result<String> {
    let title = escaped(report.title());
    let mut html = format!(
        "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width\">\n<title>{title}, measured</title>\n\
         <style>{STYLE}</style>\n</head>\n<body>\n<h1>{title}, measured</h1>\n"
    );
    about(&mut html, report);
    if let (Some(style), Some(painting)) = (&report.style, painting) {
        let name = style.file.file_name().unwrap_or_default().to_string_lossy();
        figure(
            &mut html,
            "painting",
            &source(painting)?,
            &format!("the painting whose style is looked for: {name}"),
        );
    }
    if report.clips.len() > 1 {
        let _ = write!(
            html,
            "<h2>All {} clips</h2>\n<p class=\"about\">Means of values, geometric means of ratios.</p>\n\
             <div class=\"scroll\">{}</div>\n",
            report.clips.len(),
            table::of_all_clips(report)
        );
    }
    for (clip, exhibit) in report.clips.iter().zip(exhibits) {
        of_clip(&mut html, report, clip, exhibit)?;
    }
    definitions(&mut html, report);
    html.push_str("</body>\n</html>\n");
    Ok(html)
}

/// What was measured, with what.
fn about(html: &mut String, report: &Report) {
    for painter in &report.painters {
        let _ = writeln!(html, "<p class=\"about\">{}</p>", escaped(&about_painter(report, painter)));
    }
    let _ = writeln!(
        html,
        "<p class=\"about\">Impasto {} \u{b7} definitions {} \u{b7} longer side {} \u{b7} optical flow: {}</p>",
        escaped(report.impasto),
        report.definitions,
        report.longer_side,
        escaped(&report.flow)
    );
}

fn about_painter(report: &Report, painter: &PainterReport) -> String {
    let mut parts = vec![painter.label.clone()];
    if let Some(source) = &painter.source {
        let hash = source.sha256.get(..12).unwrap_or_default();
        parts.push(format!("{}, SHA-256 {hash}\u{2026}", source.file.display()));
    }
    if let Some(ControlsReport { strength, keep_colors, adapt, temporal, stroke, .. }) = &painter.controls {
        parts.push(format!(
            "strength {strength}, keep-colors {keep_colors}, adapt {adapt}, temporal {temporal}, stroke {stroke}"
        ));
    }
    parts.extend(Some(painter.device.clone()).filter(|device| !device.is_empty()));
    if let Some(baseline) = painter.baseline {
        parts.push(format!("compared with {}", report.painters[baseline].label));
    }
    parts.join(" \u{b7} ")
}

fn of_clip(html: &mut String, report: &Report, clip: &ClipReport, exhibit: &Exhibit) -> Result<()> {
    let _ = write!(
        html,
        "<h2>{}</h2>\n<p class=\"about\">{}</p>\n<div class=\"scroll\">{}</div>\n",
        escaped(&clip.name),
        escaped(&facts(clip).join(" \u{b7} ")),
        table::of_clip(report, clip)
    );
    pictures(html, report, exhibit);
    for measure in [Measure::WarpError, Measure::StyleSwd] {
        if let Some(svg) = over_frames(clip, measure)? {
            let title = escaped(measure.title());
            let _ = writeln!(
                html,
                "<h3>{title}, frame by frame</h3>\n<p class=\"about\">{}</p>\n{svg}",
                legend(report)
            );
        }
    }
    Ok(())
}

fn facts(clip: &ClipReport) -> Vec<String> {
    let mut facts = vec![format!("{}\u{d7}{}", clip.size.0, clip.size.1)];
    if clip.size != clip.size_in_file {
        facts.push(format!("reduced from {}\u{d7}{}", clip.size_in_file.0, clip.size_in_file.1));
    }
    facts.push(format!("{} frame{}", clip.frames, if clip.frames == 1 { "" } else { "s" }));
    if let Some(seen) = clip.seen {
        facts.push(format!("{:.0} % of a frame seen in the next", 100.0 * seen));
    }
    if !clip.cuts.is_empty() {
        let cuts: Vec<String> = clip.cuts.iter().map(ToString::to_string).collect();
        facts.push(format!("cuts before frame {}: nothing is compared across them", cuts.join(", ")));
    }
    facts.extend(clip.notes.iter().cloned());
    facts
}

/// The input and each painting, the whole width of the page; then a row of pixels over time, side by side.
fn pictures(html: &mut String, report: &Report, exhibit: &Exhibit) {
    let painters = report.painters.iter().map(|painter| painter.label.as_str());
    let labels: Vec<&str> = std::iter::once("input").chain(painters).collect();
    for (label, picture) in labels.iter().zip(&exhibit.frames) {
        figure(html, "frame", picture, &format!("{label}, frame {}", exhibit.frame));
    }
    if exhibit.rows.is_empty() {
        return;
    }
    html.push_str(
        "<h3>A row of pixels over time</h3>\n<p class=\"about\">The middle row of every frame, downwards. What stands \
         still is a clean vertical line; flicker frays it.</p>\n<div class=\"rows\">\n",
    );
    for (label, picture) in labels.iter().zip(&exhibit.rows) {
        figure(html, "row", picture, label);
    }
    html.push_str("</div>\n");
}

fn figure(html: &mut String, class: &str, source: &str, caption: &str) {
    let caption = escaped(caption);
    let _ = writeln!(
        html,
        "<figure class=\"{class}\"><img src=\"{source}\" alt=\"{caption}\"><figcaption>{caption}</figcaption></figure>"
    );
}

/// Whose line is whose.
fn legend(report: &Report) -> String {
    let entry =
        |painter, label: &str| format!("<b style=\"color:{}\">{}</b>", colour(painter), escaped(label));
    let painters = report.painters.iter().enumerate();
    let entries = std::iter::once(entry(None, "input's own"))
        .chain(painters.map(|(index, painter)| entry(Some(index), &painter.label)));
    entries.collect::<Vec<_>>().join(" \u{b7} ")
}

fn definitions(html: &mut String, report: &Report) {
    html.push_str("<h2>What was measured</h2>\n<dl>\n");
    let shown = |measure: &Measure| report.overall.iter().any(|overall| overall.mean.contains_key(measure));
    for measure in Measure::ALL.into_iter().filter(shown) {
        let (title, better) = (escaped(measure.title()), measure.better().name());
        let _ = writeln!(html, "<dt>{title} ({better})</dt><dd>{}</dd>", escaped(measure.meaning()));
    }
    html.push_str(
        "<dt>input's own</dt><dd>The same measure of the input itself: how far it is from the painting, how much it \
         changes where it should not. A model that does nothing has a ratio of 1.</dd>\n</dl>\n",
    );
}

/// Text as HTML has it, also within quotes.
pub(super) fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

#[cfg(test)]
mod tests {
    use super::super::tests::report;
    use super::*;
    use crate::eval::metrics::test_pictures::grey;

    #[test]
    fn the_page_stands_alone_and_names_cannot_break_it() {
        let mut report = report();
        report.conclude();
        let clip = vec![grey(32, 24, 0.5); 3];
        let exhibits: Vec<Exhibit> = (0..2).map(|_| Exhibit::of(&[&clip, &clip, &clip]).unwrap()).collect();
        let page = page(&report, &exhibits, None).unwrap();
        assert!(page.contains("a &amp; b.mp4") && page.contains("&lt;new&gt;") && !page.contains("<new>"));
        let loads = ["src=\"http", "href=", "<script", "url(", "@import"];
        assert!(loads.iter().all(|load| !page.contains(load)));
        assert_eq!(page.matches("<svg").count(), 2);
        assert_eq!(page.matches("<figure").count(), 2 * 6);
    }
}
