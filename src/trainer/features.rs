//! Which loader serves what is kept of the network's frozen part. It follows the freeze mask: what is frozen is asked of the stepper
//! before each pass, and in a pass as soon as the mask changes. Without a cache folder, or with a full one, all is computed each time.

use std::{path::PathBuf, sync::Arc};

use super::{Record, Stepper, Trainer};
use crate::{
    data::{self, Features, FrozenPart, Loader, Pictures},
    error::Result,
    event::{Event, Level, SplitName},
};

/// What the trainer knows of features besides those that the loaders serve.
#[derive(Default)]
pub(super) struct Keeping {
    /// Where they lie.
    pub(super) folder: Option<PathBuf>,
    /// Those in use. A split that ends in one pass and begins another keeps its own.
    open: Vec<Arc<Features>>,
    /// The mask has changed since the batches under way were asked for.
    pub(super) refrozen: bool,
    /// What could not be opened, told once.
    failed: Vec<(FrozenPart, Pictures)>,
    /// Of the training images: how many were read and computed in the last epoch of which that was told.
    counts: Option<(u64, u64)>,
}

impl Keeping {
    pub(super) fn new() -> Self {
        Self { folder: data::features_folder(), ..Self::default() }
    }

    fn find(&self, part: &FrozenPart, pictures: Pictures) -> Option<&Arc<Features>> {
        self.open.iter().find(|features| features.part() == part && features.pictures() == pictures)
    }

    /// What keeps records from being written.
    pub(super) fn trouble(&self) -> Option<String> {
        self.open.iter().find_map(|features| features.trouble()).map(str::to_owned)
    }
}

impl<S: Stepper, R: Record> Trainer<'_, S, R> {
    /// Has a loader serve what is kept of the part that is frozen now, from its next epoch on. True if that is another part than
    /// before. `training`: for steps, in which dropout drops.
    pub(super) fn serve_features(&mut self, loader: &Loader, split: SplitName, training: bool) -> Result<bool> {
        let wanted = self.wanted_features(loader, training)?;
        let found = wanted.as_ref().and_then(|(part, pictures)| self.keeping.find(part, *pictures)).cloned();
        let served = loader.features().is_some();
        let mut changed = loader.serve(found.clone());
        // What nobody serves any more closes its file, and makes room for the next one.
        self.keeping.open.retain(|features| Arc::strong_count(features) > 1);
        let features = match (found, wanted) {
            (None, Some((part, pictures))) => {
                let opened = self.open_features(part, pictures, loader, split)?;
                changed = served || opened.is_some();
                loader.serve(opened.clone());
                opened
            }
            (found, _) => found,
        };
        if let Some(features) = &features {
            features.settle();
        }
        Ok(changed)
    }

    fn wanted_features(&mut self, loader: &Loader, training: bool) -> Result<Option<(FrozenPart, Pictures)>> {
        if self.plan.feature_bytes == 0 || loader.images() == 0 {
            return Ok(None);
        }
        let Some(pictures) = loader.pictures() else { return Ok(None) };
        Ok(self.stepper.frozen_part(training)?.map(|part| (part, pictures)))
    }

    fn open_features(
        &mut self,
        part: FrozenPart,
        pictures: Pictures,
        loader: &Loader,
        split: SplitName,
    ) -> Result<Option<Arc<Features>>> {
        if self.keeping.failed.contains(&(part.clone(), pictures)) {
            return Ok(None);
        }
        let taken = self.keeping.open.iter().map(|features| features.size().0).sum();
        let about = format!("{} up to {}: {}", self.plan.name, part.outputs.join(", "), loader.describe());
        let opened = match &self.keeping.folder {
            None => Err("neither XDG_CACHE_HOME nor HOME is set".to_owned()),
            Some(folder) => Features::open(folder, &part, pictures, self.plan.feature_bytes, taken, &about)
                .map_err(|error| format!("{}: {error}", folder.display())),
        };
        match opened {
            Ok(features) => {
                let features = Arc::new(features);
                self.say_opened(&features, split)?;
                self.keeping.open.push(Arc::clone(&features));
                Ok(Some(features))
            }
            Err(error) => {
                self.keeping.failed.push((part, pictures));
                let message =
                    format!("the frozen layers are computed in every epoch, nothing is kept of them: {error}");
                if self.cache_told.insert(message.clone()) {
                    self.record.say(Event::Log { level: Level::Warning, message })?;
                }
                Ok(None)
            }
        }
    }

    fn say_opened(&mut self, features: &Features, split: SplitName) -> Result<()> {
        let (part, Pictures { count, variants, .. }) = (features.part(), features.pictures());
        let (bytes, room) = features.size();
        let images =
            if variants > 1 { format!("{count} images in {variants} variants") } else { format!("{count} images") };
        let least = if room < count * variants.max(1) as usize {
            format!(", of which {room} find room")
        } else {
            String::new()
        };
        let message = format!(
            "what the frozen layers up to {} make of an image is computed once: {images} of the {} split, {} bytes each, \
             {:.1} MB in all{least}, in {}",
            part.outputs.join(", "),
            format!("{split:?}").to_lowercase(),
            part.record_bytes,
            bytes as f64 / 1e6,
            features.path().display(),
        );
        self.record.say(Event::Log { level: Level::Info, message })
    }

    /// After an epoch: where the frozen layers' outputs came from, if that is not as in the epoch before.
    pub(super) fn say_features(&mut self) -> Result<()> {
        let Some(features) = self.loader.features() else {
            self.keeping.counts = None;
            return Ok(());
        };
        let counts = features.take_counts();
        if self.keeping.counts.replace(counts) == Some(counts) {
            return Ok(());
        }
        let (read, computed) = counts;
        let message = format!(
            "epoch {}: the frozen layers' outputs of {read} images were read, of {computed} computed",
            self.progress.epoch
        );
        self.record.say(Event::Log { level: Level::Info, message })
    }
}
