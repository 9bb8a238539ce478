//! Dropout's masks are functions of seed, step and layer.

use tch::{Kind, Tensor};

use super::*;
use crate::network::{Mode, Taps};
use crate::shim;

fn dropped(seed: u64) -> Vec<f32> {
    let ones = Tensor::ones([100, 100], (Kind::Float, Device::Cpu));
    Vec::try_from(shim::dropout(&ones, 0.3, seed).unwrap().reshape([-1])).unwrap()
}

#[test]
fn a_share_is_dropped_and_the_rest_scaled_up() {
    let values = dropped(1);
    assert!(values.iter().all(|&value| value == 0.0 || (value - 1.0 / 0.7).abs() < 1e-6));
    // Binomial: 3,000 of 10,000 with a standard deviation of 46.
    let zeros = values.iter().filter(|&&value| value == 0.0).count();
    assert!(zeros.abs_diff(3000) < 230, "{zeros}");
}

#[test]
fn the_mask_follows_from_its_seed_whatever_else_draws_numbers() {
    let first = dropped(7);
    tch::manual_seed(0);
    let _ = Tensor::rand([1000], (Kind::Float, Device::Cpu));
    assert_eq!(dropped(7), first);
    assert_ne!(dropped(8), first);
}

#[test]
fn masks_change_with_the_step_and_the_layer_and_only_in_training() {
    let half = || layer(Op::Dropout { rate: 0.5 });
    // Two dropouts side by side over the same picture, then the mean of each.
    let mut layers = vec![
        half(),
        LayerSpec { inputs: vec!["input".into()], ..half() },
        layer(Op::Concatenate),
        layer(Op::Flatten),
        dense(2, Activation::Softmax),
    ];
    layers[2].inputs = vec!["dropout".into(), "dropout_1".into()];
    let arch = Arch::new("drops", Shape::Map { height: 8, width: 8, channels: 3 }, &layers).unwrap();
    let network = Network::new(&arch, 0, Device::Cpu, Kind::Float).unwrap();
    let x = Tensor::ones([1, 3, 8, 8], (Kind::Float, Device::Cpu));
    let run = |mode| {
        let mut seen: Vec<Vec<f32>> = Vec::new();
        let mut taps = Taps::new(vec![0, 1], |_, output| {
            seen.push(Vec::try_from(output.contiguous().reshape([-1])).unwrap());
            Ok(output)
        });
        let _ = network.forward(&x, mode, &mut taps).unwrap();
        drop(taps);
        seen
    };
    let first = run(Mode::Train { seed: 1, step: 0 });
    assert_ne!(first[0], first[1]);
    assert_eq!(run(Mode::Train { seed: 1, step: 0 }), first);
    assert_ne!(run(Mode::Train { seed: 1, step: 1 })[0], first[0]);
    assert_ne!(run(Mode::Train { seed: 2, step: 0 })[0], first[0]);
    assert!(run(Mode::Infer).iter().flatten().all(|&value| value == 1.0));
}
