//! Where weights start.

use super::*;

#[test]
fn kernels_start_uniform_within_glorots_limit_and_the_rest_constant() {
    let network = Network::new(&small(2), 3, Device::Cpu, Kind::Float).unwrap();
    for weight in network.weights().all() {
        let values: Vec<f32> = Vec::try_from(weight.tensor.detach().contiguous().reshape([-1])).unwrap();
        let fans = match weight.name.as_str() {
            "conv2d/kernel" => (9 * 3, 9 * 4),
            "conv2d_1/kernel" => (9 * 4, 9 * 6),
            "dense/kernel" => (54, 8),
            "dense_1/kernel" => (8, 1),
            name => {
                let constant = if name.ends_with("gamma") || name.ends_with("variance") { 1.0 } else { 0.0 };
                assert!(values.iter().all(|&value| value == constant), "{name}");
                continue;
            }
        };
        let limit = (6.0 / f64::from(fans.0 + fans.1)).sqrt();
        assert!(values.iter().all(|&value| f64::from(value).abs() <= limit), "{}", weight.name);
        if values.len() > 100 {
            // A uniform variable's variance is limit²/3; of 108 or more draws it varies by a tenth.
            let variance = values.iter().map(|&value| f64::from(value).powi(2)).sum::<f64>() / values.len() as f64;
            let ratio = variance / (limit * limit / 3.0);
            assert!((0.65..1.35).contains(&ratio), "{}: {ratio}", weight.name);
        }
    }
}

#[test]
fn a_layers_weights_do_not_depend_on_the_size_of_another() {
    let network = |filters| {
        let layers = [conv(4, Activation::Relu), layer(Op::Flatten), dense(filters, Activation::Softmax)];
        let arch = Arch::new("two", Shape::Map { height: 5, width: 5, channels: 1 }, &layers).unwrap();
        Network::new(&arch, 3, Device::Cpu, Kind::Float).unwrap()
    };
    assert_eq!(network(3).weights().all()[0].tensor, network(9).weights().all()[0].tensor);
}

#[test]
fn a_softmax_in_a_layer_of_its_own_is_the_losss_business_too() {
    let build = |last: &[LayerSpec]| {
        let layers = [&[layer(Op::Flatten)], last].concat();
        let arch = Arch::new("end", Shape::Map { height: 12, width: 12, channels: 3 }, &layers).unwrap();
        let mut stepper = stepper(&arch, RULES[0]);
        frostline::trainer::Stepper::evaluate(&mut stepper, &batch(0, 4, size(12, 3), 3)).unwrap()
    };
    let apart = build(&[dense(3, Activation::Linear), layer(Op::Activation(Activation::Softmax))]);
    assert_eq!(build(&[dense(3, Activation::Softmax)]), apart);
    assert_eq!(build(&[dense(3, Activation::Linear)]), apart);
}
