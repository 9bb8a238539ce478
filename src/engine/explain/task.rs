//! The engine's side of `frostline explain`, as arguments: the front end writes them, so they are spelled one way only.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::answers::{self, Asked, Origin, Taste};
use super::truth;
use frostline::arch::zoo::Architecture;
use frostline::command::Method;
use frostline::error::{Error, Result};

#[derive(Args)]
pub struct Explaining {
    /// A run, or with `--model` the file of its weights.
    path: PathBuf,
    #[arg(long)]
    model: Option<String>,
    #[arg(long, value_enum, default_value = "best")]
    checkpoint: crate::Which,
    /// Folder for the files that the answers name.
    #[arg(long)]
    into: PathBuf,
    #[arg(long)]
    layer: Option<String>,
    #[command(subcommand)]
    what: What,
}

#[derive(Subcommand)]
enum What {
    Classes {
        #[arg(long)]
        method: String,
        #[arg(long)]
        class: Option<String>,
        #[arg(required = true)]
        images: Vec<PathBuf>,
    },
    Activations {
        #[arg(long)]
        sweep: bool,
        #[arg(required = true)]
        images: Vec<PathBuf>,
    },
    Filters {
        #[arg(long = "filter")]
        filters: Vec<usize>,
        #[arg(long)]
        height: usize,
        #[arg(long)]
        width: usize,
        #[arg(long)]
        steps: Option<usize>,
        #[arg(long)]
        seed: u64,
        #[arg(long)]
        modern: bool,
        #[arg(long)]
        every: usize,
    },
    Check {
        #[arg(long)]
        count: usize,
        #[arg(long = "method")]
        methods: Vec<String>,
    },
}

impl Explaining {
    pub fn run(self) -> Result<()> {
        let Self { path, model, checkpoint, into, layer, what } = self;
        let origin = match model {
            None => Origin::Run { path, checkpoint: checkpoint.into() },
            Some(model) => {
                let unknown = || Error::user(format!("there is no model \"{model}\""), "`frostline models` lists them");
                let architecture = Architecture::parse(&model).ok_or_else(unknown)?;
                Origin::Published { architecture, weights: path }
            }
        };
        let asked = Asked { origin, into, layer };
        match what {
            What::Classes { method, class, images } => {
                answers::classes(&asked, &images, named(&method)?, class.as_deref())
            }
            What::Activations { sweep, images } => answers::activations(&asked, &images, sweep),
            What::Filters { filters, height, width, steps, seed, modern, every } => {
                answers::filters(&asked, &Taste { filters, sides: [height, width], steps, seed, modern, every })
            }
            What::Check { count, methods } => {
                let methods = methods.iter().map(|name| named(name)).collect::<Result<Vec<_>>>()?;
                truth::check(&asked, count, if methods.is_empty() { &Method::ALL } else { &methods })
            }
        }
    }
}

fn named(name: &str) -> Result<Method> {
    let all = || Method::ALL.map(Method::name).join(", ");
    Method::parse(name)
        .ok_or_else(|| Error::user(format!("there is no method \"{name}\""), format!("the methods are {}", all())))
}
