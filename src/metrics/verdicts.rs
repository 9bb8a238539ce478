//! What a classifier said of images, one row an image, in their order. It keeps the numbers and answers for their shape; what they are
//! worth is the other files' business.

use super::Case;

#[derive(Clone, Debug, Default, PartialEq)]
pub struct Verdicts {
    classes: usize,
    truth: Vec<u32>,
    predicted: Vec<u32>,
    losses: Vec<f64>,
    /// `[n, classes]`, row-major.
    probabilities: Vec<f32>,
}

impl Verdicts {
    pub fn new(classes: usize) -> Self {
        Self { classes, ..Self::default() }
    }

    /// `loss` is the cross-entropy in nats. A probability that is missing counts as no number, one too many is left out.
    pub fn push(&mut self, truth: u32, predicted: u32, loss: f64, probabilities: &[f32]) {
        self.truth.push(truth);
        self.predicted.push(predicted);
        self.losses.push(loss);
        let row = probabilities.iter().copied().chain(std::iter::repeat(f32::NAN));
        self.probabilities.extend(row.take(self.classes));
    }

    pub fn len(&self) -> usize {
        self.truth.len()
    }

    pub fn is_empty(&self) -> bool {
        self.truth.is_empty()
    }

    pub fn classes(&self) -> usize {
        self.classes
    }

    pub fn truth(&self) -> &[u32] {
        &self.truth
    }

    pub fn predicted(&self) -> &[u32] {
        &self.predicted
    }

    pub fn losses(&self) -> &[f64] {
        &self.losses
    }

    /// One number a class.
    pub fn row(&self, image: usize) -> &[f32] {
        &self.probabilities[image * self.classes..(image + 1) * self.classes]
    }

    /// One class's probability for each image.
    pub fn column(&self, class: usize) -> Vec<f32> {
        self.probabilities.iter().skip(class).step_by(self.classes.max(1)).copied().collect()
    }

    pub fn is(&self, class: usize) -> Vec<bool> {
        self.truth.iter().map(|&truth| truth as usize == class).collect()
    }

    /// Images for which the network put out something that is no number.
    pub fn broken(&self) -> usize {
        (0..self.len()).filter(|&image| !self.row(image).iter().all(|value| value.is_finite())).count()
    }

    /// The largest probability of each image.
    pub fn confidences(&self) -> Vec<f32> {
        let largest = |row: &[f32]| row.iter().copied().fold(f32::NEG_INFINITY, f32::max);
        (0..self.len()).map(|image| largest(self.row(image))).collect()
    }

    pub fn cases(&self) -> Vec<Case> {
        (0..self.len())
            .map(|image| Case::of(self.truth[image], self.predicted[image], self.losses[image], self.row(image)))
            .collect()
    }
}
