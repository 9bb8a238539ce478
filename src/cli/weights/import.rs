//! `frostline weights import`: a published network's weights from any file that is read, kept in Frostline's folder under Frostline's
//! names and layouts, with a record of where they came from.

use std::path::PathBuf;

use clap::Args;

use super::Place;
use crate::{
    arch::{Arch, zoo::Architecture},
    cli::{
        Exit,
        download::sha256,
        output::Output,
        table::{several, size},
    },
    error::{Error, Result},
    run::checkpoint::{self, DType, TensorData},
    weights::{Identity, Pretrained, Provenance, Record, Values, Wanted, WeightsError, WeightsFile},
};

#[derive(Args, Debug)]
pub struct ImportArgs {
    /// A file of safetensors, PyTorch or Keras
    file: PathBuf,
    /// Name in the folder; the network's own, by which `weights = "imagenet"` finds it, if left out
    #[arg(long = "as", value_name = "NAME")]
    name: Option<String>,
    #[command(flatten)]
    place: Place,
}

pub fn run(args: &ImportArgs, out: &mut Output) -> Result<Exit> {
    let file = WeightsFile::open(&args.file)?;
    let identity = Identity::of(&file).ok_or_else(|| WeightsError::Unknown { path: args.file.clone() })?;
    let shelf = args.place.shelf();
    let name = args.name.as_deref().unwrap_or(identity.architecture.name());
    if name.is_empty() || name.contains(['/', '\\']) || name.starts_with('.') {
        return Err(Error::user(format!("--as {name}: is no name for a file"), "use letters, digits, - and _"));
    }
    let target = shelf.own(name);
    if target.exists() {
        let text = format!("{}: is there already", target.display());
        return Err(Error::user(text, "nothing is overwritten: remove it first, or give another name with --as"));
    }
    let input = identity.architecture.default_input();
    let arch = identity.architecture.network(identity.wiring, identity.top, input, None)?;
    let wanted = Wanted::whole(&arch, Some((identity.architecture, identity.wiring)));
    let pretrained = Pretrained::of(file, &wanted)?;
    let tensors = own_tensors(&pretrained, &arch)?;
    let unreadable = |error| Error::environment(format!("{}: cannot be read: {error}", args.file.display()), None);
    let source = args.file.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let record = Record { weights: provenance(&identity, source, sha256(&args.file).map_err(unreadable)?) };
    std::fs::create_dir_all(shelf.folder())
        .map_err(|error| Error::environment(format!("{}: cannot be made: {error}", shelf.folder().display()), None))?;
    let bytes = checkpoint::write(&target, &tensors, &record)?;
    out.line(&format!("{}: {}, {}", target.display(), several(tensors.len(), "tensor"), size(bytes)))?;
    out.line(&next(identity.architecture, name, &target, &record.weights))?;
    Ok(Exit::DONE)
}

/// All numbers under Frostline's names and in its layouts.
pub(in crate::cli) fn own_tensors(pretrained: &Pretrained, arch: &Arch) -> Result<Vec<(String, TensorData)>> {
    let own = |values: Values| {
        let layer = &arch.layers()[values.layer];
        let parameter = &layer.parameters[values.parameter];
        let bytes = values.numbers.iter().flat_map(|number| number.to_le_bytes()).collect();
        let data = TensorData { shape: parameter.shape.clone(), dtype: DType::F32, bytes };
        (format!("{}/{}", layer.name, parameter.name), data)
    };
    pretrained.values(arch).map(|values| Ok(own(values?))).collect()
}

fn provenance(identity: &Identity, source: String, sha256: String) -> Provenance {
    Provenance {
        architecture: identity.architecture,
        wiring: identity.wiring,
        top: identity.top,
        naming: identity.naming.name().to_owned(),
        preprocessing: identity.preprocessing.clone(),
        source,
        sha256,
    }
}

/// The lines of a configuration that take these weights.
fn next(architecture: Architecture, name: &str, target: &std::path::Path, from: &Provenance) -> String {
    let weights = if name == architecture.name() { "imagenet".to_owned() } else { target.display().to_string() };
    format!(
        "in a configuration: preprocessing = {} in [model]; architecture = \"{}\", weights = \"{weights}\", \
         wiring = \"{}\" in [model.base]",
        from.preprocessing.to_toml(),
        architecture.name(),
        from.wiring.name(),
    )
}
