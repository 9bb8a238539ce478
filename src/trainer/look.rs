//! What the network makes of one validation image, for those who are looking: the image, a layer's activations, Grad-CAM.
//! Computed while a viewer watches, at a price that stays small against training, and once at the end of each epoch.

use std::time::{Duration, Instant};

use image::RgbImage;

use super::{Explanation, Planes, Record, Stepper, Trainer};
use crate::{
    arch::Shape,
    command::Watch,
    data::Pixels,
    error::Result,
    event::{Event, Explained, Level, Picture, PictureKind},
    picture::{self, Colormap},
};

const LOOK_EVERY: Duration = Duration::from_secs(1);
/// Looking may take one part in so many of the time.
const PRICE: u32 = 200;
/// Sides of a picture that is meant for a thumbnail.
const LARGEST_SIDE: u32 = 512;
/// Grids show no more channels than this; the book's show 32 to 128.
const MOST_CHANNELS: usize = 128;
/// Strength of the heat over the image, the book's.
const STRENGTH: f32 = 0.4;

/// When somebody was last shown something, and what.
pub(super) struct Look {
    at: Option<Instant>,
    cost: Duration,
    step: u64,
    shown: Vec<Watch>,
    /// It went wrong once: no run is to end because somebody looked.
    given_up: bool,
}

impl Look {
    pub(super) fn new() -> Self {
        Self { at: None, cost: Duration::ZERO, step: 0, shown: Vec::new(), given_up: false }
    }

    /// Something new to look at is served at once, new weights every now and then.
    fn is_due(&self, watched: &[Watch], step: u64) -> bool {
        let rested = self.at.is_none_or(|at| at.elapsed() >= LOOK_EVERY.max(self.cost * PRICE));
        !watched.is_empty()
            && (watched.iter().any(|watch| !self.shown.contains(watch)) || (rested && step != self.step))
    }
}

impl<S: Stepper, R: Record> Trainer<'_, S, R> {
    pub(super) fn look_if_due(&mut self) -> Result<()> {
        let watched = self.inbox.watched();
        if self.look.is_due(&watched, self.progress.step) { self.look_at(watched, false) } else { Ok(()) }
    }

    /// Leaves a picture of every epoch in the run, whether or not anybody is looking.
    pub(super) fn look_after_epoch(&mut self) -> Result<()> {
        let mut watched = self.inbox.watched();
        if watched.is_empty() {
            watched.push(Watch::default());
        }
        self.look_at(watched, true)
    }

    /// `lasting` pictures stay with the run, others make room for newer ones.
    fn look_at(&mut self, watched: Vec<Watch>, lasting: bool) -> Result<()> {
        if self.look.given_up {
            return Ok(());
        }
        let begun = Instant::now();
        for watch in &watched {
            match self.explained(watch, lasting) {
                Ok(Some(explained)) => self.record.say(Event::Explained(explained))?,
                Ok(None) => {}
                Err(error) => {
                    self.look.given_up = true;
                    let message = format!("no more pictures in this run: {}", error.message());
                    self.record.say(Event::Log { level: Level::Error, message })?;
                }
            }
        }
        self.look.at = Some(Instant::now());
        self.look.cost = begun.elapsed();
        self.look.step = self.progress.step;
        self.look.shown = watched;
        Ok(())
    }

    fn explained(&mut self, watch: &Watch, lasting: bool) -> Result<Option<Explained>> {
        let Some(layer) = self.explained_layer(watch.layer.as_deref()) else { return Ok(None) };
        let split = self.data.pinned();
        if split.is_empty() {
            return Ok(None);
        }
        let sample = watch.sample as usize % split.len();
        // An unreadable image is listed by the pass that meets it; here there is just nothing to show.
        let Ok(pixels) = split.load(sample, self.plan.data.size) else { return Ok(None) };
        let (name, label) = (split.name(sample), split.label(sample));
        let explanation = self.stepper.explain(&pixels, &layer)?;
        let pictures = self.pictures(&pixels, &layer, &explanation, lasting)?;
        Ok(Some(Explained {
            step: self.progress.step,
            epoch: self.progress.epoch,
            sample: sample as u32,
            name,
            label,
            probabilities: explanation.probabilities,
            pictures,
        }))
    }

    fn pictures(
        &mut self,
        pixels: &Pixels,
        layer: &str,
        explanation: &Explanation,
        lasting: bool,
    ) -> Result<Vec<Picture>> {
        let image = rgb(pixels);
        let layer = layer.to_owned();
        let heat = &explanation.heat;
        let empty = heat.values.iter().all(|&value| value == 0.0);
        let overlay = picture::overlay(&image, &heat.values, [heat.height, heat.width], STRENGTH, Colormap::Jet);
        let channels = explanation.activations.channels as u32;
        let class = explanation.class;
        [
            (PictureKind::Sample, image),
            (PictureKind::Activations { layer: layer.clone(), channels }, activation_grid(&explanation.activations)),
            (PictureKind::GradCam { layer, class, empty }, overlay),
        ]
        .into_iter()
        .map(|(kind, image)| {
            let blob = self.record.picture(&image, lasting)?;
            Ok(Picture { kind, blob, width: image.width(), height: image.height() })
        })
        .collect()
    }

    /// The named layer if it has a feature map, else the nearest one below it that has; by default the deepest.
    fn explained_layer(&self, wanted: Option<&str>) -> Option<String> {
        let arch = &self.plan.arch;
        let index = match wanted.and_then(|name| arch.position(name)) {
            Some(position) => {
                (0..=position).rev().find(|&index| matches!(arch.layers()[index].output, Shape::Map { .. }))
            }
            None => arch.last_feature_map(),
        };
        index.map(|index| arch.layers()[index].name.clone())
    }
}

fn rgb(pixels: &Pixels) -> RgbImage {
    let channels = pixels.size.channels as usize;
    RgbImage::from_fn(pixels.size.width, pixels.size.height, |x, y| {
        let at = (y as usize * pixels.size.width as usize + x as usize) * channels;
        let value = |channel: usize| pixels.bytes[at + channel.min(channels - 1)];
        image::Rgb([value(0), value(1), value(2)])
    })
}

fn activation_grid(planes: &Planes) -> RgbImage {
    let Planes { channels, height, width, ref values } = *planes;
    let shown = channels.min(MOST_CHANNELS);
    let columns = picture::columns_for(shown, height, width, 1.0);
    let grid = picture::grid(&values[..shown * height * width], [shown, height, width], columns, Colormap::Viridis);
    let largest = grid.width().max(grid.height());
    if largest <= LARGEST_SIDE {
        return grid;
    }
    let side = |length: u32| (length * LARGEST_SIDE / largest).max(1);
    let (width, height) = (side(grid.width()), side(grid.height()));
    let small = picture::shrink(&grid, width as usize, height as usize);
    RgbImage::from_raw(width, height, small.concat()).unwrap_or(grid)
}
