//! Records come back as they were given, to whoever opens the same file; what is damaged or finds no room is computed again.
#![allow(clippy::unwrap_used)]

use std::sync::atomic::AtomicUsize;

use tempfile::TempDir;

use super::*;
use crate::data::{Augment, Batch, CacheKind, DataError, Loader, LoaderSpec, Pixels, Size, Source, Split};

const SIZE: Size = Size { height: 3, width: 2, channels: 3 };
const PICTURES: usize = 10;
const RECORD: usize = 12;

/// Pictures that follow from their number, and how often one was loaded.
struct Counted {
    loads: AtomicUsize,
    unreadable: Option<usize>,
}

impl Source for Counted {
    fn len(&self) -> usize {
        PICTURES
    }

    fn label(&self, i: usize) -> u32 {
        i as u32 % 2
    }

    fn name(&self, i: usize) -> String {
        format!("number {i}")
    }

    fn load(&self, i: usize, size: Size) -> Result<Pixels, DataError> {
        self.loads.fetch_add(1, Ordering::Relaxed);
        if self.unreadable == Some(i) {
            return Err(DataError::Decode { name: self.name(i), reason: "torn".into() });
        }
        Ok(Pixels { size, bytes: vec![i as u8 * 20; size.bytes()] })
    }

    fn identity(&self, _: Size) -> Option<Hash> {
        Some(blake3::hash(b"counted"))
    }
}

fn part(identity: u8, needs_pictures: bool) -> FrozenPart {
    let outputs = vec!["pool".to_owned()];
    FrozenPart { identity: blake3::hash(&[identity]), record_bytes: RECORD, needs_pictures, outputs }
}

fn loader(augment: Option<Augment>, unreadable: Option<usize>) -> (Arc<Counted>, Loader) {
    let source = Arc::new(Counted { loads: AtomicUsize::new(0), unreadable });
    let spec = LoaderSpec {
        batch_size: 4,
        shuffle: true,
        seed: 5,
        workers: 0,
        prefetch: 2,
        augment,
        cache: CacheKind::Memory,
        cache_bytes: 1 << 20,
    };
    (Arc::clone(&source), Loader::new(Split::whole(source), SIZE, spec))
}

fn open(place: &TempDir, loader: &Loader, part: &FrozenPart, bytes: u64) -> Arc<Features> {
    let pictures = loader.pictures().unwrap();
    Arc::new(Features::open(place.path(), part, pictures, bytes, 0, "test").unwrap())
}

/// What the stand-in for a network makes of a picture: its first bytes.
fn output(picture: &[u8]) -> Vec<u8> {
    picture[..RECORD].iter().map(|byte| byte ^ 0x5a).collect()
}

/// Computes what is missing, keeps it, and gives the outputs for the whole batch.
fn complete(batch: &Batch) -> Vec<Vec<u8>> {
    let served = batch.features.as_ref().unwrap();
    let needs = served.features.part().needs_pictures;
    assert_eq!(batch.images.len(), served.pictures() * SIZE.bytes());
    let mut pictures = batch.images.chunks_exact(SIZE.bytes());
    let mut held = served.records.chunks_exact(RECORD);
    let (mut numbers, mut records) = (Vec::new(), Vec::new());
    let mut outputs = Vec::new();
    for (&number, &is_held) in served.numbers.iter().zip(&served.held) {
        let picture = if needs || !is_held { pictures.next() } else { None };
        outputs.push(if is_held { held.next().unwrap().to_vec() } else { output(picture.unwrap()) });
        if !is_held {
            numbers.push(number);
            records.extend_from_slice(outputs.last().unwrap());
        }
    }
    served.features.count(served.held.len() - numbers.len(), numbers.len());
    served.features.keep(numbers, records);
    outputs
}

/// Of an epoch: the outputs in its order, and those of the same epoch without features.
fn epoch(loader: &Loader, features: &Arc<Features>, number: u64) -> Vec<Vec<u8>> {
    loader.serve(Some(Arc::clone(features)));
    features.settle();
    let outputs: Vec<_> = loader.epoch(number, 0).flat_map(|batch| complete(&batch.unwrap())).collect();
    loader.serve(None);
    let plain = loader.epoch(number, 0).flat_map(|batch| {
        let batch = batch.unwrap();
        assert_eq!(batch.features, None);
        batch.images.chunks_exact(SIZE.bytes()).map(output).collect::<Vec<_>>()
    });
    assert_eq!(outputs, plain.collect::<Vec<_>>());
    outputs
}

fn loads(source: &Counted) -> usize {
    source.loads.swap(0, Ordering::Relaxed)
}

#[test]
fn the_first_epoch_fills_and_no_later_one_loads_a_picture() {
    let place = tempfile::tempdir().unwrap();
    let (source, loader) = loader(None, None);
    let features = open(&place, &loader, &part(1, false), 1 << 20);
    loader.serve(Some(Arc::clone(&features)));
    for number in 1..4 {
        features.settle();
        let batches: Vec<Batch> = loader.epoch(number, 0).map(Result::unwrap).collect();
        let outputs: Vec<_> = batches.iter().flat_map(complete).collect();
        assert_eq!(outputs.len(), PICTURES);
        let expected = if number == 1 { (PICTURES, 0, 10) } else { (0, 10, 0) };
        let (read, computed) = features.take_counts();
        assert_eq!((loads(&source), read, computed), expected, "epoch {number}");
    }
    // Another process, another order.
    let (source, other) = self::loader(None, None);
    let again = open(&place, &other, &part(1, false), 1 << 20);
    other.serve(Some(again));
    let held = other.epoch(7, 0).flat_map(|batch| batch.unwrap().features.unwrap().held).collect::<Vec<_>>();
    assert_eq!((held, loads(&source)), (vec![true; PICTURES], 0));
}

#[test]
fn features_change_no_output_whatever_is_kept_and_needed() {
    for (needs_pictures, unreadable, room) in [
        (false, None, 10),
        (true, None, 10),
        (false, Some(3), 10),
        (true, Some(3), 10),
        (false, None, 4),
        (true, Some(0), 4),
    ] {
        let place = tempfile::tempdir().unwrap();
        let (_, loader) = loader(None, unreadable);
        let features = open(&place, &loader, &part(1, needs_pictures), room * RECORD as u64);
        assert_eq!(features.size(), (room * RECORD as u64, room as usize));
        for number in 1..4 {
            let outputs = epoch(&loader, &features, number);
            assert_eq!(outputs.len(), PICTURES - usize::from(unreadable.is_some()));
        }
    }
}

#[test]
fn variants_are_shown_in_turn_and_kept_apart() {
    let augment = Augment { brightness: Some([0.5, 1.5]), variants: 3, ..Augment::default() };
    let place = tempfile::tempdir().unwrap();
    let (_, loader) = loader(Some(augment.clone()), None);
    let features = open(&place, &loader, &part(1, false), 1 << 20);
    let mut by_variant: Vec<Vec<Vec<u8>>> = Vec::new();
    for number in 0..9 {
        let mut outputs = epoch(&loader, &features, number);
        outputs.sort();
        by_variant.push(outputs);
        let expected = if number < 3 { (0, PICTURES as u64) } else { (PICTURES as u64, 0) };
        assert_eq!(features.take_counts(), expected, "epoch {number}");
    }
    assert_eq!(by_variant[..3], by_variant[3..6]);
    assert_ne!(by_variant[0], by_variant[1]);
    let endless = Augment { variants: 0, ..augment };
    assert_eq!(self::loader(Some(endless), None).1.pictures(), None, "what never comes again has no name");
}

#[test]
fn other_parts_and_other_pictures_have_other_files() {
    let place = tempfile::tempdir().unwrap();
    let (_, plain) = loader(None, None);
    let augment = |variants| Augment { horizontal_flip: true, variants, ..Augment::default() };
    let (_, varied) = loader(Some(augment(2)), None);
    let (_, more) = loader(Some(augment(3)), None);
    let files: std::collections::BTreeSet<_> = [(&plain, 1), (&plain, 2), (&varied, 1), (&more, 1)]
        .map(|(loader, identity)| open(&place, loader, &part(identity, false), 1 << 20).path().to_owned())
        .into();
    assert_eq!(files.len(), 4);
}

#[test]
fn a_damaged_record_is_computed_again() {
    let place = tempfile::tempdir().unwrap();
    let (_, loader) = loader(None, None);
    let features = open(&place, &loader, &part(1, false), 1 << 20);
    epoch(&loader, &features, 1);
    let path = features.path().to_owned();
    drop(loader);
    drop(features);
    let whole = std::fs::read(&path).unwrap();
    for at in (4096..4096 + 16 * PICTURES).step_by(5).chain((8192..whole.len()).step_by(7)) {
        let mut bytes = whole.clone();
        bytes[at] ^= 0x40;
        std::fs::write(&path, bytes).unwrap();
        let (_, loader) = self::loader(None, None);
        let features = open(&place, &loader, &part(1, false), 1 << 20);
        epoch(&loader, &features, 2);
        assert_eq!(features.take_counts(), (9, 1), "byte {at}");
    }
}

#[test]
fn a_disk_that_is_full_costs_time_only() {
    let place = tempfile::tempdir().unwrap();
    let (_, loader) = loader(None, None);
    let features = open(&place, &loader, &part(1, false), 1 << 20);
    let _ = features.shared.trouble.set("no space left on device".into());
    for number in 1..3 {
        epoch(&loader, &features, number);
        assert_eq!(features.take_counts(), (0, 10));
    }
    assert_eq!(features.trouble(), Some("no space left on device"));
}

#[test]
fn what_this_process_has_open_is_not_driven_out_by_what_comes_next() {
    let place = tempfile::tempdir().unwrap();
    let (_, loader) = loader(None, None);
    let pictures = loader.pictures().unwrap();
    let open = |identity, bytes, taken| {
        Features::open(place.path(), &part(identity, false), pictures, bytes, taken, "").unwrap()
    };
    let first = open(1, 15 * RECORD as u64, 0);
    let second = open(2, 15 * RECORD as u64, first.size().0);
    assert_eq!((first.size().1, second.size().1), (10, 5), "the second takes what the first leaves");
}
