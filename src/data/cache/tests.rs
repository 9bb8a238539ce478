//! What is kept equals what would be loaded, bit for bit, whoever wrote it and whatever happened to the file.
#![allow(clippy::unwrap_used)]

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use tempfile::TempDir;

use super::*;
use crate::data::{Pixels, Source};

const SIZE: Size = Size { height: 5, width: 7, channels: 3 };
const PICTURES: usize = 9;
const ENOUGH: usize = PICTURES * 5 * 7 * 3;

/// Pictures that follow from their number; the last cannot be read.
struct Drawn {
    loads: AtomicUsize,
    identity: u8,
}

impl Source for Drawn {
    fn len(&self) -> usize {
        PICTURES
    }

    fn label(&self, _: usize) -> u32 {
        0
    }

    fn name(&self, i: usize) -> String {
        format!("number {i}")
    }

    fn load(&self, i: usize, size: Size) -> Result<Pixels, DataError> {
        self.loads.fetch_add(1, Ordering::Relaxed);
        if i == PICTURES - 1 {
            return Err(DataError::Decode { name: self.name(i), reason: "torn".into() });
        }
        let bytes = (0..size.bytes()).map(|at| (at * 31 + i * 7 + usize::from(self.identity)) as u8).collect();
        Ok(Pixels { size, bytes })
    }

    fn has_files(&self) -> bool {
        true
    }

    fn identity(&self, _: Size) -> Option<blake3::Hash> {
        Some(blake3::hash(&[self.identity]))
    }
}

fn source(identity: u8) -> Arc<Drawn> {
    Arc::new(Drawn { loads: AtomicUsize::new(0), identity })
}

fn split(source: &Arc<Drawn>) -> Split {
    Split { source: Arc::clone(source) as Arc<dyn Source>, indices: (0..PICTURES as u32).rev().collect() }
}

fn cache(source: &Arc<Drawn>, kind: CacheKind, budget: usize, place: &Path) -> Cache {
    Cache::at(&split(source), SIZE, kind, budget, Some(folder(place)))
}

fn folder(place: &Path) -> CacheFolder {
    CacheFolder { path: place.to_owned(), kind: CacheContent::Decoded }
}

/// Every picture, or why not.
fn all(cache: &Cache, source: &Arc<Drawn>) -> Vec<Result<Vec<u8>, Skipped>> {
    let split = split(source);
    (0..PICTURES).map(|position| cache.fetch(&split, position, SIZE).map(Cow::into_owned)).collect()
}

fn truth() -> Vec<Result<Vec<u8>, Skipped>> {
    let place = tempfile::tempdir().unwrap();
    let source = source(1);
    all(&cache(&source, CacheKind::None, 0, place.path()), &source)
}

fn files(place: &TempDir) -> Vec<PathBuf> {
    let mut files: Vec<PathBuf> = std::fs::read_dir(place.path()).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    files
}

#[test]
fn no_kind_of_cache_changes_a_bit_and_each_but_none_loads_once() {
    for (kind, budget, loads) in [
        (CacheKind::None, ENOUGH, 3 * PICTURES),
        (CacheKind::Memory, ENOUGH, PICTURES),
        (CacheKind::File, ENOUGH, PICTURES),
        // Room for four: the others, and in a file the failure not, are loaded each time.
        (CacheKind::Memory, ENOUGH * 4 / PICTURES, PICTURES + 2 * 5),
        (CacheKind::File, ENOUGH * 4 / PICTURES, PICTURES + 2 * 4),
        (CacheKind::File, 0, PICTURES + 2 * 8),
    ] {
        let place = tempfile::tempdir().unwrap();
        let source = source(1);
        let cache = cache(&source, kind, budget, place.path());
        for _ in 0..3 {
            assert_eq!(all(&cache, &source), truth(), "{kind:?} {budget}");
        }
        assert_eq!(source.loads.load(Ordering::Relaxed), loads, "{kind:?} {budget}");
        assert_eq!(cache.trouble(), None);
    }
}

#[test]
fn a_later_run_finds_what_an_earlier_one_decoded() {
    let place = tempfile::tempdir().unwrap();
    let first = source(1);
    all(&cache(&first, CacheKind::File, ENOUGH, place.path()), &first);
    let second = source(1);
    assert_eq!(all(&cache(&second, CacheKind::File, ENOUGH, place.path()), &second), truth());
    assert_eq!(second.loads.load(Ordering::Relaxed), 1, "only what cannot be read is tried again");
    let other = source(2);
    all(&cache(&other, CacheKind::File, ENOUGH, place.path()), &other);
    assert_eq!(other.loads.load(Ordering::Relaxed), PICTURES, "another source has another file");
}

#[test]
fn threads_and_caches_on_one_file_agree() {
    let place = tempfile::tempdir().unwrap();
    let truth = truth();
    std::thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| {
                let source = source(1);
                let cache = cache(&source, CacheKind::File, ENOUGH, place.path());
                assert_eq!(cache.trouble(), None);
                for _ in 0..20 {
                    assert_eq!(all(&cache, &source), truth);
                }
            });
        }
    });
    assert_eq!(files(&place).len(), 1, "no temporary file is left");
}

#[test]
fn damage_anywhere_is_decoded_again_and_never_shown() {
    let place = tempfile::tempdir().unwrap();
    let first = source(1);
    all(&cache(&first, CacheKind::File, ENOUGH, place.path()), &first);
    let path = files(&place).remove(0);
    let whole = std::fs::read(&path).unwrap();
    let used = (0..96).chain(4096..4096 + 16 * PICTURES).chain(8192..whole.len());
    for at in used.step_by(13) {
        let mut bytes = whole.clone();
        bytes[at] ^= 0x10;
        std::fs::write(&path, bytes).unwrap();
        let source = source(1);
        assert_eq!(all(&cache(&source, CacheKind::File, ENOUGH, place.path()), &source), truth(), "byte {at}");
    }
}

#[test]
fn a_file_cut_off_or_foreign_is_replaced() {
    let place = tempfile::tempdir().unwrap();
    let first = source(1);
    all(&cache(&first, CacheKind::File, ENOUGH, place.path()), &first);
    let path = files(&place).remove(0);
    let whole = std::fs::read(&path).unwrap();
    let cut = [0, 1, 95, 96, 4095, 4096, 5000, 8192, whole.len() - 1];
    let foreign = [vec![0; whole.len()], b"GIF89a".to_vec(), [&whole[..], &[0]].concat()];
    for bytes in cut.into_iter().map(|length| whole[..length].to_vec()).chain(foreign) {
        std::fs::write(&path, &bytes).unwrap();
        for loads in [PICTURES, 1] {
            let source = source(1);
            assert_eq!(all(&cache(&source, CacheKind::File, ENOUGH, place.path()), &source), truth());
            assert_eq!(source.loads.load(Ordering::Relaxed), loads, "{} bytes", bytes.len());
        }
    }
}

#[test]
fn a_folder_that_cannot_be_made_costs_time_only() {
    let place = tempfile::tempdir().unwrap();
    let occupied = place.path().join("file");
    std::fs::write(&occupied, b"").unwrap();
    let source = source(1);
    let cache = cache(&source, CacheKind::File, ENOUGH, &occupied.join("decoded"));
    assert!(cache.trouble().unwrap().contains("file/decoded"));
    assert_eq!(all(&cache, &source), truth());
    assert_eq!(std::fs::read_dir(place.path()).unwrap().count(), 1);
}

#[test]
fn the_folder_keeps_to_its_budget_and_to_its_own_files() {
    let place = tempfile::tempdir().unwrap();
    std::fs::write(place.path().join("letter.txt"), vec![0; 1 << 20]).unwrap();
    // Large pictures, so that a page more or less does not matter.
    let size = Size { height: 100, width: 100, channels: 3 };
    let budget = PICTURES * size.bytes();
    for identity in 0..9 {
        let source = source(identity);
        let split = split(&source);
        let cache = Cache::at(&split, size, CacheKind::File, budget, Some(folder(place.path())));
        for position in 0..PICTURES {
            let _ = cache.fetch(&split, position, size);
        }
        assert_eq!(cache.trouble(), None);
    }
    let kept = files(&place);
    assert!(kept.iter().any(|path| path.ends_with("letter.txt")));
    assert!((3..=5).contains(&(kept.len() - 1)), "{kept:?}");
    let last = blake3::hash(&[8]).to_hex();
    assert!(kept.iter().any(|path| path.to_string_lossy().contains(last.as_str())), "the newest stays");
}
