//! Who uses the processors and the memory, read from Linux's /proc: all programs together, those that this process started, and
//! the largest that each of them became.

use std::collections::BTreeMap;
use std::fs;
use std::thread;
use std::time::{Duration, Instant};

/// Processor seconds since some beginning.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Load {
    /// Of all programs.
    all: f64,
    /// What the host of a virtual machine gave to others.
    stolen: f64,
    /// Of this process and of its children that have ended and been waited for.
    ours: f64,
}

/// Linux counts in hundredths of a second for programs, whatever its own clock does.
const TICK: f64 = 0.01;

impl Load {
    /// All zero where there is no /proc.
    pub fn now() -> Self {
        let read = |path| fs::read_to_string(path).unwrap_or_default();
        let (all, stolen) = of_all(&read("/proc/stat")).unwrap_or_default();
        Self { all, stolen, ours: of_process(&read("/proc/self/stat")).unwrap_or_default() }
    }

    /// Shares of the processors' time that went to programs of others and to other guests of the host.
    pub fn shares_since(self, before: Self, wall: Duration, processors: usize) -> (f64, f64) {
        let whole = (wall.as_secs_f64() * processors as f64).max(TICK);
        let others = (self.all - before.all) - (self.ours - before.ours);
        (others.max(0.0) / whole, (self.stolen - before.stolen).max(0.0) / whole)
    }
}

/// Busy and stolen time in the line `cpu  user nice system idle iowait irq softirq steal …`.
fn of_all(stat: &str) -> Option<(f64, f64)> {
    let line = stat.lines().next()?.strip_prefix("cpu ")?;
    let ticks: Vec<f64> = line.split_whitespace().map_while(|word| word.parse().ok()).collect();
    let [user, nice, system, _idle, _waiting, interrupts, soft, stolen, ..] = ticks.as_slice() else { return None };
    Some(((user + nice + system + interrupts + soft) * TICK, stolen * TICK))
}

/// `utime stime cutime cstime`, the 14th to the 17th field; the second is the program's name, in which anything may stand.
fn of_process(stat: &str) -> Option<f64> {
    let (_, after_name) = stat.rsplit_once(')')?;
    let ticks: Vec<f64> = after_name.split_whitespace().skip(11).take(4).filter_map(|word| word.parse().ok()).collect();
    (ticks.len() == 4).then(|| ticks.iter().sum::<f64>() * TICK)
}

/// Waits until a second passes in which hardly anything runs; gives up after `most`. Says whether it became quiet.
pub fn wait_until_quiet(most: Duration) -> bool {
    let begun = Instant::now();
    while begun.elapsed() < most {
        let (before, since) = (Load::now(), Instant::now());
        thread::sleep(Duration::from_secs(1));
        if Load::now().shares_since(before, since.elapsed(), 1).0 < 0.15 {
            return true;
        }
    }
    false
}

/// The most memory that the processes of a tree have had, in megabytes, by process. Ask now and then while they live.
#[derive(Debug, Default)]
pub struct Memory {
    most: BTreeMap<u32, f64>,
}

impl Memory {
    pub fn look(&mut self, root: u32) {
        for process in tree(root) {
            let status = fs::read_to_string(format!("/proc/{process}/status")).unwrap_or_default();
            if let Some(megabytes) = high_water(&status) {
                let most = self.most.entry(process).or_default();
                *most = most.max(megabytes);
            }
        }
    }

    pub fn largest(&self) -> Option<f64> {
        self.most.values().copied().reduce(f64::max)
    }

    pub fn sum(&self) -> Option<f64> {
        (!self.most.is_empty()).then(|| self.most.values().sum())
    }
}

fn high_water(status: &str) -> Option<f64> {
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    let kilobytes: f64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kilobytes * 1024.0 / 1e6)
}

/// A process and all that descend from it, parents first.
pub fn tree(root: u32) -> Vec<u32> {
    let mut found = vec![root];
    let mut at = 0;
    while let Some(process) = found.get(at) {
        // Each thread lists the processes that it started.
        for thread in fs::read_dir(format!("/proc/{process}/task")).into_iter().flatten().flatten() {
            let children = fs::read_to_string(thread.path().join("children")).unwrap_or_default();
            found.extend(children.split_whitespace().filter_map(|word| word.parse::<u32>().ok()));
        }
        at += 1;
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn idle_time_is_nobodys_and_stolen_time_is_apart() {
        let stat = "cpu  100 20 30 4000 50 6 7 80 0 0\ncpu0 1 2 3 4 5 6 7 8 9 0\n";
        let (all, stolen) = of_all(stat).unwrap();
        assert!((all - 1.63).abs() < 1e-9 && (stolen - 0.8).abs() < 1e-9, "{all} {stolen}");
        assert_eq!(of_all("intr 1 2 3"), None);
    }

    #[test]
    fn a_programs_name_may_hold_anything() {
        let stat = "42 (a b) 7 (c)) S 1 42 42 0 -1 4194304 5 6 7 8 100 20 300 4 20 0 1 0 999 0";
        assert_eq!(of_process(stat), Some(4.24));
        assert_eq!(of_process("42 (a"), None);
    }

    #[test]
    fn what_is_not_ours_is_others() {
        let before = Load { all: 10.0, stolen: 1.0, ours: 3.0 };
        let after = Load { all: 20.0, stolen: 1.5, ours: 11.0 };
        let (others, stolen) = after.shares_since(before, Duration::from_secs(5), 2);
        assert_eq!((others, stolen), (0.2, 0.05));
        // A child is counted when it ends, and may have begun before.
        assert_eq!(before.shares_since(after, Duration::from_secs(5), 2), (0.0, 0.0));
    }

    #[test]
    fn the_high_water_mark_is_in_megabytes() {
        assert_eq!(high_water("Name:\tx\nVmHWM:\t  500000 kB\nVmRSS:\t 4 kB\n"), Some(512.0));
        assert_eq!(high_water("Name:\tkthreadd\n"), None);
    }

    #[test]
    fn this_process_is_the_root_of_its_tree() {
        assert_eq!(tree(std::process::id())[0], std::process::id());
    }
}
