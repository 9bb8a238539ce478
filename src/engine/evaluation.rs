//! `frostline-engine eval`: a checkpoint measured on a split, with what it made of each image, and what in the images that tell most spoke
//! for the class they were given. The figures are the front end's business; the pass over the split is the trainer's.

use std::{
    ops::ControlFlow,
    path::{Path, PathBuf},
    sync::{Arc, mpsc::channel},
};

use frostline::{
    data::{Batch, Pixels, Split},
    error::{Error, Result},
    event::{
        CheckpointKind, Event, SplitName,
        evaluation::{Answer, Judged, Looked, Map, PICTURE},
    },
    metrics::{Case, Telling},
    run::checkpoint::{self, DType, TensorData},
    trainer::{Evaluated, Inbox, Origin, Planes, Progress, Record, SavedTensor, Settled, Trainer},
};

use crate::{
    explain, input,
    process::open_data,
    queries::{open_for_reading, print, restored},
    stepper::{TorchStepper, shielded},
};

/// How many images of each kind are explained, and the folder for the numbers.
pub struct Looking {
    pub pictures: usize,
    pub into: PathBuf,
}

/// Prints a line for each image, a `tested` event, and one line for each image that was explained.
pub fn evaluate(path: &Path, split: SplitName, checkpoint: CheckpointKind, looking: Option<&Looking>) -> Result<()> {
    let (run, plan, target) = open_for_reading(path)?;
    let data = open_data(&plan)?;
    let images = match split {
        SplitName::Train => Some(&data.train),
        SplitName::Validation => data.validation.as_ref(),
        SplitName::Test => data.test.as_ref(),
    };
    let stepper = restored(&run, &plan, target, checkpoint)?;
    let (_requests, arrivals) = channel();
    let inbox = Inbox::new(arrivals, Vec::new);
    let printed = Printed { images: images.cloned(), samples: Vec::new(), cases: Vec::new() };
    let mut trainer = Trainer::new(&plan, &data, stepper, printed, inbox, Origin::default())?;
    let ControlFlow::Continue(tested) = trainer.tested(split, checkpoint)? else {
        return Err(Error::internal("an evaluation was stopped by a command"));
    };
    print(&Event::Tested(tested))?;
    let (mut stepper, printed) = trainer.into_parts();
    let (Some(looking), Some(images)) = (looking, images) else { return Ok(()) };
    for at in Telling::of(&printed.cases, data.classes.len(), looking.pictures).all() {
        let (sample, case) = (printed.samples[at], printed.cases[at]);
        // It was there a moment ago; if it is not now, the report does without its picture.
        if let Ok(pixels) = images.load(sample as usize, plan.data.size) {
            print(&Answer::Looked(looked(&mut stepper, sample, case, &pixels, looking)?))?;
        }
    }
    Ok(())
}

/// Grad-CAM for the class that the image was given, and for its own.
fn looked(stepper: &mut TorchStepper, sample: u32, case: Case, pixels: &Pixels, looking: &Looking) -> Result<Looked> {
    let size = pixels.size;
    let shape = [1, size.height, size.width, size.channels].map(|side| side as usize).to_vec();
    let picture = TensorData { shape, dtype: DType::U8, bytes: pixels.bytes.clone() };
    let mut tensors = vec![(PICTURE.to_owned(), picture)];
    let mut maps = Vec::new();
    let (network, preprocess, _) = stepper.looked_at()?;
    let layer = network.arch().last_feature_map();
    if let Some(layer) = layer {
        let mut classes = vec![case.predicted];
        classes.extend((!case.is_right()).then_some(case.truth));
        for class in classes {
            let explanation = shielded(|| {
                let picture = input::pictures(&pixels.bytes, 1, size, preprocess, network.device())?;
                explain::grad_cam(network, &picture, layer, Some(class))
            })?;
            let Some(Planes { height, width, values, .. }) = explanation.heat else { continue };
            let empty = values.iter().all(|&value| value == 0.0);
            let bytes = values.into_iter().flat_map(f32::to_le_bytes).collect();
            let heat = format!("heat/{class}");
            tensors.push((heat.clone(), TensorData { shape: vec![height, width], dtype: DType::F32, bytes }));
            maps.push(Map { class, empty, heat });
        }
    }
    let layer = layer.map(|layer| network.arch().layers()[layer].name.clone());
    let file = looking.into.join(format!("{sample}.safetensors"));
    checkpoint::write(&file, &tensors, &())?;
    Ok(Looked { sample, layer, maps, file: file.display().to_string() })
}

/// Prints what is found, and keeps what is needed to choose the images that tell most.
struct Printed {
    images: Option<Split>,
    samples: Vec<u32>,
    cases: Vec<Case>,
}

impl Record for Printed {
    fn say(&mut self, event: Event) -> Result<()> {
        match event {
            Event::Skipped { .. } | Event::Evaluating { .. } | Event::Log { .. } => print(&event),
            _ => Ok(()),
        }
    }

    fn judged(&mut self, batch: &Batch, evaluated: &Evaluated) -> Result<()> {
        let Some(images) = &self.images else { return Ok(()) };
        let classes = (evaluated.probabilities.len() / batch.count.max(1)).max(1);
        let rows = evaluated.probabilities.chunks_exact(classes).zip(&evaluated.losses).zip(&evaluated.predictions);
        for ((&sample, &label), ((row, &loss), &predicted)) in batch.samples.iter().zip(&batch.labels).zip(rows) {
            let (truth, loss) = (label as u32, f64::from(loss));
            self.samples.push(sample);
            self.cases.push(Case::of(truth, predicted, loss, row));
            let name = images.name(sample as usize);
            print(&Answer::Judged(Judged { sample, name, truth, predicted, loss, probabilities: row.to_vec() }))?;
        }
        Ok(())
    }

    fn picture(&mut self, _: &image::RgbImage, _: bool) -> Result<String> {
        Err(Error::internal("a measurement keeps no pictures"))
    }

    fn checkpoint(&mut self, _: CheckpointKind, _: Arc<Vec<SavedTensor>>, _: &Progress) -> Result<()> {
        Err(Error::internal("a measurement keeps no checkpoints"))
    }

    fn settled(&mut self, _: bool) -> Vec<Settled> {
        Vec::new()
    }

    fn go_back(&mut self, _: u32) -> Result<()> {
        Err(Error::internal("a measurement goes nowhere"))
    }

    fn forget(&mut self, _: u32) {}

    fn read_checkpoint(&mut self, _: CheckpointKind) -> Result<Option<(Vec<SavedTensor>, Progress)>> {
        Ok(None)
    }
}
