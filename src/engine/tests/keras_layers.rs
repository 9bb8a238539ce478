//! Every kind of layer against Keras: outputs, gradients and moving statistics, from `tests/fixtures/keras/layers.json`.

use std::collections::BTreeMap;

use serde::Deserialize;
use tch::{Device, Kind, Tensor};

use super::formula::{floats, from_keras_map, from_keras_parameter, to_keras_map, to_keras_parameter};
use crate::network::{Mode, Network, Taps};
use frostline::plan::Plan;

#[derive(Deserialize)]
struct Figures {
    cases: Vec<Case>,
}

#[derive(Deserialize)]
struct Case {
    name: String,
    input: [i64; 3],
    layers: Vec<serde_json::Value>,
    /// Keras's, with the batch first.
    shape: Vec<i64>,
    infer: Vec<f32>,
    /// Left out where training puts out the same.
    train: Option<Vec<f32>>,
    /// By `x` or `<position>/<parameter>`, of the sum of the training output weighted by `<case>/pull`.
    gradients: BTreeMap<String, Vec<f32>>,
    /// Moving statistics after one training pass, by `<position>/<parameter>`.
    moved: BTreeMap<String, Vec<f32>>,
}

const TRAIN: Mode = Mode::Train { seed: 0, step: 0 };

/// The case's layers, and behind them what makes a classifier of every network: it is not looked at.
fn network(case: &Case) -> Network {
    let mut layers = case.layers.clone();
    layers.push(serde_json::json!({"type": "flatten", "name": "behind"}));
    layers.push(serde_json::json!({"type": "dense", "units": 1, "name": "beyond"}));
    let config = serde_json::json!({
        "data": {"source": "critters"},
        "model": {"input": case.input, "layers": layers},
    });
    let plan = Plan::parse(&toml::to_string(&config).unwrap(), "case", &[]).unwrap();
    let network = Network::new(&plan.arch, 0, Device::Cpu, Kind::Float).unwrap();
    for (weight, (position, short)) in weights(&network) {
        if position < case.layers.len() {
            let mut values = floats(&format!("{}/{position}/{short}", case.name), weight.numel(), 0.5);
            if short == "moving_variance" {
                for value in &mut values {
                    *value += 1.0;
                }
            }
            let _no_grad = tch::no_grad_guard();
            weight.shallow_clone().copy_(&from_keras_parameter(&values, &weight.size()));
        }
    }
    network
}

/// Every tensor with the position of its layer and its parameter's name.
fn weights(network: &Network) -> Vec<(&Tensor, (usize, String))> {
    let short = |name: &str| name.rsplit('/').next().unwrap().to_owned();
    network.weights().all().iter().map(|weight| (&weight.tensor, (weight.layer, short(&weight.name)))).collect()
}

/// The output of the layer under test.
fn look(network: &Network, layer: usize, x: &Tensor, mode: Mode) -> Tensor {
    let mut seen = None;
    let mut taps = Taps::new(vec![layer], |_, output| {
        seen = Some(output.shallow_clone());
        Ok(output)
    });
    let _ = network.forward(x, mode, &mut taps).unwrap();
    drop(taps);
    seen.unwrap()
}

/// f32 keeps 24 bits, and the sums here are of fewer than 200 products of numbers around 1: the errors of such a sum stay under
/// 200 · 2⁻²⁴ ≈ 1.2e-5 of its largest terms. Figures have nine digits.
fn check(what: &str, ours: &[f32], keras: &[f32]) {
    assert_eq!(ours.len(), keras.len(), "{what}");
    let scale = keras.iter().fold(1.0_f32, |most, value| most.max(value.abs()));
    for (index, (ours, keras)) in ours.iter().zip(keras).enumerate() {
        assert!((ours - keras).abs() <= 1.2e-5 * scale, "{what}: element {index} is {ours}, in Keras {keras}");
    }
}

#[test]
fn every_layer_computes_what_keras_computes() {
    let figures: Figures = serde_json::from_str(include_str!("../../../tests/fixtures/keras/layers.json")).unwrap();
    assert!(figures.cases.len() > 50);
    for case in &figures.cases {
        let name = &case.name;
        let network = network(case);
        let last = case.layers.len() - 1;
        let [height, width, channels] = case.input;
        let values = floats(&format!("{name}/x"), (2 * height * width * channels) as usize, 1.0);
        let x = from_keras_map(&values, &[2, height, width, channels]).set_requires_grad(true);

        let inferred = tch::no_grad(|| look(&network, last, &x, Mode::Infer));
        check(&format!("{name}: inference"), &to_keras_map(&inferred), &case.infer);

        let trained = look(&network, last, &x, TRAIN);
        check(&format!("{name}: training"), &to_keras_map(&trained), case.train.as_ref().unwrap_or(&case.infer));

        let pull = from_keras_map(&floats(&format!("{name}/pull"), case.infer.len(), 1.0), &case.shape);
        let pulled = (trained * pull).sum(Kind::Float);
        let mut tensors = vec![("x".to_owned(), &x)];
        for (weight, (position, short)) in weights(&network) {
            if weight.requires_grad() && position <= last {
                tensors.push((format!("{position}/{short}"), weight));
            }
        }
        let asked: Vec<&Tensor> = tensors.iter().map(|(_, tensor)| *tensor).collect();
        let gradients = Tensor::f_run_backward(&[&pulled], &asked, false, false).unwrap();
        assert_eq!(tensors.len(), case.gradients.len(), "{name}");
        for ((key, _), gradient) in tensors.iter().zip(&gradients) {
            let ours = if key == "x" { to_keras_map(gradient) } else { to_keras_parameter(gradient) };
            check(&format!("{name}: gradient of {key}"), &ours, &case.gradients[key]);
        }
        for (weight, (position, short)) in weights(&network) {
            if let Some(moved) = case.moved.get(&format!("{position}/{short}")) {
                check(&format!("{name}: {short} after training"), &to_keras_parameter(weight), moved);
            }
        }
    }
}
