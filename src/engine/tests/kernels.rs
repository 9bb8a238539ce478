//! Our own kernels against libtorch's operations.

use tch::Tensor;

use super::*;
use crate::shim;

fn map(name: &str, shape: [i64; 4]) -> Tensor {
    let values = formula::floats(name, shape.iter().product::<i64>() as usize, 1.0);
    shim::channels_last(&Tensor::from_slice(&values).reshape(shape)).unwrap()
}

/// What `of` changes by with `by`, weighted by `weights`.
fn gradient(of: &Tensor, weights: &Tensor, by: &[&Tensor]) -> Vec<Tensor> {
    Tensor::f_run_backward(&[&(of * weights).sum(Kind::Float)], by, false, false).unwrap()
}

fn same_bits(a: &Tensor, b: &Tensor) -> bool {
    a.size() == b.size() && a.contiguous().view_dtype(Kind::Int) == b.contiguous().view_dtype(Kind::Int)
}

#[test]
fn pooling_is_libtorchs_to_the_bit_at_odd_sizes_among_equals_and_with_nans() {
    for shape in [[2, 5, 6, 8], [1, 1, 7, 7], [3, 33, 5, 2], [1, 64, 2, 3]] {
        for ties in [false, true] {
            // Rounded to a few values there are equals in most windows.
            let values = map("pooled", shape);
            let values = if ties { (values * 2.0).round() } else { values };
            if ties {
                let _ = values.get(0).get(0).get(0).get(0).fill_(f64::NAN);
            }
            for relu in [false, true] {
                let (ours, theirs) = (values.copy().set_requires_grad(true), values.copy().set_requires_grad(true));
                let pooled = shim::pool(&ours, relu).unwrap().expect("channels-last floats are taken");
                let expected = theirs.max_pool2d([2, 2], [2, 2], [0, 0], [1, 1], false);
                let expected = if relu { expected.relu() } else { expected };
                assert!(same_bits(&pooled, &expected), "{shape:?}, relu {relu}, ties {ties}");
                let weights = map("weights", pooled.size().try_into().unwrap());
                let by_ours = gradient(&pooled, &weights, &[&ours]);
                assert!(
                    same_bits(&by_ours[0], &gradient(&expected, &weights, &[&theirs])[0]),
                    "gradient at {shape:?}, relu {relu}, ties {ties}"
                );
            }
        }
    }
}

#[test]
fn maps_in_another_layout_are_left_to_libtorch() {
    let planes = Tensor::ones([1, 3, 4, 4], (Kind::Float, Device::Cpu));
    assert!(shim::pool(&planes, true).unwrap().is_none());
    let doubles = map("doubles", [1, 3, 4, 4]).to_kind(Kind::Double);
    assert!(shim::pool(&doubles, true).unwrap().is_none());
}

#[test]
fn a_dense_layer_in_pieces_is_libtorchs_linear_to_float32s_accuracy() {
    for threads in [1, 2, 3] {
        crate::device::set_threads(threads).unwrap();
        for (pictures, inputs, units, bias) in [(32, 1000, 150, true), (3, 4097, 33, false), (1, 131_072, 16, true)] {
            let make = |name: &str, shape: &[i64]| {
                let count = shape.iter().product::<i64>() as usize;
                Tensor::from_slice(&formula::floats(name, count, 0.1)).reshape(shape).set_requires_grad(true)
            };
            let (x, weight) = (make("x", &[pictures, inputs]), make("weight", &[units, inputs]));
            let bias = bias.then(|| make("bias", &[units]));
            let ours = shim::dense(&x, &weight, bias.as_ref()).unwrap();
            let theirs = x.linear(&weight, bias.as_ref());
            let close = |a: &Tensor, b: &Tensor| ((a - b).abs().max() / b.abs().max()).double_value(&[]) < 1e-5;
            assert!(close(&ours, &theirs), "{inputs} to {units}");
            let weights = make("weights", &[pictures, units]).detach();
            let by: Vec<&Tensor> = [&x, &weight].into_iter().chain(bias.as_ref()).collect();
            for (ours, theirs) in gradient(&ours, &weights, &by).iter().zip(&gradient(&theirs, &weights, &by)) {
                assert!(close(ours, theirs), "a gradient of {inputs} to {units}");
            }
        }
    }
    crate::device::set_threads(1).unwrap();
}

#[test]
fn a_dense_layers_numbers_do_not_depend_on_the_threads() {
    let x = Tensor::from_slice(&formula::floats("x", 32 * 2048, 0.1)).reshape([32, 2048]);
    let weight = Tensor::from_slice(&formula::floats("weight", 256 * 2048, 0.1)).reshape([256, 2048]);
    let outputs: Vec<Tensor> = [1, 2, 3]
        .map(|threads| {
            crate::device::set_threads(threads).unwrap();
            shim::dense(&x, &weight, None).unwrap()
        })
        .into();
    crate::device::set_threads(1).unwrap();
    assert!(outputs.iter().all(|output| same_bits(output, &outputs[0])));
}

#[test]
fn winograds_convolution_and_its_gradients_are_near_the_exact_ones() {
    for (shape, filters, padding) in [
        ([2, 32, 9, 10], 64, 1),
        ([3, 64, 7, 13], 32, 0),
        ([1, 32, 6, 6], 32, 0),
        ([5, 96, 18, 18], 32, 1),
        ([2, 64, 74, 74], 128, 0),
    ] {
        for relu in [false, true] {
            let near = |x: &Tensor, way: &dyn Fn(&Tensor, &Tensor, &Tensor) -> Tensor| {
                let kind = x.kind();
                let kernel =
                    map("kernel", [filters, shape[1], 3, 3]).to_kind(kind) * (2.0 / (9 * shape[1]) as f64).sqrt();
                let bias = Tensor::from_slice(&formula::floats("bias", filters as usize, 0.1)).to_kind(kind);
                let [x, kernel, bias] = [x.copy(), kernel, bias].map(|one| one.set_requires_grad(true));
                let y = way(&x, &kernel, &bias);
                let weights = map("weights", y.size().try_into().unwrap()).to_kind(kind);
                let mut results = gradient(&y, &weights, &[&x, &kernel, &bias]);
                results.push(y);
                results
            };
            let x = map("x", shape).relu();
            let plain = |x: &Tensor, kernel: &Tensor, bias: &Tensor| {
                let y = x.conv2d(kernel, Some(bias), [1, 1], [padding, padding], [1, 1], 1);
                if relu { y.relu() } else { y }
            };
            let exact = near(&x.to_kind(Kind::Double), &plain);
            let theirs = near(&x, &plain);
            for threads in [1, 2] {
                crate::device::set_threads(threads).unwrap();
                for made_before in [false, true] {
                    let ours = near(&x, &|x, kernel, bias| {
                        let kernels = shim::winograd_kernel(kernel, false).unwrap();
                        let turned = made_before.then(|| shim::winograd_kernel(kernel, true).unwrap());
                        let with = shim::Winograd {
                            weight: kernel,
                            kernels: &kernels,
                            turned: turned.as_ref(),
                            bias: Some(bias),
                        };
                        shim::winograd(x, &with, padding as usize, relu).unwrap()
                    });
                    for (((name, ours), theirs), exact) in
                        ["x", "kernel", "bias", "y"].iter().zip(&ours).zip(&theirs).zip(&exact)
                    {
                        let error =
                            |found: &Tensor| (found.to_kind(Kind::Double) - exact).abs().max().double_value(&[]);
                        let scale = exact.abs().max().double_value(&[]);
                        assert!(
                            error(ours) <= 3e-6 * scale,
                            "{name} at {shape:?}: {:e} of {scale}; libtorch {:e}",
                            error(ours),
                            error(theirs)
                        );
                    }
                }
            }
        }
    }
}
