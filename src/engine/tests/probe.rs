//! The probe: its figures by plain arithmetic, and that nothing of the run changes by it.

use tch::Tensor;

use super::*;
use crate::network::{Mode, Taps};
use frostline::data::Pixels;
use frostline::event::LayerProbe;
use frostline::trainer::{Histograms, Stepper, Update};

const COUNT: usize = 6;

fn pictures() -> (Vec<Pixels>, Vec<i64>) {
    let batch = batch(3, COUNT, size(12, 3), 4);
    let one = batch.size.bytes();
    let pixels = |bytes: &[u8]| Pixels { size: batch.size, bytes: bytes.to_vec() };
    (batch.images.chunks_exact(one).map(pixels).collect(), batch.labels)
}

fn probe(stepper: &mut TorchStepper) -> Vec<LayerProbe> {
    let (pictures, labels) = pictures();
    stepper.probe(&pictures, &labels, Histograms::All).unwrap()
}

fn step(stepper: &mut TorchStepper, step: u64) {
    stepper.step(&batch(step as usize, 5, size(12, 3), 4), Update { step, learning_rate: 0.01 }).unwrap();
}

fn near(a: f64, b: f64) -> bool {
    (a - b).abs() <= 1e-3 * b.abs().max(1e-3)
}

#[test]
fn a_run_goes_on_bit_by_bit_as_it_would_have_without() {
    for rule in RULES {
        let (mut plain, mut probed) = (stepper(&small(4), rule), stepper(&small(4), rule));
        for number in 0..4 {
            step(&mut plain, number);
            probed.brace().unwrap();
            step(&mut probed, number);
            probe(&mut probed);
        }
        assert_eq!(plain.save().unwrap(), probed.save().unwrap(), "{rule:?}");
        assert_eq!(plain.meters().unwrap(), probed.meters().unwrap());
    }
}

#[test]
fn means_deviations_and_dead_units_are_those_of_the_outputs() {
    let mut stepper = stepper(&small(4), RULES[0]);
    step(&mut stepper, 0);
    // Two of four channels never fire again.
    let network = stepper.network();
    let bias = network.weights().all().iter().find(|weight| weight.layer == 0 && weight.tensor.dim() == 1).unwrap();
    tch::no_grad(|| bias.tensor.shallow_clone().copy_(&Tensor::from_slice(&[-1e3_f32, 0.1, -1e3, 0.1])));
    let probes = probe(&mut stepper);

    let (pictures, _) = pictures();
    let bytes = pictures.iter().flat_map(|picture| picture.bytes.clone()).collect::<Vec<u8>>();
    let x = input::pictures(&bytes, COUNT, size(12, 3), Preprocess::default(), Device::Cpu).unwrap();
    let mut outputs: Vec<Vec<f32>> = vec![Vec::new(); probes.len()];
    let mut taps = Taps::new((0..probes.len()).collect(), |layer, output| {
        outputs[layer] = crate::explain::numbers(&output)?;
        Ok(output)
    });
    let _ = stepper.network().forward(&x, Mode::Infer, &mut taps).unwrap();
    drop(taps);
    for (probe, values) in probes.iter().zip(&outputs) {
        let count = values.len() as f64;
        let mean = values.iter().map(|&value| f64::from(value)).sum::<f64>() / count;
        let variance = values.iter().map(|&value| (f64::from(value) - mean).powi(2)).sum::<f64>() / count;
        assert!(near(probe.mean, mean) && near(probe.deviation, variance.sqrt()), "{probe:?}: {mean}, {variance}");
    }
    let dead: Vec<(&str, Option<f64>)> = probes.iter().map(|probe| (&*probe.name, probe.dead)).collect();
    assert_eq!(dead[0], ("conv2d", Some(0.5)));
    assert_eq!((dead[1].1, dead[2].1, dead[3].1), (None, None, None), "nothing is rectified there");
    assert!(dead[4].1.is_some() && dead[8].1.is_none(), "{dead:?}");
}

#[test]
fn the_update_is_the_rate_times_the_gradient_under_plain_descent() {
    let mut stepper = stepper(&small(4), RULES[0]);
    step(&mut stepper, 0);
    let norm = |stepper: &TorchStepper, layer: &str| -> f64 {
        let own = |name: &str| name.starts_with(&format!("{layer}/"));
        let saved = stepper.save().unwrap();
        let values = saved.iter().filter(|(name, _)| own(name)).flat_map(|(_, tensor)| tensor.bytes.chunks_exact(4));
        values.map(|bytes| f64::from(f32::from_le_bytes(bytes.try_into().unwrap())).powi(2)).sum::<f64>().sqrt()
    };
    let before = norm(&stepper, "dense");
    stepper.brace().unwrap();
    step(&mut stepper, 1);
    let meters = stepper.meters().unwrap().into_iter().find(|meters| meters.name == "dense").unwrap();
    let probes = probe(&mut stepper);
    let dense = probes.iter().find(|probe| probe.name == "dense").unwrap();
    assert!(near(dense.update_ratio.unwrap(), 0.01 * meters.gradient_norm.unwrap() / before), "{dense:?}");
    assert_eq!(meters.learning_rate, Some(0.01));
    assert_eq!(
        probe(&mut stepper).iter().filter(|probe| probe.update_ratio.is_some()).count(),
        0,
        "no step was measured"
    );
}

#[test]
fn below_the_frost_line_nothing_goes_back_and_only_kernels_have_histograms() {
    let mut stepper = stepper(&small(4), RULES[2]);
    step(&mut stepper, 0);
    let names = ["conv2d", "conv2d_1", "batch_normalization"].map(str::to_owned);
    stepper.set_frozen(&names).unwrap();
    step(&mut stepper, 1);
    let probes = probe(&mut stepper);
    let back: Vec<&str> = probes.iter().filter(|probe| probe.backward_ms > 0.0).map(|probe| &*probe.name).collect();
    assert_eq!(back, ["dense", "dropout", "dense_1"]);
    assert!(probes.iter().all(|probe| probe.forward_ms > 0.0));
    let with = |found: fn(&LayerProbe) -> bool| -> Vec<&str> {
        probes.iter().filter(|probe| found(probe)).map(|probe| &*probe.name).collect()
    };
    assert_eq!(
        with(|probe| probe.weights.is_some()),
        ["conv2d", "conv2d_1", "batch_normalization", "dense", "dense_1"]
    );
    assert_eq!(with(|probe| probe.gradients.is_some()), ["dense", "dense_1"]);
    let kernel = probes[0].weights.as_ref().unwrap();
    assert_eq!(kernel.counts.iter().sum::<u32>(), 3 * 3 * 3 * 4);
}

#[test]
fn shortcuts_and_branches_are_gone_back_too() {
    use frostline::arch::zoo::{Architecture, Wiring};
    for architecture in [Architecture::Resnet50, Architecture::InceptionV3] {
        let side = architecture.minimum_side();
        let mut layers = architecture.layers_for(Wiring::Keras, false);
        layers.extend([layer(Op::GlobalAveragePool2d), dense(3, Activation::Softmax)]);
        let arch = Arch::new("deep", Shape::Map { height: side, width: side, channels: 3 }, &layers).unwrap();
        let mut stepper = stepper(&arch, RULES[0]);
        let batch = batch(0, 1, size(side as u32, 3), 3);
        let picture = Pixels { size: batch.size, bytes: batch.images };
        let probes = stepper.probe(&[picture], &batch.labels, Histograms::Of(None)).unwrap();
        for (probe, layer) in probes.iter().zip(arch.layers()) {
            // The picture itself, and what only scales it, has nothing to learn.
            let learns = probe.backward_ms > 0.0 || layer.parameters.is_empty();
            assert!(learns && probe.mean.is_finite() && probe.weights.is_none(), "{architecture:?}: {probe:?}");
        }
    }
}
