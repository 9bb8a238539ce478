//! Steps that do not go through at once, and steps whose numbers are not finite.

use tch::Tensor;

use super::*;
use frostline::event::NonFinite;
use frostline::trainer::{SavedTensor, Stepper, Trouble, Update};

/// Without batch normalisation, which sees each part alone, and without dropout, whose masks are each part's own.
fn plain() -> Arch {
    let layers = [
        conv(4, Activation::Relu),
        pool(),
        conv(6, Activation::Relu),
        layer(Op::Flatten),
        dense(8, Activation::Relu),
        dense(3, Activation::Softmax),
    ];
    Arch::new("plain", Shape::Map { height: 12, width: 12, channels: 3 }, &layers).unwrap()
}

/// What SGD at a rate of 1 takes away is the gradient itself.
fn gradients(micro_batch: Option<usize>, batch: &Batch) -> (Vec<f32>, f64) {
    let rule = plan::Optimizer::Sgd { momentum: 0.0, nesterov: false };
    let mut stepper = stepper(&plain(), rule);
    let before = numbers(&stepper.save().unwrap());
    stepper.set_micro_batch(micro_batch);
    let score = stepper.step(batch, Update { step: 0, learning_rate: 1.0 }).unwrap();
    let after = numbers(&stepper.save().unwrap());
    (before.iter().zip(after).map(|(before, after)| before - after).collect(), score.loss_sum)
}

fn numbers(saved: &[SavedTensor]) -> Vec<f32> {
    let floats = saved.iter().filter(|(name, _)| !name.starts_with("optimizer/"));
    floats
        .flat_map(|(_, tensor)| tensor.bytes.chunks_exact(4))
        .map(|b| f32::from_le_bytes(b.try_into().unwrap()))
        .collect()
}

#[test]
fn the_parts_of_a_batch_have_the_gradient_of_the_whole() {
    let mixed = frostline::data::Mix { labels: (0..12).map(|label| label % 3).collect(), weight: 0.7 };
    let plain = batch(1, 12, size(12, 3), 3);
    for batch in [plain.clone(), Batch { mixed: Some(mixed), ..plain }] {
        let (whole, loss) = gradients(None, &batch);
        // In halves, and in parts of unequal size.
        for most in [6, 5, 1] {
            let (parts, parts_loss) = gradients(Some(most), &batch);
            assert!((loss - parts_loss).abs() < 1e-5, "{most} at once: {loss} and {parts_loss}");
            let worst = whole.iter().zip(&parts).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
            assert!(worst <= 1e-6, "{most} at once: a gradient differs by {worst}");
        }
    }
    let (whole, parts) =
        (gradients(None, &batch(1, 12, size(12, 3), 3)).0, gradients(Some(12), &batch(1, 12, size(12, 3), 3)).0);
    assert_eq!(whole, parts, "a batch that goes through at once is left alone");
}

fn spoilt(name: &str, value: f32) -> (TorchStepper, Vec<SavedTensor>) {
    let mut stepper = stepper(&small(2), RULES[2]);
    let mut saved = stepper.save().unwrap();
    let (_, tensor) = saved.iter_mut().find(|(found, _)| found == name).unwrap();
    tensor.bytes[..4].copy_from_slice(&value.to_le_bytes());
    stepper.restore(&saved).unwrap();
    let saved = stepper.save().unwrap();
    (stepper, saved)
}

#[test]
fn a_loss_that_is_no_number_changes_nothing_and_names_where_it_began() {
    for (name, value, what, first) in [
        // Finite, but its products are not.
        ("conv2d_1/bias", f32::MAX, NonFinite::Loss, "batch_normalization"),
        ("dense/kernel", f32::NAN, NonFinite::Weights, "dense"),
    ] {
        let (mut stepper, before) = spoilt(name, value);
        let score = stepper.step(&batch(0, 6, size(12, 3), 2), Update { step: 3, learning_rate: 0.1 }).unwrap();
        assert!(!score.loss_sum.is_finite(), "{name}");
        let Some(Trouble { what: found, layers }) = stepper.trouble() else { panic!("{name}: nothing was told") };
        assert_eq!((found, layers[0].as_str()), (what, first), "{layers:?}");
        assert_eq!(stepper.trouble(), None, "once");
        let bytes =
            |saved: &[SavedTensor]| saved.iter().flat_map(|(_, tensor)| tensor.bytes.clone()).collect::<Vec<_>>();
        assert!(bytes(&stepper.save().unwrap()) == bytes(&before), "{name}: something was changed");
    }
}

#[test]
fn a_gradient_that_overflows_under_a_finite_loss_changes_nothing_either() {
    let mut stepper = stepper(&small(2), RULES[2]);
    let mut saved = stepper.save().unwrap();
    // The products on the way forward are about 1e8; on the way back the large one stands alone, and dropout's 1 / 0.7 makes it overflow.
    for (name, value) in [("dense/kernel", 1e-30_f32), ("dense_1/kernel", 3.4e38)] {
        let (_, tensor) = saved.iter_mut().find(|(found, _)| found == name).unwrap();
        tensor.bytes = value.to_le_bytes().repeat(tensor.bytes.len() / 4);
    }
    stepper.restore(&saved).unwrap();
    let before = stepper.save().unwrap();
    let batch = Batch { labels: vec![0], ..batch(0, 1, size(12, 3), 2) };
    let score = stepper.step(&batch, Update { step: 0, learning_rate: 0.1 }).unwrap();
    assert!(score.loss_sum.is_finite(), "{}", score.loss_sum);
    let Some(Trouble { what, layers }) = stepper.trouble() else { panic!("nothing was told") };
    assert_eq!(what, NonFinite::Gradient);
    assert_eq!(layers[0], "dense", "it arises on the way back: {layers:?}");
    assert_eq!(stepper.save().unwrap(), before);
}

#[test]
fn whether_numbers_are_finite_is_seen_wherever_they_lie() {
    let of = |numbers: &[f32]| Tensor::from_slice(numbers);
    let edge = [0.0, -0.0, f32::MAX, f32::MIN, f32::MIN_POSITIVE, 1e-45];
    assert!(crate::shim::finite(&[&of(&edge), &of(&[])]).unwrap());
    for odd in [f32::NAN, -f32::NAN, f32::INFINITY, f32::NEG_INFINITY] {
        for place in [0, 70_000, 199_999] {
            let mut numbers = vec![1.0_f32; 200_000];
            numbers[place] = odd;
            assert!(!crate::shim::finite(&[&of(&edge), &of(&numbers)]).unwrap(), "{odd} at {place}");
            let strided = of(&numbers).reshape([2, 100_000]).transpose(0, 1);
            assert!(!crate::shim::finite(&[&strided]).unwrap(), "{odd} at {place}, transposed");
            assert!(!crate::shim::finite(&[&strided.slice(0, 0, 100_000, 1).to_kind(Kind::Double)]).unwrap());
        }
    }
}
