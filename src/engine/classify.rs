//! A published network with its ImageNet weights names what photographs show. It needs no run; the answers are JSON objects on
//! standard output, one a picture.

use std::path::{Path, PathBuf};

use frostline::{
    arch::{Shape, zoo::Architecture},
    data::{self, Framing, Size},
    error::{Error, Result},
    plan::{self, Optimizer},
    weights::{Published, catalogue, imagenet},
};
use tch::Kind;

use crate::{
    device,
    input::Preprocess,
    queries::{self, Likely},
    stepper::{Target, TorchStepper},
};

/// The network with its weights, and the size of its pictures.
pub fn published(architecture: Architecture, weights: &Path) -> Result<(TorchStepper, Size)> {
    let network = Published::open(weights, architecture)?;
    let cuda = device::open_cuda();
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    device::set_threads(cores as u32)?;
    let target = Target { device: device::choose(plan::Device::Auto, &cuda)?, compute: Kind::Float };
    let mut stepper = TorchStepper::new(&network.arch, Optimizer::default(), 0, target, Preprocess::default())?;
    stepper.load(&network.weights)?;
    let Shape::Map { height, width, channels } = network.arch.input() else {
        return Err(Error::internal("a published network without pictures"));
    };
    Ok((stepper, Size { height: height as u32, width: width as u32, channels: channels as u32 }))
}

/// Names the `top` likeliest classes of each image. `squash` shows all of a picture instead of its middle.
pub fn classify(
    architecture: Architecture,
    weights: &Path,
    images: &[PathBuf],
    top: usize,
    squash: bool,
) -> Result<()> {
    let (mut stepper, size) = published(architecture, weights)?;
    let classes = imagenet::classes();
    let frame = catalogue::framing(architecture);
    let framing = if squash { Framing::Squash } else { Framing::Middle(frame.resize) };
    let decode = |image: &Path| data::decode_framed(image, framing, size, frame.interpolation);
    let likely = |class: usize, probability| {
        let class = &classes[class];
        Likely { synset: Some(class.synset), class: class.name.to_owned(), probability }
    };
    queries::answer(&mut stepper, images, top, decode, likely)
}
