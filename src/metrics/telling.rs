//! Which images a person should look at: those that cost most, those that are wrong with confidence, those that could have gone either way,
//! and one for each of the commonest mistakes.

use std::collections::HashSet;

use super::Confusion;

/// What must be known of an image to choose it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Case {
    pub truth: u32,
    pub predicted: u32,
    pub loss: f64,
    /// The largest probability.
    pub confidence: f32,
}

impl Case {
    pub fn of(truth: u32, predicted: u32, loss: f64, probabilities: &[f32]) -> Self {
        let broken = probabilities.iter().any(|value| !value.is_finite());
        let largest = probabilities.iter().copied().fold(f32::NEG_INFINITY, f32::max);
        Self { truth, predicted, loss, confidence: if broken { f32::NAN } else { largest } }
    }

    pub fn is_right(&self) -> bool {
        self.truth == self.predicted
    }
}

/// Positions among the cases. Those whose numbers are none are in no list.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Telling {
    /// The highest losses, right or wrong.
    pub worst: Vec<usize>,
    /// Wrong ones, the most confident first.
    pub confidently_wrong: Vec<usize>,
    /// The least confident first.
    pub least_confident: Vec<usize>,
    /// The most confident image of each of the most confused pairs, in their order.
    pub confused: Vec<usize>,
}

impl Telling {
    /// At most `count` in each list; of equals the first.
    pub fn of(cases: &[Case], classes: usize, count: usize) -> Self {
        let sound: Vec<usize> =
            (0..cases.len()).filter(|&at| cases[at].loss.is_finite() && cases[at].confidence.is_finite()).collect();
        let first = |mut order: Vec<usize>, key: &dyn Fn(&Case) -> f64| {
            order.sort_by(|&a, &b| key(&cases[a]).total_cmp(&key(&cases[b])));
            order.truncate(count);
            order
        };
        let wrong: Vec<usize> = sound.iter().copied().filter(|&at| !cases[at].is_right()).collect();
        let sure = |case: &Case| -f64::from(case.confidence);
        let both = |part: fn(&Case) -> u32| -> Vec<u32> { wrong.iter().map(|&at| part(&cases[at])).collect() };
        let confusion = Confusion::of(&both(|case| case.truth), &both(|case| case.predicted), classes);
        let example = |truth: usize, predicted: usize| {
            let alike = |at: &usize| cases[*at].truth as usize == truth && cases[*at].predicted as usize == predicted;
            wrong.iter().copied().filter(alike).min_by(|&a, &b| sure(&cases[a]).total_cmp(&sure(&cases[b])))
        };
        Self {
            confused: confusion
                .most_confused(count)
                .iter()
                .filter_map(|pair| example(pair.truth, pair.predicted))
                .collect(),
            worst: first(sound.clone(), &|case| -case.loss),
            confidently_wrong: first(wrong.clone(), &sure),
            least_confident: first(sound, &|case| f64::from(case.confidence)),
        }
    }

    /// All of them, each once, in the order of the lists.
    pub fn all(&self) -> Vec<usize> {
        let mut seen = HashSet::new();
        let lists = [&self.worst, &self.confidently_wrong, &self.least_confident, &self.confused];
        lists.into_iter().flatten().copied().filter(|at| seen.insert(*at)).collect()
    }
}
