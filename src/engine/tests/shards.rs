//! A pass in shards against the same pass over the whole batch.

use tch::Tensor;

use super::*;
use crate::network::Mode;
use crate::pass::Pass;
use crate::shards::Shards;
use frostline::trainer::{Stepper as _, Update};

/// A trunk of two convolutions, whose FLOPs make shards of a few pictures each.
fn arch() -> Arch {
    let layers = [
        conv(16, Activation::Relu),
        pool(),
        conv(24, Activation::Relu),
        pool(),
        layer(Op::Flatten),
        layer(Op::Dropout { rate: 0.5 }),
        dense(8, Activation::Relu),
        dense(3, Activation::Softmax),
    ];
    Arch::new("net", Shape::Map { height: 40, width: 40, channels: 3 }, &layers).unwrap()
}

const TRAIN: Mode = Mode::Train { seed: 7, step: 3 };
const PICTURES: usize = 11;

/// The logits and every gradient, by position.
fn pass(network: &Network, shards: Option<&Shards>, mode: Mode) -> (Tensor, Vec<(usize, Tensor)>) {
    let batch = batch(1, PICTURES, size(40, 3), 3);
    let one = batch.size.bytes();
    let input = |range: std::ops::Range<usize>| {
        let bytes = &batch.images[range.start * one..range.end * one];
        input::pictures(bytes, range.len(), batch.size, Preprocess::default(), Device::Cpu)
    };
    let pass = Pass::forward(network, shards, batch.count, input, mode).unwrap();
    let logits = pass.logits.detach();
    let loss = crate::loss::mean(&pass.logits, &Tensor::from_slice(&batch.labels), network.head()).unwrap();
    let mut gradients = pass.backward(network, shards, &loss).unwrap();
    gradients.sort_by_key(|(position, _)| *position);
    (logits, gradients)
}

fn network(frozen: &[usize]) -> Network {
    crate::device::set_threads(1).unwrap();
    let mut network = Network::new(&arch(), 7, Device::Cpu, Kind::Float).unwrap();
    for &layer in frozen {
        network.set_frozen(layer, true).unwrap();
    }
    network
}

/// In units of the largest element.
fn difference(a: &Tensor, b: &Tensor) -> f64 {
    ((a - b).abs().max() / b.abs().max()).double_value(&[])
}

#[test]
fn shards_give_the_gradients_of_the_whole_batch_to_float32s_accuracy() {
    for frozen in [&[][..], &[0], &[0, 2], &[0, 2, 6]] {
        let network = network(frozen);
        let (logits, gradients) = pass(&network, None, TRAIN);
        for threads in [1, 2, 3] {
            let (sharded, by_shards) = pass(&network, Some(&Shards::new(threads)), TRAIN);
            // Sums over a kernel's window, but in another order.
            assert!(difference(&sharded, &logits) < 1e-5, "logits on {threads} threads");
            assert_eq!(by_shards.len(), gradients.len(), "frozen {frozen:?}");
            for ((position, gradient), (of_whole, whole)) in by_shards.iter().zip(&gradients) {
                assert_eq!(position, of_whole);
                let name = &network.weights().all()[*position].name;
                assert!(difference(gradient, whole) < 1e-5, "{name} on {threads} threads, frozen {frozen:?}");
            }
        }
    }
}

#[test]
fn shards_give_the_same_bits_every_time() {
    let network = network(&[]);
    let shards = Shards::new(3);
    let (logits, gradients) = pass(&network, Some(&shards), TRAIN);
    for _ in 0..5 {
        let (again, more) = pass(&network, Some(&shards), TRAIN);
        assert_eq!(again, logits);
        assert!(more.iter().zip(&gradients).all(|(a, b)| a.1 == b.1));
    }
}

#[test]
fn with_everything_frozen_there_is_nothing_to_learn() {
    let network = network(&[0, 2, 6, 7]);
    assert!(pass(&network, Some(&Shards::new(2)), TRAIN).1.is_empty());
}

#[test]
fn results_stand_in_the_items_order_and_the_first_error_comes_back() {
    let shards = Shards::new(4);
    let squares = shards.map((0..100).collect(), |n: u64| Ok(n * n)).unwrap();
    assert!(squares.iter().zip(0..).all(|(square, n)| *square == n * n));
    let fails =
        |n: i64| if n % 7 == 3 { Err(crate::error::EngineError::Label { label: n, classes: 0 }) } else { Ok(n) };
    let error = shards.map((0..50).collect(), fails).unwrap_err();
    assert!(matches!(error, crate::error::EngineError::Label { label: 3, .. }));
}

#[test]
fn a_panic_in_a_shard_is_an_error_of_the_step() {
    let shards = Shards::new(2);
    let outcome =
        stepper::shielded(|| shards.map(vec![1, 2, 3], |_: i32| -> crate::error::Result<i32> { panic!("boom") }));
    assert!(outcome.unwrap_err().message().contains("boom"));
}

#[test]
fn operations_inside_a_shard_keep_to_its_thread() {
    let shards = Shards::new(2);
    for _ in 0..20 {
        let counts = shards.map(vec![(); 8], |()| {
            let before = tch::get_num_threads();
            let map = Tensor::ones([4, 16, 8, 8], (Kind::Float, Device::Cpu));
            crate::layers::max_pool(&crate::shim::channels_last(&map)?, Window { strides: [2, 2], ..window(2) }, true)?
                .size();
            Ok((before, tch::get_num_threads()))
        });
        assert_eq!(counts.unwrap(), [(1, 1); 8]);
    }
}

#[cfg(target_os = "linux")]
fn cores_of_this_thread() -> usize {
    // SAFETY: the set is written by the call.
    unsafe {
        let mut cores: libc::cpu_set_t = std::mem::zeroed();
        assert_eq!(libc::sched_getaffinity(0, size_of_val(&cores), &raw mut cores), 0);
        libc::CPU_COUNT(&cores) as usize
    }
}

/// Threads that are started in a step, by libtorch too, would inherit what the caller is held to.
#[cfg(target_os = "linux")]
#[test]
fn a_crew_that_fills_the_processor_keeps_to_its_cores_and_lets_the_caller_go() {
    let cores = cores_of_this_thread();
    let shards = Shards::new(cores);
    for _ in 0..3 {
        let held = shards.map(vec![(); 4 * cores], |()| Ok(cores_of_this_thread())).unwrap();
        assert!(cores == 1 || held.iter().all(|&held| held == 1), "{held:?}");
        assert_eq!(cores_of_this_thread(), cores);
        // Fewer items than threads, and one: both leave the crew whole.
        shards.map(vec![(); 2], |()| Ok(())).unwrap();
        shards.map(vec![()], |()| Ok(())).unwrap();
    }
    let caller = std::thread::current().id();
    crate::shim::crew(cores + 1, &|| {
        let is_caller = std::thread::current().id() == caller;
        assert!(!is_caller || cores_of_this_thread() == cores, "a crew that does not fit is not held");
    })
    .unwrap();
}

#[test]
fn a_networks_steps_do_not_depend_on_how_the_work_fell_to_the_threads() {
    let train = || {
        crate::device::set_threads(2).unwrap();
        let mut stepper = TorchStepper::new(&arch(), RULES[2], 7, CPU, Preprocess::default()).unwrap();
        for step in 0..4 {
            stepper.step(&batch(step as usize, 9, size(40, 3), 3), Update { step, learning_rate: 1e-3 }).unwrap();
        }
        stepper.save().unwrap()
    };
    let once = train();
    let again = train();
    crate::device::set_threads(1).unwrap();
    let differing: Vec<&str> =
        once.iter().zip(&again).filter(|(a, b)| a.0 != b.0 || a.1.bytes != b.1.bytes).map(|(a, _)| &*a.0).collect();
    assert!(differing.is_empty(), "{differing:?}");
}
