//! The engine's life: lock the run, open its journal and its socket, load what the plan names, train on a thread of its own while
//! another room listens to signals, and say how it ended. What goes wrong on the way ends up in the journal too.

use std::{
    io::Write as _,
    panic::{AssertUnwindSafe, catch_unwind},
    path::Path,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        mpsc::{Receiver, Sender, channel},
    },
    thread,
    time::{Instant, SystemTime},
};

use tokio::sync::oneshot;

use super::{
    TorchStepper, device,
    input::Preprocess,
    load::{Chosen, Meter},
    precision,
    signals::Signals,
    stdio,
    stepper::Target,
};
use frostline::{
    command::Request,
    data::{self, Dataset},
    error::{Error, Result},
    event::{CheckpointKind, DataOpened, DeviceReady, Ended, Event, Level, RunEnded, SplitName, Stage},
    plan::{self, Plan},
    run::{EngineLock, Refusal, RunDir, TensorBoard},
    trainer::{Inbox, Notices, OnDisk, Origin, Progress, Record, Scripted, Trainer, read_checkpoint},
    weights::{Pretrained, Shelf},
    wire::{Leases, Server, ServerHandle},
};

type Journal = Arc<Mutex<OnDisk>>;

/// Trains the run in `path` from its last checkpoint, or from the beginning. An error is in the journal as well, unless the journal
/// itself is what failed, or a run that has a past does not go on: then the journal stays as it was, and the refusal lies beside it.
pub fn train(path: &Path) -> Result<Ended> {
    let run = RunDir::open(path)?;
    stdio::redirect(&run.engine_log())?;
    let _lock = EngineLock::acquire(&run)?;
    // Of an earlier attempt.
    run.take_refusal();
    let begun = Instant::now();
    let opened = Signals::catch().and_then(|signals| Ok((signals, OnDisk::open(&run, now_ms)?)));
    let (signals, mut disk) = match opened {
        Ok(opened) => opened,
        Err(error) => return Err(refuse(&run, error, Vec::new())),
    };
    let (head, cut) = (disk.head(), disk.cut());
    let has_past = head.borrow().events > 0;
    if has_past {
        disk.hold();
    }
    let mut journal: Journal = Arc::new(Mutex::new(disk));
    let (requests, arrivals) = channel();
    let door = Door::new(&run, &journal, requests);
    let ended = begin(&run, &journal, cut).and_then(|begun| {
        if !has_past {
            door.open(&begun.plan)?;
        }
        run_listening(begun, &door, arrivals, signals)
    });
    drop(whole(&door.meter).take());
    if let (Err(error), true, false) = (&ended, has_past, door.is_open()) {
        let told = Error::reported(error.class(), error.message(), error.hint());
        return Err(refuse(&run, told, std::mem::take(&mut whole(&door.changes))));
    }
    let (how, outcome) = match ended {
        Ok(how) => (how.clone(), Ok(how)),
        Err(error) => {
            let (class, message, hint) = (error.class(), error.message(), error.hint());
            (Ended::Failed { class, message, hint }, Err(error))
        }
    };
    let reached = whole(&journal).reached();
    let seconds = begun.elapsed().as_secs_f64();
    let told = journal.say(Event::RunEnded(RunEnded { how, step: reached.step, epoch: reached.epoch, seconds }));
    // It outlives the last event: viewers get the end of the journal.
    drop(whole(&door.server).take());
    told.and(outcome)
}

/// Leaves word for whoever has started this engine.
fn refuse(run: &RunDir, error: Error, changes: Vec<String>) -> Error {
    let refusal = Refusal { class: error.class(), message: error.message(), hint: error.hint(), changes };
    // In a folder that cannot be written to, engine.log or the exit code tells.
    let _ = run.refuse(&refusal);
    error
}

/// Whatever is changed under it is whole by itself, so a panic in the middle of that poisons nothing.
fn whole<T>(shared: &Mutex<T>) -> MutexGuard<'_, T> {
    shared.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Between the run and everybody who looks on: shut until it is sure that the run goes on, so that one that does not is as it was.
struct Door {
    run: RunDir,
    journal: Journal,
    requests: Sender<Request>,
    leases: Leases,
    chosen: Chosen,
    server: Mutex<Option<ServerHandle>>,
    meter: Mutex<Option<Meter>>,
    /// What is not as it was at the last checkpoint, where that is why the run does not go on.
    changes: Mutex<Vec<String>>,
}

impl Door {
    fn new(run: &RunDir, journal: &Journal, requests: Sender<Request>) -> Arc<Self> {
        Arc::new(Self {
            run: run.clone(),
            journal: Arc::clone(journal),
            requests,
            leases: Leases::default(),
            chosen: Chosen::default(),
            server: Mutex::default(),
            meter: Mutex::default(),
            changes: Mutex::default(),
        })
    }

    fn is_open(&self) -> bool {
        whole(&self.server).is_some()
    }

    /// What waited is written, and viewers are let in.
    fn open(&self, plan: &Plan) -> Result<()> {
        if self.is_open() {
            return Ok(());
        }
        whole(&self.journal).release()?;
        let mut journal = Arc::clone(&self.journal);
        tell_others(&self.run, plan, &mut journal)?;
        let head = whole(&self.journal).head();
        let server = Server::start(&self.run, self.requests.clone(), self.leases.clone(), head)?;
        *whole(&self.server) = Some(server);
        let meter = Meter::start(&self.run, journal, self.leases.clone(), Arc::clone(&self.chosen));
        *whole(&self.meter) = Some(meter);
        Ok(())
    }
}

/// What will run.
struct Begun {
    run: RunDir,
    plan: Plan,
    /// What its checkpoint was made of; without one it is new, and no checkpoint has all the weights already.
    then: Option<Origin>,
}

/// Says what will run.
fn begin(run: &RunDir, journal: &Journal, cut: u64) -> Result<Begun> {
    let plan = Plan::load(&run.config(), &[])?;
    let saved = read_checkpoint(run, CheckpointKind::Last)?.map(|(_, progress)| progress);
    let mut journal = Arc::clone(journal);
    let then = saved.as_ref().map(|saved| saved.origin.clone());
    let progress = saved.unwrap_or_else(|| Progress::new(&plan, Origin::default()));
    whole(&journal).keep_checkpoints(plan.survival.keep_checkpoints);
    journal.say(Event::RunStarted(progress.started(&plan, run.name(), then.is_some())?))?;
    journal.say(Event::Configuration { toml: plan.to_toml() })?;
    if cut > 0 {
        let message = format!("the journal ended in the middle of a line, of which {cut} bytes were cut off");
        journal.say(Event::Log { level: Level::Warning, message })?;
    }
    Ok(Begun { run: run.clone(), plan, then })
}

/// Who else is told of the run, besides its viewers.
fn tell_others(run: &RunDir, plan: &Plan, journal: &mut Journal) -> Result<()> {
    if let Some(notices) = Notices::new(run, &plan.notify) {
        whole(journal).tell(notices);
    }
    if plan.tensorboard {
        match TensorBoard::write(run, &run.tensorboard()) {
            Ok(board) => whole(journal).tell(board),
            Err(error) => {
                let message = format!("{}: TensorBoard will see nothing of this run", Error::from(error).message());
                journal.say(Event::Log { level: Level::Warning, message })?;
            }
        }
    }
    Ok(())
}

/// Trains on a thread of its own; here signals become commands meanwhile.
fn run_listening(begun: Begun, door: &Arc<Door>, arrivals: Receiver<Request>, signals: Signals) -> Result<Ended> {
    let grace = begun.plan.survival.grace;
    let (done, finished) = oneshot::channel();
    let shared = Arc::clone(door);
    thread::Builder::new()
        .name("frostline-train".into())
        .spawn(move || {
            let ended = catch_unwind(AssertUnwindSafe(|| load_and_train(&begun, &shared, arrivals)));
            let ended =
                ended.unwrap_or_else(|_| Err(Error::internal("the trainer panicked; engine.log has the place")));
            // The listener is gone only if the process is on its way out.
            let _ = done.send(ended);
        })
        .map_err(|error| Error::environment(format!("cannot start the trainer's thread: {error}"), None))?;
    signals.listen(finished, &door.requests, grace, |message| {
        let mut journal = Arc::clone(&door.journal);
        // The trainer may hold it, at a disk that does not answer.
        thread::spawn(move || journal.say(Event::Log { level: Level::Error, message }));
    })
}

fn load_and_train(begun: &Begun, door: &Door, arrivals: Receiver<Request>) -> Result<Ended> {
    let Begun { run, plan, then } = begun;
    let then = then.as_ref();
    let mut record = Arc::clone(&door.journal);
    let leases = door.leases.clone();
    let inbox = Inbox::new(arrivals, move || leases.snapshot());
    record.say(stage(Stage::LoadingLibtorch, String::new()))?;
    let (target, ready, gain) = ready_device(plan)?;
    let _ = door.chosen.set(target.device);
    let origin = |data: &Dataset| Origin {
        device: ready.device.clone(),
        threads: plan.threads,
        libtorch: ready.libtorch.clone(),
        data: fingerprint(&data.train),
        config: plan.to_toml(),
    };
    record.say(Event::DeviceReady(ready.clone()))?;
    if let Some(gain) = gain {
        let message = format!("computing in {}: bfloat16 is {gain:.1} times as fast as float32 here", ready.precision);
        record.say(Event::Log { level: Level::Info, message })?;
    }
    record.say(stage(Stage::OpeningData, String::new()))?;
    let data = open_data(plan)?;
    record.say(Event::DataOpened(opened(plan, &data)))?;
    let parameters = plan.arch.parameter_count();
    record.say(stage(Stage::BuildingNetwork, format!("{parameters} parameters")))?;
    let first = plan.phases[0].optimizer;
    let mut stepper = TorchStepper::new(&plan.arch, first, plan.seed, target, Preprocess::default())?;
    if then.is_none() {
        load_weights(plan, &mut stepper, &mut record)?;
    }
    let origin = origin(&data);
    check_unchanged(door, then, &origin)?;
    let mut trainer = Trainer::new(plan, &data, stepper, record, inbox, origin)?;
    trainer.repeat(read_script(run)?);
    door.open(plan)?;
    trainer.run()
}

/// A run goes on bit by bit only where all that it depends on is as it was. Whatever is not, a person must have accepted.
fn check_unchanged(door: &Door, then: Option<&Origin>, now: &Origin) -> Result<()> {
    let accepted = door.run.take_accepted();
    let Some(then) = then else { return Ok(()) };
    let mut changes = Vec::new();
    if accepted.is_none() {
        changes = then.changed_keys(now);
    }
    if accepted != Some(true) {
        changes.extend(then.differences(now));
    }
    if changes.is_empty() {
        return Ok(());
    }
    let message = format!("what the run depends on has changed since its last checkpoint: {}", changes.join("; "));
    *whole(&door.changes) = changes;
    Err(Error::user(
        message,
        format!(
            "to go on all the same, though not bit by bit: frostline train --resume {} --accept-changes",
            door.run.name()
        ),
    ))
}

/// The interventions that the run repeats, where it repeats any.
fn read_script(run: &RunDir) -> Result<Vec<Scripted>> {
    let path = run.script();
    if !path.exists() {
        return Ok(Vec::new());
    }
    let unreadable = |error: &dyn std::fmt::Display| {
        Error::environment(format!("{}: cannot be read: {error}", path.display()), None)
    };
    let text = std::fs::read_to_string(&path).map_err(|error| unreadable(&error))?;
    text.lines().map(|line| serde_json::from_str(line).map_err(|error| unreadable(&error))).collect()
}

/// The weights with which the network begins, and what there is to say of them.
fn load_weights(plan: &Plan, stepper: &mut TorchStepper, record: &mut Journal) -> Result<()> {
    let Some((pretrained, wanted)) = Pretrained::of_plan(plan, &Shelf::from_environment())? else { return Ok(()) };
    stepper.load(&pretrained)?;
    record.say(Event::Log { level: Level::Info, message: pretrained.report(&wanted) })?;
    let mismatch = pretrained.mismatch(&wanted, plan.preprocessing());
    for message in pretrained.warnings(&wanted).into_iter().chain(mismatch) {
        record.say(Event::Log { level: Level::Warning, message })?;
    }
    Ok(())
}

/// For `main`: the error as a person reads it, on standard error.
pub fn report(error: &Error) {
    // Where standard error itself is gone, the exit code still tells.
    let _ = writeln!(std::io::stderr(), "{error}");
}

/// The first thing that is asked of libtorch, because CUDA must be opened before anything else.
/// Comes with how many times as fast bfloat16 was found to be, if that was measured.
pub fn ready_device(plan: &Plan) -> Result<(Target, DeviceReady, Option<f64>)> {
    let cuda = match plan.device {
        plan::Device::Cpu => Err("the configuration asks for the processor".to_owned()),
        _ => device::open_cuda(),
    };
    device::set_threads(plan.threads as u32)?;
    let device = device::choose(plan.device, &cuda)?;
    let (compute, gain) = precision::settle(plan.precision, device)?;
    let ready = DeviceReady {
        device: device::label(device),
        name: device::name(device),
        threads: device::threads(),
        libtorch: device::libtorch_version(),
        precision: precision::name(compute).to_owned(),
    };
    Ok((Target { device, compute }, ready, gain))
}

/// Tells whether a resumed run sees the same images in the same order: a hash over their names and labels.
fn fingerprint(train: &data::Split) -> String {
    let mut hash = blake3::Hasher::new();
    for position in 0..train.len() {
        hash.update(train.name(position).as_bytes());
        hash.update(&train.label(position).to_le_bytes());
    }
    hash.finalize().to_hex()[..16].to_owned()
}

pub fn open_data(plan: &Plan) -> Result<Dataset> {
    let data = data::open(&plan.data)?;
    plan.check_classes(&data.classes)?;
    Ok(data)
}

fn opened(plan: &Plan, data: &Dataset) -> DataOpened {
    let count = |split: &Option<data::Split>| split.as_ref().map_or(0, |split| split.len() as u64);
    let pinned = match (&data.validation, &data.test) {
        (Some(_), _) => SplitName::Validation,
        (None, Some(_)) => SplitName::Test,
        (None, None) => SplitName::Train,
    };
    DataOpened {
        classes: data.classes.clone(),
        train: data.train.len() as u64,
        validation: count(&data.validation),
        test: count(&data.test),
        pinned,
        steps_per_epoch: data.train.len().div_ceil(plan.phases[0].batch_size) as u32,
    }
}

fn stage(stage: Stage, detail: String) -> Event {
    Event::Stage { stage, detail }
}

/// Milliseconds since the Unix epoch, for the journal.
#[allow(clippy::disallowed_methods, reason = "the one place where the engine reads the wall clock")]
fn now_ms() -> u64 {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
    since.map_or(0, |since| since.as_millis() as u64)
}
