//! For how long a step waits while a checkpoint is written: what the journal of a real run tells, beside the time that a step takes.

use anyhow::{Context as _, Result, ensure};
use frostline::{event::Event, plan::Plan, run::RunDir};

use super::{
    Row,
    ground::{Ground, events, log},
};

/// Three million weights, and as many slots: 26 MB a checkpoint.
const CONFIG: &str = r#"
[data]
source = "critters"
train = 320
validation = 0
test = 0
[model]
input = [64, 64, 3]
layers = [
  { type = "conv2d", filters = 32, kernel_size = 3, activation = "relu" },
  { type = "max_pooling2d" },
  { type = "conv2d", filters = 64, kernel_size = 3, activation = "relu" },
  { type = "max_pooling2d" },
  { type = "flatten" },
  { type = "dense", units = 256, activation = "relu" },
  { type = "dense", units = 1, activation = "sigmoid" },
]
[train]
epochs = 8
checkpoint_minutes = 0.005
optimizer = { kind = "sgd", momentum = 0.9 }
[explain]
pinned = 0
[engine]
device = "cpu"
"#;

pub fn stall(ground: &mut Ground) -> Result<Vec<Row>> {
    let plan = Plan::parse(CONFIG, "stall", &[]).map_err(|error| anyhow::anyhow!("{error}"))?;
    let run = RunDir::create_at(&ground.root.join("stalled"), &plan.to_toml())?;
    let status = ground.start(&run)?.wait_patiently()?;
    ensure!(status.success(), "ended with {status}; {}", log(&run));
    let (mut stalls, mut writes, mut steps, mut bytes) = (Vec::new(), Vec::new(), Vec::new(), 0);
    for stamped in events(&run)? {
        match stamped.event {
            Event::Checkpoint(checkpoint) => {
                stalls.push(checkpoint.stalled);
                writes.push(checkpoint.seconds);
                bytes = checkpoint.bytes;
            }
            Event::Steps(told) => steps.push(32.0 / told.images_per_second),
            _ => {}
        }
    }
    let (stall, write, step) = (median(&mut stalls)?, median(&mut writes)?, median(&mut steps)?);
    let beyond = stalls.iter().filter(|&&stall| stall > step).count() as u64;
    ensure!(stall <= step, "a checkpoint holds a step up for {stall:.3} s, a step takes {step:.3} s");
    let note = format!(
        "of {:.0} MB each: the next step waited {:.1} ms in the median and {:.1} ms at most, writing took {:.0} ms beside it; a step takes \
         {:.0} ms. {beyond} waits were longer than a step",
        bytes as f64 / 1e6,
        stall * 1e3,
        stalls.last().copied().unwrap_or(0.0) * 1e3,
        write * 1e3,
        step * 1e3,
    );
    let count = stalls.len() as u64;
    super::disk::clear(run.path());
    Ok(vec![Row::new("checkpoints written while a network trains", count, "checkpoints", 0, note)])
}

/// Sorts them too.
fn median(numbers: &mut [f64]) -> Result<f64> {
    numbers.sort_unstable_by(f64::total_cmp);
    numbers.get(numbers.len() / 2).copied().context("nothing was told")
}
