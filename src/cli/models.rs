//! `frostline models`: the published networks, and how large they are.

use clap::Args;

use super::{Exit, output::Output, table::aligned};
use crate::{
    arch::{
        Arch, Shape,
        zoo::{Architecture, Naming, Wiring, expected_preprocessing},
    },
    error::{Error, Result},
    plan::PlanError,
};

#[derive(Args, Debug)]
pub struct ModelsArgs {
    /// Print one JSON object a line
    #[arg(long)]
    json: bool,
}

#[derive(serde::Serialize)]
struct Model {
    name: &'static str,
    parameters: u64,
    parameters_without_top: u64,
    input: [usize; 3],
    minimum_side: usize,
    /// Keras's, where Keras has the network, else its origin's.
    preprocessing: &'static str,
    /// What `weights = "imagenet"` was trained on.
    imagenet_preprocessing: &'static str,
}

impl Model {
    fn of(architecture: Architecture) -> Result<Self> {
        let count = |top| Ok::<_, Error>(network(architecture, Wiring::Keras, top, None)?.parameter_count());
        let pixels = |naming: Naming| expected_preprocessing(architecture, naming, naming.wiring(architecture)).name();
        Ok(Self {
            name: architecture.name(),
            parameters: count(true)?,
            parameters_without_top: count(false)?,
            input: architecture.default_input(),
            minimum_side: architecture.minimum_side(),
            preprocessing: pixels(Naming::Keras),
            imagenet_preprocessing: pixels(Naming::IMAGENET),
        })
    }
}

pub fn run(args: &ModelsArgs, out: &mut Output) -> Result<Exit> {
    let models = Architecture::ALL.into_iter().map(Model::of).collect::<Result<Vec<_>>>()?;
    if args.json {
        for model in &models {
            out.json(model)?;
        }
    } else {
        out.line(&table(&models))?;
    }
    Ok(Exit::DONE)
}

pub fn find(name: &str) -> Result<Architecture> {
    Architecture::parse(name).ok_or_else(|| {
        let known: Vec<&str> = Architecture::ALL.into_iter().map(Architecture::name).collect();
        Error::user(format!("there is no model \"{name}\""), format!("models: {}", known.join(", ")))
    })
}

/// For images of `side`; the network's own where it is `None`.
pub fn network(architecture: Architecture, wiring: Wiring, top: bool, side: Option<usize>) -> Result<Arch> {
    let [height, width, channels] = match side {
        Some(side) => [side, side, 3],
        None => architecture.default_input(),
    };
    let minimum = architecture.minimum_side();
    if height.min(width) < minimum {
        let architecture = architecture.name();
        return Err(PlanError::InputTooSmall { architecture, minimum, height, width }.into());
    }
    let input = Shape::Map { height, width, channels };
    let network = Arch::new(architecture.name(), input, &architecture.layers_for(wiring, top));
    Ok(network.map_err(PlanError::from)?)
}

fn table(models: &[Model]) -> String {
    let header = ["MODEL", "PARAMETERS", "WITHOUT TOP", "INPUT", "AT LEAST", "KERAS'S PIXELS", "IMAGENET'S PIXELS"];
    let mut rows = vec![header.map(str::to_owned).to_vec()];
    rows.extend(models.iter().map(|model| {
        let [height, width, channels] = model.input;
        let least = model.minimum_side;
        vec![
            model.name.to_owned(),
            millions(model.parameters),
            millions(model.parameters_without_top),
            format!("{height}x{width}x{channels}"),
            format!("{least}x{least}"),
            model.preprocessing.to_owned(),
            model.imagenet_preprocessing.to_owned(),
        ]
    }));
    aligned(&rows, |column| matches!(column, 1 | 2))
}

/// 138357544 as `138.36 M`.
fn millions(count: u64) -> String {
    format!("{:.2} M", count as f64 / 1e6)
}
