//! The figures are the book's (*Deep Learning with Python*, listings 5.1 and 5.5), Keras's or arithmetic done by hand.
#![allow(clippy::unwrap_used)]

use super::*;

fn conv(filters: usize) -> LayerSpec {
    conv_with(filters, window(3))
}

fn conv_with(filters: usize, window: Window) -> LayerSpec {
    layer(Op::Conv2d { filters, window, groups: 1, bias: true, activation: Activation::Relu })
}

fn pool() -> LayerSpec {
    layer(Op::MaxPool2d { window: Window { strides: [2, 2], ..window(2) } })
}

fn dense(units: usize) -> LayerSpec {
    layer(Op::Dense { units, bias: true, activation: Activation::Relu })
}

fn window(size: usize) -> Window {
    Window { size: [size; 2], strides: [1, 1], padding: Padding::Valid, dilation: [1, 1] }
}

fn layer(op: Op) -> LayerSpec {
    LayerSpec { name: None, op, inputs: Vec::new() }
}

fn named(name: &str, inputs: &[&str], op: Op) -> LayerSpec {
    LayerSpec { name: Some(name.into()), op, inputs: inputs.iter().map(|&input| input.to_owned()).collect() }
}

fn image(side: usize, channels: usize) -> Shape {
    Shape::Map { height: side, width: side, channels }
}

fn cats_and_dogs() -> Arch {
    let layers = [
        conv(32),
        pool(),
        conv(64),
        pool(),
        conv(128),
        pool(),
        conv(128),
        pool(),
        layer(Op::Flatten),
        dense(512),
        dense(1),
    ];
    Arch::new("cats_and_dogs", image(150, 3), &layers).unwrap()
}

#[test]
fn the_books_stack_without_pooling_has_55_744_parameters() {
    let arch = Arch::new("no_pooling", image(28, 1), &[conv(32), conv(64), conv(64)]).unwrap();
    assert_eq!(arch.parameter_count(), 55_744);
    assert_eq!(arch.output().output.to_string(), "(None, 22, 22, 64)");
}

#[test]
fn the_cats_and_dogs_network_has_the_books_shapes_and_parameters() {
    let arch = cats_and_dogs();
    let shapes: Vec<String> = arch.layers().iter().map(|layer| layer.output.to_string()).collect();
    assert_eq!(shapes[0], "(None, 148, 148, 32)");
    assert_eq!(shapes[7], "(None, 7, 7, 128)");
    assert_eq!(shapes[8], "(None, 6272)");
    assert_eq!(arch.parameter_count(), 3_453_121);
    assert_eq!(arch.layers()[2].name, "conv2d_1");
}

#[test]
fn flops_count_two_a_multiply_add() {
    // conv2d: 148·148 positions × 32·27 weights × 2.
    assert_eq!(cats_and_dogs().layers()[0].flops, 148 * 148 * 32 * 27 * 2);
    // torch.utils.flop_counter says 0.472 G for the whole.
    assert_eq!(cats_and_dogs().flops() / 1_000_000, 472);
}

#[test]
fn same_padding_is_tensorflows() {
    assert_eq!(same_padding(5, 3, 1), (1, 1));
    assert_eq!(same_padding(224, 3, 2), (0, 1));
    assert_eq!(same_padding(7, 2, 2), (0, 1));
    assert_eq!(same_padding(6, 1, 2), (0, 0));
}

#[test]
fn a_window_that_does_not_fit_names_the_layer_and_the_shapes() {
    let error = Arch::new("small", image(8, 3), &[conv(8), pool(), conv(8), conv(8)]).unwrap_err();
    assert_eq!(
        error.to_string(),
        "layer \"conv2d_2\" (Conv2D): a window of 3x3 does not fit into its input (None, 1, 1, 8)"
    );
}

#[test]
fn dense_after_a_map_asks_for_flatten() {
    let error = Arch::new("flat", image(8, 3), &[conv(8), dense(2)]).unwrap_err();
    assert_eq!(error.to_string(), "layer \"dense\" (Dense): needs a vector, but its input is (None, 6, 6, 8)");
}

#[test]
fn a_residual_block_is_a_graph() {
    let same = Window { padding: Padding::Same, ..window(3) };
    let arch = Arch::new(
        "residual",
        image(8, 4),
        &[
            conv_with(4, same),
            layer(Op::BatchNorm { momentum: 0.99, epsilon: 1e-3, center: true, scale: true }),
            named("joined", &["batch_normalization", "input"], Op::Add),
            named("wide", &["joined", "conv2d"], Op::Concatenate),
        ],
    )
    .unwrap();
    assert_eq!(arch.output().output, image(8, 8));
    assert_eq!(arch.layers()[2].inputs, [Source::Layer(1), Source::Input]);
    assert_eq!(arch.layers()[1].parameter_count(), 16);
    assert_eq!(arch.last_feature_map(), Some(0), "Grad-CAM looks at the deepest map with weights");
}

#[test]
fn separable_convolutions_count_as_in_keras() {
    // keras.layers.SeparableConv2D(16, 3) on 8 channels: 3·3·8 + 8·16 + 16.
    let op =
        Op::SeparableConv2d { filters: 16, window: window(3), multiplier: 1, bias: true, activation: Activation::Relu };
    let arch = Arch::new("separable", image(8, 8), &[layer(op)]).unwrap();
    assert_eq!(arch.parameter_count(), 72 + 128 + 16);
    assert_eq!(arch.flops(), 6 * 6 * (72 + 128) * 2);
}

#[test]
fn mistakes_in_the_graph_are_told() {
    let told = |layers: &[LayerSpec]| Arch::new("wrong", image(8, 3), layers).unwrap_err().to_string();
    assert_eq!(told(&[]), "the model has no layers");
    assert_eq!(
        told(&[named("a", &["b"], Op::Flatten)]),
        "layer \"a\" (Flatten): there is no layer \"b\" before it to read from"
    );
    assert_eq!(told(&[named("a", &[], Op::Flatten), named("a", &[], Op::Flatten)]), "two layers are called \"a\"");
    assert_eq!(
        told(&[named("a", &[], Op::Flatten), named("b", &["input"], Op::Flatten)]),
        "nothing reads the output of layer \"a\""
    );
    assert_eq!(
        told(&[named("a", &["input"], Op::Add)]),
        "layer \"a\" (Add): takes two or more inputs, but has 1 inputs"
    );
    assert_eq!(told(&[conv(0)]), "layer \"conv2d\" (Conv2D): filters must be at least 1");
    assert_eq!(
        told(&[layer(Op::Dropout { rate: 1.0 })]),
        "layer \"dropout\" (Dropout): rate is 1, but must lie in [0, 1)"
    );
}

#[test]
fn the_summary_is_keras_table() {
    insta::assert_snapshot!(summary(&cats_and_dogs()));
}

#[test]
fn a_sweep_stops_at_the_last_layer_of_each_size() {
    let ends = |arch: &Arch| -> Vec<String> {
        arch.block_ends().into_iter().map(|index| arch.layers()[index].name.clone()).collect()
    };
    assert_eq!(ends(&cats_and_dogs()), ["conv2d", "conv2d_1", "conv2d_2", "conv2d_3"]);
    let vgg = Arch::new("vgg16", image(224, 3), &zoo::Architecture::Vgg16.layers(false)).unwrap();
    assert_eq!(ends(&vgg), ["block1_conv2", "block2_conv2", "block3_conv3", "block4_conv3", "block5_conv3"]);
    let flat = Arch::new("flat", image(8, 1), &[layer(Op::Flatten), dense(2)]).unwrap();
    assert!(flat.block_ends().is_empty());
}
