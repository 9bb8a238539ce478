//! burn and burn-train on the processor as a peer: `burn-peer step|end-to-end|input|mnist-64|mnist-128`, with the options that every
//! peer takes.

mod clock;
mod network;
mod pictures;

use std::io::Read as _;

use burn::data::dataloader::DataLoaderBuilder;
use burn::data::dataset::InMemDataset;
use burn::optim::RmsPropConfig;
use burn::tensor::{Device, Distribution, Tensor, TensorData};
use burn::train::metric::{AccuracyMetric, LossMetric};
use burn::train::{Learner, SupervisedTraining, TrainStep};
use rand::Rng as _;

use clock::Clock;
use network::{Batch, Network};
use pictures::Jpegs;

struct Options(Vec<String>);

impl Options {
    fn text(&self, name: &str, default: &str) -> String {
        let at = self.0.iter().position(|word| word == name);
        at.and_then(|at| self.0.get(at + 1)).map_or(default, String::as_str).to_owned()
    }

    fn number(&self, name: &str, default: f64) -> f64 {
        self.text(name, "").parse().unwrap_or(default)
    }
}

fn main() {
    let options = Options(std::env::args().collect());
    let mode = options.0.get(1).cloned().unwrap_or_default();
    let threads = options.number("--threads", 2.0) as usize;
    rayon::ThreadPoolBuilder::new().num_threads(threads).build_global().expect("a thread pool");
    let (task, system) = match mode.as_str() {
        "end-to-end" => ("end-to-end", "burn, burn-train, 1 loader thread".to_owned()),
        "input" => ("input-first", format!("burn's loader + image crate, {threads} threads")),
        other => (other, "burn".to_owned()),
    };
    Clock::start(task.to_owned(), system, options.number("--seconds", 3.0), options.number("--repeats", 3.0) as usize);
    match mode.as_str() {
        "step" => {
            let device = Device::flex().autodiff();
            let x = Tensor::random([32, 3, 150, 150], Distribution::Uniform(0.0, 1.0), &device);
            let y = TensorData::new((0..32).map(|number| number % 2).collect::<Vec<i32>>(), [32]);
            let batch = Batch { x, y: Tensor::from_data(y, &device) };
            train(Network::cats_and_dogs(&device), || batch.clone());
        }
        "mnist-64" => mnist(&options, 64),
        "mnist-128" => mnist(&options, 128),
        "input" => input(&options.text("--data", ""), threads),
        "end-to-end" => end_to_end(&options.text("--data", "")),
        other => panic!("no mode `{other}`"),
    }
}

/// A loop of ours, as the other peers' without a data pipeline.
fn train(mut network: Network, mut next: impl FnMut() -> Batch) {
    let mut optimizer = rmsprop().init();
    loop {
        let trained = TrainStep::step(&network, next());
        network = optimizer.step(1e-4, network, trained.grads);
        let _ = trained.item.loss.into_data();
    }
}

/// With Keras's constants.
fn rmsprop() -> RmsPropConfig {
    RmsPropConfig::new().with_alpha(0.9).with_momentum(0.0).with_epsilon(1e-7)
}

fn mnist(options: &Options, batch: usize) {
    let device = Device::flex().autodiff();
    let folder = options.text("--mnist", "");
    let read = |name: &str| {
        let path = format!("{folder}/{name}");
        let mut bytes = Vec::new();
        match std::fs::File::open(format!("{path}.gz")) {
            Ok(file) => flate2::read::GzDecoder::new(file).read_to_end(&mut bytes).expect("a gzipped file"),
            Err(_) => std::fs::File::open(path).and_then(|mut file| file.read_to_end(&mut bytes)).expect("a file of MNIST"),
        };
        bytes
    };
    let (images, labels) = (read("train-images-idx3-ubyte"), read("train-labels-idx1-ubyte"));
    let mut random = rand::rng();
    train(Network::mnist(&device), || {
        let drawn: Vec<usize> = (0..batch).map(|_| random.random_range(0..60_000)).collect();
        let image = |number: &usize| images[16 + number * 784..16 + (number + 1) * 784].iter();
        let x: Vec<f32> = drawn.iter().flat_map(image).map(|&byte| f32::from(byte) / 255.0).collect();
        let y: Vec<i32> = drawn.iter().map(|number| i32::from(labels[8 + number])).collect();
        let (x, y) = (TensorData::new(x, [batch, 1, 28, 28]), TensorData::new(y, [batch]));
        Batch { x: Tensor::from_data(x, &device), y: Tensor::from_data(y, &device) }
    });
}

fn input(root: &str, threads: usize) {
    let files = InMemDataset::new(pictures::files(root, "train"));
    let loader = DataLoaderBuilder::new(Jpegs).batch_size(32).shuffle(1).num_workers(threads);
    let loader = loader.set_device(Device::flex()).build(files);
    loop {
        for batch in loader.iter() {
            clock::tick(batch.expect("a batch").y.dims()[0]);
        }
    }
}

fn end_to_end(root: &str) {
    let loader = |split: &str, device: Device| {
        let loader = DataLoaderBuilder::new(Jpegs).batch_size(32).shuffle(1).num_workers(1);
        loader.set_device(device).build(InMemDataset::new(pictures::files(root, split)))
    };
    let device = Device::flex();
    let (training, validation) = (loader("train", device.clone().autodiff()), loader("validation", device.clone()));
    let learner = Learner::new(Network::cats_and_dogs(&device.autodiff()), rmsprop().init(), 1e-4);
    let log = std::env::temp_dir().join("burn-peer-log");
    SupervisedTraining::new(log, training, validation)
        .metrics((LossMetric::new(), AccuracyMetric::new()))
        .num_epochs(50)
        .launch(learner);
}
