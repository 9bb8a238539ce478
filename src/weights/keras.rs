//! Keras's files: HDF5 of `save_weights` and of whole models (Keras 1 and 2, and 3's `.h5`), whose attributes list layers and weights
//! in order; Keras 3's `.weights.h5`, whose groups do; and `.keras`, a zip archive around the latter.

use std::collections::BTreeMap;
use std::path::Path;

use hdf5_pure::{AttrValue, DType, Dataset, Datatype, File, Group};

use super::{
    archive::Archive,
    dtype::Dtype,
    error::{Fault, Read},
    file::{Contents, Format, KerasWeight, Place, Tensor},
};

/// Nested models in nested models are rare; groups that contain themselves are not Keras's.
const DEEPEST: usize = 16;
/// The largest networks of Keras's have some thousand. A few groups that are linked from many places can seem to be endlessly many.
const MOST_GROUPS: usize = 20_000;

pub(super) fn is_hdf5(bytes: &[u8]) -> bool {
    bytes.starts_with(b"\x89HDF\r\n\x1a\n")
}

pub(super) fn read_hdf5(path: &Path) -> Read<(Format, File, Contents)> {
    let file = File::open_streaming(path).map_err(damaged)?;
    let (format, contents) = survey(&file)?;
    Ok((format, file, contents))
}

/// `None` if the archive is no `.keras`.
pub(super) fn read_archive(bytes: &[u8]) -> Read<Option<(File, Contents)>> {
    let mut archive = Archive::open(bytes)?;
    let Some(weights) = archive.unpacked("model.weights.h5")? else { return Ok(None) };
    let file = File::from_bytes(weights).map_err(damaged)?;
    let (_, mut contents) = survey(&file)?;
    if let Some(config) = archive.unpacked("config.json")? {
        contents.attributes.insert("model_config".into(), String::from_utf8_lossy(&config).into_owned());
    }
    let metadata = archive.unpacked("metadata.json")?.and_then(|text| serde_json::from_slice::<Metadata>(&text).ok());
    if let Some(version) = metadata.and_then(|metadata| metadata.keras_version) {
        contents.attributes.insert("keras_version".into(), version);
    }
    Ok(Some((file, contents)))
}

#[derive(serde::Deserialize)]
struct Metadata {
    keras_version: Option<String>,
}

/// The numbers of a dataset, row-major.
pub(super) fn numbers(file: &File, path: &str, dtype: Dtype) -> Read<Vec<f32>> {
    let dataset = file.dataset(path).map_err(damaged)?;
    // The library has no half-precision floats of its own.
    if dtype == Dtype::Float16 { dataset.read_raw().map(|bytes| dtype.to_f32(&bytes)) } else { dataset.read_f32() }
        .map_err(damaged)
}

fn survey(file: &File) -> Read<(Format, Contents)> {
    let root = file.root();
    let mut attributes = texts(&root)?;
    let mut tensors = Vec::new();
    // A long list is split: `layer_names0`, `layer_names1`, …
    let is_top = ["layer_names", "layer_names0"].iter().any(|&name| attributes.contains_key(name));
    let top = if is_top { Some(root) } else { file.group("model_weights").ok() };
    if let Some(top) = top {
        let prefix = if is_top { "" } else { "model_weights/" };
        let found = texts(&top)?;
        listed(&top, prefix, &mut tensors)?;
        attributes.extend(found.into_iter().filter(|(name, _)| !name.starts_with("layer_names")));
        attributes.retain(|name, _| !name.starts_with("layer_names"));
        return Ok((Format::KerasH5, Contents { tensors, attributes }));
    }
    let mut groups_left = MOST_GROUPS;
    counted(&file.root(), "", DEEPEST, &mut groups_left, &mut tensors)?;
    if tensors.is_empty() {
        return Err(Fault::Foreign("it is HDF5, but not as Keras writes it".into()));
    }
    Ok((Format::KerasWeights, Contents { tensors, attributes }))
}

/// As Keras 1 and 2 do: the layers by the attribute `layer_names`, the weights of each by its `weight_names`.
fn listed(top: &Group, prefix: &str, tensors: &mut Vec<(Tensor, Place)>) -> Read<()> {
    for layer in names(top, "layer_names")? {
        let group = top.group(&layer).map_err(damaged)?;
        let weights = names(&group, "weight_names")?;
        // A model inside of a model is one layer with the weights of many, which are told apart by what stands before the slash.
        let owner = |weight: &String| weight.rsplit_once('/').map(|(owner, _)| owner.to_owned());
        let nested = weights.iter().any(|weight| owner(weight) != weights.first().and_then(owner));
        let mut positions: BTreeMap<String, usize> = BTreeMap::new();
        for weight in weights {
            let inner = if nested { owner(&weight) } else { None };
            let name = inner.map_or_else(|| layer.clone(), |inner| format!("{layer}/{inner}"));
            let position = positions.entry(name.clone()).or_insert(0);
            let keras = KerasWeight { layer: name, position: *position };
            *position += 1;
            let dataset = group.dataset(&weight).map_err(damaged)?;
            let path = format!("{prefix}{layer}/{weight}");
            tensors.extend(tensor(path, &dataset, Some(keras))?);
        }
    }
    Ok(())
}

/// As Keras 3 does: `layers/conv2d_3/vars/0`, where the number counts the layers of a class.
fn counted(
    group: &Group,
    path: &str,
    depth: usize,
    groups_left: &mut usize,
    tensors: &mut Vec<(Tensor, Place)>,
) -> Read<()> {
    if depth == 0 {
        return Err(Fault::damaged("its groups are nested too deep"));
    }
    let mut groups = group.groups().map_err(damaged)?;
    groups.sort_by_key(|name| natural(name));
    for name in groups {
        // What the optimiser keeps is no weight.
        if path.is_empty() && name == "optimizer" {
            continue;
        }
        *groups_left = groups_left.checked_sub(1).ok_or_else(|| Fault::damaged("it has too many groups"))?;
        let inner = group.group(&name).map_err(damaged)?;
        if name == "vars" {
            variables(&inner, path, tensors)?;
        } else {
            let below = if path.is_empty() { name } else { format!("{path}/{name}") };
            counted(&inner, &below, depth - 1, groups_left, tensors)?;
        }
    }
    Ok(())
}

fn variables(group: &Group, path: &str, tensors: &mut Vec<(Tensor, Place)>) -> Read<()> {
    let mut found: Vec<(usize, String)> =
        group.datasets().map_err(damaged)?.into_iter().filter_map(|name| Some((name.parse().ok()?, name))).collect();
    found.sort();
    let layers = path.split('/').filter(|part| !matches!(*part, "layers" | "_layer_checkpoint_dependencies"));
    let layer = layers.collect::<Vec<_>>().join("/");
    for (position, name) in found {
        let dataset = group.dataset(&name).map_err(damaged)?;
        let path = if path.is_empty() { format!("vars/{name}") } else { format!("{path}/vars/{name}") };
        tensors.extend(tensor(path, &dataset, Some(KerasWeight { layer: layer.clone(), position }))?);
    }
    Ok(())
}

/// `None` for what holds no numbers.
fn tensor(path: String, dataset: &Dataset, keras: Option<KerasWeight>) -> Read<Option<(Tensor, Place)>> {
    let Some(dtype) = dtype(&dataset.dtype().map_err(damaged)?) else { return Ok(None) };
    let sides = dataset.shape().map_err(damaged)?;
    let shape: Option<Vec<usize>> = sides.iter().map(|&side| usize::try_from(side).ok()).collect();
    let fits =
        |shape: &Vec<usize>| shape.iter().try_fold(1_usize, |product, &side| product.checked_mul(side)).is_some();
    let shape = shape.filter(fits).ok_or_else(|| Fault::damaged(format!("\"{path}\" has the shape {sides:?}")))?;
    Ok(Some((Tensor { name: path.clone(), shape, dtype, keras }, Place::Dataset(path))))
}

fn dtype(stored: &DType) -> Option<Dtype> {
    Some(match stored {
        DType::F64 => Dtype::Float64,
        DType::F32 => Dtype::Float32,
        DType::I64 => Dtype::Int64,
        DType::I32 => Dtype::Int32,
        DType::I16 => Dtype::Int16,
        DType::I8 => Dtype::Int8,
        DType::U8 => Dtype::Uint8,
        DType::Other(datatype) => match **datatype {
            Datatype::FloatingPoint { size: 2, .. } => Dtype::Float16,
            _ => return None,
        },
        _ => return None,
    })
}

/// A list of names, which Keras breaks into `name0`, `name1` and so on where it is longer than an attribute may be.
fn names(group: &Group, attribute: &str) -> Read<Vec<String>> {
    let attributes = group.attrs().map_err(damaged)?;
    // Keras 2 writes a list of no names as a list of no numbers.
    let list = |value: &AttrValue| value.as_strings().map(<[String]>::to_vec).unwrap_or_default();
    if let Some(value) = attributes.get(attribute) {
        return Ok(list(value));
    }
    Ok((0..).map_while(|part| attributes.get(&format!("{attribute}{part}")).map(list)).flatten().collect())
}

/// Attributes that are one text.
fn texts(group: &Group) -> Read<BTreeMap<String, String>> {
    let attributes = group.attrs().map_err(damaged)?;
    let text = |value: &AttrValue| value.as_str().map_or_else(String::new, str::to_owned);
    Ok(attributes.iter().map(|(name, value)| (name.clone(), text(value))).collect())
}

/// `conv2d_10` behind `conv2d_9`.
fn natural(name: &str) -> (String, usize) {
    let (stem, number) = super::keras_names::stem(name);
    (stem.to_owned(), number)
}

fn damaged(error: impl std::fmt::Display) -> Fault {
    Fault::Damaged(format!("its HDF5: {error}"))
}
