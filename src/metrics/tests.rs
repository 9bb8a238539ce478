//! Figures of scikit-learn, and of the calibration error's authors (`tests/reference/metrics.py`), beside ours; and what has no figure.
#![allow(clippy::unwrap_used)]

use serde::Deserialize;

use super::*;

#[derive(Deserialize)]
struct Fixture {
    cases: Vec<Reference>,
}

#[derive(Deserialize)]
struct Reference {
    name: String,
    truth: Vec<u32>,
    predicted: Vec<u32>,
    losses: Vec<f64>,
    probabilities: Vec<Vec<f32>>,
    figures: Figures,
}

#[derive(Deserialize)]
struct Figures {
    confusion: Vec<Vec<u64>>,
    balanced_accuracy: f64,
    precision: Vec<f64>,
    recall: Vec<f64>,
    f1: Vec<f64>,
    support: Vec<u64>,
    #[serde(rename = "macro")]
    macro_average: [f64; 3],
    weighted: [f64; 3],
    log_loss: f64,
    top_k: Vec<f64>,
    roc_auc: Vec<Option<f64>>,
    average_precision: Vec<Option<f64>>,
    roc: Vec<Vec<[f64; 2]>>,
    precision_recall: Vec<Vec<[f64; 2]>>,
    brier: f64,
    ece: f64,
    bins: Vec<u64>,
}

fn references() -> Vec<Reference> {
    let text = include_str!("../../tests/fixtures/metrics/metrics.json");
    serde_json::from_str::<Fixture>(text).unwrap().cases
}

fn verdicts(reference: &Reference) -> Verdicts {
    let mut verdicts = Verdicts::new(reference.probabilities[0].len());
    for (image, row) in reference.probabilities.iter().enumerate() {
        verdicts.push(reference.truth[image], reference.predicted[image], reference.losses[image], row);
    }
    verdicts
}

fn near(found: f64, wanted: f64, what: &str) {
    assert!((found - wanted).abs() < 1e-9, "{what}: {found}, not {wanted}");
}

#[test]
fn what_was_taken_for_what_is_counted_as_scikit_learn_counts() {
    for reference in references() {
        let (name, wanted) = (&reference.name, &reference.figures);
        let verdicts = verdicts(&reference);
        let confusion = Confusion::of(verdicts.truth(), verdicts.predicted(), verdicts.classes());
        assert_eq!(confusion.counts(), wanted.confusion, "{name}");
        near(confusion.balanced_accuracy().unwrap(), wanted.balanced_accuracy, name);
        for (class, figures) in confusion.classes().iter().enumerate() {
            assert_eq!(figures.support, wanted.support[class], "{name}");
            assert_eq!(figures.recall.is_none(), figures.support == 0, "{name}");
            for (found, wanted) in
                [(figures.precision, &wanted.precision), (figures.recall, &wanted.recall), (figures.f1, &wanted.f1)]
            {
                near(found.unwrap_or(0.0), wanted[class], name);
            }
        }
        for (found, wanted) in
            [(confusion.macro_average(), wanted.macro_average), (confusion.weighted_average(), wanted.weighted)]
        {
            let Averages { precision, recall, f1 } = found.unwrap();
            for (found, wanted) in [precision, recall, f1].into_iter().zip(wanted) {
                near(found, wanted, name);
            }
        }
    }
}

#[test]
fn scores_rank_as_scikit_learn_ranks_them_ties_and_all() {
    for reference in references() {
        let (name, wanted) = (&reference.name, &reference.figures);
        let verdicts = verdicts(&reference);
        for (k, &wanted) in (1..).zip(&wanted.top_k) {
            near(top_k(&verdicts, k).unwrap(), wanted, name);
        }
        for class in 0..verdicts.classes() {
            let (scores, positive) = (verdicts.column(class), verdicts.is(class));
            for (found, wanted) in [
                (roc_auc(&scores, &positive), wanted.roc_auc[class]),
                (average_precision(&scores, &positive), wanted.average_precision[class]),
            ] {
                assert_eq!(found.is_some(), wanted.is_some(), "{name}");
                near(found.unwrap_or(0.0), wanted.unwrap_or(0.0), name);
            }
            for (found, wanted) in [
                (roc_curve(&scores, &positive), &wanted.roc[class]),
                (precision_recall_curve(&scores, &positive), &wanted.precision_recall[class]),
            ] {
                let found = found.unwrap_or_default();
                assert_eq!(found.len(), wanted.len(), "{name}");
                for (found, wanted) in found.iter().flatten().zip(wanted.iter().flatten()) {
                    near(*found, *wanted, name);
                }
            }
        }
    }
}

#[test]
fn calibration_is_that_of_its_authors_and_brier_s_score_scikit_learn_s() {
    for reference in references() {
        let (name, wanted) = (&reference.name, &reference.figures);
        let verdicts = verdicts(&reference);
        let calibration = Calibration::of(&verdicts).unwrap();
        let images: Vec<u64> = calibration.bins.iter().map(|bin| bin.images).collect();
        assert_eq!(images, wanted.bins, "{name}");
        near(calibration.error, wanted.ece, name);
        near(brier(&verdicts).unwrap(), wanted.brier, name);
        near(mean(verdicts.losses().iter().copied()).unwrap(), wanted.log_loss, name);
    }
}

#[test]
fn of_nothing_there_are_no_figures() {
    let verdicts = Verdicts::new(3);
    let confusion = Confusion::of(&[], &[], 3);
    assert_eq!(
        (confusion.balanced_accuracy(), confusion.macro_average(), confusion.weighted_average()),
        (None, None, None)
    );
    assert_eq!((top_k(&verdicts, 1), brier(&verdicts), Calibration::of(&verdicts)), (None, None, None));
    assert_eq!((roc_auc(&[], &[]), average_precision(&[], &[]), roc_curve(&[], &[])), (None, None, None));
    assert_eq!(Telling::of(&[], 3, 8), Telling::default());
    assert_eq!(Confusion::new(vec![vec![1], vec![]]).classes()[1].recall, None, "a torn table is no panic");
    assert_eq!(Verdicts::new(0).column(0), [0.0; 0]);
}

#[test]
fn a_network_that_blew_up_has_no_figures_of_its_probabilities() {
    let mut verdicts = Verdicts::new(2);
    verdicts.push(0, 0, 0.1, &[0.9, 0.1]);
    verdicts.push(1, 0, f64::NAN, &[f32::NAN, f32::NAN]);
    verdicts.push(1, 0, f64::NAN, &[]);
    assert_eq!(verdicts.broken(), 2);
    assert_eq!((top_k(&verdicts, 1), brier(&verdicts), Calibration::of(&verdicts)), (None, None, None));
    let (scores, positive) = (verdicts.column(1), verdicts.is(1));
    assert_eq!((roc_auc(&scores, &positive), average_precision(&scores, &positive)), (None, None));
    let telling = Telling::of(&verdicts.cases(), 2, 8);
    assert_eq!((telling.worst, telling.least_confident, telling.confidently_wrong), (vec![0], vec![0], vec![]));
    assert_eq!(likeliest(&[f32::NAN, 0.2, 0.7, 0.2]), [2, 1, 3, 0]);
}

#[test]
fn the_images_that_tell_most_are_found() {
    let case = |truth, predicted, loss, confidence| Case { truth, predicted, loss, confidence };
    let cases = [
        case(0, 0, 0.1, 0.9),
        case(0, 1, 2.0, 0.8),
        case(1, 0, 3.0, 0.95),
        case(0, 1, 1.0, 0.6),
        case(1, 1, 0.6, 0.55),
        case(2, 1, 9.0, 0.7),
    ];
    let telling = Telling::of(&cases, 3, 2);
    assert_eq!(telling.worst, [5, 2]);
    assert_eq!(telling.confidently_wrong, [2, 1]);
    assert_eq!(telling.least_confident, [4, 3]);
    // First class as second: twice, of which image 1 was the surer; then the first of the pairs with one.
    assert_eq!(telling.confused, [1, 2]);
    assert_eq!(telling.all(), [5, 2, 1, 4, 3]);
}

#[test]
fn a_thinned_curve_keeps_its_ends() {
    let curve: Vec<[f64; 2]> = (0..=1024).map(|at| [f64::from(at) / 1024.0; 2]).collect();
    let thin = thinned(&curve, 0.125);
    assert_eq!((thin.len(), thin[0], thin[thin.len() - 1]), (9, [0.0; 2], [1.0; 2]));
    assert_eq!(thinned(&[], 0.1), Vec::<[f64; 2]>::new());
}
