//! The plots of a report: a measure over the frames of a clip, as SVG that stands in the page.

use anyhow::{Result, anyhow};
use plotters::prelude::*;

use super::ClipReport;
use crate::eval::measure::Measure;

/// Width and height in pixels.
const SIZE: (u32, u32) = (1200, 240);

/// Colours that people with any eyesight tell apart (Okabe and Ito, "Color Universal Design", 2008).
const COLOURS: [RGBColor; 6] = [
    RGBColor(0, 114, 178),
    RGBColor(213, 94, 0),
    RGBColor(0, 158, 115),
    RGBColor(204, 121, 167),
    RGBColor(86, 180, 233),
    RGBColor(230, 159, 0),
];
/// The input's own.
const INPUT: RGBColor = RGBColor(120, 120, 120);

/// The colour of a painter, as CSS writes it; of the input where there is none.
pub fn colour(painter: Option<usize>) -> String {
    let RGBColor(red, green, blue) = of_painter(painter);
    format!("rgb({red},{green},{blue})")
}

fn of_painter(painter: Option<usize>) -> RGBColor {
    painter.map_or(INPUT, |painter| COLOURS[painter % COLOURS.len()])
}

/// A measure of the input and of each painter, frame by frame; none where there are fewer than two values.
///
/// # Errors
/// Where the plot cannot be drawn.
pub fn over_frames(clip: &ClipReport, measure: Measure) -> Result<Option<String>> {
    let paintings = clip.paintings.iter().enumerate();
    let lines: Vec<Line<'_>> = std::iter::once((None, &clip.input_series))
        .chain(paintings.map(|(painter, painting)| (Some(painter), &painting.series)))
        .filter_map(|(painter, series)| Some((of_painter(painter), series.get(&measure)?)))
        .collect();
    let values = lines.iter().flat_map(|(_, values)| values.iter().flatten());
    let highest = values.fold(0.0, |highest: f64, value| highest.max(*value));
    let longest = lines.iter().map(|(_, values)| values.len()).max().unwrap_or(0);
    if longest < 2 || highest <= 0.0 {
        return Ok(None);
    }
    let mut svg = String::new();
    draw(&mut svg, &lines, longest, highest)
        .map_err(|error| anyhow!("a plot could not be drawn: {error}"))?;
    Ok(Some(svg))
}

type Line<'a> = (RGBColor, &'a Vec<Option<f64>>);

fn draw(
    svg: &mut String,
    lines: &[Line<'_>],
    longest: usize,
    highest: f64,
) -> Result<(), Box<dyn std::error::Error>> {
    let area = SVGBackend::with_string(svg, SIZE).into_drawing_area();
    let mut chart = ChartBuilder::on(&area)
        .margin(8)
        .x_label_area_size(30)
        .y_label_area_size(70)
        .build_cartesian_2d(0..longest - 1, 0.0..1.08 * highest)?;
    chart
        .configure_mesh()
        .disable_x_mesh()
        .light_line_style(TRANSPARENT)
        .bold_line_style(RGBColor(226, 226, 226))
        .axis_style(RGBColor(150, 150, 150))
        .label_style(("sans-serif", 13))
        .y_label_formatter(&|value| short(*value))
        .y_labels(5)
        .x_labels(12)
        .draw()?;
    for (colour, values) in lines {
        for run in runs(values) {
            chart.draw_series(LineSeries::new(run, colour.stroke_width(2)))?;
        }
    }
    area.present()?;
    Ok(())
}

/// The known values in a row, with their frames: a line breaks where a value is missing.
fn runs(values: &[Option<f64>]) -> Vec<Vec<(usize, f64)>> {
    let numbered: Vec<_> = values.iter().enumerate().map(|(frame, value)| (frame, *value)).collect();
    let runs = numbered.split(|(_, value)| value.is_none()).filter(|run| !run.is_empty());
    runs.map(|run| run.iter().filter_map(|(frame, value)| Some((*frame, (*value)?))).collect()).collect()
}

/// A number with three digits that say something: `0.00123`, `1.23`, `12.3`.
pub fn short(value: f64) -> String {
    if value == 0.0 {
        return "0".to_owned();
    }
    let magnitude = value.abs().log10().floor() as i32;
    if magnitude < -5 {
        return format!("{value:.2e}");
    }
    format!("{value:.*}", (2 - magnitude).clamp(0, 8) as usize)
}

#[cfg(test)]
mod tests {
    use super::super::tests::report;
    use super::*;

    #[test]
    fn numbers_keep_three_digits() {
        let numbers = [0.0, 0.001234, 0.98765, 12.345, 1235.0, 1.5e-7].map(short);
        assert_eq!(numbers, ["0", "0.00123", "0.988", "12.3", "1235", "1.50e-7"]);
    }

    #[test]
    fn a_line_breaks_at_a_cut() {
        let runs = runs(&[Some(1.0), None, Some(2.0), Some(3.0)]);
        assert_eq!(runs, [vec![(0, 1.0)], vec![(2, 2.0), (3, 3.0)]]);
    }

    #[test]
    fn a_plot_is_svg_with_a_line_for_the_input_and_each_painter() {
        let clip = &report().clips[0];
        let svg = over_frames(clip, Measure::WarpError).unwrap().unwrap();
        assert!(svg.starts_with("<svg") && svg.trim_end().ends_with("</svg>"));
        for painter in [None, Some(0), Some(1)] {
            let RGBColor(red, green, blue) = of_painter(painter);
            assert!(svg.contains(&format!("#{red:02X}{green:02X}{blue:02X}")), "{painter:?}");
        }
        assert_eq!(over_frames(clip, Measure::StyleSwd).unwrap(), None);
    }
}
