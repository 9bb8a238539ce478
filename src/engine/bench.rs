//! `frostline-engine bench`: how fast this machine is on a configuration's first phase, part by part. It measures the product's own
//! stepper, loader and training loop, and beside them what the device can do at best; it trains no second way. Answers are JSON lines.

mod explain;

use std::{
    fs,
    path::Path,
    sync::{Arc, mpsc::channel},
    time::{Duration, Instant},
};

use clap::ValueEnum;
use tch::{Device, Kind, Tensor};

use frostline::{
    data::{Batch, CacheKind, Dataset, Loader, SkippedFiles, Split},
    error::{Error, Result},
    event::bench::{Line, What},
    plan::Plan,
    trainer::{Inbox, Measure, Origin, Pace, Paces, Stepper as _, Trainer, Update, evaluation_loader, training_loader},
};

use crate::{
    error::EngineError,
    input::Preprocess,
    process::{open_data, ready_device},
    queries::print,
    shim,
    stepper::{Target, TorchStepper},
};

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Part {
    Bound,
    Step,
    Eval,
    Pipeline,
    EndToEnd,
    GradCam,
    Filters,
}

/// How long is measured.
#[derive(Clone, Copy, Debug)]
pub struct Windows {
    /// Least length of one.
    pub length: Duration,
    pub count: usize,
}

/// Images that are measured with, where there are more. What may be kept of them shrinks in proportion.
const MOST_IMAGES: usize = 4096;
/// Nothing is settled in the first steps: caches, clocks, threads.
const WARM_UP: Duration = Duration::from_millis(500);

/// Measures the parts, in the order in which a run meets them. `layer` is the one that is explained; none: the deepest with weights.
pub fn run(config: &Path, set: &[String], parts: &[Part], layer: Option<&str>, windows: Windows) -> Result<()> {
    let mut plan = Plan::load(config, set)?;
    let (target, ready, _) = ready_device(&plan)?;
    print(&Line::Machine {
        device: ready.device,
        name: ready.name,
        threads: ready.threads,
        loader_threads: plan.loader_threads as u32,
        libtorch: ready.libtorch,
    })?;
    let wants = |part| parts.contains(&part);
    if wants(Part::Bound) {
        bound(target.device, windows)?;
    }
    if parts.iter().any(|&part| part != Part::Bound) {
        let data = open_data(&plan)?;
        let images = data.train.len();
        let train = some_of(&data.train);
        plan.cache_bytes = (plan.cache_bytes as f64 * train.len() as f64 / images.max(1) as f64) as usize;
        print(&network(&plan, images, train.len()))?;
        if wants(Part::Pipeline) {
            pipeline(&plan, &train, windows)?;
        }
        if wants(Part::Step) {
            step(&plan, &train, target, windows)?;
        }
        if wants(Part::Eval) {
            evaluation(&plan, &train, target, windows)?;
        }
        if wants(Part::GradCam) {
            explain::grad_cam(&plan, &train, target, layer, windows)?;
        }
        if wants(Part::Filters) {
            explain::filters(&plan, target, layer, windows)?;
        }
        if wants(Part::EndToEnd) {
            end_to_end(&plan, train, data.classes, target, windows)?;
        }
    }
    print(&Line::Memory { peak_bytes: peak_memory() })
}

/// Evenly over the split, so that every class is there.
fn some_of(split: &Split) -> Split {
    let stride = split.len().div_ceil(MOST_IMAGES).max(1);
    Split { source: Arc::clone(&split.source), indices: split.indices.iter().copied().step_by(stride).collect() }
}

fn network(plan: &Plan, images: usize, used: usize) -> Line {
    Line::Network {
        name: plan.name.clone(),
        parameters: plan.arch.parameter_count(),
        frozen: plan.phases[0].frozen.len() as u32,
        forward_flops: plan.arch.flops(),
        step_flops: plan.arch.step_flops(&plan.phases[0].frozen),
        images: images as u64,
        used: used as u64,
    }
}

fn tell(what: What, values: Vec<f64>, batch: usize, flops: u64, data_wait: Option<f64>) -> Result<()> {
    print(&Line::Rate { what, values, batch: batch as u32, flops, data_wait })
}

/// Rates of the arithmetic that networks are made of, in floating-point operations a second.
fn bound(device: Device, windows: Windows) -> Result<()> {
    let _no_grad = tch::no_grad_guard();
    let random = |shape: &[i64]| Tensor::f_randn(shape, (Kind::Float, device)).map_err(EngineError::from);
    let (a, b) = (random(&[2048, 2048])?, random(&[2048, 2048])?);
    let product = rates(windows, 2.0 * 2048_f64.powi(3), || {
        let _product = a.f_matmul(&b).map_err(EngineError::from)?;
        finish(device);
        Ok(())
    })?;
    tell(What::MatrixProduct, product, 0, 0, None)?;
    // VGG16's block3 at 150 px.
    let x = shim::channels_last(&random(&[20, 256, 37, 37])?)?;
    let kernel = shim::channels_last(&random(&[256, 256, 3, 3])?)?;
    let operations = 20.0 * 2.0 * f64::from(37 * 37) * f64::from(256 * 256 * 9);
    let convolution = rates(windows, operations, || {
        let none: Option<&Tensor> = None;
        let _output = x.f_conv2d(&kernel, none, 1, 1, 1, 1).map_err(EngineError::from)?;
        finish(device);
        Ok(())
    })?;
    tell(What::Convolution, convolution, 0, 0, None)
}

/// A graphics card works on after the call came back.
fn finish(device: Device) {
    if let Device::Cuda(index) = device {
        tch::Cuda::synchronize(index as i64);
    }
}

fn stepper(plan: &Plan, target: Target) -> Result<TorchStepper> {
    let phase = &plan.phases[0];
    let mut stepper = TorchStepper::new(&plan.arch, phase.optimizer, plan.seed, target, Preprocess::default())?;
    stepper.begin_phase(phase)?;
    stepper.set_frozen(&phase.frozen)?;
    Ok(stepper)
}

fn first_batch(loader: &Loader) -> Result<Batch> {
    match loader.epoch(0, 0).find(|batch| batch.as_ref().map_or(true, |batch| batch.count > 0)) {
        Some(batch) => Ok(batch?),
        None => Err(Error::user("no training image can be read", "`frostline data check` tells why")),
    }
}

fn step(plan: &Plan, train: &Split, target: Target, windows: Windows) -> Result<()> {
    let batch = first_batch(&training_loader(plan, &plan.phases[0], train.clone()))?;
    let mut stepper = stepper(plan, target)?;
    let mut done = 0;
    let values = rates(windows, batch.count as f64, || {
        stepper.step(&batch, Update { step: done, learning_rate: plan.phases[0].learning_rate })?;
        done += 1;
        Ok(())
    })?;
    tell(What::Step, values, batch.count, plan.arch.step_flops(&plan.phases[0].frozen), None)
}

fn evaluation(plan: &Plan, train: &Split, target: Target, windows: Windows) -> Result<()> {
    let batch = first_batch(&evaluation_loader(plan, train.clone()))?;
    let mut stepper = stepper(plan, target)?;
    let values = rates(windows, batch.count as f64, || stepper.evaluate(&batch).map(drop))?;
    tell(What::Evaluation, values, batch.count, plan.arch.flops(), None)
}

/// The loader alone, with the threads that it has beside the step.
fn pipeline(plan: &Plan, train: &Split, windows: Windows) -> Result<()> {
    let mut plan = plan.clone();
    if plan.cache == CacheKind::File {
        // What an earlier pass left in a file would make the next first pass a later one.
        plan.cache = CacheKind::Memory;
    }
    let mut loader = training_loader(&plan, &plan.phases[0], train.clone());
    if !train.source.is_resident(plan.data.size) {
        let mut first = Vec::new();
        for _ in 0..windows.count {
            loader = training_loader(&plan, &plan.phases[0], train.clone());
            let begun = Instant::now();
            let mut images = 0;
            for batch in loader.epoch(0, 0) {
                images += batch?.count;
            }
            first.push(images as f64 / begun.elapsed().as_secs_f64());
        }
        tell(What::FirstPass, first, plan.phases[0].batch_size, 0, None)?;
    }
    let mut later = Vec::new();
    let mut epoch = 0;
    let mut batches = loader.epoch(epoch, 0);
    while later.len() < windows.count {
        let begun = Instant::now();
        let mut images = 0;
        while begun.elapsed() < windows.length {
            if let Some(batch) = batches.next() {
                images += batch?.count;
            } else {
                epoch += 1;
                batches = loader.epoch(epoch, 0);
            }
        }
        later.push(images as f64 / begun.elapsed().as_secs_f64());
    }
    tell(What::LaterPasses, later, plan.phases[0].batch_size, 0, None)
}

/// The training loop itself, on a record that keeps nothing.
fn end_to_end(plan: &Plan, train: Split, classes: Vec<String>, target: Target, windows: Windows) -> Result<()> {
    let mut plan = plan.clone();
    plan.phases.truncate(1);
    plan.phases[0].epochs = u32::MAX;
    plan.phases[0].early_stopping = None;
    plan.checkpoint_minutes = 0.0;
    // A step is measured, not what is left of it once the frozen layers' outputs are kept.
    plan.feature_bytes = 0;
    let is_resident = train.source.is_resident(plan.data.size);
    let data = Dataset { classes, train, validation: None, test: None, skipped: SkippedFiles::default() };
    let measure = Measure {
        batch_size: plan.phases[0].batch_size,
        images: data.train.len(),
        warm_up_epochs: u32::from(!is_resident),
        window: windows.length,
        windows: windows.count,
    };
    let (requests, arrivals) = channel();
    let pace = Pace::new(measure, requests);
    let inbox = Inbox::new(arrivals, Vec::new);
    let stepper = stepper(&plan, target)?;
    let mut trainer = Trainer::new(&plan, &data, stepper, pace, inbox, Origin::default())?;
    trainer.run()?;
    let Paces { warm_up, steady, data_wait } = trainer.into_parts().1.paces();
    let flops = plan.arch.step_flops(&plan.phases[0].frozen);
    if !warm_up.is_empty() {
        tell(What::FirstEpoch, warm_up, plan.phases[0].batch_size, flops, None)?;
    }
    tell(What::EndToEnd, steady, plan.phases[0].batch_size, flops, Some(data_wait))
}

/// Calls `work` for a while, then through the windows, and tells how much of it was done a second in each.
fn rates(windows: Windows, amount: f64, mut work: impl FnMut() -> Result<()>) -> Result<Vec<f64>> {
    work()?;
    let begun = Instant::now();
    let mut calls = 0_u32;
    while calls < 3 || begun.elapsed() < WARM_UP {
        work()?;
        calls += 1;
    }
    let each = begun.elapsed().as_secs_f64() / f64::from(calls);
    // A number settled beforehand: a window that ends with a clock's look would favour what ends just before it.
    let calls = (windows.length.as_secs_f64() / each.max(1e-9)).ceil().max(2.0) as u64;
    let mut values = Vec::with_capacity(windows.count);
    for _ in 0..windows.count {
        let begun = Instant::now();
        for _ in 0..calls {
            work()?;
        }
        values.push(calls as f64 * amount / begun.elapsed().as_secs_f64());
    }
    Ok(values)
}

/// Linux's high-water mark of this process.
fn peak_memory() -> Option<u64> {
    let status = fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    line.trim().strip_suffix("kB")?.trim().parse::<u64>().ok().map(|kilobytes| kilobytes * 1024)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn some_of_a_split_spans_all_of_it() {
        struct Numbers;
        impl frostline::data::Source for Numbers {
            fn len(&self) -> usize {
                10_000
            }
            fn label(&self, i: usize) -> u32 {
                u32::from(i >= 5_000)
            }
            fn name(&self, i: usize) -> String {
                i.to_string()
            }
            fn load(
                &self,
                _: usize,
                _: frostline::data::Size,
            ) -> Result<frostline::data::Pixels, frostline::data::DataError> {
                unreachable!("no picture is asked for")
            }
        }
        let some = some_of(&Split::whole(Arc::new(Numbers)));
        assert_eq!(some.len(), 3334);
        assert_eq!((0..some.len()).filter(|&position| some.label(position) == 0).count(), 1667);
    }
}
