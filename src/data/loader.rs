//! Batches in order, loaded ahead by worker threads. What a batch holds is a function of the seed, the epoch and its number:
//! the number of workers, their timing and the batch at which an epoch is entered change nothing.

use std::any::Any;
use std::borrow::Cow;
use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, OnceLock, PoisonError};
use std::thread::{self, JoinHandle};

use super::augment::{Draw, Mix, Mixing, Workspace};
use super::cache::Cache;
use super::features::{Features, Pictures, Served};
use super::random::{self, Purpose};
use super::{Augment, CacheKind, DataError, Size, Skipped, Split};

/// Some samples of an epoch, ready to become a tensor.
#[derive(Clone, Debug, PartialEq)]
pub struct Batch {
    /// 0, 1, 2, … within the epoch.
    pub index: usize,
    pub size: Size,
    /// Pictures in it; less than the batch size at the end of an epoch and where some were skipped, in the extreme 0.
    pub count: usize,
    /// `[count, h, w, c]`, 0 to 255. With `features`, only the pictures that are needed still: [`Served::pictures`].
    pub images: Vec<u8>,
    /// What is kept of the outputs of the network's frozen part, in place of pictures.
    pub features: Option<Served>,
    /// Of a mixed picture the label that weighs more.
    pub labels: Vec<i64>,
    pub mixed: Option<Mix>,
    /// Each picture's position in the split.
    pub samples: Vec<u32>,
    /// What would have been in it, had it been readable.
    pub skipped: Vec<Skipped>,
}

#[derive(Clone, Debug, PartialEq)]
pub struct LoaderSpec {
    /// 0 is taken as 1.
    pub batch_size: usize,
    /// A new order each epoch; otherwise that of the split.
    pub shuffle: bool,
    pub seed: u64,
    /// Threads that load; with 0 the caller's own does, when it asks.
    pub workers: usize,
    /// Most batches loaded or being loaded ahead; at least one for each worker.
    pub prefetch: usize,
    pub augment: Option<Augment>,
    pub cache: CacheKind,
    /// Decoded pictures are kept for the next epoch up to this size; 1 GiB holds 16,000 of 150×150.
    pub cache_bytes: usize,
}

/// Makes the epochs of one split. What it decoded is kept for the next epoch. A clone is another handle on the same.
#[derive(Clone)]
pub struct Loader {
    shared: Arc<Shared>,
}

struct Shared {
    split: Split,
    size: Size,
    spec: LoaderSpec,
    cache: Arc<Cache>,
    pictures: OnceLock<Option<Pictures>>,
    features: Mutex<Option<Arc<Features>>>,
}

impl Loader {
    pub fn new(split: Split, size: Size, spec: LoaderSpec) -> Self {
        let cache = Arc::new(Cache::new(&split, size, spec.cache, spec.cache_bytes));
        Self::over(split, size, spec, cache)
    }

    fn over(split: Split, size: Size, spec: LoaderSpec, cache: Arc<Cache>) -> Self {
        let augment = spec.augment.filter(|augment| !augment.is_none());
        let spec = LoaderSpec { batch_size: spec.batch_size.max(1), augment, ..spec };
        let (pictures, features) = (OnceLock::new(), Mutex::default());
        Self { shared: Arc::new(Shared { split, size, spec, cache, pictures, features }) }
    }

    /// Names what this loader shows, if that comes again: nothing where each epoch shows something new, or where the source has no
    /// name for its pictures.
    pub fn pictures(&self) -> Option<Pictures> {
        *self.shared.pictures.get_or_init(|| self.shared.describe())
    }

    /// The epochs from now on hold these in place of pictures, those under way go on as they are. False if it was so already.
    pub fn serve(&self, features: Option<Arc<Features>>) -> bool {
        let mut serving = self.shared.features();
        let is_same = match (&*serving, &features) {
            (None, None) => true,
            (Some(now), Some(then)) => Arc::ptr_eq(now, then),
            _ => false,
        };
        *serving = features;
        !is_same
    }

    pub fn features(&self) -> Option<Arc<Features>> {
        self.shared.features().clone()
    }

    /// Which pictures these are, in a few words.
    pub fn describe(&self) -> String {
        self.shared.split.describe()
    }

    /// The same pictures in other batches, varied otherwise; what was decoded is kept.
    #[must_use]
    pub fn rearranged(&self, batch_size: usize, augment: Option<Augment>) -> Self {
        let Shared { split, size, spec, cache, .. } = &*self.shared;
        Self::over(split.clone(), *size, LoaderSpec { batch_size, augment, ..spec.clone() }, Arc::clone(cache))
    }

    /// Why decoded pictures are not kept in a file as they should be, as far as that was noticed. They are decoded each time then.
    pub fn cache_trouble(&self) -> Option<&str> {
        self.shared.cache.trouble()
    }

    /// Pictures in the split.
    pub fn images(&self) -> usize {
        self.shared.split.len()
    }

    pub fn batch_size(&self) -> usize {
        self.shared.spec.batch_size
    }

    pub fn batches_per_epoch(&self) -> usize {
        self.shared.split.len().div_ceil(self.shared.spec.batch_size)
    }

    /// The batches of an epoch from `first_batch` on, exactly as the whole epoch has them.
    pub fn epoch(&self, epoch: u64, first_batch: usize) -> Epoch {
        self.epoch_from(epoch, first_batch, (0, 0))
    }

    /// The batches from `first_batch` on of an epoch that had others before: from batch `from.0` on, before which there were `from.1`
    /// images, they are of this loader's size.
    pub fn epoch_from(&self, epoch: u64, first_batch: usize, from: (usize, usize)) -> Epoch {
        let end = from.0 + self.images().saturating_sub(from.1).div_ceil(self.batch_size());
        let pass = Arc::new(Pass {
            shared: Arc::clone(&self.shared),
            features: self.features(),
            epoch,
            from,
            order: self.shared.order(epoch),
            abandoned: AtomicBool::new(false),
            window: self.shared.spec.prefetch.max(self.shared.spec.workers).max(1),
            end,
            progress: Mutex::new(Progress {
                next_to_load: first_batch,
                next_to_give: first_batch,
                loaded: BTreeMap::new(),
            }),
            room: Condvar::new(),
            arrival: Condvar::new(),
        });
        let workers = self.shared.spec.workers.min(end.saturating_sub(first_batch));
        let workers = (0..workers)
            .map_while(|number| {
                let pass = Arc::clone(&pass);
                // A machine that is out of threads gets fewer workers, in the extreme none.
                thread::Builder::new().name(format!("loader-{number}")).spawn(move || pass.work()).ok()
            })
            .collect();
        Epoch { pass, workers }
    }
}

impl Shared {
    fn order(&self, epoch: u64) -> Vec<u32> {
        let mut order: Vec<u32> = (0..self.split.len() as u32).collect();
        if self.spec.shuffle {
            random::shuffle(&mut random::stream(self.spec.seed, Purpose::Shuffle, epoch, 0), &mut order);
        }
        order
    }

    fn features(&self) -> MutexGuard<'_, Option<Arc<Features>>> {
        self.features.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn describe(&self) -> Option<Pictures> {
        let mut hasher = blake3::Hasher::new();
        hasher.update(self.split.source.identity(self.size)?.as_bytes());
        for index in &self.split.indices {
            hasher.update(&index.to_le_bytes());
        }
        let variants = match &self.spec.augment {
            None => 1,
            Some(augment) if augment.variants == 0 || augment.mixing != Mixing::default() => return None,
            Some(augment) => {
                hasher.update(format!("{augment:?} {}", self.spec.seed).as_bytes());
                augment.variants
            }
        };
        Some(Pictures { identity: hasher.finalize(), count: self.split.len(), variants })
    }

    /// Loads the samples at `positions`; gives up half-way once `abandoned`.
    fn batch(
        &self,
        index: usize,
        epoch: u64,
        positions: &[u32],
        features: Option<&Arc<Features>>,
        abandoned: &AtomicBool,
    ) -> Batch {
        let bytes = if features.is_some() { 0 } else { positions.len() * self.size.bytes() };
        let mut batch = Batch {
            index,
            size: self.size,
            count: 0,
            images: Vec::with_capacity(bytes),
            features: features.map(|features| Served::new(features, positions.len())),
            labels: Vec::with_capacity(positions.len()),
            mixed: None,
            samples: Vec::with_capacity(positions.len()),
            skipped: Vec::new(),
        };
        let mut workspace = Workspace::default();
        for &position in positions {
            if abandoned.load(Ordering::Relaxed) {
                break;
            }
            let looked = batch.features.as_mut().map(|served| served.look_up(position, epoch));
            if looked.is_none_or(|looked| looked.needs_picture) {
                let once = looked.is_some_and(|looked| looked.once);
                match self.picture(position as usize, once) {
                    Ok(pixels) => self.vary(&pixels, epoch, position, &mut workspace, &mut batch.images),
                    Err(skipped) => {
                        if let Some(served) = &mut batch.features {
                            served.take_back();
                        }
                        batch.skipped.push(skipped);
                        continue;
                    }
                }
            }
            batch.labels.push(i64::from(self.split.label(position as usize)));
            batch.samples.push(position);
            batch.count += 1;
        }
        if let Some(augment) = &self.spec.augment {
            let draw = [self.spec.seed, epoch, index as u64];
            batch.mixed = augment.mixing.apply(draw, self.size, &mut batch.images, &mut batch.labels);
        }
        batch
    }

    fn picture(&self, position: usize, once: bool) -> Result<Cow<'_, [u8]>, Skipped> {
        if once {
            self.cache.glance(&self.split, position, self.size)
        } else {
            self.cache.fetch(&self.split, position, self.size)
        }
    }

    fn vary(&self, pixels: &[u8], epoch: u64, sample: u32, workspace: &mut Workspace, out: &mut Vec<u8>) {
        let Some(augment) = &self.spec.augment else {
            return out.extend_from_slice(pixels);
        };
        let start = out.len();
        out.resize(start + pixels.len(), 0);
        let draw = Draw { seed: self.spec.seed, epoch, sample };
        augment.vary(pixels, self.size, draw, workspace, &mut out[start..]);
    }
}

/// One pass over the samples, shared between the threads that load and the one that takes.
struct Pass {
    shared: Arc<Shared>,
    features: Option<Arc<Features>>,
    epoch: u64,
    /// A batch of which all have the same size from there on, and the images before it.
    from: (usize, usize),
    order: Vec<u32>,
    abandoned: AtomicBool,
    window: usize,
    end: usize,
    progress: Mutex<Progress>,
    /// Signalled when the window moved on.
    room: Condvar,
    /// Signalled when a batch was loaded.
    arrival: Condvar,
}

struct Progress {
    next_to_load: usize,
    next_to_give: usize,
    loaded: BTreeMap<usize, Result<Batch, DataError>>,
}

impl Pass {
    fn progress(&self) -> MutexGuard<'_, Progress> {
        // Nothing panics while it holds the lock, so a poisoned one is still whole.
        self.progress.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn work(&self) {
        while let Some(index) = self.claim() {
            let batch = self.load(index);
            self.progress().loaded.insert(index, batch);
            self.arrival.notify_all();
        }
    }

    /// The next batch that nobody loads yet, as soon as the window reaches it; nothing at the end.
    fn claim(&self) -> Option<usize> {
        let waiting = |progress: &mut Progress| {
            progress.next_to_load < self.end
                && progress.next_to_load >= progress.next_to_give + self.window
                && !self.abandoned.load(Ordering::Relaxed)
        };
        let mut progress = self.room.wait_while(self.progress(), waiting).unwrap_or_else(PoisonError::into_inner);
        if progress.next_to_load >= self.end || self.abandoned.load(Ordering::Relaxed) {
            return None;
        }
        progress.next_to_load += 1;
        Some(progress.next_to_load - 1)
    }

    fn load(&self, index: usize) -> Result<Batch, DataError> {
        let first = self.from.1 + (index - self.from.0) * self.shared.spec.batch_size;
        let last = self.order.len().min(first + self.shared.spec.batch_size);
        // Nothing is left half-changed by a panic: a batch is local, and a cache slot is filled whole or not at all.
        catch_unwind(AssertUnwindSafe(|| {
            let positions = &self.order[first..last];
            self.shared.batch(index, self.epoch, positions, self.features.as_ref(), &self.abandoned)
        }))
        .map_err(|panic| DataError::Panicked { batch: index, message: panic_text(panic.as_ref()) })
    }
}

fn panic_text(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().copied().or_else(|| panic.downcast_ref::<String>().map(String::as_str));
    text.unwrap_or("without a message").to_owned()
}

/// The batches of one pass, in order. Dropping it stops the workers within one sample. After an error there is nothing more.
pub struct Epoch {
    pass: Arc<Pass>,
    workers: Vec<JoinHandle<()>>,
}

impl Iterator for Epoch {
    type Item = Result<Batch, DataError>;

    fn next(&mut self) -> Option<Self::Item> {
        let pass = &self.pass;
        let mut progress = pass.progress();
        let index = progress.next_to_give;
        if index >= pass.end {
            return None;
        }
        let batch = if self.workers.is_empty() {
            drop(progress);
            let batch = pass.load(index);
            progress = pass.progress();
            batch
        } else {
            loop {
                match progress.loaded.remove(&index) {
                    Some(batch) => break batch,
                    None => progress = pass.arrival.wait(progress).unwrap_or_else(PoisonError::into_inner),
                }
            }
        };
        if batch.is_ok() {
            progress.next_to_give = index + 1;
        } else {
            progress.next_to_give = pass.end;
            pass.abandoned.store(true, Ordering::Relaxed);
        }
        drop(progress);
        pass.room.notify_all();
        Some(batch)
    }
}

impl Drop for Epoch {
    fn drop(&mut self) {
        // Under the lock, so that no worker is between its look at the flag and its sleep.
        let progress = self.pass.progress();
        self.pass.abandoned.store(true, Ordering::Relaxed);
        drop(progress);
        self.pass.room.notify_all();
        for worker in self.workers.drain(..) {
            // It catches its own panics.
            let _ = worker.join();
        }
    }
}
