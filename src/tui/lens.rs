//! The lens: the pictures with the whole screen to themselves. What it looks at, and the keys that change it. Everything here is this
//! terminal's own; what has to be computed is asked of the run as a wish.

use super::{
    model::{Model, Tone},
    page::Page,
    steering,
    update::Effect,
    viewing,
};
use crate::{
    command::{Command, Method, Scene, Watch, Whose},
    event::Picture,
    picture::Colormap,
    state::{RunState, Seen, sweep},
};

/// How the pictures are looked at. It holds for the small pane too, but for the scene and the epoch.
#[derive(Clone, Debug, Default)]
pub struct Lens {
    pub method: Method,
    pub class: Whose,
    pub scene: Scene,
    /// The epoch that is looked back at; `None` is now.
    pub epoch: Option<u32>,
    /// Index into [`STYLES`].
    style: usize,
}

/// How heat is made visible.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Style {
    pub map: Colormap,
    /// Laid over the image so strongly; `None` shows it alone.
    pub strength: Option<f32>,
}

/// The book's first.
const STYLES: [Style; 5] = [
    Style { map: Colormap::Jet, strength: Some(0.4) },
    Style { map: Colormap::Turbo, strength: Some(0.7) },
    Style { map: Colormap::Inferno, strength: Some(1.0) },
    Style { map: Colormap::Inferno, strength: None },
    Style { map: Colormap::Viridis, strength: None },
];

impl Lens {
    pub fn style(&self) -> Style {
        STYLES[self.style % STYLES.len()]
    }
}

/// Among so many classes a person goes round; of more, the likeliest are enough.
const FEW_CLASSES: usize = 12;

impl Model {
    /// Whether the pictures have the screen.
    pub fn is_lens(&self) -> bool {
        self.view.page == Page::Lens
    }

    /// What the pictures on the screen are to show.
    pub fn wish(&self) -> Watch {
        let lens = &self.view.lens;
        let scene = match lens.scene {
            Scene::Filters(_) => Scene::Filters(self.filters_that_fit()),
            scene => scene,
        };
        Watch {
            sample: self.view.sample,
            layer: self.view.layer.clone(),
            method: lens.method,
            class: lens.class,
            scene: if self.is_lens() { scene } else { Scene::Layer },
        }
    }

    /// Whether the screen shows an epoch that is over.
    pub fn looks_back(&self) -> Option<u32> {
        self.view.lens.epoch.filter(|_| self.is_lens() && !matches!(self.view.lens.scene, Scene::Filters(_)))
    }

    /// The pictures on the screen: those that belong there, or those before them until they have come. A line may be slow, and a box that is
    /// empty most of the time shows nothing.
    pub fn seen(&self) -> Option<Seen<'_>> {
        let due = self.due()?;
        if self.looks_back().is_some() || self.has_come(&due) {
            return Some(due);
        }
        let held = self.view.held.as_ref().and_then(|held| RunState::seen_in(held, &self.wish()));
        held.or(Some(due))
    }

    /// Keeps what is complete on the screen now.
    pub fn hold(&mut self) {
        let complete = self.due().filter(|due| self.looks_back().is_none() && self.has_come(due));
        if let Some(explained) = complete.map(|due| due.explained).filter(|now| self.view.held.as_ref() != Some(*now)) {
            self.view.held = Some(explained.clone());
        }
    }

    fn has_come(&self, seen: &Seen<'_>) -> bool {
        let album = &self.view.album;
        self.blobs_of(seen).all(|blob| album.get(blob).is_some() || album.is_missing(blob))
    }

    fn blobs_of<'a>(&self, seen: &Seen<'a>) -> impl Iterator<Item = &'a str> + use<'a> {
        let wish = self.wish();
        let pictures: Vec<&Picture> = match wish.scene {
            Scene::Sweep => seen.sample.into_iter().chain(sweep(seen.explained, &wish)).collect(),
            _ => [seen.sample, seen.heat, seen.activations].into_iter().flatten().collect(),
        };
        pictures.into_iter().map(|picture| picture.blob.as_str())
    }

    /// The pictures that belong on the screen. A recording shows whichever images its viewers had asked for.
    fn due(&self) -> Option<Seen<'_>> {
        let wish = self.wish();
        if let Some(epoch) = self.looks_back() {
            return self.run.seen_then(&wish, epoch);
        }
        self.run.seen_now(&wish).or_else(|| {
            let any = self.run.explained.last().filter(|_| !self.is_live())?;
            self.run.seen_now(&Watch { sample: any.sample, ..wish })
        })
    }

    /// Blobs of the pictures that belong on the screen.
    pub fn shown_blobs(&self) -> Vec<String> {
        let wish = self.wish();
        if let Scene::Filters(_) = wish.scene {
            return self.painted().map(|painted| painted.blob.clone()).into_iter().collect();
        }
        self.due().map_or_else(Vec::new, |due| self.blobs_of(&due).map(str::to_owned).collect())
    }

    /// What the filters of the layer like, if somebody had them painted.
    pub fn painted(&self) -> Option<&crate::event::Painted> {
        let wanted = self.view.layer.as_deref();
        self.run.painted.iter().rev().find(|painted| wanted.is_none_or(|layer| layer == painted.layer))
    }

    /// A filter's picture needs a few cells to say anything.
    fn filters_that_fit(&self) -> u32 {
        let (columns, rows) = self.view.size;
        match rows.min(columns / 2) {
            0..30 => 16,
            30..48 => 36,
            48.. => 64,
        }
    }

    /// Positions of the layers that can be shown.
    fn maps(&self) -> Vec<usize> {
        let layers = self.run.layers.iter().enumerate();
        layers.filter(|(_, layer)| layer.info.feature_map).map(|(index, _)| index).collect()
    }

    /// The layer that is looked at, by name.
    pub fn looked_at(&self) -> Option<&str> {
        let chosen = self.view.layer.as_deref();
        chosen.or_else(|| self.seen().and_then(|seen| crate::state::shown_layer(seen.explained)))
    }
}

/// Opens the lens; in it, the next scene.
pub fn open(model: &mut Model) -> Vec<Effect> {
    if !show(model) {
        let scene = &mut model.view.lens.scene;
        *scene = match *scene {
            Scene::Layer => Scene::Sweep,
            Scene::Sweep => Scene::Filters(0),
            _ => Scene::Layer,
        };
    }
    Vec::new()
}

/// Gives the pictures the screen; true if they did not have it.
fn show(model: &mut Model) -> bool {
    let closed = !model.is_lens();
    viewing::turn_to(model, Page::Lens);
    closed
}

/// In a sweep over the layers there is nothing to see of methods that look at pixels.
pub fn step_method(model: &mut Model, by: isize) -> Vec<Effect> {
    let sweeping = model.wish().scene == Scene::Sweep;
    let lens = &mut model.view.lens;
    lens.method = lens.method.step(by);
    while sweeping && !lens.method.looks_at_a_layer() {
        lens.method = lens.method.step(by);
    }
    let method = lens.method;
    if !model.is_lens() {
        model.notify(Tone::Plain, method.title());
    }
    Vec::new()
}

/// Predicted, true, then each class by itself.
pub fn next_class(model: &mut Model) -> Vec<Effect> {
    let count = model.run.data.as_ref().map_or(0, |data| data.classes.len()) as u32;
    let mut classes: Vec<u32> = (0..count).collect();
    if classes.len() > FEW_CLASSES {
        let likeliest = model.seen().map(|seen| seen.explained.likeliest()).unwrap_or_default();
        classes = likeliest.into_iter().take(FEW_CLASSES).collect();
        classes.sort_unstable();
    }
    let lens = &mut model.view.lens;
    lens.class = match lens.class {
        Whose::Predicted => Whose::True,
        Whose::True => classes.first().map_or(Whose::Predicted, |class| Whose::Class(*class)),
        Whose::Class(now) => {
            classes.iter().find(|class| **class > now).map_or(Whose::Predicted, |class| Whose::Class(*class))
        }
    };
    Vec::new()
}

pub fn next_style(model: &mut Model) -> Vec<Effect> {
    model.view.lens.style = (model.view.lens.style + 1) % STYLES.len();
    Vec::new()
}

/// Through the epochs of which something of the image is kept; behind the last of them is now.
pub fn step_epoch(model: &mut Model, by: isize) -> Vec<Effect> {
    show(model);
    let sample = model.view.sample;
    let epochs: Vec<u32> = model.run.kept_epochs(sample).collect();
    if epochs.is_empty() {
        model.notify(Tone::Plain, format!("nothing of image {sample} is kept; P keeps it at the end of each epoch"));
        return Vec::new();
    }
    let at = model.view.lens.epoch.map_or(epochs.len(), |now| epochs.partition_point(|epoch| *epoch < now));
    let next = (at as isize).saturating_add(by).clamp(0, epochs.len() as isize) as usize;
    model.view.lens.epoch = epochs.get(next).copied();
    Vec::new()
}

pub fn pin(model: &mut Model) -> Vec<Effect> {
    let sample = model.view.sample;
    let command = if model.run.is_pinned(sample) { Command::Unpin { sample } } else { Command::Pin { sample } };
    steering::send(model, command)
}

/// The next image that is pinned.
pub fn next_pinned(model: &mut Model) -> Vec<Effect> {
    let pins: Vec<u32> = model.run.pinned.iter().map(|pin| pin.sample).collect();
    if pins.is_empty() {
        model.notify(Tone::Plain, "no image is pinned");
        return Vec::new();
    }
    let next = pins.iter().position(|sample| *sample == model.view.sample).map_or(0, |at| (at + 1) % pins.len());
    look_at(model, pins[next]);
    Vec::new()
}

/// Another image; of one of which nothing is kept, now.
pub fn look_at(model: &mut Model, sample: u32) {
    model.view.sample = sample;
    if model.view.lens.epoch.is_some_and(|epoch| model.run.kept_epochs(sample).all(|kept| kept != epoch)) {
        model.view.lens.epoch = None;
    }
}

/// Another layer with a feature map, in the network's order.
pub fn step_layer(model: &mut Model, by: isize) {
    let maps = model.maps();
    let named = model.looked_at();
    let now = maps.iter().rposition(|index| named == Some(model.run.layers[*index].info.name.as_str()));
    let Some(last) = maps.len().checked_sub(1) else { return };
    let next = (now.unwrap_or(last) as isize).saturating_add(by).clamp(0, last as isize) as usize;
    model.view.layer = Some(model.run.layers[maps[next]].info.name.clone());
    model.view.cursor = maps[next];
}
