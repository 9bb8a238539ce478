//! `frostline bench`: how fast this machine is on a configuration, and how near to what it could be. The engine measures; here its
//! figures become a table that grows while they come.

use std::{fmt::Write as _, path::PathBuf};

use clap::{Args, ValueEnum};

use super::{Exit, eval::word, output::Output, query};
use crate::{
    error::Result,
    event::bench::{Line, What},
    text::figures,
};

#[derive(Args, Debug)]
pub struct BenchArgs {
    /// The configuration file
    config: PathBuf,
    /// Measure these parts only
    #[arg(long, value_enum, value_name = "PART", value_delimiter = ',')]
    only: Vec<Part>,
    /// Least length of a timed window
    #[arg(long, value_name = "S", default_value_t = 3.0, value_parser = seconds)]
    seconds: f64,
    /// Timed windows of each part
    #[arg(long, value_name = "N", default_value_t = 3)]
    repeats: u32,
    /// Images in a batch, in place of the configuration's
    #[arg(long, value_name = "N")]
    batch_size: Option<u32>,
    /// Freeze these layers, in place of the configuration's
    #[arg(long, value_name = "LAYER", num_args = 1.., value_delimiter = ',')]
    freeze: Option<Vec<String>>,
    /// The layer of `grad-cam` and `filters`; by default the deepest with weights
    #[arg(long)]
    layer: Option<String>,
    /// Change a key of the configuration, for example `engine.threads=1`
    #[arg(long, value_name = "KEY=VALUE")]
    set: Vec<String>,
    /// Print the figures as JSON, one object a line
    #[arg(long)]
    json: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Part {
    /// What the device can do at best: a matrix product and a convolution
    Bound,
    /// From files to augmented batches: the first pass, and later ones
    Pipeline,
    /// Training steps on one batch
    Step,
    /// Evaluation of one batch
    Eval,
    /// The training loop, with the share of time that it waits for data
    EndToEnd,
    /// What speaks for a class in one image
    GradCam,
    /// Pictures that filters like: a grid of 64, forty steps each
    Filters,
}

fn seconds(text: &str) -> Result<f64, String> {
    match text.parse() {
        Ok(seconds) if (0.01..=3600.0).contains(&seconds) => Ok(seconds),
        _ => Err("a number of seconds from 0.01 to 3600".into()),
    }
}

pub fn run(args: &BenchArgs, out: &mut Output) -> Result<Exit> {
    let mut arguments = vec!["bench".into(), args.config.clone().into_os_string()];
    let mut add = |option: &str, value: String| arguments.extend([option.into(), value.into()]);
    let parts = if args.only.is_empty() { Part::value_variants() } else { &args.only };
    for part in parts {
        add("--part", word(part));
    }
    for assignment in &args.set {
        add("--set", assignment.clone());
    }
    if let Some(batch_size) = args.batch_size {
        add("--set", format!("train.batch_size={batch_size}"));
    }
    if let Some(layer) = &args.layer {
        add("--layer", layer.clone());
    }
    if let Some(layers) = &args.freeze {
        add("--set", format!("train.freeze={}", toml::Value::from(layers.clone())));
    }
    add("--seconds", args.seconds.to_string());
    add("--repeats", args.repeats.max(1).to_string());
    let mut table = Table::default();
    query::ask(arguments, |line: Line, text| if args.json { out.json_line(text) } else { out.line(&table.row(&line)) })
}

/// What later rows need to know of earlier ones.
#[derive(Default)]
struct Table {
    /// Floating-point operations a second: the better of product and convolution. Which of the two that is depends on how well the
    /// libraries below libtorch know the processor.
    bound: Option<f64>,
    has_header: bool,
}

impl Table {
    fn row(&mut self, line: &Line) -> String {
        match line {
            Line::Machine { device, name, threads, loader_threads, libtorch } => {
                format!(
                    "machine  {name} ({device}), {threads} threads, {loader_threads} for loading, libtorch {libtorch}"
                )
            }
            Line::Network { name, parameters, frozen, forward_flops, step_flops, images, used } => {
                let some = if used < images { format!("{} of ", figures::count(*used)) } else { String::new() };
                let frozen = if *frozen > 0 { format!(", {frozen} layers frozen") } else { String::new() };
                format!(
                    "network  {name}: {} parameters{frozen}; for an image {} FLOPs forward, {} a step\ndata     {some}{} images",
                    figures::count(*parameters),
                    figures::short_count(*forward_flops),
                    figures::short_count(*step_flops),
                    figures::count(*images),
                )
            }
            Line::Rate { what, values, batch, flops, data_wait } => {
                self.rate(*what, values, *batch, *flops, *data_wait)
            }
            Line::Memory { peak_bytes: Some(bytes) } => format!("peak memory of the engine: {} MB", bytes / 1_000_000),
            Line::Memory { peak_bytes: None } => "peak memory: not known on this system".into(),
        }
    }

    fn rate(&mut self, what: What, values: &[f64], batch: u32, flops: u64, data_wait: Option<f64>) -> String {
        let header = if self.has_header {
            String::new()
        } else {
            self.has_header = true;
            format!("\n{:<34} {:>9}  {:>19}  {:>10}\n", "", "img/s", "(min–max)", "ms an img")
        };
        let median = median(values);
        let arithmetic = matches!(what, What::MatrixProduct | What::Convolution);
        if arithmetic {
            self.bound = Some(self.bound.map_or(median, |bound| bound.max(median)));
        }
        let scale = if arithmetic { 1e-9 } else { 1.0 };
        let figure = |value: f64| figure(value * scale);
        let least = values.iter().copied().fold(f64::INFINITY, f64::min);
        let most = values.iter().copied().fold(0.0, f64::max);
        let range = format!("({}–{})", figure(least), figure(most));
        let mut row = format!("{header}{:<34} {:>9}  {range:>19}", title(what, batch), figure(median));
        if arithmetic {
            row.push_str("  GFLOP/s");
        } else {
            let _ = write!(row, "  {:>10}", figures::figure(1e3 / median));
        }
        if let Some(bound) = self.bound.filter(|_| flops > 0) {
            let share = median * flops as f64 / bound;
            let _ = write!(row, "  {} of the bound", figures::whole_percent(share));
        }
        if let Some(share) = data_wait {
            let _ = write!(row, "  waits for data {}", figures::percent(share));
        }
        row
    }
}

fn title(what: What, batch: u32) -> String {
    match what {
        What::MatrixProduct => "matrix product 2048x2048, f32".into(),
        What::Convolution => "convolution 3x3, 256 channels".into(),
        What::Step => format!("training step, one batch of {batch}"),
        What::Evaluation => format!("evaluation, one batch of {batch}"),
        What::FirstPass => "input alone, first pass".into(),
        What::LaterPasses => "input alone, later passes".into(),
        What::FirstEpoch => format!("training, first epoch, batch {batch}"),
        What::EndToEnd => format!("training, later on, batch {batch}"),
        What::GradCam => "Grad-CAM of one image".into(),
        What::Filters => format!("pictures of {batch} filters, 40 steps"),
    }
}

/// `9,876`, `149.3`, `24.71`.
fn figure(value: f64) -> String {
    match value {
        1000.0.. => figures::count(value.round() as u64),
        100.0.. => format!("{value:.1}"),
        _ => format!("{value:.2}"),
    }
}

/// Of an even number of values the mean of the middle two; not a number of none.
fn median(values: &[f64]) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    match (sorted.len(), sorted.len() / 2) {
        (0, _) => f64::NAN,
        (length, middle) if length % 2 == 1 => sorted[middle],
        (_, middle) => f64::midpoint(sorted[middle - 1], sorted[middle]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_step_is_seen_against_the_bound() {
        let mut table = Table::default();
        let rate = |what, values: &[f64], flops, data_wait| Line::Rate {
            what,
            values: values.to_vec(),
            batch: 32,
            flops,
            data_wait,
        };
        let rows = [
            table.row(&rate(What::MatrixProduct, &[300e9, 302e9, 310e9], 0, None)),
            table.row(&rate(What::Convolution, &[250e9], 0, None)),
            // 151 images a second of a gigaflop each are half of 302 GFLOP/s.
            table.row(&rate(What::EndToEnd, &[150.0, 152.0], 1_000_000_000, Some(0.004))),
            table.row(&rate(What::LaterPasses, &[4321.4], 0, None)),
        ];
        insta::assert_snapshot!(rows.join("\n"));
    }
}
