//! `impasto train`: a model file from a recipe.

pub mod dataset;
pub mod recipe;
