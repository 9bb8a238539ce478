//! All figures of an evaluation, with the names that belong to them: what `--json` prints and the reports tell. docs/evaluation.md says
//! what each key means.

use serde::Serialize;

use super::Heard;
use crate::{
    event::{CheckpointKind, Metrics, SkippedFile, Tested},
    metrics::{
        Averages, Bin, Calibration, Case, ClassFigures, Confusion, Telling, Verdicts, average_precision, brier,
        precision_recall_curve, roc_auc, roc_curve, thinned, top_k,
    },
};

/// Distance between two points of a curve that is kept; a curve has a few hundred.
const APART: f64 = 1.0 / 200.0;
/// Pairs of classes that are told.
const PAIRS: usize = 20;

#[derive(Debug, Serialize)]
pub struct Findings {
    pub event: &'static str,
    pub run: String,
    pub split: String,
    pub checkpoint: CheckpointKind,
    pub images: u64,
    pub metrics: Metrics,
    pub classes: Vec<String>,
    /// The class that a single sigmoid speaks for, and which is the positive one of the figures without a class.
    pub positive: Option<String>,
    /// `[truth][prediction]`.
    pub confusion: Vec<Vec<u64>>,
    pub per_class: Vec<Class>,
    pub macro_average: Option<Averages>,
    pub weighted_average: Option<Averages>,
    pub balanced_accuracy: Option<f64>,
    pub top_k: Vec<TopK>,
    pub roc_auc: Option<f64>,
    pub average_precision: Option<f64>,
    pub log_loss: Option<f64>,
    pub brier: Option<f64>,
    pub expected_calibration_error: Option<f64>,
    pub reliability: Vec<Bin>,
    pub confused: Vec<Confused>,
    pub worst: Vec<Sample>,
    pub confidently_wrong: Vec<Sample>,
    pub least_confident: Vec<Sample>,
    /// One of each of the first pairs of `confused`.
    pub confused_examples: Vec<Sample>,
    /// Images for which the network put out something that is no number.
    pub broken: usize,
    pub skipped: Vec<SkippedFile>,
}

#[derive(Debug, Serialize)]
pub struct Class {
    pub class: String,
    #[serde(flatten)]
    pub figures: ClassFigures,
    pub roc_auc: Option<f64>,
    pub average_precision: Option<f64>,
    /// `[false positive rate, true positive rate]`.
    pub roc: Vec<[f64; 2]>,
    /// `[recall, precision]`.
    pub precision_recall: Vec<[f64; 2]>,
}

#[derive(Debug, Serialize)]
pub struct TopK {
    pub k: usize,
    pub accuracy: Option<f64>,
}

#[derive(Debug, Serialize)]
pub struct Confused {
    pub truth: String,
    pub predicted: String,
    pub images: u64,
    /// Of the images of `truth`.
    pub share: f64,
}

#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Sample {
    /// Position in the split.
    pub sample: u32,
    pub image: String,
    pub truth: String,
    pub predicted: String,
    /// Of the predicted class.
    pub confidence: f32,
    /// Of the true class.
    pub probability: f32,
    pub loss: f64,
}

impl Findings {
    /// `most` samples in each list.
    pub fn of(run: &str, split: &str, names: &[String], tested: Tested, heard: &Heard, most: usize) -> Self {
        let classes = tested.confusion.len();
        let names: Vec<String> =
            (0..classes).map(|class| names.get(class).cloned().unwrap_or_else(|| class.to_string())).collect();
        let mut verdicts = Verdicts::new(classes);
        for judged in &heard.judged {
            verdicts.push(judged.truth, judged.predicted, judged.loss, &judged.probabilities);
        }
        let confusion = Confusion::new(tested.confusion);
        let per_class: Vec<Class> = per_class(&confusion, &verdicts, &names);
        let of_second = |figure: fn(&Class) -> Option<f64>| match &per_class[..] {
            [_, second] => figure(second),
            all => crate::metrics::mean(all.iter().filter_map(figure)),
        };
        let calibration = Calibration::of(&verdicts);
        let cases: Vec<Case> = verdicts.cases();
        let telling = Telling::of(&cases, classes, most);
        let samples = |chosen: &[usize]| chosen.iter().map(|&at| sample(heard, &names, at)).collect();
        Self {
            event: "tested",
            run: run.to_owned(),
            split: split.to_owned(),
            checkpoint: tested.checkpoint,
            images: tested.images,
            metrics: tested.metrics,
            positive: (classes == 2).then(|| names[1].clone()),
            macro_average: confusion.macro_average(),
            weighted_average: confusion.weighted_average(),
            balanced_accuracy: confusion.balanced_accuracy(),
            top_k: [1, 3, 5]
                .into_iter()
                .filter(|&k| k < classes)
                .map(|k| TopK { k, accuracy: top_k(&verdicts, k) })
                .collect(),
            roc_auc: of_second(|class| class.roc_auc),
            average_precision: of_second(|class| class.average_precision),
            log_loss: crate::metrics::mean(verdicts.losses().iter().copied()).filter(|loss| loss.is_finite()),
            brier: brier(&verdicts),
            expected_calibration_error: calibration.as_ref().map(|calibration| calibration.error),
            reliability: calibration.map_or_else(Vec::new, |calibration| calibration.bins),
            confused: confused(&confusion, &names),
            worst: samples(&telling.worst),
            confidently_wrong: samples(&telling.confidently_wrong),
            least_confident: samples(&telling.least_confident),
            confused_examples: samples(&telling.confused),
            broken: verdicts.broken(),
            skipped: heard.skipped.clone(),
            per_class,
            confusion: confusion.counts().to_vec(),
            classes: names,
        }
    }
}

fn per_class(confusion: &Confusion, verdicts: &Verdicts, names: &[String]) -> Vec<Class> {
    let figures = confusion.classes();
    let class = |(at, (figures, name)): (usize, (ClassFigures, &String))| {
        let (scores, positive) = (verdicts.column(at), verdicts.is(at));
        let thin = |curve: Option<Vec<[f64; 2]>>| thinned(&curve.unwrap_or_default(), APART);
        Class {
            class: name.clone(),
            figures,
            roc_auc: roc_auc(&scores, &positive),
            average_precision: average_precision(&scores, &positive),
            roc: thin(roc_curve(&scores, &positive)),
            precision_recall: thin(precision_recall_curve(&scores, &positive)),
        }
    };
    figures.into_iter().zip(names).enumerate().map(class).collect()
}

fn confused(confusion: &Confusion, names: &[String]) -> Vec<Confused> {
    let support: Vec<u64> = confusion.classes().iter().map(|class| class.support).collect();
    let pair = |pair: crate::metrics::Pair| Confused {
        truth: names[pair.truth].clone(),
        predicted: names[pair.predicted].clone(),
        images: pair.images,
        share: pair.images as f64 / support[pair.truth].max(1) as f64,
    };
    confusion.most_confused(PAIRS).into_iter().map(pair).collect()
}

fn sample(heard: &Heard, names: &[String], at: usize) -> Sample {
    let judged = &heard.judged[at];
    let name = |class: u32| names.get(class as usize).cloned().unwrap_or_else(|| class.to_string());
    let probability = |class: u32| judged.probabilities.get(class as usize).copied().unwrap_or(f32::NAN);
    Sample {
        sample: judged.sample,
        image: judged.name.clone(),
        truth: name(judged.truth),
        predicted: name(judged.predicted),
        confidence: probability(judged.predicted),
        probability: probability(judged.truth),
        loss: judged.loss,
    }
}
