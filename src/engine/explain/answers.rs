//! The answers to `frostline explain`: what speaks for a class in images, what layers make of them, what filters like. Answers are
//! JSON lines; the numbers lie in files of the folder that the front end names. A damaged image is reported in its place.

use std::path::{Path, PathBuf};

use tch::{Device, Kind, Tensor};

use super::ascent::{self, Goal};
use super::fourier::{self, Settings};
use super::view::{self, View, target};
use super::{attribution, cam, heat};
use crate::error::{EngineError, Result as Torched};
use crate::network::{Mode, Network, Taps};
use crate::stepper::{TorchStepper, shielded};
use crate::{classify, input, loss, queries};
use frostline::arch::zoo::Architecture;
use frostline::arch::{Activation, Shape};
use frostline::command::Method;
use frostline::data::{self, Interpolation, Pixels, Size};
use frostline::error::{Error, Result};
use frostline::event::CheckpointKind;
use frostline::event::explain::{
    ASCENT_STEPS, Activations, Answer, Filters, HEAT, Heat, Layer, MOST_FILTERS, Named, PICTURES,
};
use frostline::metrics;
use frostline::run::checkpoint::{self, DType, TensorData};
use frostline::weights::{catalogue, imagenet};

/// A network with weights.
pub enum Origin {
    Run { path: PathBuf, checkpoint: CheckpointKind },
    Published { architecture: Architecture, weights: PathBuf },
}

/// Which network is looked at, and where the numbers go.
pub struct Asked {
    pub origin: Origin,
    pub into: PathBuf,
    /// By default the last one with weights and a feature map.
    pub layer: Option<String>,
}

/// Which filters of the layer are asked what they like, and how.
pub struct Taste {
    /// None: the first 64.
    pub filters: Vec<usize>,
    /// Height and width of each picture.
    pub sides: [usize; 2],
    pub steps: Option<usize>,
    pub seed: u64,
    pub modern: bool,
    /// A picture is shown after so many steps.
    pub every: usize,
}

/// Of a thousand classes nobody reads more.
const MOST_NAMED: usize = 10;

/// What in each image speaks for a class: the named one, `all`, or by default the predicted one, and the true one where it is another.
pub fn classes(asked: &Asked, images: &[PathBuf], method: Method, class: Option<&str>) -> Result<()> {
    let mut subject = Subject::open(asked)?;
    let given = class.map(|class| subject.wanted(class)).transpose()?;
    let layer = subject.layer(asked, method.looks_at_a_layer())?;
    let mut files = Files::new(&asked.into);
    for image in images {
        let Some(pixels) = subject.read(image)? else { continue };
        let truth = subject.truth(image);
        let (found, probabilities) = subject.look(&pixels, |network, picture| {
            let view = View::new(network, picture, layer)?;
            let predicted = view.predicted()?.f_int64_value(&[0])? as u32;
            let classes = given.clone().unwrap_or_else(|| {
                let mut classes = vec![predicted];
                classes.extend(truth.filter(|&truth| truth != predicted));
                classes
            });
            let mut found = Vec::new();
            for class in classes {
                let of = Tensor::f_from_slice(&[i64::from(class)])?.f_to_device(picture.device())?;
                let attribution = attribution(&view, method, &of, &mut tell)?;
                found.push((class, heat(method, &attribution)?));
            }
            Ok((found, super::numbers(&view.probabilities()?)?))
        })?;
        let top = subject.named(&probabilities);
        for (class, heat) in found {
            let empty = super::numbers(&heat)?.iter().all(|&value| value == 0.0);
            let named = top.iter().find(|named| named.index == class).cloned();
            queries::print(&Answer::Heat(Heat {
                image: image.display().to_string(),
                method,
                layer: method.looks_at_a_layer().then(|| subject.layer_name(layer)),
                class: named.ok_or_else(|| Error::internal(format!("class {class} has no probability")))?,
                truth: truth.map(|truth| subject.classes[truth as usize].clone()),
                top: top[..top.len().min(MOST_NAMED)].to_vec(),
                empty,
                file: files.keep(&[floats(HEAT, &heat)?])?,
            }))?;
        }
    }
    Ok(())
}

/// The channels of one layer, or of every layer with a feature map.
pub fn activations(asked: &Asked, images: &[PathBuf], sweep: bool) -> Result<()> {
    let mut subject = Subject::open(asked)?;
    let layers = if sweep { subject.maps() } else { vec![subject.layer(asked, true)?] };
    let mut files = Files::new(&asked.into);
    for image in images {
        let Some(pixels) = subject.read(image)? else { continue };
        let (found, probabilities) = subject.look(&pixels, |network, picture| {
            let _no_grad = tch::no_grad_guard();
            let mut found = Vec::new();
            let mut taps = Taps::new(layers.clone(), |_, output| {
                found.push(output.f_to_kind(Kind::Float)?);
                Ok(output)
            });
            let logits = network.forward(picture, Mode::Infer, &mut taps)?;
            drop(taps);
            Ok((found, super::numbers(&loss::probabilities(&logits, network.head())?)?))
        })?;
        let mut tensors = Vec::new();
        for (&layer, map) in layers.iter().zip(&found) {
            tensors.push(floats(&subject.layer_name(layer), map)?);
        }
        queries::print(&Answer::Activations(Activations {
            image: image.display().to_string(),
            layers: layers.iter().zip(&found).map(|(&layer, map)| subject.described(layer, map)).collect(),
            top: subject.named(&probabilities).into_iter().take(MOST_NAMED).collect(),
            file: files.keep(&tensors)?,
        }))?;
    }
    Ok(())
}

/// Pictures that filters like, said every few steps while they form.
pub fn filters(asked: &Asked, taste: &Taste) -> Result<()> {
    let mut subject = Subject::open(asked)?;
    let layer = subject.layer(asked, true)?;
    let name = subject.layer_name(layer);
    let (network, preprocess, shards) = subject.stepper.looked_at()?;
    let channels = network.arch().layers()[layer].output.channels();
    let filters = match &taste.filters[..] {
        [] => (0..channels.min(MOST_FILTERS as usize)).collect(),
        given => given.to_vec(),
    };
    let [height, width] = taste.sides;
    let pictures = Shape::Map { height, width, channels: network.arch().input().channels() };
    if let Err(error) = network.arch().output_for(layer, pictures) {
        return Err(EngineError::TooSmall { side: height.min(width), reason: error.to_string() }.into());
    }
    let goal = Goal { network, shards, preprocess, layer, filters: &filters };
    let mut files = Files::new(&asked.into);
    let settings = Settings { steps: taste.steps.unwrap_or(Settings::default().steps), ..Settings::default() };
    let total = if taste.modern { settings.steps } else { taste.steps.unwrap_or(ASCENT_STEPS as usize) };
    let mut show = |done: usize, pictures: &Tensor, means: &[f32]| -> Torched<()> {
        if !done.is_multiple_of(taste.every.max(1)) && done != total && done != 1 {
            return tell(done, total);
        }
        let shown = if taste.modern { ascent::bytes(pictures)? } else { ascent::deprocessed(pictures)? };
        let file = files.keep(&[bytes(PICTURES, &shown)?]).map_err(|error| EngineError::told(&error))?;
        let answer = Answer::Filters(Filters {
            layer: name.clone(),
            filters: filters.iter().map(|&filter| filter as u32).collect(),
            done: done as u64,
            total: total as u64,
            means: means.to_vec(),
            file,
        });
        queries::print(&answer).map_err(|error| EngineError::told(&error))
    };
    shielded(|| {
        if taste.modern {
            let _ = fourier::dream(&goal, taste.sides, taste.seed, settings, &mut show)?;
        } else {
            let _ = ascent::climb(&goal, goal.noise(taste.seed, taste.sides)?, total, ascent::RATE, &mut show)?;
        }
        Ok(())
    })
}

/// A network with weights, and what is needed to show it images.
pub struct Subject {
    pub stepper: TorchStepper,
    pub classes: Vec<String>,
    size: Size,
    interpolation: Interpolation,
}

impl Subject {
    fn open(asked: &Asked) -> Result<Self> {
        match &asked.origin {
            Origin::Run { path, checkpoint } => {
                let (run, plan, target) = queries::open_for_reading(path)?;
                Ok(Self {
                    classes: queries::classes(&run, &plan)?,
                    stepper: queries::restored(&run, &plan, target, *checkpoint)?,
                    size: plan.data.size,
                    interpolation: plan.data.interpolation,
                })
            }
            Origin::Published { architecture, weights } => {
                let (stepper, size) = classify::published(*architecture, weights)?;
                let classes = imagenet::classes().iter().map(|class| class.name.to_owned()).collect();
                // All of a picture: heat over its middle alone could not be laid over the whole.
                Ok(Self { stepper, classes, size, interpolation: catalogue::framing(*architecture).interpolation })
            }
        }
    }

    /// As the network sees it; an unreadable one is told, and nothing comes back.
    fn read(&self, image: &Path) -> Result<Option<Pixels>> {
        match data::decode_file(image, self.size, self.interpolation) {
            Ok(pixels) => Ok(Some(pixels)),
            Err(error) => {
                let error = Error::from(error).message();
                queries::print(&Answer::Unreadable { image: image.display().to_string(), error })?;
                Ok(None)
            }
        }
    }

    /// Shows one picture to the network, as `[1, c, h, w]`.
    fn look<T>(&mut self, pixels: &Pixels, work: impl FnOnce(&Network, &Tensor) -> Torched<T>) -> Result<T> {
        let (network, preprocess, _) = self.stepper.looked_at()?;
        shielded(|| {
            input::check_size(pixels.size, network.arch().input())?;
            work(network, &input::pictures(&pixels.bytes, 1, pixels.size, preprocess, network.device())?)
        })
    }

    /// A class by its name or its number, or all of them.
    fn wanted(&self, class: &str) -> Result<Vec<u32>> {
        let count = self.classes.len();
        if class == "all" {
            return Ok((0..count as u32).collect());
        }
        let by_name = self.classes.iter().position(|name| name == class);
        let by_number = || class.parse().ok().filter(|&number: &usize| number < count);
        if let Some(index) = by_name.or_else(by_number) {
            return Ok(vec![index as u32]);
        }
        let some = self.classes.iter().take(10).cloned().collect::<Vec<_>>().join(", ");
        let more = if count > 10 { format!(" and {} more", count - 10) } else { String::new() };
        let hint = format!("the classes are {some}{more}; their numbers, from 0, and `all` are taken too");
        Err(Error::user(format!("there is no class \"{class}\""), hint))
    }

    /// The class that the image's folder is called by.
    fn truth(&self, image: &Path) -> Option<u32> {
        let folder = image.parent()?.file_name()?.to_str()?;
        self.classes.iter().position(|class| class == folder).map(|index| index as u32)
    }

    /// The layer asked for. Where it does not matter, any layer will do.
    fn layer(&mut self, asked: &Asked, matters: bool) -> Result<usize> {
        let (network, ..) = self.stepper.looked_at()?;
        let deepest = network.arch().last_feature_map();
        match &asked.layer {
            Some(name) if matters => Ok(target(network, name)?),
            _ if matters => {
                deepest.ok_or_else(|| EngineError::NoMap { network: network.arch().name().to_owned() }.into())
            }
            // Behind the scaling, where pixels are explained.
            _ => Ok(deepest.unwrap_or(0).max(view::scaling(network.arch()))),
        }
    }

    fn maps(&self) -> Vec<usize> {
        let layers = self.stepper.arch().layers();
        (0..layers.len()).filter(|&index| matches!(layers[index].output, Shape::Map { .. })).collect()
    }

    fn layer_name(&self, layer: usize) -> String {
        self.stepper.arch().layers()[layer].name.clone()
    }

    fn described(&self, layer: usize, map: &Tensor) -> Layer {
        let [_, channels, height, width] = cam::size4(map).map(|side| side as usize);
        let layer = &self.stepper.arch().layers()[layer];
        let bounds = match layer.op.activation() {
            Activation::Relu => [Some(0.0), None],
            Activation::Relu6 => [Some(0.0), Some(6.0)],
            Activation::Sigmoid | Activation::Softmax => [Some(0.0), Some(1.0)],
            Activation::Tanh => [Some(-1.0), Some(1.0)],
            Activation::Elu => [Some(-1.0), None],
            Activation::Linear | Activation::LeakyRelu | Activation::Silu | Activation::Gelu => [None, None],
        };
        Layer { name: layer.name.clone(), kind: layer.op.kind().to_owned(), shape: [channels, height, width], bounds }
    }

    fn named(&self, probabilities: &[f32]) -> Vec<Named> {
        let order = metrics::likeliest(probabilities).into_iter();
        order
            .filter_map(|index| {
                let class = self.classes.get(index)?.clone();
                Some(Named { index: index as u32, class, probability: probabilities[index] })
            })
            .collect()
    }
}

fn tell(done: usize, total: usize) -> Torched<()> {
    let answer = Answer::Progress { done: done as u64, total: total as u64 };
    queries::print(&answer).map_err(|error| EngineError::told(&error))
}

/// Numbers files in the folder for them.
struct Files {
    folder: PathBuf,
    count: usize,
}

impl Files {
    fn new(folder: &Path) -> Self {
        Self { folder: folder.to_owned(), count: 0 }
    }

    fn keep(&mut self, tensors: &[(String, TensorData)]) -> Result<String> {
        let path = self.folder.join(format!("{}.safetensors", self.count));
        self.count += 1;
        checkpoint::write(&path, tensors, &())?;
        Ok(path.display().to_string())
    }
}

/// Of one picture: without the first dimension.
fn floats(name: &str, tensor: &Tensor) -> Result<(String, TensorData)> {
    let shape = tensor.size()[1..].iter().map(|&side| side as usize).collect();
    let bytes = super::numbers(tensor)?.into_iter().flat_map(f32::to_le_bytes).collect();
    Ok((name.to_owned(), TensorData { shape, dtype: DType::F32, bytes }))
}

fn bytes(name: &str, tensor: &Tensor) -> Torched<(String, TensorData)> {
    let shape = tensor.size().iter().map(|&side| side as usize).collect();
    let bytes = Vec::try_from(tensor.f_to_device(Device::Cpu)?.f_contiguous()?.f_reshape([-1])?)?;
    Ok((name.to_owned(), TensorData { shape, dtype: DType::U8, bytes }))
}
