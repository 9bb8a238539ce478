//! Names of several libraries on small networks and on the zoo's.
#![allow(clippy::unwrap_used)]

use super::*;
use crate::{
    arch::{Activation, LayerSpec, Op, Shape, zoo},
    weights::{Dtype, KerasWeight, tests::network},
};

fn tensor(name: impl Into<String>, shape: &[usize]) -> Tensor {
    Tensor { name: name.into(), shape: shape.to_vec(), dtype: Dtype::Float32, keras: None }
}

fn vgg16(top: bool, channels: usize) -> Arch {
    Architecture::Vgg16.network(Wiring::Keras, top, [224, 224, channels], None).unwrap()
}

/// As the library has the whole network, by the zoo's tables, which the engine compares with the libraries themselves.
fn file(architecture: Architecture, naming: Naming) -> Vec<Tensor> {
    let wiring = naming.wiring(architecture);
    let [height, width, channels] = architecture.default_input();
    let shape = Shape::Map { height, width, channels };
    let arch = Arch::new("file", shape, &architecture.layers_for(wiring, true)).unwrap();
    let modules = zoo::modules(architecture, naming).unwrap();
    let mut tensors = Vec::new();
    for layer in arch.layers() {
        for (position, parameter) in layer.parameters.iter().enumerate() {
            let name = zoo::parameter_name(naming, &modules[&layer.name], parameter.name).unwrap();
            let mut tensor = tensor(name, &parameter.shape);
            if naming == Naming::Keras {
                tensor.shape = keras_shape(&layer.op, &parameter.shape, parameter.name);
                tensor.keras = Some(KerasWeight { layer: layer.name.clone(), position });
            } else if parameter.name == "moving_variance" {
                tensors.push(self::tensor(format!("{}.num_batches_tracked", modules[&layer.name]), &[]));
            }
            tensors.push(tensor);
        }
    }
    tensors
}

fn keras_shape(op: &Op, ours: &[usize], name: &str) -> Vec<usize> {
    match (op, ours, name) {
        (Op::Dense { .. }, &[out, input], _) => vec![input, out],
        (Op::DepthwiseConv2d { .. }, &[out, _, height, width], _)
        | (_, &[out, _, height, width], "depthwise_kernel") => {
            vec![height, width, out, 1]
        }
        (_, &[out, input, height, width], _) => vec![height, width, input, out],
        _ => ours.to_vec(),
    }
}

#[test]
fn each_library_is_known_by_its_names_with_and_without_the_top() {
    for architecture in Architecture::ALL {
        for naming in Naming::ALL {
            if zoo::modules(architecture, naming).is_none() {
                continue;
            }
            let tensors = file(architecture, naming);
            let wiring = naming.wiring(architecture);
            for top in [true, false] {
                let shape = Shape::Map { height: 299, width: 299, channels: 3 };
                let sides = if top { architecture.default_input()[0] } else { 299 };
                let shape = if top { Shape::Map { height: sides, width: sides, channels: 3 } } else { shape };
                let arch = Arch::new("x", shape, &architecture.layers_for(wiring, top)).unwrap();
                let wanted = Wanted::whole(&arch, Some((architecture, wiring)));
                let fit = Fit::among(&tensors, &wanted);
                let what = format!("{architecture:?} {naming:?} {top}: {}", fit.complaint());
                assert!(fit.is_whole(), "{what}");
                assert_eq!(fit.unexpected, [""; 0], "{what}");
                assert_eq!(fit.unused.is_empty(), top, "{what}");
                let known = fit.convention.naming().unwrap();
                // Some libraries share names: what follows from them must then be the same.
                assert_eq!(known.wiring(architecture), wiring, "{what}");
                assert_eq!(
                    zoo::expected_preprocessing(architecture, known, wiring),
                    zoo::expected_preprocessing(architecture, naming, wiring),
                    "{what}"
                );
            }
        }
    }
}

#[test]
fn columns_behind_the_flattened_map_of_torch_are_turned_and_those_of_keras_are_not() {
    let arch = vgg16(true, 3);
    let wanted = Wanted::whole(&arch, Some((Architecture::Vgg16, Wiring::Keras)));
    let fc1 = arch.position("fc1").unwrap();
    let layout = |naming| {
        let fit = Fit::among(&file(Architecture::Vgg16, naming), &wanted);
        let of = |layer: &str| {
            let layer = arch.position(layer).unwrap();
            fit.matches.iter().find(|found| found.layer == layer && found.parameter == 0).unwrap().layout
        };
        [of("fc1"), of("fc2")]
    };
    assert_eq!(arch.layers()[fc1].parameters[0].shape, [4096, 25088]);
    assert_eq!(
        layout(Naming::Torchvision),
        [Layout::ChannelsFirst { height: 7, width: 7, channels: 512 }, Layout::Same]
    );
    assert_eq!(layout(Naming::Keras), [Layout::Transposed; 2]);
}

#[test]
fn missing_misshapen_and_unexpected_tensors_are_named() {
    let arch = network(2);
    let mut tensors: Vec<Tensor> = arch
        .layers()
        .iter()
        .flat_map(|layer| {
            layer
                .parameters
                .iter()
                .map(|parameter| tensor(format!("{}/{}", layer.name, parameter.name), &parameter.shape))
        })
        .collect();
    let wanted = Wanted::whole(&arch, None);
    let whole = Fit::among(&tensors, &wanted);
    assert!(whole.is_whole() && whole.unexpected.is_empty());
    assert_eq!((whole.convention, whole.found()), (Convention::Frostline, tensors.len()));
    tensors.retain(|tensor| tensor.name != "dense/bias");
    tensors.iter_mut().find(|tensor| tensor.name == "dense_1/kernel").unwrap().shape = vec![3, 5];
    tensors.push(tensor("dense_7/kernel", &[1]));
    tensors.push(tensor("optimizer/dense/bias/step", &[]));
    let fit = Fit::among(&tensors, &wanted);
    assert_eq!(fit.missing, ["dense/bias"]);
    assert_eq!(fit.misshapen[0].to_string(), "dense_1/kernel is [2, 5] here, and dense_1/kernel is [3, 5]");
    assert_eq!(fit.unexpected, ["dense_7/kernel"]);
    assert_eq!(
        fit.complaint(),
        "it lacks dense/bias; of another shape: dense_1/kernel is [2, 5] here, and dense_1/kernel is [3, 5]"
    );
}

#[test]
fn another_number_of_channels_is_told_as_such() {
    for naming in [Naming::Keras, Naming::Torchvision] {
        let arch = vgg16(false, 1);
        let wanted = Wanted::whole(&arch, Some((Architecture::Vgg16, Wiring::Keras)));
        let fit = Fit::among(&file(Architecture::Vgg16, naming), &wanted);
        assert!(!fit.is_whole());
        assert_eq!(fit.complaint(), "its first layer takes 3 channels, and the images here have 1", "{naming:?}");
    }
}

#[test]
fn what_wrappers_put_before_all_names_is_passed_over() {
    let mut tensors = file(Architecture::Vgg16, Naming::Torchvision);
    for tensor in &mut tensors {
        tensor.name = format!("module._orig_mod.{}", tensor.name);
    }
    let arch = vgg16(true, 3);
    assert!(Fit::among(&tensors, &Wanted::whole(&arch, Some((Architecture::Vgg16, Wiring::Keras)))).is_whole());
}

#[test]
fn only_the_base_of_a_network_is_filled() {
    let mut layers = Architecture::Vgg16.layers_for(Wiring::Keras, false);
    let base = layers.len();
    let unnamed = |op| LayerSpec { name: None, op, inputs: Vec::new() };
    layers.push(unnamed(Op::Flatten));
    layers.push(unnamed(Op::Dense { units: 1, bias: true, activation: Activation::Sigmoid }));
    let arch = Arch::new("x", Shape::Map { height: 150, width: 150, channels: 3 }, &layers).unwrap();
    let wanted = Wanted { arch: &arch, layers: 0..base, architecture: Some((Architecture::Vgg16, Wiring::Keras)) };
    let fit = Fit::among(&file(Architecture::Vgg16, Naming::Keras), &wanted);
    assert!(fit.is_whole());
    assert_eq!((fit.found(), fit.unused.len()), (26, 6));
}
