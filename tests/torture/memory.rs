//! A computer with too little memory for a batch: a limit on the engine's address space, lowered until the batch does not fit. The engine
//! has to find smaller parts by itself, and to come to the end.

use std::{os::unix::process::CommandExt as _, process::ExitStatus};

use anyhow::{Result, ensure};
use frostline::{
    event::{Event, Level},
    plan::Plan,
    run::RunDir,
};

use super::{
    Row,
    ground::{Engine, Ground, events, log},
};

/// A batch's activations are some hundred megabytes.
const CONFIG: &str = r#"
[data]
source = "critters"
train = 128
validation = 32
test = 0
[model]
input = [96, 96, 3]
layers = [
  { type = "conv2d", filters = 64, kernel_size = 3, activation = "relu" },
  { type = "batch_normalization" },
  { type = "conv2d", filters = 16, kernel_size = 3, strides = 2, activation = "relu" },
  { type = "global_average_pooling2d" },
  { type = "dense", units = 1, activation = "sigmoid" },
]
[train]
epochs = 2
batch_size = 64
[explain]
pinned = 0
[engine]
device = "cpu"
threads = 1
loader_threads = 1
"#;

const MIB: u64 = 1 << 20;

/// Limits from generous to hopeless; what lies between is what is looked for.
pub fn small(ground: &mut Ground) -> Result<Vec<Row>> {
    let plan = Plan::parse(CONFIG, "memory", &[]).map_err(|error| anyhow::anyhow!("{error}"))?;
    let (mut completed, mut warned, mut refused) = (0, 0, 0);
    for limit in [1500, 1300, 1150, 1000, 850] {
        let run = RunDir::create_at(&ground.root.join(format!("memory-{limit}")), &plan.to_toml())?;
        let status = limited(ground, &run, limit * MIB)?;
        let told = events(&run)?;
        let halved = |event: &Event| matches!(event, Event::Log { level: Level::Warning, message } if message.contains("go through the network at once"));
        let halvings = told.iter().filter(|stamped| halved(&stamped.event)).count();
        if status.success() {
            completed += 1;
            warned += u64::from(halvings > 0);
        } else {
            // Not even libtorch fits, or one image does not.
            ensure!(told.is_empty() || status.code().is_some(), "{limit} MiB: {status}; {}", log(&run));
            refused += 1;
        }
        super::disk::clear(run.path());
    }
    ensure!(warned > 0, "no run had to find smaller parts, so nothing was shown");
    let note = format!(
        "{completed} runs completed, {warned} of them with smaller parts of a batch; {refused} had no room for libtorch itself"
    );
    Ok(vec![Row::new("address space limited to 1500 to 850 MiB", completed + refused, "runs", 0, note)])
}

fn limited(ground: &Ground, run: &RunDir, bytes: u64) -> Result<ExitStatus> {
    let mut command = ground.command(run);
    // SAFETY: the call is async-signal-safe and touches no memory of this process.
    unsafe {
        command.pre_exec(move || {
            let limit = libc::rlimit { rlim_cur: bytes, rlim_max: bytes };
            if libc::setrlimit(libc::RLIMIT_AS, &raw const limit) == 0 {
                Ok(())
            } else {
                Err(std::io::Error::last_os_error())
            }
        });
    }
    Engine(command.spawn()?).wait_patiently()
}
