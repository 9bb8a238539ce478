//! Batches: the same for every number of workers, whole from any batch on, and over at once when nobody wants more.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use proptest::prelude::*;

use super::*;

/// Sample `i` is filled with `i`; some cannot be read, one may panic, and each load takes its time.
#[derive(Default)]
struct Numbers {
    count: usize,
    unreadable: Vec<usize>,
    panicking: Option<usize>,
    delay: Duration,
    loads: AtomicUsize,
}

impl Source for Numbers {
    fn len(&self) -> usize {
        self.count
    }

    fn label(&self, i: usize) -> u32 {
        i as u32 % 5
    }

    fn name(&self, i: usize) -> String {
        format!("number {i}")
    }

    fn load(&self, i: usize, size: Size) -> Result<Pixels, DataError> {
        self.loads.fetch_add(1, Ordering::Relaxed);
        std::thread::sleep(self.delay);
        assert_ne!(Some(i), self.panicking, "boom");
        if self.unreadable.contains(&i) {
            return Err(DataError::Decode { name: self.name(i), reason: "torn".into() });
        }
        Ok(Pixels { size, bytes: (0..size.bytes()).map(|at| (i * 7 + at * 3) as u8).collect() })
    }
}

fn augment() -> Augment {
    Augment {
        rotation: 30.0,
        width_shift: Shift::fraction(0.3),
        height_shift: Shift::fraction(0.2),
        horizontal_flip: true,
        mixing: Mixing { mixup: 0.4, cutmix: 1.0 },
        ..Augment::default()
    }
}

fn loader(source: Numbers, workers: usize) -> (Arc<Numbers>, Loader) {
    loader_with(
        source,
        LoaderSpec {
            batch_size: 8,
            shuffle: true,
            seed: 3,
            workers,
            prefetch: 2,
            augment: Some(augment()),
            cache: CacheKind::Memory,
            cache_bytes: 1 << 20,
        },
    )
}

fn loader_with(source: Numbers, spec: LoaderSpec) -> (Arc<Numbers>, Loader) {
    let source = Arc::new(source);
    (Arc::clone(&source), Loader::new(Split::whole(source), SIZE, spec))
}

fn all(loader: &Loader, epoch: u64, first: usize) -> Vec<Batch> {
    loader.epoch(epoch, first).map(Result::unwrap).collect()
}

fn numbers(count: usize) -> Numbers {
    Numbers { count, ..Numbers::default() }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]
    #[test]
    fn workers_timing_and_the_first_batch_change_nothing(
        count in 1_usize..90,
        batch_size in 1_usize..20,
        workers in 0_usize..6,
        prefetch in 0_usize..5,
        unreadable in prop::collection::vec(0_usize..90, 0..6),
        epoch in 0_u64..4,
        first in 0_usize..12,
    ) {
        let spec = LoaderSpec { batch_size, shuffle: true, seed: 3, workers, prefetch, augment: Some(augment()), cache: CacheKind::Memory, cache_bytes: 1 << 20 };
        let source = || Numbers { unreadable: unreadable.clone(), ..numbers(count) };
        let plain = loader_with(source(), LoaderSpec { workers: 0, ..spec.clone() }).1;
        let expected = all(&plain, epoch, 0);
        prop_assert_eq!(expected.len(), plain.batches_per_epoch());
        let (_, tried) = loader_with(source(), spec);
        all(&tried, 9, 0); // fills the cache in some order
        prop_assert_eq!(&all(&tried, epoch, 0)[..], &expected[..]);
        prop_assert_eq!(&all(&tried, epoch, first)[..], expected.get(first..).unwrap_or_default());
    }
}

#[test]
fn an_epoch_meets_every_sample_once_in_an_order_of_its_own() {
    let (_, loader) = loader(numbers(50), 3);
    let samples = |epoch| all(&loader, epoch, 0).into_iter().flat_map(|batch| batch.samples).collect::<Vec<_>>();
    let (first, second) = (samples(0), samples(1));
    assert_ne!(first, second);
    for mut order in [first, second] {
        order.sort_unstable();
        assert_eq!(order, (0..50).collect::<Vec<_>>());
    }
}

#[test]
fn without_shuffle_and_augmentation_the_split_comes_as_it_is() {
    let spec = LoaderSpec {
        batch_size: 4,
        shuffle: false,
        seed: 3,
        workers: 2,
        prefetch: 2,
        augment: None,
        cache: CacheKind::Memory,
        cache_bytes: 1 << 20,
    };
    let (source, loader) = loader_with(numbers(6), spec);
    let batches = all(&loader, 0, 0);
    assert_eq!(batches.iter().map(|batch| (batch.index, batch.count)).collect::<Vec<_>>(), [(0, 4), (1, 2)]);
    assert_eq!((&batches[1].samples[..], &batches[1].labels[..]), (&[4, 5][..], &[4, 0][..]));
    let expected = [source.load(4, SIZE).unwrap().bytes, source.load(5, SIZE).unwrap().bytes].concat();
    assert_eq!(batches[1].images, expected);
}

#[test]
fn augmentation_differs_between_epochs_and_between_samples() {
    let spec = LoaderSpec {
        batch_size: 2,
        shuffle: false,
        seed: 3,
        workers: 0,
        prefetch: 0,
        augment: Some(augment()),
        cache: CacheKind::Memory,
        cache_bytes: 1 << 20,
    };
    let source = Numbers { count: 2, ..Numbers::default() };
    let (_, loader) = loader_with(source, spec);
    let images = |epoch| all(&loader, epoch, 0).remove(0).images;
    assert_ne!(images(0), images(1));
    assert_eq!(images(1), images(1));
}

#[test]
fn each_sample_is_loaded_once_however_many_epochs_there_are() {
    let (source, loader) = loader(Numbers { unreadable: vec![3], ..numbers(40) }, 3);
    for epoch in 0..4 {
        let batches = all(&loader, epoch, 0);
        assert_eq!(batches.iter().map(|batch| batch.skipped.len()).sum::<usize>(), 1);
    }
    assert_eq!(source.loads.load(Ordering::Relaxed), 40);
}

#[test]
fn an_unreadable_sample_is_left_out_of_its_batch_and_named() {
    let spec = LoaderSpec {
        batch_size: 3,
        shuffle: false,
        seed: 3,
        workers: 2,
        prefetch: 2,
        augment: None,
        cache: CacheKind::Memory,
        cache_bytes: 1 << 20,
    };
    let (_, loader) = loader_with(Numbers { unreadable: vec![1, 3, 4, 5], ..numbers(6) }, spec);
    let batches = all(&loader, 0, 0);
    assert_eq!(batches[0].samples, [0, 2]);
    assert_eq!(batches[0].images.len(), 2 * SIZE.bytes());
    assert_eq!(batches[0].skipped, [Skipped { path: "number 1".into(), reason: "torn".into() }]);
    assert_eq!((batches[1].count, batches[1].skipped.len()), (0, 3));
}

#[test]
fn workers_load_no_further_ahead_than_they_may() {
    let spec = LoaderSpec {
        batch_size: 1,
        shuffle: false,
        seed: 3,
        workers: 2,
        prefetch: 3,
        augment: None,
        cache: CacheKind::Memory,
        cache_bytes: 1 << 20,
    };
    let (source, loader) = loader_with(numbers(100), spec);
    let mut epoch = loader.epoch(0, 0);
    epoch.next().unwrap().unwrap();
    std::thread::sleep(Duration::from_millis(50));
    assert_eq!(source.loads.load(Ordering::Relaxed), 1 + 3);
}

#[test]
fn dropping_an_epoch_stops_its_workers_within_a_sample() {
    let delay = Duration::from_millis(20);
    let spec = LoaderSpec {
        batch_size: 1000,
        shuffle: false,
        seed: 3,
        workers: 2,
        prefetch: 2,
        augment: None,
        cache: CacheKind::Memory,
        cache_bytes: 1 << 20,
    };
    let (source, loader) = loader_with(Numbers { delay, ..numbers(4000) }, spec);
    let epoch = loader.epoch(0, 0);
    std::thread::sleep(delay * 2);
    let start = Instant::now();
    drop(epoch);
    assert!(start.elapsed() < Duration::from_secs(2), "a batch of 1000 samples takes 20 s");
    assert!(source.loads.load(Ordering::Relaxed) < 200);
}

#[test]
fn a_panic_in_a_worker_becomes_an_error_and_the_end() {
    for workers in [0, 1, 4] {
        let spec = LoaderSpec {
            batch_size: 2,
            shuffle: false,
            seed: 3,
            workers,
            prefetch: 4,
            augment: None,
            cache: CacheKind::Memory,
            cache_bytes: 1 << 20,
        };
        let (_, loader) = loader_with(Numbers { panicking: Some(5), ..numbers(40) }, spec);
        let mut epoch = loader.epoch(0, 0);
        assert_eq!(epoch.next().unwrap().unwrap().index, 0);
        assert_eq!(epoch.next().unwrap().unwrap().index, 1);
        let error = epoch.next().unwrap().unwrap_err();
        assert!(matches!(&error, DataError::Panicked { batch: 2, message } if message.contains("boom")), "{error}");
        assert!(epoch.next().is_none());
    }
}

#[test]
fn an_epoch_entered_past_its_end_is_empty() {
    let (_, loader) = loader(numbers(20), 2);
    assert_eq!(all(&loader, 0, 3), []);
    assert_eq!(all(&loader, 0, usize::MAX), []);
}
