//! Which training samples become validation, and which stay when there is a limit: evenly from every class, by the seed alone.

use super::DataError;
use super::random::{self, Purpose};

/// Indices into the training source, ascending.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Carved {
    pub(super) train: Vec<u32>,
    pub(super) validation: Option<Vec<u32>>,
}

/// Carves `fraction` of the samples into validation, then keeps at most `limit` of the others. Each class gives its exact share,
/// rounded up or down so that the total is right (largest remainders). `given` samples of validation exist already.
pub(super) fn carve(
    labels: &[u32],
    fraction: Option<f64>,
    limit: Option<usize>,
    seed: u64,
    given: usize,
) -> Result<Carved, DataError> {
    if labels.is_empty() {
        return Err(DataError::EmptySplit { split: "train", why: "the data set holds none".into() });
    }
    let mut classes = by_class(labels, seed);
    let mut validation = None;
    if let Some(value) = fraction {
        if !(value > 0.0 && value < 1.0) {
            return Err(DataError::Fraction { value });
        }
        if given > 0 {
            return Err(DataError::TwoValidations { count: given, fraction: value });
        }
        let wanted = (labels.len() as f64 * value).round() as usize;
        let why = || format!("a fraction of {value} of {} is {wanted}", labels.len());
        match wanted {
            0 => return Err(DataError::EmptySplit { split: "validation", why: why() }),
            _ if wanted == labels.len() => return Err(DataError::EmptySplit { split: "train", why: why() }),
            _ => validation = Some(take(&mut classes, wanted)),
        }
    }
    let left: usize = classes.iter().map(Vec::len).sum();
    let train = match limit {
        Some(0) => return Err(DataError::EmptySplit { split: "train", why: "the limit is 0".into() }),
        Some(limit) => take(&mut classes, limit.min(left)),
        None => take(&mut classes, left),
    };
    Ok(Carved { train, validation })
}

/// The samples of each class in the seed's order.
fn by_class(labels: &[u32], seed: u64) -> Vec<Vec<u32>> {
    let count = labels.iter().max().map_or(0, |&most| most as usize + 1);
    let mut classes = vec![Vec::new(); count];
    for (sample, &label) in labels.iter().enumerate() {
        classes[label as usize].push(sample as u32);
    }
    for (class, samples) in classes.iter_mut().enumerate() {
        random::shuffle(&mut random::stream(seed, Purpose::Split, class as u64, 0), samples);
    }
    classes
}

/// Takes `wanted` samples off the ends of the classes' lists, in proportion to their lengths.
fn take(classes: &mut [Vec<u32>], wanted: usize) -> Vec<u32> {
    let total: usize = classes.iter().map(Vec::len).sum();
    let mut quotas: Vec<usize> = Vec::with_capacity(classes.len());
    let mut remainders = Vec::with_capacity(classes.len());
    for (class, samples) in classes.iter().enumerate() {
        let share = samples.len() as u128 * wanted as u128; // over `total`
        quotas.push((share / total as u128) as usize);
        remainders.push((std::cmp::Reverse(share % total as u128), class));
    }
    remainders.sort_unstable();
    let short = wanted - quotas.iter().sum::<usize>();
    for &(_, class) in &remainders[..short] {
        quotas[class] += 1;
    }
    let mut taken: Vec<u32> =
        classes.iter_mut().zip(quotas).flat_map(|(samples, quota)| samples.split_off(samples.len() - quota)).collect();
    taken.sort_unstable();
    taken
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use proptest::prelude::*;

    use super::*;

    fn count(of: &[u32], labels: &[u32], class: u32) -> f64 {
        of.iter().filter(|&&sample| labels[sample as usize] == class).count() as f64
    }

    proptest! {
        #[test]
        fn a_carve_is_disjoint_complete_and_in_proportion(
            labels in prop::collection::vec(0_u32..7, 4..400),
            fraction in 0.05_f64..0.95,
            seed: u64,
        ) {
            let wanted = (labels.len() as f64 * fraction).round();
            prop_assume!(wanted >= 1.0 && (wanted as usize) < labels.len());
            let carved = carve(&labels, Some(fraction), None, seed, 0).unwrap();
            let validation = carved.validation.unwrap();
            prop_assert_eq!(validation.len() as f64, wanted);

            let mut all = [carved.train.clone(), validation.clone()].concat();
            all.sort_unstable();
            prop_assert_eq!(all, (0..labels.len() as u32).collect::<Vec<_>>());

            let every: Vec<u32> = (0..labels.len() as u32).collect();
            for class in 0..7 {
                let exact = count(&every, &labels, class) * wanted / labels.len() as f64;
                prop_assert!((count(&validation, &labels, class) - exact).abs() < 1.0);
            }
        }

        #[test]
        fn a_limit_keeps_the_proportions_and_stays_clear_of_validation(
            labels in prop::collection::vec(0_u32..5, 10..300),
            limit in 1_usize..200,
            seed: u64,
        ) {
            let carved = carve(&labels, Some(0.3), Some(limit), seed, 0).unwrap();
            let unlimited = carve(&labels, Some(0.3), None, seed, 0).unwrap();
            prop_assert_eq!(&carved.validation, &unlimited.validation);
            prop_assert_eq!(carved.train.len(), limit.min(unlimited.train.len()));
            prop_assert!(carved.train.iter().all(|sample| unlimited.train.binary_search(sample).is_ok()));
            for class in 0..5 {
                let exact = count(&unlimited.train, &labels, class) * carved.train.len() as f64 / unlimited.train.len() as f64;
                prop_assert!((count(&carved.train, &labels, class) - exact).abs() < 1.0);
            }
        }
    }

    #[test]
    fn the_seed_alone_decides() {
        let labels: Vec<u32> = (0..100).map(|i| i % 3).collect();
        let of = |seed| carve(&labels, Some(0.2), None, seed, 0).unwrap();
        assert_eq!(of(1), of(1));
        assert_ne!(of(1), of(2));
    }

    #[test]
    fn without_a_fraction_or_limit_every_sample_trains() {
        let carved = carve(&[0, 1, 0], None, None, 9, 0).unwrap();
        assert_eq!(carved, Carved { train: vec![0, 1, 2], validation: None });
    }

    #[test]
    fn fractions_that_make_no_sense_are_refused() {
        for value in [0.0, 1.0, -0.1, 7.0, f64::NAN] {
            assert!(matches!(carve(&[0, 1], Some(value), None, 0, 0), Err(DataError::Fraction { .. })), "{value}");
        }
    }
}
