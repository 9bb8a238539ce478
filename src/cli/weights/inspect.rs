//! `frostline weights inspect`: what a file of weights holds, from its table of contents alone.

use std::{fmt::Write as _, path::PathBuf};

use clap::Args;

use crate::{
    cli::{Exit, output::Output, table},
    error::Result,
    text::figures,
    weights::{Identity, Provenance, WeightsFile},
};

#[derive(Args, Debug)]
pub struct InspectArgs {
    /// A file of safetensors, PyTorch or Keras
    file: PathBuf,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

#[derive(serde::Serialize)]
struct Description<'a> {
    file: &'a std::path::Path,
    format: String,
    network: Option<Network>,
    provenance: Option<Provenance>,
    tensors: Vec<Described<'a>>,
}

#[derive(serde::Serialize)]
struct Network {
    architecture: &'static str,
    top: bool,
    naming: &'static str,
    wiring: &'static str,
    preprocessing: String,
}

#[derive(serde::Serialize)]
struct Described<'a> {
    name: &'a str,
    shape: &'a [usize],
    dtype: &'static str,
}

pub fn run(args: &InspectArgs, out: &mut Output) -> Result<Exit> {
    let file = WeightsFile::open(&args.file)?;
    let description = Description {
        file: &args.file,
        format: file.format().to_string(),
        network: Identity::of(&file).map(|identity| Network {
            architecture: identity.architecture.name(),
            top: identity.top,
            naming: identity.naming.name(),
            wiring: identity.wiring.name(),
            preprocessing: identity.preprocessing.to_toml(),
        }),
        provenance: Provenance::of(&file),
        tensors: file
            .tensors()
            .iter()
            .map(|tensor| Described { name: &tensor.name, shape: &tensor.shape, dtype: tensor.dtype.name() })
            .collect(),
    };
    if args.json {
        out.json(&description)?;
    } else {
        out.line(&text(&description, &file))?;
    }
    Ok(Exit::DONE)
}

fn text(description: &Description<'_>, file: &WeightsFile) -> String {
    let numbers: usize = file.tensors().iter().map(crate::weights::Tensor::count).sum();
    let mut text = format!(
        "{}: {}, {}, {} numbers\n",
        description.file.display(),
        description.format,
        table::several(description.tensors.len(), "tensor"),
        figures::count(numbers as u64),
    );
    match &description.network {
        Some(Network { architecture, top, naming, wiring, preprocessing }) => {
            let top = if *top { "with" } else { "without" };
            let _ = writeln!(
                text,
                "network: {architecture}, {top} its classifier, in the names of {naming}; wiring = \"{wiring}\", \
                 preprocessing = {preprocessing}"
            );
        }
        None => text.push_str("network: none of those that `frostline models` lists\n"),
    }
    if let Some(Provenance { source, sha256, .. }) = &description.provenance {
        let _ = writeln!(text, "imported from {source} (SHA-256 {sha256})");
    }
    for (key, value) in file.attributes().iter().filter(|(key, value)| value.len() < 60 && *key != "frostline") {
        let _ = writeln!(text, "{key}: {value}");
    }
    let mut rows = vec![["NAME", "SHAPE", "NUMBERS"].map(str::to_owned).to_vec()];
    rows.extend(description.tensors.iter().map(|tensor| {
        let shape = tensor.shape.iter().map(ToString::to_string).collect::<Vec<_>>().join("x");
        vec![tensor.name.to_owned(), if shape.is_empty() { "-".into() } else { shape }, tensor.dtype.to_owned()]
    }));
    text.push('\n');
    text + &table::table(&rows)
}
