//! From `[train]` and `[[phase]]` to the phases of a run, each with every figure settled: what trains, at which rates, for how long.
//! A configuration without phases has one. Layers that are not there and figures that make no sense are refused here.

use super::{PlanError, RateSchedule, check_freezable, check_left_to_train};
use crate::{
    arch::Arch,
    config::{self, EarlyStopping, Layers, Optimizer, RateGroup, Train, Word},
    error::Explain as _,
};

/// One stretch of a run, from one freezing to the next.
#[derive(Clone, Debug, PartialEq)]
pub struct Phase {
    pub name: String,
    pub epochs: u32,
    pub batch_size: usize,
    pub optimizer: Optimizer,
    /// The height of the schedule.
    pub learning_rate: f64,
    pub schedule: RateSchedule,
    /// What the rate is multiplied by, one a layer of the network.
    pub rate_factors: Vec<f64>,
    pub early_stopping: Option<EarlyStopping>,
    /// Layers that are frozen when it begins; each has parameters.
    pub frozen: Vec<String>,
    /// Whether training images are varied.
    pub augment: bool,
    /// Whether what comes after it begins with its best weights instead of its last.
    pub restore_best: bool,
}

impl Phase {
    /// The lowest and the highest rate of the layers that train, at the height of the schedule.
    pub fn rates(&self, arch: &Arch) -> [f64; 2] {
        let trains = |(layer, _): &(&crate::arch::Layer, &f64)| {
            !self.frozen.contains(&layer.name) && layer.parameters.iter().any(|each| each.learned)
        };
        let factors = arch.layers().iter().zip(&self.rate_factors).filter(trains).map(|(_, &factor)| factor);
        let [low, high] = factors.fold([f64::INFINITY, 0.0], |[low, high], each| [each.min(low), each.max(high)]);
        [low * self.learning_rate, high * self.learning_rate]
    }
}

/// The network that phases are of.
#[derive(Clone, Copy)]
pub(super) struct Network<'a> {
    pub arch: &'a Arch,
    /// Position of the first layer behind `[model.base]`; `None` where there is no base.
    pub head: Option<usize>,
}

/// The phases of a configuration, at least one.
pub(super) fn all(train: &Train, phases: &[config::Phase], network: Network<'_>) -> Result<Vec<Phase>, PlanError> {
    if phases.is_empty() {
        let whole = config::Phase { name: Some("train".into()), ..config::Phase::default() };
        return Ok(vec![resolve(train, &whole, network)?]);
    }
    let numbered = phases.iter().enumerate();
    numbered
        .map(|(index, phase)| {
            let name = phase.name.as_ref().map_or_else(String::new, |name| format!(" (\"{name}\")"));
            resolve(train, phase, network).map_err(|error| within(format!("phase {}{name}", index + 1), &error))
        })
        .collect()
}

/// One phase; what it does not say is as in `[train]`.
pub(super) fn resolve(train: &Train, phase: &config::Phase, network: Network<'_>) -> Result<Phase, PlanError> {
    let Network { arch, .. } = network;
    let optimizer = phase.optimizer.unwrap_or(train.optimizer);
    let epochs = phase.epochs.unwrap_or(train.epochs);
    let batch_size = phase.batch_size.unwrap_or(train.batch_size);
    let learning_rate = phase.learning_rate.or(train.learning_rate).unwrap_or_else(|| train.optimizer.default_rate());
    check_numbers(epochs, batch_size, learning_rate, &optimizer)?;
    let early_stopping = phase.early_stopping.or(train.early_stopping);
    if let Some(EarlyStopping { min_delta, .. }) = early_stopping {
        let fits = min_delta >= 0.0 && min_delta.is_finite();
        range("train.early_stopping.min_delta", min_delta, fits, "0 or more")?;
    }
    for layer in &train.freeze {
        check_freezable(arch, layer)?;
    }
    let trained = phase.train.as_ref().map(|layers| chosen(layers, network)).transpose()?;
    let is_frozen = |index: usize, name: &String| {
        train.freeze.contains(name) || trained.as_ref().is_some_and(|trained| !trained[index])
    };
    let layers = arch.layers().iter().enumerate().filter(|(_, layer)| !layer.parameters.is_empty());
    let frozen: Vec<String> =
        layers.filter(|(index, layer)| is_frozen(*index, &layer.name)).map(|(_, layer)| layer.name.clone()).collect();
    check_left_to_train(arch, &frozen)?;
    Ok(Phase {
        name: match (&phase.name, &phase.train) {
            (Some(name), _) => name.clone(),
            (None, Some(layers)) => layers.to_string(),
            (None, None) => "train".into(),
        },
        epochs,
        batch_size: batch_size as usize,
        optimizer,
        learning_rate,
        schedule: RateSchedule::new(phase.schedule.unwrap_or(train.schedule), learning_rate, epochs)?,
        rate_factors: rate_factors(&phase.groups, learning_rate, network)?,
        early_stopping,
        frozen,
        augment: phase.augment,
        restore_best: phase.restore_best,
    })
}

/// Puts the phase before what is wrong with it, and names keys as they stand there.
pub(super) fn within(phase: String, error: &PlanError) -> PlanError {
    let problem = error.to_string();
    let problem = problem.strip_prefix("train.").map(str::to_owned).unwrap_or(problem);
    PlanError::Phase { phase, problem, hint: error.hint() }
}

/// Which layers are meant, by position.
fn chosen(layers: &Layers, Network { arch, head }: Network<'_>) -> Result<Vec<bool>, PlanError> {
    let count = arch.layers().len();
    let first = match layers {
        Layers::Word(Word::All) => 0,
        Layers::Word(Word::Head) => head.ok_or(PlanError::NoHead)?,
        Layers::Span(span) => arch.position(&span.from).ok_or_else(|| PlanError::unknown_layer(arch, &span.from))?,
        Layers::Named(names) => {
            let mut named = vec![false; count];
            for name in names {
                let index = arch.position(name).ok_or_else(|| PlanError::unknown_layer(arch, name))?;
                if arch.layers()[index].parameters.is_empty() {
                    return Err(PlanError::nothing_to_train(arch, name));
                }
                named[index] = true;
            }
            return Ok(named);
        }
    };
    Ok((0..count).map(|index| index >= first).collect())
}

fn rate_factors(groups: &[RateGroup], learning_rate: f64, network: Network<'_>) -> Result<Vec<f64>, PlanError> {
    let mut factors = vec![1.0; network.arch.layers().len()];
    for group in groups {
        let factor = match (group.learning_rate, group.multiplier) {
            (Some(rate), None) => rate / learning_rate,
            (None, Some(multiplier)) => multiplier,
            _ => return Err(PlanError::GroupRate { layers: group.layers.to_string() }),
        };
        rate_in_range("groups: the rate", factor * learning_rate)?;
        let named = chosen(&group.layers, network)?;
        factors.iter_mut().zip(named).filter(|(_, named)| *named).for_each(|(each, _)| *each = factor);
    }
    Ok(factors)
}

fn range(key: &'static str, value: f64, fits: bool, range: &'static str) -> Result<(), PlanError> {
    if fits { Ok(()) } else { Err(PlanError::Range { key, value, range }) }
}

/// What trains lies far within; beyond it 32-bit numbers end.
fn rate_in_range(key: &'static str, rate: f64) -> Result<(), PlanError> {
    range(key, rate, (1e-30..=1000.0).contains(&rate), "from 1e-30 to 1000")
}

fn check_numbers(epochs: u32, batch: u32, rate: f64, optimizer: &Optimizer) -> Result<(), PlanError> {
    range("train.epochs", f64::from(epochs), epochs >= 1, "1 or more")?;
    range("train.batch_size", f64::from(batch), batch >= 1, "1 or more")?;
    rate_in_range("train.learning_rate", rate)?;
    let unit = |key, value: f64| range(key, value, (0.0..1.0).contains(&value), "from 0 up to, but not, 1");
    let share = |key, value: f64| range(key, value, (0.0..=1.0).contains(&value), "from 0 to 1");
    let epsilon = |value: f64| share("train.optimizer.epsilon", value);
    match *optimizer {
        Optimizer::Sgd { momentum, nesterov } => {
            unit("train.optimizer.momentum", momentum)?;
            if nesterov && momentum == 0.0 {
                return Err(PlanError::NesterovWithoutMomentum);
            }
            Ok(())
        }
        Optimizer::Rmsprop { rho, momentum, epsilon: small } => {
            unit("train.optimizer.rho", rho)?;
            unit("train.optimizer.momentum", momentum)?;
            epsilon(small)
        }
        Optimizer::Adam { beta_1, beta_2, epsilon: small }
        | Optimizer::Adamw { beta_1, beta_2, epsilon: small, .. } => {
            unit("train.optimizer.beta_1", beta_1)?;
            unit("train.optimizer.beta_2", beta_2)?;
            epsilon(small)?;
            match *optimizer {
                Optimizer::Adamw { weight_decay, .. } => share("train.optimizer.weight_decay", weight_decay),
                _ => Ok(()),
            }
        }
    }
}
