//! A run as TensorBoard's event files, under the tags that Keras's callback gives them: a function of the journal. What a resumed run has lost is
//! not in them, and an engine that goes on with a run writes them anew, so that no reader sees a step twice.
//!
//! `train/` and `validation/` are runs of their own, as Keras has them. `epoch_*` count epochs from 0, `batch_*`, `evaluation_*` and
//! pictures count steps.

mod proto;
mod records;

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};

use prost::Message as _;
use proto::{
    Content, Dim, FLOAT, HParam, HParamsPluginData, Image, PluginData, STRING, SessionStartInfo, Setting,
    SummaryMetadata, TensorProto, TensorShape, Value,
};
use records::EventFile;

use super::{
    dir::RunDir,
    error::Result,
    tail::{Entry, Tail},
};
use crate::event::{EpochEnded, Event, Explained, PictureKind, RunStarted, Stamped, Steps};

/// The writer of a run's event files.
pub struct TensorBoard {
    train: EventFile,
    validation: EventFile,
    /// Where pictures lie that events name.
    blobs: PathBuf,
    /// The resolved configuration, once it is to be told.
    config: Option<String>,
}

impl TensorBoard {
    /// Writes into `folder` what the run's journal says so far, in place of event files that are there.
    pub fn write(run: &RunDir, folder: &Path) -> Result<Self> {
        let lives = lives(run)?;
        // A later name than an earlier life's, by which readers put files in order.
        let (at_ms, seq) = lives.last().map_or((0, 0), |life| (life.at_ms, life.seq));
        let name = format!("{:010}.{seq:09}.frostline", at_ms / 1000);
        let mut board = Self {
            train: EventFile::replace(&folder.join("train"), &name, at_ms)?,
            validation: EventFile::replace(&folder.join("validation"), &name, at_ms)?,
            blobs: run.blobs(),
            config: fs::read_to_string(run.config()).ok(),
        };
        if run.journal().exists() {
            for stamped in Tail::open(&run.journal())?.events() {
                let stamped = stamped?;
                let kept = lives.iter().filter(|life| life.seq > stamped.seq).map(|life| life.kept).min();
                let lost = step_of(&stamped.event).zip(kept).is_some_and(|(step, kept)| step > kept);
                if !lost {
                    board.take(&stamped)?;
                }
            }
        }
        board.flush()?;
        Ok(board)
    }

    /// Goes on with an event that the journal has by now.
    pub fn follow(&mut self, stamped: &Stamped) -> Result<()> {
        self.take(stamped)?;
        if step_of(&stamped.event).is_some() { self.flush() } else { Ok(()) }
    }

    fn flush(&mut self) -> Result<()> {
        self.train.flush()?;
        self.validation.flush()
    }

    fn take(&mut self, Stamped { at_ms, event, .. }: &Stamped) -> Result<()> {
        match event {
            Event::RunStarted(started) => self.begin(*at_ms, started),
            Event::Steps(steps) => self.train.summary(*at_ms, steps.step, of_steps(steps)),
            Event::EpochEnded(ended) => self.epoch(*at_ms, ended),
            Event::Explained(explained) if explained.kept => self.pictures(*at_ms, explained),
            _ => Ok(()),
        }
    }

    /// The configuration as text and as hyperparameters, once.
    fn begin(&mut self, at_ms: u64, started: &RunStarted) -> Result<()> {
        let Some(config) = self.config.take() else { return Ok(()) };
        let text = |text: String| HParam { setting: Some(Setting::Text(text)) };
        let hparams = BTreeMap::from([
            ("model".to_owned(), text(started.model.clone())),
            ("optimizer".to_owned(), text(started.optimizer.clone())),
            ("loss".to_owned(), text(started.loss.clone())),
            ("batch_size".to_owned(), HParam { setting: Some(Setting::Number(started.batch_size.into())) }),
            ("epochs".to_owned(), HParam { setting: Some(Setting::Number(started.epochs.into())) }),
        ]);
        let session =
            SessionStartInfo { hparams, group_name: started.run.clone(), start_time_secs: at_ms as f64 / 1e3 };
        let session = HParamsPluginData { session_start_info: Some(session) }.encode_to_vec();
        // The plugin reads its content, and wants an empty tensor beside it.
        let nothing = tensor(FLOAT, 0, Vec::new());
        let code = config.lines().fold(String::new(), |code, line| code + "    " + line + "\n");
        let values = vec![
            plugin("_hparams_/session_start_info", "hparams", session, nothing),
            plugin("config.toml", "text", Vec::new(), tensor(STRING, 1, vec![code.into_bytes()])),
        ];
        self.train.summary(at_ms, 0, values)
    }

    fn epoch(&mut self, at_ms: u64, ended: &EpochEnded) -> Result<()> {
        // Keras counts from 0.
        let number = u64::from(ended.epoch.saturating_sub(1));
        let train = vec![
            scalar("epoch_loss", ended.train.loss),
            scalar("epoch_accuracy", ended.train.accuracy),
            scalar("epoch_learning_rate", ended.learning_rate),
            scalar("epoch_images_per_second", ended.images_per_second),
        ];
        self.train.summary(at_ms, number, train)?;
        let Some(validation) = ended.validation else { return Ok(()) };
        let by_epoch = vec![scalar("epoch_loss", validation.loss), scalar("epoch_accuracy", validation.accuracy)];
        self.validation.summary(at_ms, number, by_epoch)?;
        let by_step = vec![
            scalar("evaluation_loss_vs_iterations", validation.loss),
            scalar("evaluation_accuracy_vs_iterations", validation.accuracy),
        ];
        self.validation.summary(at_ms, ended.step, by_step)
    }

    /// What the network saw in an image that is pinned. A picture that is no longer there is left out.
    fn pictures(&mut self, at_ms: u64, explained: &Explained) -> Result<()> {
        let mut values = Vec::new();
        for picture in &explained.pictures {
            let name = match &picture.kind {
                PictureKind::Sample => "image".to_owned(),
                PictureKind::Activations { layer, .. } => format!("activations/{layer}"),
                PictureKind::Heat { method, layer, .. } => format!("{}/{layer}", method.name()),
                PictureKind::GradCam { layer, .. } => format!("grad-cam/{layer}"),
            };
            let Ok(png) = fs::read(self.blobs.join(format!("{}.png", picture.blob))) else { continue };
            let image = Image {
                height: picture.height as i32,
                width: picture.width as i32,
                colorspace: 3,
                encoded_image_string: png,
            };
            values.push(Value {
                tag: format!("{}/{name}", explained.name),
                metadata: None,
                content: Some(Content::Image(image)),
            });
        }
        if values.is_empty() { Ok(()) } else { self.validation.summary(at_ms, explained.step, values) }
    }
}

/// The start of an engine's life.
struct Life {
    seq: u64,
    at_ms: u64,
    /// The step from which it goes on.
    kept: u64,
}

fn lives(run: &RunDir) -> Result<Vec<Life>> {
    let mut lives = Vec::new();
    if !run.journal().exists() {
        return Ok(lives);
    }
    let mut tail = Tail::open(&run.journal())?;
    while let Some(line) = tail.next_line()? {
        if line.mark().is_none_or(|mark| mark.event == "run_started")
            && let Entry::Event(Stamped { seq, at_ms, event: Event::RunStarted(started) }) = line.entry()?
        {
            lives.push(Life { seq, at_ms, kept: started.resumed.map_or(0, |resumed| resumed.step) });
        }
    }
    Ok(lives)
}

/// The step that something written here belongs to.
fn step_of(event: &Event) -> Option<u64> {
    match event {
        Event::Steps(steps) => Some(steps.step),
        Event::EpochEnded(ended) => Some(ended.step),
        Event::Explained(explained) if explained.kept => Some(explained.step),
        _ => None,
    }
}

/// Means over the steps that the event gathers.
fn of_steps(steps: &Steps) -> Vec<Value> {
    vec![
        scalar("batch_loss", steps.loss.mean),
        scalar("batch_accuracy", steps.accuracy.mean),
        scalar("batch_learning_rate", steps.learning_rate),
        scalar("batch_images_per_second", steps.images_per_second),
        scalar("batch_data_wait", steps.data_wait),
    ]
}

fn scalar(tag: &str, value: f64) -> Value {
    Value { tag: tag.to_owned(), metadata: None, content: Some(Content::SimpleValue(value as f32)) }
}

fn plugin(tag: &str, plugin: &str, content: Vec<u8>, tensor: TensorProto) -> Value {
    let plugin_data = Some(PluginData { plugin_name: plugin.to_owned(), content });
    let metadata = Some(SummaryMetadata { plugin_data });
    Value { tag: tag.to_owned(), metadata, content: Some(Content::Tensor(tensor)) }
}

/// A vector of `size`.
fn tensor(dtype: i32, size: i64, string_val: Vec<Vec<u8>>) -> TensorProto {
    TensorProto { dtype, tensor_shape: Some(TensorShape { dim: vec![Dim { size }] }), string_val }
}

#[cfg(test)]
mod tests;
