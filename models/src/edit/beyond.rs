//! What looks beyond a pixel: blur and sharpness, areas of one colour, lines of ink.
//!
//! Lengths are shares of the picture's shorter side, so that a preview and the film look alike.
//!
//! | amount | formula |
//! |---|---|
//! | blur, above 0 | a Gaussian of deviation `.02 blur` of the shorter side, in linear light: three extended boxes (Gwosdek et al., 2011, "Theoretical foundations of Gaussian convolution by extended box filtering") |
//! | blur, below 0 | `x + 1.5 \|blur\| (x - G x)`, G of deviation .0015: unsharp masking, in numbers as stored |
//! | abstraction | a mean of the means of four squares around the pixel, softened toward their edges, weighted by the inverse square of their variance of luma, twice (Kuwahara et al., 1976; weights as in Papari et al., 2007), mixed in by the amount |
//! | ink | `x (1 - .9 ink^.7 clamp(30 (G2 y - G1 y - .008 (2 - ink))))`: more lines, and darker ones, so that they grow evenly; y the luma of the frame as it came, deviations .0028 and 1.6 times that: difference of Gaussians (Winnemoeller et al., 2012, "XDoG") |

use rayon::prelude::*;

use super::adjust::LUMA;
use super::areas::Areas;
use super::boxes::{Blur, Boxes};
use super::oklab::{light, stored};
use super::plan::Adjust;

/// Deviation of the strongest blur, as a share of the shorter side.
const BLUR: f32 = 0.02;
/// Deviation below which a detail is sharpened.
const DETAIL: f32 = 0.0015;
/// How much of the detail is added at most.
const SHARPER: f32 = 1.5;
/// Deviation of the finer Gaussian that finds lines, and how much wider the other is.
const LINE: f32 = 0.0028;
const WIDER: f32 = 1.6;
/// Where a line begins at full strength, how fast it becomes black, and how black.
const FAINT: f32 = 0.008;
const CONTRAST: f32 = 30.0;
const BLACK: f32 = 0.9;
/// Bends what becomes black, so that with it the lines that begin make the drawing grow evenly: how many pixels are darker than
/// around them, how steep the picture is, and how dark.
const EASE: f32 = 0.7;

/// Planar numbers `[3, height, width]` on their way through filters, and room for what lies between.
#[derive(Debug, Default)]
pub(crate) struct Filters {
    boxes: Boxes,
    areas: Areas,
    /// A plane.
    between: Vec<f32>,
    /// Planes of luma.
    lumas: [Vec<f32>; 2],
}

impl Adjust {
    /// Whether anything of it looks beyond a pixel.
    pub(crate) fn looks_beyond(&self) -> bool {
        [self.blur, self.ink, self.abstraction].iter().any(|amount| *amount != 0.0)
    }

    /// What looks at a pixel alone.
    pub(super) fn of_pixels(&self) -> Self {
        Self { blur: 0.0, ink: 0.0, abstraction: 0.0, ..*self }
    }

    /// How many pixels beyond a pixel it looks, in a picture whose shorter side has so many.
    pub(crate) fn looks_as_far_as(&self, shorter: f32) -> usize {
        let blur = match self.blur {
            amount if amount > 0.0 => Blur::of(BLUR * amount * shorter).reach(),
            amount if amount < 0.0 => Blur::of(DETAIL * shorter).reach(),
            _ => 0,
        };
        let ink = if self.ink > 0.0 { Blur::of(WIDER * LINE * shorter).reach() } else { 0 };
        let areas = if self.abstraction > 0.0 { Areas::look_as_far_as(shorter) } else { 0 };
        (blur + areas).max(ink)
    }
}

impl Filters {
    /// Filters numbers of so many columns in place; `scene` are those of the frame as it came. Areas come first, lines last. Beyond
    /// the numbers the nearest ones count.
    pub(crate) fn apply(
        &mut self,
        adjust: &Adjust,
        shorter: f32,
        width: usize,
        scene: &[f32],
        numbers: &mut [f32],
    ) {
        if adjust.abstraction > 0.0 {
            self.areas.apply(&mut self.boxes, adjust.abstraction, shorter, width, numbers);
        }
        match adjust.blur {
            amount if amount > 0.0 => self.blur(BLUR * amount * shorter, width, numbers),
            amount if amount < 0.0 => self.sharpen(-amount, DETAIL * shorter, width, numbers),
            _ => {}
        }
        if adjust.ink > 0.0 {
            self.draw_lines(adjust.ink, LINE * shorter, width, scene, numbers);
        }
    }

    fn blur(&mut self, deviation: f32, width: usize, numbers: &mut [f32]) {
        each(numbers, light::<false>);
        let plane = numbers.len() / 3;
        for plane in numbers.chunks_exact_mut(plane) {
            self.boxes.blur(Blur::of(deviation), width, plane);
        }
        each(numbers, stored::<false>);
    }

    fn sharpen(&mut self, amount: f32, deviation: f32, width: usize, numbers: &mut [f32]) {
        let plane = numbers.len() / 3;
        for plane in numbers.chunks_exact_mut(plane) {
            self.between.clear();
            self.between.extend_from_slice(plane);
            self.boxes.blur(Blur::of(deviation), width, &mut self.between);
            zip(plane, &self.between, |own, blurred| own + SHARPER * amount * (own - blurred));
        }
    }

    fn draw_lines(&mut self, amount: f32, deviation: f32, width: usize, scene: &[f32], numbers: &mut [f32]) {
        for (lumas, by) in self.lumas.iter_mut().zip([1.0, WIDER]) {
            luma_of(scene, lumas);
            self.boxes.blur(Blur::of(by * deviation), width, lumas);
        }
        let [fine, wide] = &mut self.lumas;
        let (black, faint) = (BLACK * amount.powf(EASE), FAINT * (2.0 - amount));
        zip(fine, wide, |fine, wide| 1.0 - black * (CONTRAST * (wide - fine - faint)).clamp(0.0, 1.0));
        let plane = numbers.len() / 3;
        for plane in numbers.chunks_exact_mut(plane) {
            zip(plane, fine, |own, light| own * light);
        }
    }
}

/// BT.709 luma of planar numbers.
pub(super) fn luma_of(numbers: &[f32], lumas: &mut Vec<f32>) {
    let plane = numbers.len() / 3;
    let (red, others) = numbers.split_at(plane);
    let (green, blue) = others.split_at(plane);
    lumas.clear();
    let [r_weight, g_weight, b_weight] = LUMA;
    let colours = red.iter().zip(green).zip(blue);
    lumas.extend(colours.map(|((r, g), b)| r_weight * r + g_weight * g + b_weight * b));
}

/// Every number by itself.
pub(super) fn each(numbers: &mut [f32], map: impl Fn(f32) -> f32 + Sync) {
    numbers
        .par_chunks_mut(1 << 14)
        .for_each(|part| part.iter_mut().for_each(|number| *number = map(*number)));
}

/// Every number by itself and another of the same place.
pub(super) fn zip(numbers: &mut [f32], others: &[f32], map: impl Fn(f32, f32) -> f32 + Sync) {
    numbers.par_chunks_mut(1 << 14).zip(others.par_chunks(1 << 14)).for_each(|(part, others)| {
        part.iter_mut().zip(others).for_each(|(number, other)| *number = map(*number, *other));
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    const WIDTH: usize = 64;
    const HEIGHT: usize = 48;

    /// An edge, with a little noise on both sides.
    fn edge() -> Vec<f32> {
        let noise = |at: usize| ((at * 7919) % 101) as f32 / 1010.0 - 0.05;
        (0..3 * WIDTH * HEIGHT).map(|at| if at % WIDTH < 32 { 0.3 } else { 0.7 } + noise(at)).collect()
    }

    fn filtered(adjust: Adjust, shorter: f32) -> Vec<f32> {
        let (scene, mut numbers) = (edge(), edge());
        Filters::default().apply(&adjust, shorter, WIDTH, &scene, &mut numbers);
        numbers
    }

    fn deviation(row: &[f32]) -> f32 {
        let mean = row.iter().sum::<f32>() / row.len() as f32;
        (row.iter().map(|number| (number - mean).powi(2)).sum::<f32>() / row.len() as f32).sqrt()
    }

    #[test]
    fn a_blur_keeps_the_light_and_sharpening_lifts_the_edge() {
        let of = |blur| filtered(Adjust { blur, ..Adjust::default() }, 900.0);
        let light_of = |numbers: &[f32]| numbers.iter().map(|number| light::<false>(*number)).sum::<f32>();
        let (blurred, sharp) = (of(0.15), of(-1.0));
        assert!((light_of(&blurred) / light_of(&edge()) - 1.0).abs() < 2e-3);
        let row = 20 * WIDTH;
        assert!(deviation(&blurred[row..][..WIDTH]) < 0.97 * deviation(&edge()[row..][..WIDTH]));
        assert!(deviation(&sharp[row..][..WIDTH]) > 1.1 * deviation(&edge()[row..][..WIDTH]));
    }

    #[test]
    fn abstraction_flattens_both_sides_and_keeps_the_edge() {
        let areas = filtered(Adjust { abstraction: 1.0, ..Adjust::default() }, 700.0);
        let row = &areas[20 * WIDTH..][..WIDTH];
        assert!(deviation(&row[..28]) < 0.35 * deviation(&edge()[20 * WIDTH..][..28]));
        assert!(row[30] < 0.4 && row[33] > 0.6, "{} {}", row[30], row[33]);
        let half = filtered(Adjust { abstraction: 0.5, ..Adjust::default() }, 700.0);
        let middle = |at: usize| 0.5 * (edge()[at] + areas[at]);
        assert!((0..half.len()).all(|at| (half[at] - middle(at)).abs() < 1e-6));
    }

    #[test]
    fn ink_darkens_along_the_edge_alone() {
        let inked = filtered(Adjust { ink: 1.0, ..Adjust::default() }, 720.0);
        let row = 20 * WIDTH;
        let darker = |at: usize| inked[row + at] / edge()[row + at];
        assert!(darker(30) < 0.5, "{}", darker(30));
        assert!((0..20).chain(44..64).all(|at| darker(at) > 0.98));
    }

    #[test]
    fn what_lies_as_far_away_as_it_looks_or_further_does_not_matter() {
        for adjust in [
            Adjust { blur: 0.2, ..Adjust::default() },
            Adjust { blur: -1.0, abstraction: 1.0, ..Adjust::default() },
            Adjust { ink: 1.0, ..Adjust::default() },
        ] {
            let far = adjust.looks_as_far_as(400.0);
            let (plain, mut dotted) = (edge(), edge());
            dotted[24 * WIDTH + 32] += 0.3;
            let [mut a, mut b] = [plain.clone(), dotted.clone()];
            Filters::default().apply(&adjust, 400.0, WIDTH, &plain, &mut a);
            Filters::default().apply(&adjust, 400.0, WIDTH, &dotted, &mut b);
            for (at, (a, b)) in a.iter().zip(&b).enumerate().take(WIDTH * HEIGHT) {
                let away = (at % WIDTH).abs_diff(32).max((at / WIDTH).abs_diff(24));
                assert!(away <= far || (a - b).abs() < 1e-5, "{away} beyond {far}: {a} {b}");
            }
        }
    }
}
