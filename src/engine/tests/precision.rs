//! Products in bfloat16: close to those in float32, exact where it matters, and the weights stay 32-bit.

use tch::Tensor;

use super::*;
use crate::precision;
use frostline::plan::Precision;
use frostline::trainer::{Stepper as _, Update};

const MIXED: Target = Target { compute: Kind::BFloat16, ..CPU };

fn stepper_in(target: Target) -> TorchStepper {
    crate::device::set_threads(1).unwrap();
    TorchStepper::new(&small(3), RULES[2], 7, target, Preprocess::default()).unwrap()
}

fn losses(stepper: &mut TorchStepper, steps: std::ops::Range<u64>) -> Vec<f64> {
    let mut one = |step| {
        let batch = batch(step as usize % 3, 16, size(12, 3), 3);
        let score = stepper.step(&batch, Update { step, learning_rate: 1e-3 }).unwrap();
        score.loss_sum / score.images as f64
    };
    steps.map(&mut one).collect()
}

#[test]
fn losses_follow_those_of_float32_within_bfloat16s_digits() {
    let exact = losses(&mut stepper_in(CPU), 0..10);
    let mixed = losses(&mut stepper_in(MIXED), 0..10);
    for (step, (exact, mixed)) in exact.iter().zip(&mixed).enumerate() {
        // Eight bits of mantissa are 0.4 %; rounding errors add up over the steps.
        assert!((exact - mixed).abs() < 0.02 * exact, "step {step}: {mixed} where float32 has {exact}");
    }
    assert_ne!(exact, mixed, "nothing was computed in bfloat16");
}

#[test]
fn weights_and_slots_stay_32_bit_and_a_restored_run_goes_on_bit_by_bit() {
    let mut whole = stepper_in(MIXED);
    losses(&mut whole, 0..4);
    let saved = whole.save().unwrap();
    assert!(whole.network().weights().all().iter().all(|weight| weight.tensor.kind() == Kind::Float));
    let mut other = stepper_in(MIXED);
    other.restore(&saved).unwrap();
    assert_eq!(losses(&mut whole, 4..8), losses(&mut other, 4..8));
}

#[test]
fn a_pool_of_bfloat16_takes_the_same_maxima_as_one_of_float32() {
    let map = Tensor::from_slice(&formula::floats("map", 2 * 5 * 7 * 9, 3.0)).reshape([2, 5, 7, 9]);
    let halves = Window { strides: [2, 2], ..window(2) };
    for relu in [false, true] {
        let narrow = crate::shim::channels_last(&map.to_kind(Kind::BFloat16)).unwrap().set_requires_grad(true);
        let wide = crate::shim::channels_last(&narrow.detach().to_kind(Kind::Float)).unwrap().set_requires_grad(true);
        let pooled = crate::layers::max_pool(&narrow, halves, relu).unwrap();
        let expected = crate::layers::max_pool(&wide, halves, relu).unwrap();
        assert_eq!(pooled.to_kind(Kind::Float), expected);
        let by_narrow = Tensor::f_run_backward(&[&pooled.sum(Kind::Float)], &[&narrow], false, false).unwrap();
        let by_wide = Tensor::f_run_backward(&[&expected.sum(Kind::Float)], &[&wide], false, false).unwrap();
        assert_eq!(by_narrow[0].to_kind(Kind::Float), by_wide[0]);
    }
}

#[test]
fn auto_settles_by_a_measurement_and_a_choice_is_kept() {
    crate::device::set_threads(1).unwrap();
    assert_eq!(precision::settle(Precision::Float32, Device::Cpu).unwrap(), (Kind::Float, None));
    assert_eq!(precision::settle(Precision::MixedBfloat16, Device::Cpu).unwrap(), (Kind::BFloat16, None));
    let (kind, gain) = precision::settle(Precision::Auto, Device::Cpu).unwrap();
    assert_eq!(kind == Kind::BFloat16, gain.unwrap() >= 1.2);
}
