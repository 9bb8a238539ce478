//! Against files that PyTorch, safetensors and Keras wrote (`tests/reference/weights.py` makes them), and their truncations.
#![allow(clippy::unwrap_used)]

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};

use super::*;
use crate::{
    arch::{Activation, Arch, LayerSpec, Op, Padding, Shape, Window},
    error::Explain as _,
};

fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/weights").join(name)
}

fn json<T: serde::de::DeserializeOwned>(name: &str) -> T {
    serde_json::from_slice(&fs::read(fixture(name)).unwrap()).unwrap()
}

/// The network of `tests/reference/weights.py`.
pub(super) fn network(channels: usize) -> Arch {
    let window = |size: usize, stride: usize, padding| Window {
        size: [size; 2],
        strides: [stride; 2],
        padding,
        dilation: [1, 1],
    };
    let activation = Activation::Linear;
    let conv = |filters, window, bias| Op::Conv2d { filters, window, groups: 1, bias, activation };
    let norm = |scale| Op::BatchNorm { momentum: 0.99, epsilon: 1e-3, center: true, scale };
    let layers = [
        (Some("stem"), conv(3, window(3, 1, Padding::Same), true), &[][..]),
        (None, norm(true), &[]),
        (Some("relu"), Op::Activation(Activation::Relu), &[]),
        (None, conv(4, window(1, 2, Padding::Valid), false), &["relu"]),
        (
            None,
            Op::SeparableConv2d {
                filters: 4,
                window: window(3, 1, Padding::Same),
                multiplier: 2,
                bias: true,
                activation,
            },
            &["relu"],
        ),
        (None, Op::DepthwiseConv2d { window: window(3, 2, Padding::Same), multiplier: 1, bias: true, activation }, &[]),
        (None, conv(4, window(1, 1, Padding::Valid), true), &[]),
        (None, norm(false), &[]),
        (None, Op::Add, &["batch_normalization_1", "conv2d"]),
        (None, Op::Flatten, &[]),
        (None, Op::Dense { units: 5, bias: true, activation: Activation::Relu }, &[]),
        (None, Op::Dropout { rate: 0.5 }, &[]),
        (None, Op::Dense { units: 2, bias: true, activation: Activation::Softmax }, &[]),
    ];
    let specs = layers.map(|(name, op, inputs)| LayerSpec {
        name: name.map(str::to_owned),
        op,
        inputs: inputs.iter().map(|&input| input.to_owned()).collect(),
    });
    Arch::new("small", Shape::Map { height: 6, width: 6, channels }, &specs).unwrap()
}

#[test]
fn every_file_of_torch_holds_what_torch_says() {
    type Described = Vec<(String, String, Vec<usize>, Vec<f32>)>;
    let described: Described = json("torch.json");
    for (name, format) in [
        ("flat.pth", Format::TorchZip),
        ("nested.pth", Format::TorchZip),
        ("flat_legacy.pth", Format::TorchLegacy),
        ("nested_legacy.pth", Format::TorchLegacy),
        ("flat.safetensors", Format::Safetensors),
    ] {
        let file = WeightsFile::open(&fixture(name)).unwrap();
        assert_eq!(file.format(), format);
        assert_eq!(file.tensors().len(), described.len(), "{name}");
        for (wanted, dtype, shape, values) in &described {
            let position = file.tensors().iter().position(|tensor| tensor.name == *wanted).unwrap();
            let tensor = &file.tensors()[position];
            assert_eq!((tensor.dtype.name(), &tensor.shape), (dtype.as_str(), shape), "{name}: {wanted}");
            assert_eq!(&file.read(position).unwrap(), values, "{name}: {wanted}");
        }
    }
    let file = WeightsFile::open(&fixture("flat.safetensors")).unwrap();
    assert_eq!(file.attributes()["format"], "pt");
}

#[test]
fn every_generation_of_keras_files_gives_the_same_network() {
    type Described = BTreeMap<String, BTreeMap<String, (Vec<usize>, Vec<f32>)>>;
    let described: Described = json("keras.json");
    let arch = network(2);
    for (name, keras) in [
        ("keras3.weights.h5", "keras3"),
        ("keras3.keras", "keras3"),
        ("keras3_model.h5", "keras3"),
        ("keras3_second.h5", "keras3"),
        ("keras2_weights.h5", "keras2"),
        ("keras2_model.h5", "keras2"),
        ("keras1.h5", "keras3"),
        ("nested.h5", "keras3"),
    ] {
        let wanted = Wanted::whole(&arch, None);
        let loaded = Pretrained::open(&fixture(name), &wanted).unwrap_or_else(|error| panic!("{name}: {error}"));
        assert_eq!(loaded.fit().convention, Convention::Keras);
        let mut count = 0;
        for values in loaded.values(&arch) {
            let Values { layer, parameter, numbers } = values.unwrap();
            let layer = &arch.layers()[layer];
            let parameter = &layer.parameters[parameter];
            let (shape, expected) = &described[keras][&format!("{}/{}", layer.name, parameter.name)];
            assert_eq!((&parameter.shape, &numbers), (shape, expected), "{name}: {}/{}", layer.name, parameter.name);
            count += 1;
        }
        assert_eq!(count, described[keras].len(), "{name}");
        let rest: &[&str] = if name == "nested.h5" { &["dense_9/dense_9/kernel:0"] } else { &[] };
        assert_eq!(loaded.fit().unexpected, rest, "{name}");
    }
}

#[test]
fn keras_files_say_what_they_were() {
    let file = |name: &str| WeightsFile::open(&fixture(name)).unwrap();
    assert_eq!(file("keras3.keras").attributes()["keras_version"], "3.15.1");
    assert_eq!(file("keras1.h5").attributes()["keras_version"], "1.2.2");
    for name in ["keras3.keras", "keras3_model.h5", "keras2_model.h5"] {
        assert!(file(name).attributes()["model_config"].contains("SeparableConv2D"), "{name}");
    }
    let formats = ["keras3.weights.h5", "keras3.keras", "keras1.h5"].map(|name| file(name).format());
    assert_eq!(formats, [Format::KerasWeights, Format::KerasArchive, Format::KerasH5]);
    let half = file("nested.h5");
    let position = half.tensors().iter().position(|tensor| tensor.dtype == Dtype::Float16).unwrap();
    assert_eq!(half.read(position).unwrap(), [0.0; 6]);
}

#[test]
fn the_order_of_layers_is_that_of_keras() {
    use crate::arch::zoo::{Architecture, Wiring};
    let orders: BTreeMap<String, Vec<String>> = json("order.json");
    for (architecture, keras) in [
        (Architecture::Resnet50, "ResNet50"),
        (Architecture::InceptionV3, "InceptionV3"),
        (Architecture::Xception, "Xception"),
        (Architecture::InceptionResnetV2, "InceptionResNetV2"),
    ] {
        let arch = architecture.network(Wiring::Keras, true, architecture.default_input(), None).unwrap();
        let order = keras_names::order(&arch).into_iter().map(|index| &arch.layers()[index]);
        let names: Vec<&str> = order.filter(|layer| !layer.parameters.is_empty()).map(|layer| &*layer.name).collect();
        assert_eq!(names, orders[keras], "{keras}");
    }
}

#[test]
fn what_is_no_file_of_weights_is_refused_with_a_reason() {
    let folder = tempfile::tempdir().unwrap();
    let refused = |name: &str, content: &[u8]| {
        let path = folder.path().join(name);
        fs::write(&path, content).unwrap();
        let error = WeightsFile::open(&path).unwrap_err();
        assert!(error.hint().is_some());
        error.to_string().replace(&path.display().to_string(), "FILE")
    };
    assert_eq!(refused("a", b""), "FILE: is not a file of weights (it is empty)");
    assert_eq!(refused("b", b"hello, this is a text"), "FILE: is not a file of weights (it begins like none of them)");
    let page = refused("c", b"<!DOCTYPE html><html>");
    assert_eq!(page, "FILE: is not a file of weights (it is a web page)");
    let pointer = refused("d", b"version https://git-lfs.github.com/spec/v1\noid sha256:0");
    assert!(pointer.contains("Git LFS pointer"), "{pointer}");
    let picture = refused("e", &fs::read(fixture("../data/jpeg/420.jpg")).unwrap());
    assert!(picture.contains("begins like none of them"), "{picture}");
    let hdf5 = WeightsFile::open(&fixture("alien.h5")).unwrap_err().to_string();
    assert!(hdf5.contains("HDF5, but not as Keras writes it"), "{hdf5}");
    let module = WeightsFile::open(&fixture("module.pth")).unwrap_err().to_string();
    assert!(module.contains("torch.nn.modules.linear.Linear, not a state dict"), "{module}");
    let missing = WeightsFile::open(&folder.path().join("nowhere")).unwrap_err();
    assert_eq!(missing.class(), crate::error::Class::User);
}

/// A file cut anywhere is an error, or, where only padding was lost, still the whole; never a panic or other numbers.
#[test]
fn a_file_cut_off_anywhere_is_refused() {
    let whole = |name: &str| fs::read(fixture(name)).unwrap();
    let zip = whole("flat.pth");
    let legacy = whole("nested_legacy.pth");
    let safe = whole("flat.safetensors");
    assert!((0..zip.len()).all(|length| torch::read_zip(&zip[..length]).is_err()));
    assert!((0..legacy.len()).all(|length| torch::read_legacy(&legacy[..length]).is_err()));
    assert!((0..safe.len()).all(|length| safetensors::read(&safe[..length]).is_err()));
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("cut");
    for name in ["keras1.h5", "keras3.weights.h5", "keras3.keras", "nested.h5"] {
        let whole = whole(name);
        let read = |path: &Path| {
            let file = WeightsFile::open(path)?;
            (0..file.tensors().len()).map(|position| file.read(position)).collect::<Result<Vec<_>, _>>()
        };
        let right = read(&fixture(name)).unwrap();
        for length in (0..whole.len()).step_by(701) {
            fs::write(&path, &whole[..length]).unwrap();
            if let Ok(found) = read(&path) {
                assert!(found == right, "{name} cut at {length} gave other numbers");
            }
        }
    }
}

/// Every byte changed in turn: an error or some numbers, never a panic.
#[test]
fn a_damaged_file_never_panics() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("damaged");
    for (name, step) in
        [("flat.pth", 3), ("flat_legacy.pth", 1), ("flat.safetensors", 1), ("keras1.h5", 397), ("keras3.keras", 809)]
    {
        let whole = fs::read(fixture(name)).unwrap();
        for at in (0..whole.len()).step_by(step) {
            let mut damaged = whole.clone();
            damaged[at] ^= 0x41;
            fs::write(&path, &damaged).unwrap();
            if let Ok(file) = WeightsFile::open(&path) {
                for position in 0..file.tensors().len() {
                    let _ = file.read(position);
                }
            }
        }
    }
}
