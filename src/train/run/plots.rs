//! The log, drawn: losses over steps, and the two axes on which a model is judged, style and steadiness.
//!
//! SVG keeps text as text, so no font is needed here.

use anyhow::Result;
use plotters::coord::Shift;
use plotters::coord::ranged1d::ValueFormatter;
use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};

use super::log::Series;

const SIZE: (u32, u32) = (960, 540);
/// Points of a line of losses: more would be closer than pixels.
const POINTS: usize = 240;
/// Points of the way between the axes: more would hide it.
const WAY_POINTS: usize = 60;
/// The way starts far from the origin and wants to get there; its marks need a little room beyond.
const ROOM: f64 = 1.05;
const FONT: &str = "sans-serif";
/// The parts of the losses that may stand for the distance to the style; the first that is measured does.
const STYLE: [&str; 4] = ["swd", "gram", "moments", "key perceptual"];
/// The part that stands for the temporal error.
const TEMPORAL: &str = "temporal";

type Area<'a> = DrawingArea<SVGBackend<'a>, Shift>;

/// Losses over steps, the vertical axis logarithmic; none where there is nothing above 0 to draw.
///
/// # Errors
/// Where it cannot be drawn.
pub fn losses(series: &Series) -> Result<Option<String>> {
    let lines: Vec<_> = series.iter().map(|(name, points)| (name, above_zero(points))).collect();
    let all = || lines.iter().flat_map(|(_, points)| points);
    let (Some(steps), Some(values)) =
        (range(all().map(|(step, _)| *step)), range(all().map(|(_, value)| *value)))
    else {
        return Ok(None);
    };
    drawn(|area| {
        let mut chart = ChartBuilder::on(area)
            .margin(12)
            .caption("Losses", (FONT, 20))
            .x_label_area_size(40)
            .y_label_area_size(64)
            .build_cartesian_2d(steps.0..steps.1, (values.0..values.1).log_scale())?;
        chart.configure_mesh().x_desc("step").x_label_formatter(&|step| format!("{step:.0}")).draw()?;
        for (index, (name, points)) in lines.iter().enumerate() {
            let colour = Palette99::pick(index).to_rgba();
            let line = LineSeries::new(points.iter().copied(), colour.stroke_width(2));
            let mark = move |(x, y)| Rectangle::new([(x, y - 5), (x + 14, y + 5)], colour.filled());
            chart.draw_series(line)?.label(name.as_str()).legend(mark);
        }
        // Losses fall: the upper right is where there is room.
        let legend = SeriesLabelPosition::UpperRight;
        chart
            .configure_series_labels()
            .position(legend)
            .background_style(WHITE.mix(0.8))
            .border_style(BLACK)
            .draw()?;
        Ok(())
    })
    .map(Some)
}

/// Distance to the style against temporal error: the way of the run from pale to dark; none before both are measured.
///
/// # Errors
/// Where it cannot be drawn.
pub fn axes(series: &Series) -> Result<Option<String>> {
    let Some(measure) = STYLE.into_iter().find(|name| series.contains_key(*name)) else { return Ok(None) };
    let way = way(series, measure);
    let most = |numbers: &mut dyn Iterator<Item = f64>| numbers.reduce(f64::max).filter(|most| *most > 0.0);
    let style = most(&mut way.iter().map(|point| point.1));
    let temporal = most(&mut way.iter().map(|point| point.2));
    let (Some(style), Some(temporal)) = (style, temporal) else { return Ok(None) };
    drawn(|area| {
        let mut chart = ChartBuilder::on(area)
            .margin(12)
            .caption("Style against steadiness: both want to be small", (FONT, 20))
            .x_label_area_size(40)
            .y_label_area_size(64)
            .build_cartesian_2d(0.0..style * ROOM, 0.0..temporal * ROOM)?;
        chart
            .configure_mesh()
            .x_desc(format!("distance to the style ({measure})"))
            .y_desc("temporal error")
            .draw()?;
        draw_way(&mut chart, &way)
    })
    .map(Some)
}

fn draw_way<X, Y>(
    chart: &mut ChartContext<'_, SVGBackend<'_>, Cartesian2d<X, Y>>,
    way: &[(f64, f64, f64)],
) -> Result<()>
where
    X: Ranged<ValueType = f64> + ValueFormatter<f64>,
    Y: Ranged<ValueType = f64> + ValueFormatter<f64>,
{
    chart.draw_series(LineSeries::new(way.iter().map(|point| (point.1, point.2)), BLACK.mix(0.15)))?;
    let last = way.len().saturating_sub(1);
    let circles = way.iter().enumerate().map(|(index, point)| {
        let dark = 0.1 + 0.9 * index as f64 / last.max(1) as f64;
        Circle::new((point.1, point.2), 4, BLUE.mix(dark).filled())
    });
    chart.draw_series(circles)?;
    let font = TextStyle::from((FONT, 15)).pos(Pos::new(HPos::Right, VPos::Bottom));
    let ends = [way.first(), way.last()].into_iter().flatten();
    let mark = |point: &(f64, f64, f64)| {
        Text::new(format!("step {:.0} ", point.0), (point.1, point.2), font.clone())
    };
    chart.draw_series(ends.map(mark))?;
    Ok(())
}

/// Step, style, temporal, thinned out.
fn way(series: &Series, measure: &str) -> Vec<(f64, f64, f64)> {
    let (Some(style), Some(temporal)) = (series.get(measure), series.get(TEMPORAL)) else {
        return Vec::new();
    };
    let (style, temporal) = (thinned(style, WAY_POINTS), thinned(temporal, WAY_POINTS));
    style.iter().zip(temporal).map(|(style, temporal)| (style.0, style.1, temporal.1)).collect()
}

/// What a logarithmic axis can show.
fn above_zero(points: &[(u64, f64)]) -> Vec<(f64, f64)> {
    thinned(points, POINTS).into_iter().filter(|(_, value)| *value > 0.0).collect()
}

/// Means of neighbouring points, at most `count` of them, each at its last step.
fn thinned(points: &[(u64, f64)], count: usize) -> Vec<(f64, f64)> {
    let together = points.len().div_ceil(count).max(1);
    let mean = |points: &[(u64, f64)]| {
        let sum: f64 = points.iter().map(|(_, value)| value).sum();
        (points[points.len() - 1].0 as f64, sum / points.len() as f64)
    };
    points.chunks(together).map(mean).collect()
}

/// Smallest and largest, a little apart where they are one; none of nothing.
fn range(numbers: impl Iterator<Item = f64> + Clone) -> Option<(f64, f64)> {
    let least = numbers.clone().reduce(f64::min)?;
    let most = numbers.reduce(f64::max)?;
    Some(if most > least { (least, most) } else { (least * 0.9, least * 1.1 + 1e-9) })
}

fn drawn(draw: impl FnOnce(&Area<'_>) -> Result<()>) -> Result<String> {
    let mut svg = String::new();
    {
        let area = SVGBackend::with_string(&mut svg, SIZE).into_drawing_area();
        area.fill(&WHITE)?;
        draw(&area)?;
        area.present()?;
    }
    Ok(svg)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn series() -> Series {
        let points = |scale: f64| (1..=1000).map(|step| (step, scale / step as f64)).collect();
        [("swd".to_owned(), points(3.0)), ("temporal".to_owned(), points(0.1))].into()
    }

    #[test]
    fn a_plot_has_its_text_as_text() {
        let svg = losses(&series()).unwrap().unwrap();
        assert!(svg.starts_with("<svg") && svg.contains("<text"), "{svg}");
        assert!(svg.contains("temporal") && svg.contains("step"));
    }

    #[test]
    fn the_way_ends_at_the_last_step() {
        let svg = axes(&series()).unwrap().unwrap();
        assert!(svg.contains("step 1000") && svg.contains("temporal error"));
    }

    #[test]
    fn nothing_is_drawn_of_nothing_of_zeros_or_of_one_axis_alone() {
        assert!(losses(&Series::new()).unwrap().is_none());
        assert!(losses(&[("tv".to_owned(), vec![(1, 0.0)])].into()).unwrap().is_none());
        assert!(axes(&[("swd".to_owned(), vec![(1, 1.0)])].into()).unwrap().is_none());
    }

    #[test]
    fn one_point_is_drawn() {
        assert!(losses(&[("tv".to_owned(), vec![(1, 2.0)])].into()).unwrap().is_some());
    }

    #[test]
    fn many_points_become_their_means() {
        let points: Vec<_> = (1..=480).map(|step| (step, step as f64)).collect();
        assert_eq!(thinned(&points, 240)[..2], [(2.0, 1.5), (4.0, 3.5)]);
    }
}
