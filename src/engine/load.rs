//! How busy the machine is, read on a thread of its own so that no step waits for it: every two seconds while a viewer looks, every half
//! minute otherwise, which is little enough for the journal of a run of weeks.

use std::{
    os::unix::fs::MetadataExt,
    path::Path,
    sync::{
        Arc, OnceLock,
        mpsc::{RecvTimeoutError, Sender, channel},
    },
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};

use nvml_wrapper::{Nvml, enum_wrappers::device::TemperatureSensor};
use sysinfo::{Components, Pid, ProcessRefreshKind, ProcessesToUpdate, System};
use tch::Device;

use super::{device, shim};
use frostline::{
    command::Scene,
    event::{CardLoad, Event, Held, Load},
    run::RunDir,
    trainer::Record,
    wire::Leases,
};

/// How often it is looked whether somebody looks.
const TICK: Duration = Duration::from_secs(2);
/// Between two readings that nobody looks at.
const REST: Duration = Duration::from_secs(30);

/// The device that trains, once it is known.
pub type Chosen = Arc<OnceLock<Device>>;

/// Ends the readings when dropped; nothing is said after that.
pub struct Meter {
    ending: Option<Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Meter {
    /// A machine on which no thread can be had has other troubles: then there are no readings.
    pub fn start(run: &RunDir, mut record: impl Record + Send + 'static, leases: Leases, chosen: Chosen) -> Self {
        let (ending, ended) = channel::<()>();
        let run = run.clone();
        let read = move || {
            let mut machine = Machine::new(chosen);
            let mut said: Option<Instant> = None;
            while ended.recv_timeout(TICK) == Err(RecvTimeoutError::Timeout) {
                let watched = || leases.snapshot().iter().any(|watch| watch.scene == Scene::Machine);
                if said.is_some_and(|at| at.elapsed() < REST) && !watched() {
                    continue;
                }
                let load = machine.read(&run);
                said = Some(Instant::now());
                // A journal that cannot be written to is the trainer's to tell.
                if record.say(Event::Machine(Box::new(load))).is_err() {
                    break;
                }
            }
        };
        Self { ending: Some(ending), thread: thread::Builder::new().name("frostline-load".into()).spawn(read).ok() }
    }
}

impl Drop for Meter {
    fn drop(&mut self) {
        self.ending = None;
        if let Some(thread) = self.thread.take() {
            // A panic in there was reported when it happened; a run does not end by it.
            let _ = thread.join();
        }
    }
}

struct Machine {
    system: System,
    sensors: Components,
    own: Pid,
    chosen: Chosen,
    /// Opened when a card was chosen.
    nvml: OnceLock<Option<Card>>,
    /// What the run's folder took when it was looked through.
    folder: Option<(Instant, u64)>,
}

struct Card {
    nvml: Nvml,
    /// By which CUDA and NVML mean the same card.
    bus: String,
}

impl Machine {
    fn new(chosen: Chosen) -> Self {
        let own = Pid::from_u32(std::process::id());
        let mut machine = Self {
            system: System::new(),
            sensors: Components::new_with_refreshed_list(),
            own,
            chosen,
            nvml: OnceLock::new(),
            folder: None,
        };
        // Use is what was used since the time before.
        machine.refresh();
        machine
    }

    fn refresh(&mut self) {
        self.system.refresh_cpu_usage();
        self.system.refresh_memory();
        let what = ProcessRefreshKind::nothing().without_tasks().with_cpu().with_memory();
        self.system.refresh_processes_specifics(ProcessesToUpdate::Some(&[self.own]), false, what);
        self.sensors.refresh(false);
    }

    fn read(&mut self, run: &RunDir) -> Load {
        self.refresh();
        let run_bytes = self.folder(run);
        let system = &self.system;
        let cores: Vec<u8> =
            system.cpus().iter().map(|core| core.cpu_usage().round().clamp(0.0, 100.0) as u8).collect();
        let own = system.process(self.own);
        // A container's own limit, where there is one below the machine's.
        let limit = system.cgroup_limits().filter(|limit| limit.total_memory > 0);
        let limit = limit.filter(|limit| limit.total_memory < system.total_memory());
        let (memory_used, memory_total) = match limit {
            Some(limit) => (limit.total_memory.saturating_sub(limit.free_memory), limit.total_memory),
            None => (system.used_memory(), system.total_memory()),
        };
        let disk = rustix::fs::statvfs(run.path());
        let bytes = |blocks: u64| disk.as_ref().map_or(0, |disk| blocks.saturating_mul(disk.f_frsize));
        let own_share = own.map_or(0.0, |own| f64::from(own.cpu_usage()) / 100.0 / cores.len().max(1) as f64);
        Load {
            processor: hundredths(f64::from(system.global_cpu_usage()) / 100.0),
            own_processor: hundredths(own_share),
            cores,
            load_average: hundredths(System::load_average().one),
            memory_used,
            memory_total,
            own_memory: own.map_or(0, sysinfo::Process::memory),
            tensors: self.held(),
            disk_free: bytes(disk.as_ref().map_or(0, |disk| disk.f_bavail)),
            disk_total: bytes(disk.as_ref().map_or(0, |disk| disk.f_blocks)),
            run_bytes: Some(run_bytes),
            temperature: self.temperature(),
            card: self.card(),
        }
    }

    /// Bytes of the run's folder. It grows slowly, and to look through it takes longer than all other readings.
    fn folder(&mut self, run: &RunDir) -> u64 {
        let known = self.folder.filter(|(when, _)| when.elapsed() < FOLDER_LASTS);
        let (when, bytes) = known.unwrap_or_else(|| (Instant::now(), taken(run.path(), &mut { FILES })));
        self.folder = Some((when, bytes));
        bytes
    }

    fn held(&self) -> Held {
        let card = match self.chosen.get() {
            Some(Device::Cuda(index)) => Some(*index),
            Some(_) => None,
            // libtorch may be loading still.
            None => return Held::default(),
        };
        shim::held(card).unwrap_or_default()
    }

    /// Of the hottest sensor whose name says processor: Intel's, AMD's, and those of arm64 boards.
    fn temperature(&self) -> Option<f64> {
        const NAMES: [&str; 6] = ["package", "core", "tctl", "tdie", "cpu", "soc"];
        let of_processor = |label: &str| NAMES.iter().any(|name| label.to_lowercase().contains(name));
        let hot = self.sensors.list().iter().filter(|sensor| of_processor(sensor.label()));
        let hottest = hot
            .filter_map(sysinfo::Component::temperature)
            .filter(|degrees| degrees.is_finite())
            .max_by(f32::total_cmp);
        hottest.map(|degrees| f64::from(degrees.round()))
    }

    fn card(&self) -> Option<CardLoad> {
        let Device::Cuda(index) = *self.chosen.get()? else { return None };
        let open = || Some(Card { nvml: Nvml::init().ok()?, bus: device::card_bus(index)? });
        let Card { nvml, bus } = self.nvml.get_or_init(open).as_ref()?;
        let card = nvml.device_by_pci_bus_id(bus.as_str()).ok()?;
        let memory = card.memory_info().ok();
        let watts = |milliwatts: u32| f64::from(milliwatts) / 1000.0;
        Some(CardLoad {
            name: card.name().unwrap_or_default(),
            utilisation: card.utilization_rates().map_or(0.0, |rates| f64::from(rates.gpu) / 100.0),
            memory_used: memory.as_ref().map_or(0, |memory| memory.used),
            memory_total: memory.as_ref().map_or(0, |memory| memory.total),
            temperature: card.temperature(TemperatureSensor::Gpu).ok().map(f64::from),
            power: card.power_usage().ok().map(watts),
            power_limit: card.enforced_power_limit().ok().map(watts),
        })
    }
}

/// How long a run's folder is taken to be as it was.
const FOLDER_LASTS: Duration = Duration::from_secs(15);
/// So many files of a run are looked at; the pictures of a long one are many, and they are small.
const FILES: usize = 20_000;

/// Bytes on the disk of all files in a folder, as far as they can be read. A file with holes takes less than its length.
fn taken(folder: &Path, left: &mut usize) -> u64 {
    let Ok(entries) = std::fs::read_dir(folder) else { return 0 };
    let mut bytes = 0;
    for entry in entries.flatten() {
        if *left == 0 {
            break;
        }
        *left -= 1;
        let Ok(about) = entry.metadata() else { continue };
        bytes += if about.is_dir() { taken(&entry.path(), left) } else { about.blocks() * 512 };
    }
    bytes
}

fn hundredths(value: f64) -> f64 {
    if value.is_finite() { (value * 100.0).round() / 100.0 } else { 0.0 }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn this_machine_is_read() {
        let root = tempfile::tempdir().unwrap();
        let run = RunDir::create(root.path(), "a", "", jiff::civil::date(2026, 1, 1).at(0, 0, 0, 0)).unwrap();
        let chosen = Chosen::default();
        chosen.set(Device::Cpu).unwrap();
        let held = tch::Tensor::zeros([1 << 20], (tch::Kind::Float, Device::Cpu));
        let mut machine = Machine::new(chosen);
        // Something for the meter to see.
        let begun = Instant::now();
        while begun.elapsed() < Duration::from_millis(300) {
            std::hint::spin_loop();
        }
        let load = machine.read(&run);
        assert!(load.processor > 0.0 && load.processor <= 1.0, "{load:?}");
        assert!(load.own_processor > 0.0 && load.own_processor <= 1.01, "{load:?}");
        assert!(!load.cores.is_empty() && load.cores.iter().all(|percent| *percent <= 100));
        assert!(load.own_memory > 1 << 20 && load.own_memory < load.memory_total, "{load:?}");
        assert!(load.memory_used <= load.memory_total && load.disk_free <= load.disk_total && load.disk_total > 0);
        // Whatever a new run has in its folder, a file of a megabyte is seen.
        std::fs::write(run.path().join("weights"), vec![1; 1 << 20]).unwrap();
        let more = taken(run.path(), &mut { FILES });
        assert!(more >= load.run_bytes.unwrap() + (1 << 20), "{load:?} and {more}");
        assert!(load.tensors.used >= 4 << 20 && load.tensors.peak >= load.tensors.used, "{load:?}");
        assert_eq!(load.card, None);
        drop(held);
    }
}
