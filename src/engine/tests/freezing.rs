//! Frozen is frozen: to the bit, under every update rule, and thawed layers go on where they stopped.

use super::*;
use frostline::event::LayerMeters;
use frostline::run::checkpoint::TensorData;
use frostline::trainer::{Stepper, Update};

fn run(stepper: &mut TorchStepper, steps: std::ops::Range<u64>) {
    for step in steps {
        let batch = batch(step as usize % 3, 5, size(12, 3), 2);
        stepper.step(&batch, Update { step, learning_rate: 0.01 }).unwrap();
    }
}

fn names(layers: &[&str]) -> Vec<String> {
    layers.iter().map(|&layer| layer.to_owned()).collect()
}

/// The saved tensors of one layer, its optimiser's among them.
fn of(stepper: &TorchStepper, layer: &str) -> Vec<(String, TensorData)> {
    let own = |name: &str| name.trim_start_matches("optimizer/").split('/').next() == Some(layer);
    stepper.save().unwrap().into_iter().filter(|(name, _)| own(name)).collect()
}

fn meter(stepper: &mut TorchStepper, layer: &str) -> LayerMeters {
    stepper.meters().unwrap().into_iter().find(|meters| meters.name == layer).unwrap()
}

#[test]
fn a_frozen_layer_does_not_move_by_a_bit_under_any_rule() {
    for rule in RULES {
        let mut stepper = stepper(&small(2), rule);
        // Momentum and moments have gathered, which would carry the weights on.
        run(&mut stepper, 0..4);
        let frozen = ["conv2d_1", "batch_normalization", "dense"];
        stepper.set_frozen(&names(&frozen)).unwrap();
        let before: Vec<_> = frozen.iter().map(|layer| of(&stepper, layer)).collect();
        let free = of(&stepper, "conv2d");
        run(&mut stepper, 4..9);
        for (layer, before) in frozen.iter().zip(&before) {
            assert_eq!(&of(&stepper, layer), before, "{layer} under {}", rule.name());
            let meters = meter(&mut stepper, layer);
            assert_eq!((meters.gradient_norm, meters.frozen_intact), (None, Some(true)), "{layer}");
        }
        assert_ne!(of(&stepper, "conv2d"), free, "what is below a frozen layer still learns under {}", rule.name());
        assert!(meter(&mut stepper, "conv2d").gradient_norm.unwrap() > 0.0);
    }
}

#[test]
fn a_frozen_batch_normalisation_runs_in_inference_mode() {
    let arch = small(2);
    let mut stepper = stepper(&arch, plan::Optimizer::Sgd { momentum: 0.0, nesterov: false });
    // Everything frozen: the loss of a training step is that of an evaluation but for dropout, which is above.
    stepper.set_frozen(&names(&["batch_normalization"])).unwrap();
    let look = |stepper: &TorchStepper, mode| {
        use crate::network::Taps;
        let mut seen = None;
        let batch = batch(0, 5, size(12, 3), 2);
        let x = input::pictures(&batch.images, 5, batch.size, Preprocess::default(), Device::Cpu).unwrap();
        let mut taps = Taps::new(vec![3], |_, output| {
            seen = Some(Vec::<f32>::try_from(output.detach().contiguous().reshape([-1])).unwrap());
            Ok(output)
        });
        let _ = stepper.network().forward(&x, mode, &mut taps).unwrap();
        drop(taps);
        seen.unwrap()
    };
    let train = network::Mode::Train { seed: 0, step: 0 };
    assert_eq!(look(&stepper, train), look(&stepper, network::Mode::Infer));
    stepper.set_frozen(&[]).unwrap();
    assert_ne!(look(&stepper, train), look(&stepper, network::Mode::Infer));
}

#[test]
fn a_thawed_layer_goes_on_with_the_slots_it_had() {
    for rule in RULES {
        let mut stepper = stepper(&small(2), rule);
        run(&mut stepper, 0..4);
        stepper.set_frozen(&names(&["dense"])).unwrap();
        run(&mut stepper, 4..6);
        let kept = of(&stepper, "dense");
        stepper.set_frozen(&[]).unwrap();
        assert_eq!(of(&stepper, "dense"), kept, "{}", rule.name());
        assert_eq!(meter(&mut stepper, "dense").frozen_intact, None);
        run(&mut stepper, 6..7);
        let step = |layer: &str| {
            let all = of(&stepper, layer);
            let (_, data) = all.iter().find(|(name, _)| name.ends_with("kernel/step")).unwrap();
            i64::from_le_bytes(data.bytes[..].try_into().unwrap())
        };
        assert_eq!((step("dense"), step("conv2d")), (5, 7), "frozen steps do not count under {}", rule.name());
    }
}

#[test]
fn with_everything_frozen_a_step_only_measures() {
    let arch = small(3);
    let mut stepper = stepper(&arch, plan::Optimizer::default());
    let all: Vec<String> =
        arch.layers().iter().filter(|layer| !layer.parameters.is_empty()).map(|layer| layer.name.clone()).collect();
    stepper.set_frozen(&all).unwrap();
    let before = stepper.save().unwrap();
    let batch = batch(0, 5, size(12, 3), 3);
    let score = stepper.step(&batch, Update { step: 0, learning_rate: 0.1 }).unwrap();
    assert_eq!(score.images, 5);
    assert!(score.loss_sum > 0.0);
    assert_eq!(stepper.save().unwrap(), before);
}

#[test]
fn the_digest_notices_a_single_bit() {
    let mut stepper = stepper(&small(2), plan::Optimizer::default());
    stepper.set_frozen(&names(&["conv2d", "batch_normalization"])).unwrap();
    for name in ["conv2d/kernel", "batch_normalization/moving_mean"] {
        let weight = stepper.network().weights().all().iter().find(|weight| weight.name == name).unwrap();
        let layer = name.split('/').next().unwrap();
        let mut bits = weight.tensor.detach().view_dtype(Kind::Int);
        while bits.dim() > 0 {
            bits = bits.get(0);
        }
        let flip = |bits: &tch::Tensor| bits.shallow_clone().bitwise_xor_tensor_(&tch::Tensor::from(1_i32));
        let _ = flip(&bits);
        assert_eq!(meter(&mut stepper, layer).frozen_intact, Some(false), "{name}");
        let _ = flip(&bits);
        assert_eq!(meter(&mut stepper, layer).frozen_intact, Some(true), "{name}");
    }
}

#[test]
fn weight_change_counts_from_the_epoch_or_the_thaw() {
    let mut stepper = stepper(&small(2), plan::Optimizer::default());
    stepper.set_frozen(&names(&["dense"])).unwrap();
    stepper.begin_epoch().unwrap();
    run(&mut stepper, 0..2);
    assert_eq!(meter(&mut stepper, "dense").weight_change, 0.0);
    assert!(meter(&mut stepper, "conv2d").weight_change > 0.0);
    stepper.set_frozen(&[]).unwrap();
    assert_eq!(meter(&mut stepper, "dense").weight_change, 0.0);
    run(&mut stepper, 2..3);
    assert!(meter(&mut stepper, "dense").weight_change > 0.0);
    stepper.begin_epoch().unwrap();
    assert_eq!(meter(&mut stepper, "conv2d").weight_change, 0.0);
}

#[test]
fn a_step_of_plain_descent_is_the_gradient_times_the_rate() {
    let mut stepper = stepper(&small(2), RULES[0]);
    let norm = |stepper: &TorchStepper, layer: usize| {
        let square = |weight: &crate::weights::Weight| weight.tensor.norm().double_value(&[]).powi(2);
        let learned = stepper.network().weights().of_layer(layer).iter().filter(|weight| weight.learned);
        learned.map(square).sum::<f64>().sqrt()
    };
    let before: Vec<f64> = (0..9).map(|layer| norm(&stepper, layer)).collect();
    run(&mut stepper, 0..1);
    for meters in stepper.meters().unwrap() {
        let layer = stepper.network().arch().position(&meters.name).unwrap();
        let moved = meters.weight_change * before[layer];
        let expected = meters.gradient_norm.unwrap() * 0.01;
        // What is left of a weight's digits after the subtraction of two weights.
        assert!((moved - expected).abs() < 1e-3 * expected, "{}: {moved}, {expected}", meters.name);
    }
}

#[test]
fn layers_that_cannot_be_frozen_are_refused_by_name() {
    let mut stepper = stepper(&small(2), plan::Optimizer::default());
    let told = |stepper: &mut TorchStepper, layer| stepper.set_frozen(&names(&[layer])).unwrap_err().message();
    assert_eq!(told(&mut stepper, "conv9"), "there is no layer \"conv9\"");
    assert_eq!(told(&mut stepper, "flatten"), "layer \"flatten\" has no parameters to freeze");
}
