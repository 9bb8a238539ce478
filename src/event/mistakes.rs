//! What a pass over the validation split got wrong: who was taken for whom, and the images that a person should see.

use serde::{Deserialize, Serialize};

use super::{Picture, real};

/// At the end of each epoch with a validation; only the newest one is of interest.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Mistakes {
    pub step: u64,
    pub epoch: u32,
    pub confusion: Shown,
    /// Each image once; the lists below name positions here.
    pub cases: Vec<Mistake>,
    /// The highest losses first, right or wrong.
    pub worst: Vec<u32>,
    /// Wrong ones, the most confident first.
    pub confident: Vec<u32>,
    /// The pairs with the most images first.
    pub pairs: Vec<ConfusedPair>,
}

/// A confusion matrix that may be too large to be shown whole: the classes with the most images, all others together.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Shown {
    /// In the order of their numbers.
    pub classes: Vec<u32>,
    /// How many classes there are in all. Where some are left out, the last row and column hold them all.
    pub of: u32,
    /// `[truth][prediction]`.
    pub counts: Vec<Vec<u64>>,
    /// Of each class that is shown, over all classes.
    pub figures: Vec<ClassCounts>,
}

/// What precision and recall are made of.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClassCounts {
    /// Images of the class.
    pub support: u64,
    /// Images that were taken for it.
    pub predicted: u64,
    /// Those of both.
    pub right: u64,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Mistake {
    /// Position in the validation split.
    pub sample: u32,
    pub name: String,
    pub truth: u32,
    pub predicted: u32,
    /// Of the predicted class.
    #[serde(with = "real::single")]
    pub probability: f32,
    /// Cross-entropy in nats.
    #[serde(with = "real")]
    pub loss: f64,
    /// A thumbnail, where there was time for one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub picture: Option<Picture>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ConfusedPair {
    pub truth: u32,
    pub predicted: u32,
    pub images: u64,
    /// The position of the most confident one of them.
    pub example: u32,
}

impl Mistakes {
    /// Leaves so many of each list, and of the images those that are still named.
    pub fn shorten(&mut self, most: usize) {
        self.worst.truncate(most);
        self.confident.truncate(most);
        self.pairs.truncate(most);
        let named =
            self.worst.iter_mut().chain(&mut self.confident).chain(self.pairs.iter_mut().map(|pair| &mut pair.example));
        let mut kept = Vec::new();
        for position in named {
            let at = kept.iter().position(|known| known == position).unwrap_or_else(|| {
                kept.push(*position);
                kept.len() - 1
            });
            *position = at as u32;
        }
        self.cases = kept.iter().filter_map(|position| self.cases.get(*position as usize).cloned()).collect();
    }
}

impl Shown {
    /// Classes that are shown one by one.
    pub const MOST: usize = 30;

    /// Of a square table `[truth][prediction]`.
    pub fn of(table: &[Vec<u64>]) -> Self {
        let column = |class: usize| table.iter().map(|row| row[class]).sum();
        let figures: Vec<ClassCounts> = (0..table.len())
            .map(|class| ClassCounts {
                support: table[class].iter().sum(),
                predicted: column(class),
                right: table[class][class],
            })
            .collect();
        let mut order: Vec<usize> = (0..table.len()).collect();
        order.sort_by_key(|&class| std::cmp::Reverse(figures[class].support));
        let left_out = order.split_off(order.len().min(Self::MOST));
        order.sort_unstable();
        let rest = |cells: &mut dyn Iterator<Item = u64>| (!left_out.is_empty()).then(|| cells.sum::<u64>());
        let line = |row: &dyn Fn(usize) -> u64| -> Vec<u64> {
            let shown = order.iter().map(|&class| row(class));
            shown.chain(rest(&mut left_out.iter().map(|&class| row(class)))).collect()
        };
        let mut counts: Vec<Vec<u64>> = order.iter().map(|&truth| line(&|class| table[truth][class])).collect();
        if !left_out.is_empty() {
            counts.push(line(&|class| left_out.iter().map(|&truth| table[truth][class]).sum()));
        }
        Self {
            figures: order.iter().map(|&class| figures[class]).collect(),
            classes: order.into_iter().map(|class| class as u32).collect(),
            of: table.len() as u32,
            counts,
        }
    }
}

impl ClassCounts {
    /// Share of what was taken for the class that is of it; `None` if nothing was.
    pub fn precision(&self) -> Option<f64> {
        (self.predicted > 0).then(|| self.right as f64 / self.predicted as f64)
    }

    /// Share of the class's images that were taken for it; `None` if it has none.
    pub fn recall(&self) -> Option<f64> {
        (self.support > 0).then(|| self.right as f64 / self.support as f64)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_small_table_is_shown_whole() {
        let shown = Shown::of(&[vec![8, 2], vec![1, 4]]);
        assert_eq!(shown.counts, [[8, 2], [1, 4]]);
        assert_eq!((shown.classes, shown.of), (vec![0, 1], 2));
        assert_eq!(shown.figures[0], ClassCounts { support: 10, predicted: 9, right: 8 });
        assert_eq!(shown.figures[1].precision(), Some(4.0 / 6.0));
        assert_eq!(shown.figures[1].recall(), Some(0.8));
    }

    #[test]
    fn of_many_classes_those_with_few_images_are_one() {
        // Class k has k + 1 images, of which one is taken for class 0.
        let classes = 33;
        let table: Vec<Vec<u64>> = (0..classes)
            .map(|truth| {
                let mut row = vec![0; classes];
                row[truth] += truth as u64;
                row[0] += 1;
                row
            })
            .collect();
        let shown = Shown::of(&table);
        assert_eq!(shown.classes, (3..33).collect::<Vec<u32>>(), "0, 1 and 2 have the fewest");
        assert_eq!((shown.counts.len(), shown.counts[0].len()), (31, 31));
        assert_eq!(shown.counts[0][30], 1, "the one of class 3 that was taken for class 0");
        assert_eq!(shown.counts[30], [vec![0; 30], vec![1 + 2 + 3]].concat(), "classes 0, 1 and 2 among themselves");
        assert_eq!(shown.counts.iter().flatten().sum::<u64>(), table.iter().flatten().sum::<u64>());
    }

    #[test]
    fn what_never_occurs_has_no_figures() {
        let none = ClassCounts::default();
        assert_eq!((none.precision(), none.recall()), (None, None));
    }

    #[test]
    fn a_shortened_list_names_the_same_images() {
        let case = |sample| Mistake {
            sample,
            name: sample.to_string(),
            truth: 0,
            predicted: 1,
            probability: 0.9,
            loss: 2.0,
            picture: None,
        };
        let pair = |example| ConfusedPair { truth: 0, predicted: 1, images: 3, example };
        let mut mistakes = Mistakes {
            step: 1,
            epoch: 1,
            confusion: Shown::default(),
            cases: (100..110).map(case).collect(),
            worst: vec![7, 3, 1],
            confident: vec![3, 9, 0],
            pairs: vec![pair(2), pair(7)],
        };
        mistakes.shorten(2);
        let samples = |list: &[u32]| list.iter().map(|at| mistakes.cases[*at as usize].sample).collect::<Vec<_>>();
        assert_eq!((samples(&mistakes.worst), samples(&mistakes.confident)), (vec![107, 103], vec![103, 109]));
        assert_eq!(samples(&mistakes.pairs.iter().map(|pair| pair.example).collect::<Vec<_>>()), [102, 107]);
        assert_eq!(mistakes.cases.len(), 4);
    }
}
