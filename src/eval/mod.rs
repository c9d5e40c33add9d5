//! `impasto eval`.

pub mod metrics;
