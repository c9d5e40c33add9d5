//! `impasto model`: which models there are, what one says about itself, foreign weights made into one, and one made into an
//! ONNX file.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use clap::{Args, Subcommand};
use impasto_models::Model;
use impasto_models::import::import;
use impasto_models::model::{Listed, Metadata, Origin, Source, default_name, list, own_folder};

use crate::onnx;
use crate::output_file::OutputFile;
use crate::standard_output::print_line;

const EXAMPLES: &str = "Examples:
  impasto model import wave.safetensors
  impasto model list
  impasto model show wave
  impasto model export great-wave --onnx wave.onnx";

/// What is typed behind `impasto model`.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct ModelArguments {
    #[command(subcommand)]
    command: ModelCommand,
}

#[derive(Debug, Subcommand)]
enum ModelCommand {
    /// List the models that can be asked for by name
    #[command(after_help = "Example:\n  impasto model list")]
    List,
    /// Show what a model says about itself
    #[command(after_help = "Example:\n  impasto model show wave")]
    Show {
        /// A model's name, or a model file
        #[arg(value_name = "NAME|FILE")]
        model: String,
    },
    /// Make a model of foreign weights: fast-style-transfer or fast_neural_style
    #[command(after_help = "Example:\n  impasto model import wave.safetensors --name wave")]
    Import(ImportArguments),
    /// Write a tiny or a base for other runtimes
    #[command(after_help = "Example:\n  impasto model export great-wave --onnx wave.onnx --size 1280x720")]
    Export(ExportArguments),
}

#[derive(Debug, Args)]
struct ExportArguments {
    /// A model's name, or a model file
    #[arg(value_name = "NAME|FILE")]
    model: String,
    /// The ONNX file to write: numbers [1, 3, height, width] in [0, 1] to numbers
    #[arg(long, value_name = "FILE")]
    onnx: PathBuf,
    /// Which of its styles, a style file, a picture or a mix [default: its first]
    #[arg(long, value_name = "NAME|FILE[:WEIGHT],...")]
    style: Option<String>,
    /// The only size that it takes [default: any of multiples of 8]
    #[arg(long, value_name = "WxH", value_parser = size)]
    size: Option<[usize; 2]>,
    /// Replace the file where it exists
    #[arg(long)]
    overwrite: bool,
}

#[derive(Debug, Args)]
struct ImportArguments {
    /// The weights: .safetensors, PyTorch's .pth, or the folder with the four files of MicroAST
    #[arg(value_name = "WEIGHTS")]
    weights: PathBuf,
    /// What to call the model [default: the name of the weights' file]
    #[arg(long, value_name = "NAME")]
    name: Option<String>,
    /// A picture whose style a MicroAST is to know by the name of its file; it paints in the first where none is asked for
    #[arg(long = "style", value_name = "PICTURE")]
    styles: Vec<PathBuf>,
    /// The model file to write [default: NAME.safetensors among the own models]
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
    /// Replace the model file where it exists
    #[arg(long)]
    overwrite: bool,
}

/// Does what the subcommand says.
///
/// # Errors
/// A model or weights that cannot be used, or a file that cannot be written.
pub fn run(arguments: &ModelArguments) -> Result<()> {
    match &arguments.command {
        ModelCommand::List => print_list(&list()),
        ModelCommand::Show { model } => print_line(description(&*Model::open(model)?).trim_end()),
        ModelCommand::Import(arguments) => import_weights(arguments)?,
        ModelCommand::Export(arguments) => export(arguments)?,
    }
    Ok(())
}

fn print_list(models: &[Listed]) {
    let width = models.iter().map(|model| model.name.chars().count()).max().unwrap_or(0);
    for model in models {
        let origin = match model.origin {
            Origin::Bundled => "bundled",
            Origin::Own => "own",
        };
        match &model.metadata {
            Ok(metadata) => {
                print_line(format_args!(
                    "{:width$}  {origin:7}  {:8}  {:17}  {}",
                    model.name,
                    metadata.generator.kind(),
                    styles_in_short(metadata),
                    metadata.description
                ));
            }
            Err(error) => {
                print_line(format_args!("{:width$}  {origin:7}  cannot be used: {error}", model.name))
            }
        }
    }
    print_line(format_args!(
        "the bundled {} paints where no model is named; own models live in {}",
        default_name(),
        own_folder().display()
    ));
}

fn styles_in_short(metadata: &Metadata) -> String {
    let count = metadata.generator.styles().unwrap_or(1);
    if metadata.generator.has_encoder() {
        return format!("{count} and any picture");
    }
    if count == 1 { "1 style".to_owned() } else { format!("{count} styles") }
}

/// What a model says about itself, a line for each thing that it says.
fn description(model: &Model) -> String {
    let metadata = model.metadata();
    let mut lines = vec![
        ("name", metadata.name.clone()),
        ("about", metadata.description.clone()),
        ("file", file(model)),
        ("format", metadata.format.to_string()),
        ("kind", kind(metadata)),
        ("parameters", parameters(model.parameters())),
        ("sizes", sizes(model)),
        ("styles", styles(model)),
        ("seed", metadata.seed.map(|seed| seed.to_string()).unwrap_or_default()),
    ];
    lines.extend(metadata.data.iter().map(|source| ("made from", origin(source))));
    lines.push(("licence", metadata.licence.clone()));
    lines.extend(metadata.quality.iter().map(|(measure, value)| ("quality", format!("{measure} {value}"))));
    if metadata.defaults.temporal > 0.0 {
        lines.push(("defaults", format!("temporal {}", metadata.defaults.temporal)));
    }
    let recipe = metadata.recipe.as_deref().unwrap_or_default();
    lines.extend(recipe.lines().map(|line| ("recipe", line.to_owned())));
    laid_out(&lines)
}

/// Labels in a column, each only before the first of its lines; what says nothing is left out.
fn laid_out(lines: &[(&str, String)]) -> String {
    let mut text = String::new();
    let mut last = "";
    for (label, value) in lines.iter().filter(|(_, value)| !value.is_empty()) {
        let shown = if *label == last { "" } else { label };
        text.push_str(&format!("{shown:<11} {value}\n"));
        last = label;
    }
    text
}

fn file(model: &Model) -> String {
    model.path().map_or_else(|| "none, it comes with Impasto".to_owned(), |path| path.display().to_string())
}

/// The kind of network and its configuration: `johnson (form: lengstrom)`.
fn kind(metadata: &Metadata) -> String {
    let kind = metadata.generator.kind();
    let written = serde_json::to_value(&metadata.generator).unwrap_or_default();
    let settings = written.get("config").and_then(|config| config.as_object());
    let spelled = |(name, value): (&String, &serde_json::Value)| {
        format!("{name}: {}", value.as_str().map_or_else(|| value.to_string(), str::to_owned))
    };
    let settings: Vec<String> =
        settings.map(|settings| settings.iter().map(spelled).collect()).unwrap_or_default();
    if settings.is_empty() { kind.to_owned() } else { format!("{kind} ({})", settings.join(", ")) }
}

fn parameters(count: usize) -> String {
    let mebibytes = (count * size_of::<f32>()) as f64 / 1_048_576.0;
    format!("{count} ({mebibytes:.1} MiB as f32)")
}

/// Which frames it paints, and what they need.
fn sizes(model: &Model) -> String {
    let mebibytes = model.metadata().generator.peak_bytes_per_pixel() * 1280 * 720 / 1_048_576;
    let larger = if model.needs_whole_picture() {
        "it needs the whole picture at once, so a frame too large for the memory is refused"
    } else {
        "a frame too large for the memory is painted in tiles"
    };
    format!("16x16 to 7680x4320; about {mebibytes} MiB at 1280x720; {larger}")
}

/// What `--style` takes.
fn styles(model: &Model) -> String {
    if !model.has_style_codes() {
        return String::new();
    }
    let names = model.style_names().join(", ");
    if model.metadata().generator.has_encoder() { format!("{names}; and of any picture") } else { names }
}

/// One thing that a model was made from: `title, from where (licence)`.
fn origin(source: &Source) -> String {
    let mut text = source.name.clone();
    if !source.origin.is_empty() {
        text.push_str(&format!(", {}", source.origin));
    }
    if !source.licence.is_empty() {
        text.push_str(&format!(" (licence: {})", source.licence));
    }
    text
}

fn import_weights(arguments: &ImportArguments) -> Result<()> {
    let name = match &arguments.name {
        Some(name) => name.clone(),
        None => file_stem(&arguments.weights)?,
    };
    if name.is_empty() || name.starts_with('.') || name.contains(['/', '\\']) {
        bail!("'{name}' is no name for a model: expected one without slashes that does not start with a dot");
    }
    let (path, is_own) = match &arguments.output {
        Some(path) => (path.clone(), false),
        None => (own_folder().join(format!("{name}.safetensors")), true),
    };
    if path.exists() && !arguments.overwrite {
        bail!("{} exists already: remove it, or give --overwrite or another --name", path.display());
    }
    let model = import(&arguments.weights, &name, &arguments.styles)?;
    if is_own {
        let folder = own_folder();
        std::fs::create_dir_all(&folder)
            .with_context(|| format!("cannot make the folder {}", folder.display()))?;
    }
    model.save(&path, arguments.overwrite)?;
    print_line(format_args!(
        "{}: {}, {} parameters",
        path.display(),
        kind(model.metadata()),
        model.parameters()
    ));
    print_line(format_args!(
        "use it with --model {}",
        if is_own { name } else { path.display().to_string() }
    ));
    Ok(())
}

fn export(arguments: &ExportArguments) -> Result<()> {
    let model = Model::open(&arguments.model)?;
    let style =
        arguments.style.as_deref().map(|choice| model.choose_style(choice, Path::new(""))).transpose()?;
    let style = style.flatten();
    let bytes = onnx::encoded(&model, style.as_ref(), arguments.size)?;
    let inputs: Vec<&Path> = model.path().into_iter().collect();
    let output = OutputFile::create(&arguments.onnx, &inputs, arguments.overwrite)?;
    std::fs::write(output.partial(), bytes)
        .with_context(|| format!("cannot write {}", output.partial().display()))?;
    output.finish()?;
    print_line(format_args!("{}: {}", arguments.onnx.display(), kind(model.metadata())));
    Ok(())
}

/// `1280x720`
fn size(text: &str) -> Result<[usize; 2], String> {
    let sides = text.split_once('x').and_then(|(w, h)| Some([w.parse().ok()?, h.parse().ok()?]));
    sides.ok_or_else(|| "expected a size like 1280x720".to_owned())
}

fn file_stem(path: &Path) -> Result<String> {
    let stem = path.file_stem().and_then(|stem| stem.to_str());
    let stem =
        stem.with_context(|| format!("{} has no name to call the model by: give --name", path.display()))?;
    Ok(stem.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_label_stands_once_and_what_is_empty_is_left_out() {
        let lines =
            [("a", "1".to_owned()), ("b", String::new()), ("c", "2".to_owned()), ("c", "3".to_owned())];
        assert_eq!(laid_out(&lines), "a           1\nc           2\n            3\n");
    }
}
