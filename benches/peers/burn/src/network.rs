//! The book's convnets in burn, as data for both of them: filters, how many of the convolutions are pooled, and the dense part.

use burn::module::Module;
use burn::nn::conv::{Conv2d, Conv2dConfig};
use burn::nn::loss::CrossEntropyLossConfig;
use burn::nn::pool::{MaxPool2d, MaxPool2dConfig};
use burn::nn::{Dropout, DropoutConfig, Linear, LinearConfig, Relu};
use burn::tensor::{Device, Int, Tensor};
use burn::train::{ClassificationOutput, InferenceStep, TrainOutput, TrainStep};

use crate::clock;

#[derive(Clone, Debug)]
pub struct Batch {
    pub x: Tensor<4>,
    pub y: Tensor<1, Int>,
}

#[derive(Module, Debug)]
pub struct Network {
    convolutions: Vec<Conv2d>,
    pool: MaxPool2d,
    pooled: usize,
    dropout: Dropout,
    hidden: Linear,
    output: Linear,
    relu: Relu,
}

impl Network {
    /// Two classes: burn has no binary cross-entropy on one logit.
    pub fn cats_and_dogs(device: &Device) -> Self {
        Self::new(&[3, 32, 64, 128, 128], 4, [6272, 512, 2], 0.5, device)
    }

    pub fn mnist(device: &Device) -> Self {
        Self::new(&[1, 32, 64, 64], 2, [576, 64, 10], 0.0, device)
    }

    fn new(filters: &[usize], pooled: usize, [flat, hidden, classes]: [usize; 3], drop: f64, device: &Device) -> Self {
        let convolution = |pair: &[usize]| Conv2dConfig::new([pair[0], pair[1]], [3, 3]).init(device);
        Self {
            convolutions: filters.windows(2).map(convolution).collect(),
            pool: MaxPool2dConfig::new([2, 2]).with_strides([2, 2]).init(),
            pooled,
            dropout: DropoutConfig::new(drop).init(),
            hidden: LinearConfig::new(flat, hidden).init(device),
            output: LinearConfig::new(hidden, classes).init(device),
            relu: Relu::new(),
        }
    }

    fn forward(&self, mut x: Tensor<4>) -> Tensor<2> {
        for (position, convolution) in self.convolutions.iter().enumerate() {
            x = self.relu.forward(convolution.forward(x));
            if position < self.pooled {
                x = self.pool.forward(x);
            }
        }
        let x = self.dropout.forward(x.flatten::<2>(1, 3));
        self.output.forward(self.relu.forward(self.hidden.forward(x)))
    }

    fn classified(&self, batch: Batch) -> ClassificationOutput {
        let output = self.forward(batch.x);
        let loss = CrossEntropyLossConfig::new().init(&output.device()).forward(output.clone(), batch.y.clone());
        ClassificationOutput::new(loss, output, batch.y)
    }
}

impl TrainStep for Network {
    type Input = Batch;
    type Output = ClassificationOutput;

    fn step(&self, batch: Batch) -> TrainOutput<ClassificationOutput> {
        clock::tick(batch.y.dims()[0]);
        let output = self.classified(batch);
        let gradients = output.loss.backward();
        TrainOutput::new(self, gradients, output)
    }
}

impl InferenceStep for Network {
    type Input = Batch;
    type Output = ClassificationOutput;

    fn step(&self, batch: Batch) -> ClassificationOutput {
        self.classified(batch)
    }
}
