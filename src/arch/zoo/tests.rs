//! Counts are those that Keras, torchvision and timm print; `tests/reference/zoo_*.py` writes them into the fixtures. The numbers
//! a network computes are compared in the engine's tests.
#![allow(clippy::unwrap_used)]

use std::collections::HashSet;

use super::*;
use crate::arch::{Arch, Op, Parameter, Shape};

fn built(architecture: Architecture, wiring: Wiring, top: bool, [height, width, channels]: [usize; 3]) -> Arch {
    let shape = Shape::Map { height, width, channels };
    Arch::new(architecture.name(), shape, &architecture.layers_for(wiring, top)).unwrap()
}

#[test]
fn keras_counts_as_many_parameters() {
    let counts = |architecture: Architecture| {
        [true, false].map(|top| built(architecture, Wiring::Keras, top, architecture.default_input()).parameter_count())
    };
    assert_eq!(counts(Architecture::Vgg16), [138_357_544, 14_714_688]);
    assert_eq!(counts(Architecture::Vgg19), [143_667_240, 20_024_384]);
    assert_eq!(counts(Architecture::Resnet50), [25_636_712, 23_587_712]);
    assert_eq!(counts(Architecture::InceptionV3), [23_851_784, 21_802_784]);
    assert_eq!(counts(Architecture::Xception), [22_910_480, 20_861_480]);
    assert_eq!(counts(Architecture::InceptionResnetV2), [55_873_736, 54_336_736]);
    assert_eq!(counts(Architecture::Mobilenet), [4_253_864, 3_228_864]);
}

#[test]
fn names_are_those_of_configurations() {
    for architecture in Architecture::ALL {
        assert_eq!(Architecture::parse(architecture.name()), Some(architecture));
        let written = serde_json::to_value(architecture).unwrap();
        assert_eq!(written, architecture.name());
    }
}

#[test]
fn every_architecture_takes_its_smallest_images_odd_ones_and_any_channels() {
    for architecture in Architecture::ALL {
        for wiring in [Wiring::Keras, Wiring::Torch] {
            let least = architecture.minimum_side();
            for input in [[least, least, 3], [least + 30, least, 1], [97, 131, 5]] {
                built(architecture, wiring, false, input);
                built(architecture, wiring, true, input);
            }
        }
    }
}

#[test]
fn every_layer_with_parameters_has_a_name_of_its_own_in_every_library_that_has_the_network() {
    for architecture in Architecture::ALL {
        for naming in Naming::ALL {
            let Some(modules) = modules(architecture, naming) else { continue };
            let wiring = naming.wiring(architecture);
            let arch = built(architecture, wiring, true, architecture.default_input());
            let names: Vec<String> = arch
                .layers()
                .iter()
                .flat_map(|layer| layer.parameters.iter().map(move |parameter| (layer, parameter)))
                .map(|(layer, parameter)| parameter_name(naming, &modules[&layer.name], parameter.name).unwrap())
                .collect();
            assert_eq!(names.iter().collect::<HashSet<_>>().len(), names.len(), "{architecture:?} {naming:?}");
            let layers = arch.layers().iter().filter(|layer| !layer.parameters.is_empty()).count();
            assert_eq!(modules.len(), layers, "{architecture:?} {naming:?}");
        }
    }
}

#[test]
fn single_names_are_found_too() {
    let foreign_name = |architecture, naming, layer: &str, parameter| {
        parameter_name(naming, modules(architecture, naming)?.get(layer)?, parameter)
    };
    let name = |naming, layer, parameter| foreign_name(Architecture::Vgg16, naming, layer, parameter);
    assert_eq!(name(Naming::Torchvision, "block1_conv1", "kernel").as_deref(), Some("features.0.weight"));
    assert_eq!(name(Naming::Torchvision, "block5_conv3", "bias").as_deref(), Some("features.28.bias"));
    assert_eq!(name(Naming::Timm, "fc1", "kernel").as_deref(), Some("pre_logits.fc1.weight"));
    assert_eq!(name(Naming::Keras, "block1_conv1", "kernel").as_deref(), Some("block1_conv1/kernel"));
    assert_eq!(name(Naming::EfficientnetPytorch, "block1_conv1", "kernel"), None);
    assert_eq!(name(Naming::Torchvision, "dense", "kernel"), None);
    let xception = foreign_name(Architecture::Xception, Naming::Timm, "block14_sepconv2", "pointwise_kernel");
    assert_eq!(xception.as_deref(), Some("conv4.pointwise.weight"));
}

/// Wirings differ in what is computed, never in what has weights, but for gammas and biases.
#[test]
fn both_wirings_have_the_same_kernels() {
    for architecture in Architecture::ALL {
        let kernels = |wiring| {
            let arch = built(architecture, wiring, true, architecture.default_input());
            let kernel = |parameter: &&Parameter| parameter.name.contains("kernel");
            let of_layer = |layer: &crate::arch::Layer| {
                (layer.name.clone(), layer.parameters.iter().filter(kernel).cloned().collect::<Vec<_>>())
            };
            arch.layers().iter().filter(|layer| layer.op.has_kernel()).map(of_layer).collect::<Vec<_>>()
        };
        assert_eq!(kernels(Wiring::Keras), kernels(Wiring::Torch), "{architecture:?}");
    }
}

#[test]
fn layers_have_keras_names() {
    let has = |architecture: Architecture, names: &[&str]| {
        let arch = built(architecture, Wiring::Keras, true, architecture.default_input());
        for name in names {
            assert!(arch.position(name).is_some(), "{architecture:?} lacks {name}");
        }
    };
    has(Architecture::Vgg16, &["block5_conv1", "block5_pool", "fc2", "predictions"]);
    has(Architecture::Resnet50, &["conv1_pad", "conv5_block3_out", "conv2_block1_0_bn", "avg_pool"]);
    has(Architecture::InceptionV3, &["conv2d_93", "batch_normalization_93", "mixed9_1", "mixed10", "concatenate_1"]);
    has(Architecture::Xception, &["block14_sepconv2_act", "conv2d_3", "add_11"]);
    has(Architecture::InceptionResnetV2, &["conv2d_202", "block17_20_mixed", "conv_7b_ac", "mixed_7a"]);
    has(Architecture::Mobilenet, &["conv_pw_13_relu", "conv_preds"]);
    has(Architecture::EfficientnetLite0, &["block5c_add", "top_activation", "block1a_project_bn"]);
}

#[test]
fn the_last_maps_are_where_grad_cam_is_used_to_look() {
    let last = |architecture: Architecture| {
        let arch = built(architecture, Wiring::Keras, true, architecture.default_input());
        let layer = &arch.layers()[arch.last_feature_map().unwrap()];
        (layer.name.clone(), layer.output)
    };
    let map = |side, channels| Shape::Map { height: side, width: side, channels };
    assert_eq!(last(Architecture::Vgg16), ("block5_conv3".into(), map(14, 512)));
    assert_eq!(last(Architecture::Mobilenet), ("conv_pw_13".into(), map(7, 1024)));
    assert_eq!(last(Architecture::InceptionResnetV2), ("conv_7b".into(), map(8, 1536)));
}

#[test]
fn inception_average_pools_count_zeros_in_torch_only() {
    let pads = |wiring| {
        let layers = Architecture::InceptionV3.layers_for(wiring, false);
        layers.iter().filter(|layer| matches!(layer.op, Op::ZeroPadding2d { .. })).count()
    };
    assert_eq!([pads(Wiring::Keras), pads(Wiring::Torch)], [0, 9]);
}
