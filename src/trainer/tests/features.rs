//! What is kept of frozen layers follows the freeze mask, in the middle of an epoch too, and never changes what a step is shown.

use std::{cell::RefCell, rc::Rc};

use super::*;
use crate::data::FrozenPart;

/// Of each step and each evaluated batch: whether it was served, and how many of its pictures had to be computed.
type Seen = Rc<RefCell<Vec<(bool, usize)>>>;

/// What the loop shows it is all that counts: a hash over what the frozen layer makes of the pictures.
struct Net {
    frozen: Vec<String>,
    script: Vec<(u64, Command)>,
    wire: Sender<Request>,
    seen: Seen,
    evaluations: Seen,
    hash: u64,
}

impl Net {
    /// The frozen layer's outputs, computed or read.
    fn outputs(&self, batch: &Batch, seen: &Seen) -> Vec<u8> {
        let one = batch.size.bytes();
        let layer = |picture: &[u8]| [picture[7], picture[one / 2], picture[one - 1]];
        let Some(served) = &batch.features else {
            seen.borrow_mut().push((false, batch.count));
            return batch.images.chunks_exact(one).flat_map(layer).collect();
        };
        assert!(self.frozen.contains(&"conv2d".to_owned()), "what a layer made that learns");
        let missing: Vec<usize> = served.missing().collect();
        seen.borrow_mut().push((true, missing.len()));
        let computed: Vec<u8> = batch.images.chunks_exact(one).flat_map(layer).collect();
        served.features.keep(missing.iter().map(|&place| served.numbers[place]).collect(), computed.clone());
        served.features.count(served.held.len() - missing.len(), missing.len());
        let (mut held, mut new) = (served.records.chunks_exact(3), computed.chunks_exact(3));
        let rows = served.held.iter().map(|&is_held| if is_held { held.next() } else { new.next() });
        rows.flat_map(Option::unwrap).copied().collect()
    }
}

impl Stepper for Net {
    fn set_micro_batch(&mut self, _: Option<usize>) {}

    fn tune(&mut self, _: &Tuning) -> Result<()> {
        Ok(())
    }

    fn probe(&mut self, _: &[Pixels], _: &[i64], _: Histograms<'_>) -> Result<Vec<LayerProbe>> {
        Ok(Vec::new())
    }

    fn begin_phase(&mut self, _: &Phase) -> Result<()> {
        Ok(())
    }

    fn step(&mut self, batch: &Batch, update: Update) -> Result<Score> {
        for (step, command) in &self.script {
            if *step == update.step {
                self.wire.send(Request { id: 0, by: "test".into(), command: command.clone() }).unwrap();
            }
        }
        let outputs = self.outputs(batch, &self.seen.clone());
        let seen = format!("{:?} {outputs:?} {:?}", batch.samples, self.frozen);
        self.hash = seen.bytes().fold(self.hash, |hash, byte| hash.wrapping_mul(31).wrapping_add(byte.into()));
        Ok(Score { images: batch.count as u64, loss_sum: 1.0, correct: 1 })
    }

    fn evaluate(&mut self, batch: &Batch) -> Result<Evaluated> {
        let outputs = self.outputs(batch, &self.evaluations.clone());
        let loss_sum = outputs.iter().map(|&byte| f64::from(byte)).sum();
        let score = Score { images: batch.count as u64, loss_sum, correct: 0 };
        Ok(Evaluated { score, predictions: vec![0; batch.count], ..Evaluated::default() })
    }

    fn set_frozen(&mut self, frozen: &[String]) -> Result<()> {
        self.frozen = frozen.to_vec();
        Ok(())
    }

    fn frozen_part(&mut self, _training: bool) -> Result<Option<FrozenPart>> {
        let outputs = vec!["conv2d".to_owned()];
        let part = FrozenPart { identity: blake3::hash(b"net"), record_bytes: 3, needs_pictures: false, outputs };
        Ok(self.frozen.contains(&part.outputs[0]).then_some(part))
    }

    fn begin_epoch(&mut self) -> Result<()> {
        Ok(())
    }

    fn meters(&mut self) -> Result<Vec<LayerMeters>> {
        Ok(Vec::new())
    }

    fn save(&self) -> Result<Vec<SavedTensor>> {
        let bytes = self.hash.to_le_bytes().to_vec();
        Ok(vec![("hash".into(), TensorData { shape: vec![], dtype: DType::I64, bytes })])
    }

    fn restore(&mut self, _: &[SavedTensor]) -> Result<()> {
        Ok(())
    }

    fn climb(&mut self, _: &str, _: &mut Painting) -> Result<Option<String>> {
        Ok(Some("there are no filters".into()))
    }

    fn explain(&mut self, _: &Pixels, _: Question<'_>, _: &mut dyn FnMut(usize, usize) -> bool) -> Result<Explanation> {
        Err(Error::internal("nothing to see"))
    }
}

struct Told {
    steps: Vec<(bool, usize)>,
    evaluations: Vec<(bool, usize)>,
    events: Vec<Event>,
    hash: u64,
}

fn run(overrides: &[&str], script: &[(u64, Command)], folder: Option<&std::path::Path>) -> Told {
    let plan = plan(&[&["train.freeze=[\"conv2d\"]", "engine.loader_threads=2"], overrides].concat());
    let data = crate::data::open(&plan.data).unwrap();
    let (wire, requests) = channel();
    let (seen, evaluations) = (Seen::default(), Seen::default());
    let net = Net {
        frozen: Vec::new(),
        script: script.to_vec(),
        wire,
        seen: Rc::clone(&seen),
        evaluations: Rc::clone(&evaluations),
        hash: 0,
    };
    let record = Memory::default();
    let inbox = Inbox::new(requests, Vec::new);
    let mut trainer = Trainer::new(&plan, &data, net, record, inbox, Origin::default()).unwrap();
    trainer.keeping.folder = folder.map(std::path::Path::to_owned);
    trainer.run().unwrap();
    let hash = trainer.stepper.hash;
    let events = trainer.into_parts().1.events;
    Told { steps: seen.take(), evaluations: evaluations.take(), events, hash }
}

#[test]
fn the_first_epoch_computes_and_the_others_read() {
    let place = tempfile::tempdir().unwrap();
    let kept = run(&["train.epochs=3"], &[], Some(place.path()));
    let steps = [[(true, 4); 6], [(true, 0); 6], [(true, 0); 6]].concat();
    assert_eq!(kept.steps, steps);
    // Eight validation images in one batch, three times, and the test images once.
    assert_eq!(kept.evaluations, [(true, 8), (true, 0), (true, 0), (true, 8)]);
    assert_eq!(kept.hash, run(&["train.epochs=3", "engine.features_mib=0"], &[], Some(place.path())).hash);
    let told = said(&kept.events, Level::Info);
    let ours: Vec<_> = told.iter().filter(|message| message.contains("frozen layers")).collect();
    let parts = ["24 images of the train split, 3 bytes each", "8 images of the validation split"];
    assert!(ours[0].contains("up to conv2d") && ours[0].contains(parts[0]) && ours[1].contains(parts[1]), "{ours:#?}");
    let counts = ["of 0 images were read, of 24 computed", "of 24 images were read, of 0 computed"];
    assert!(ours[2].contains(counts[0]) && ours[3].contains(counts[1]), "{ours:#?}");
    assert!(ours[4].contains("test split"), "{ours:#?}");
    assert_eq!(ours.len(), 5, "the third epoch has nothing new to tell: {ours:#?}");
    // Another run finds all of it.
    let again = run(&["train.epochs=1"], &[], Some(place.path()));
    assert_eq!(again.steps, [(true, 0); 6]);
}

#[test]
fn a_mask_that_changes_takes_effect_at_the_next_step() {
    let unfreeze = Command::Unfreeze { layers: layers(&["conv2d"]) };
    let freeze = Command::Freeze { layers: layers(&["conv2d"]) };
    let script = [(2, unfreeze), (4, freeze)];
    let place = tempfile::tempdir().unwrap();
    let kept = run(&["train.epochs=2"], &script, Some(place.path()));
    let first = [(true, 4), (true, 4), (true, 4), (false, 4), (false, 4), (true, 4)];
    assert_eq!(kept.steps[..6], first);
    // Sixteen of the 24 are there.
    let second = &kept.steps[6..];
    assert!(second.iter().all(|(served, _)| *served));
    assert_eq!(second.iter().map(|(_, computed)| computed).sum::<usize>(), 8);
    let plain = run(&["train.epochs=2", "engine.features_mib=0"], &script, None);
    assert_eq!(kept.hash, plain.hash);
    assert!(plain.steps.iter().all(|&step| step == (false, 4)));
}

#[test]
fn what_no_epoch_shows_again_is_not_kept_but_validation_is() {
    let place = tempfile::tempdir().unwrap();
    let kept = run(&["data.augment.horizontal_flip=true"], &[], Some(place.path()));
    assert_eq!(kept.steps, [(false, 4); 12]);
    assert_eq!(kept.evaluations[..2], [(true, 8), (true, 0)]);
    let cycled = ["data.augment.horizontal_flip=true", "data.augment.cache=2", "train.epochs=4"];
    let kept = run(&cycled, &[], Some(place.path()));
    assert_eq!(kept.steps, [[(true, 4); 12], [(true, 0); 12]].concat());
    assert_eq!(kept.hash, run(&cycled, &[], None).hash);
}

#[test]
fn without_a_place_all_is_computed_and_that_is_told_once() {
    let told = run(&["train.epochs=2"], &[], None);
    assert_eq!(told.steps, [(false, 4); 12]);
    let warnings = said(&told.events, Level::Warning);
    let ours = warnings.iter().filter(|message| message.contains("nothing is kept")).count();
    assert_eq!(ours, 1, "{warnings:#?}");
}
