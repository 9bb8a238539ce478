//! Moving a `ReLU` behind its max-pool, and writing over tensors in place, change no number.

use tch::Tensor;

use super::*;
use crate::network::{Mode, Taps};

/// Logits and the gradients of their sum by every weight.
fn run(arch: &Arch, tapped: &[usize]) -> (Vec<f32>, Vec<Vec<f32>>) {
    let network = Network::new(arch, 11, Device::Cpu, Kind::Float).unwrap();
    let Shape::Map { height, channels, .. } = arch.input() else { unreachable!() };
    let batch = batch(0, 4, size(height as u32, channels as u32), 2);
    let x = input::pictures(&batch.images, 4, batch.size, Preprocess::default(), Device::Cpu).unwrap();
    // A tap keeps a layer's own output in sight, so nothing that hides it may happen.
    let mut taps = Taps::new(tapped.to_vec(), |_, output| Ok(output));
    let logits = network.forward(&x, Mode::Train { seed: 5, step: 1 }, &mut taps).unwrap();
    let weights: Vec<&Tensor> = network.weights().all().iter().filter(|w| w.learned).map(|w| &w.tensor).collect();
    let gradients = Tensor::f_run_backward(&[&logits.sum(Kind::Float)], &weights, false, false).unwrap();
    let values = |tensor: &Tensor| Vec::try_from(tensor.detach().contiguous().reshape([-1])).unwrap();
    (values(&logits), gradients.iter().map(values).collect())
}

#[test]
fn the_rewritten_network_is_the_plain_one_to_the_bit() {
    let same = Window { padding: Padding::Same, strides: [2, 2], ..window(3) };
    let layers = [
        conv(8, Activation::Relu),
        pool(),
        conv(8, Activation::Linear),
        norm(),
        layer(Op::Activation(Activation::Relu)),
        layer(Op::MaxPool2d { window: same }),
        conv(6, Activation::Linear),
        layer(Op::Activation(Activation::Relu6)),
        layer(Op::Flatten),
        dense(8, Activation::Relu),
        layer(Op::Dropout { rate: 0.4 }),
        dense(3, Activation::Softmax),
    ];
    let arch = Arch::new("rewritten", Shape::Map { height: 22, width: 22, channels: 3 }, &layers).unwrap();
    let all: Vec<usize> = (0..layers.len()).collect();
    assert_eq!(run(&arch, &[]), run(&arch, &all));
    assert_eq!(run(&arch, &[0]), run(&arch, &[4]));
}

#[test]
fn a_tapped_layer_shows_its_own_output_and_not_what_came_after() {
    let arch = small(2);
    let network = Network::new(&arch, 1, Device::Cpu, Kind::Float).unwrap();
    let batch = batch(0, 4, size(12, 3), 2);
    let x = input::pictures(&batch.images, 4, batch.size, Preprocess::default(), Device::Cpu).unwrap();
    let mut seen = Vec::new();
    let mut taps = Taps::new(vec![0, 3, 4], |_, output| {
        seen.push(output.shallow_clone());
        Ok(output)
    });
    let _no_grad = tch::no_grad_guard();
    let _ = network.forward(&x, Mode::Infer, &mut taps).unwrap();
    drop(taps);
    assert_eq!(seen[0].size(), [4, 4, 10, 10]);
    assert_eq!(seen[0].min().double_value(&[]), 0.0, "after its ReLU");
    assert!(seen[1].min().double_value(&[]) < 0.0, "before the next layer's ReLU");
    assert_eq!(seen[2], seen[1].relu());
}
