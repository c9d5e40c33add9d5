//! What the typed arguments mean: times, sizes and rates, checked before anything is opened.

use std::fmt;
use std::str::FromStr;

use gstreamer as gst;

/// A point in time as typed: seconds, or `mm:ss`, or `hh:mm:ss`, each with a fraction.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Time(pub gst::ClockTime);

impl FromStr for Time {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong =
            || format!("'{text}' is no time: expected seconds (12.5) or hours:minutes:seconds (0:00:12.5)");
        let parts: Vec<&str> = text.split(':').collect();
        let (seconds, larger) = parts.split_last().ok_or_else(wrong)?;
        if larger.len() > 2 {
            return Err(wrong());
        }
        let mut whole = 0_u64;
        for part in larger {
            let part: u64 = part.parse().map_err(|_| wrong())?;
            whole = whole.checked_add(part).and_then(|sum| sum.checked_mul(60)).ok_or_else(wrong)?;
        }
        let nanoseconds = nanoseconds(seconds).ok_or_else(wrong)?;
        let whole = whole.checked_mul(1_000_000_000).and_then(|whole| whole.checked_add(nanoseconds));
        Ok(Self(gst::ClockTime::from_nseconds(whole.filter(|&ns| ns < i64::MAX as u64).ok_or_else(wrong)?)))
    }
}

/// `12.5` -> 12 500 000 000, exactly; digits beyond the nanosecond are cut.
fn nanoseconds(seconds: &str) -> Option<u64> {
    let (whole, fraction) = seconds.split_once('.').unwrap_or((seconds, "0"));
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    if !digits(whole) || !digits(fraction) {
        return None;
    }
    let fraction: String = fraction.chars().chain("000000000".chars()).take(9).collect();
    whole.parse::<u64>().ok()?.checked_mul(1_000_000_000)?.checked_add(fraction.parse().ok()?)
}

/// The part of the input that is painted; the output starts at zero.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Span {
    /// The first moment; the start where none is given.
    pub from: Option<gst::ClockTime>,
    /// The moment where it ends; the end where none is given.
    pub to: Option<gst::ClockTime>,
}

impl Span {
    /// True where the whole input is meant.
    pub fn is_everything(&self) -> bool {
        self.from.is_none() && self.to.is_none()
    }

    /// How long it is, in an input of `duration`.
    pub fn length(&self, duration: Option<gst::ClockTime>) -> Option<gst::ClockTime> {
        let end = match (self.to, duration) {
            (Some(to), Some(duration)) => Some(to.min(duration)),
            (to, duration) => to.or(duration),
        };
        end.map(|end| end.saturating_sub(self.from.unwrap_or_default()))
    }
}

/// A picture size as typed: `640x360`, or one side only, `640x` or `x360`, which keeps the shape.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Size {
    width: Option<u32>,
    height: Option<u32>,
}

impl FromStr for Size {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || format!("'{text}' is no size: expected 640x360, 640x or x360, each side 16 to 16384");
        let (width, height) = text.split_once(['x', 'X']).ok_or_else(wrong)?;
        let side = |text: &str| match text {
            "" | "-1" => Ok(None),
            number => {
                number.parse().ok().filter(|side| (16..=16384).contains(side)).map(Some).ok_or_else(wrong)
            }
        };
        let size = Self { width: side(width)?, height: side(height)? };
        if size.width.is_none() && size.height.is_none() { Err(wrong()) } else { Ok(size) }
    }
}

impl Size {
    /// Width and height in square pixels for an input of `width` x `height` pixels of shape `aspect`. A
    /// side that was left open keeps the shape and is rounded to an even number.
    pub fn of(&self, width: u32, height: u32, aspect: gst::Fraction) -> (u32, u32) {
        let shown_width =
            f64::from(width) * f64::from(aspect.numer().max(1)) / f64::from(aspect.denom().max(1));
        let shape = shown_width / f64::from(height.max(1));
        let even = |side: f64| (((side / 2.0).round() as u32) * 2).max(16);
        match (self.width, self.height) {
            (Some(width), Some(height)) => (width, height),
            (Some(width), None) => (width, even(f64::from(width) / shape)),
            (None, Some(height)) => (even(f64::from(height) * shape), height),
            (None, None) => (width, height),
        }
    }
}

/// Frames a second as typed: `25`, `29.97` or `30000/1001`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rate(pub gst::Fraction);

impl FromStr for Rate {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || format!("'{text}' is no frame rate: expected 25, 29.97 or 30000/1001, at most 1000");
        let fraction = match text.split_once('/') {
            Some((frames, seconds)) => {
                let side =
                    |side: &str| side.parse::<i32>().ok().filter(|side| (1..=1_000_000).contains(side));
                gst::Fraction::new(side(frames).ok_or_else(wrong)?, side(seconds).ok_or_else(wrong)?)
            }
            None => decimal_rate(text).ok_or_else(wrong)?,
        };
        let rate = f64::from(fraction.numer()) / f64::from(fraction.denom());
        if rate <= 1000.0 { Ok(Self(fraction)) } else { Err(wrong()) }
    }
}

/// 29.97 and its like stand for n·1000/1001; other decimals are meant as written.
fn decimal_rate(text: &str) -> Option<gst::Fraction> {
    let rate: f64 = text.parse().ok().filter(|rate| *rate > 0.0 && *rate <= 1000.0)?;
    let whole = rate.ceil();
    if rate < whole && (whole * 1000.0 / 1001.0 - rate).abs() < 0.005 {
        return Some(gst::Fraction::new(whole as i32 * 1000, 1001));
    }
    let thousandths = (rate * 1000.0).round() as i32;
    (thousandths > 0).then(|| gst::Fraction::new(thousandths, 1000))
}

/// How the input is shown beside the painting.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Compare {
    /// The input left of the painting: twice the width
    Side,
    /// The left half of the input, the right half of the painting
    Split,
}

impl fmt::Display for Time {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let milliseconds = self.0.mseconds();
        write!(f, "{}.{:03} s", milliseconds / 1000, milliseconds % 1000)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_is_seconds_or_hours_minutes_and_seconds_to_the_nanosecond() {
        let time = |text: &str| text.parse::<Time>().map(|time| time.0.nseconds());
        assert_eq!(time("12.5"), Ok(12_500_000_000));
        assert_eq!(time("1:02:03.000000001"), Ok(3_723_000_000_001));
        assert_eq!(time("0:90"), Ok(90_000_000_000));
        for wrong in ["", "a", "-1", "1:2:3:4", "1e3", "5.", ":", "99999999999999999999"] {
            assert!(time(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_side_that_is_left_out_keeps_the_shape_of_pixels_that_are_not_square() {
        let size: Size = "x360".parse().unwrap();
        assert_eq!(size.of(720, 576, gst::Fraction::new(64, 45)), (640, 360));
        assert_eq!("640x".parse::<Size>().unwrap().of(1280, 720, gst::Fraction::new(1, 1)), (640, 360));
        assert!("x".parse::<Size>().is_err() && "8x8".parse::<Size>().is_err());
    }

    #[test]
    fn a_rate_of_29_97_means_30000_over_1001() {
        assert_eq!("29.97".parse::<Rate>().unwrap().0, gst::Fraction::new(30_000, 1001));
        assert_eq!("12.5".parse::<Rate>().unwrap().0, gst::Fraction::new(25, 2));
        assert!("0".parse::<Rate>().is_err() && "inf".parse::<Rate>().is_err());
    }

    #[test]
    fn a_span_that_ends_behind_the_input_is_as_long_as_the_rest_of_it() {
        let second = gst::ClockTime::from_seconds;
        let span = Span { from: Some(second(2)), to: Some(second(20)) };
        assert_eq!(span.length(Some(second(10))), Some(second(8)));
    }
}
