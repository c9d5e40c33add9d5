//! `impasto train`: a model file from a recipe.

pub mod recipe;
