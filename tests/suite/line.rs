//! A line to another machine, as slow as a test wants it: it stands in for `ssh`, lets through so many bytes a second, and each arrives
//! so much later than it was sent. It can be shut, which proves what needs no answer. Nothing of the system is asked for but `mkfifo`.

use std::{
    fs::File,
    io::{Read, Write},
    path::{Path, PathBuf},
    process::Command,
    sync::{
        Arc, Condvar, Mutex,
        atomic::{AtomicU64, Ordering},
        mpsc,
    },
    thread,
    time::{Duration, Instant},
};

/// The `ssh` of such a line, whose ends are in the folder `$FAR`: what is said to it goes up, what the far end says comes down.
pub const SSH: &str = r#"for last; do :; done
cd "$FAR"
exec 3<&0
cat <&3 > up-near &
PATH="$FAR:$PATH" sh -c "exec $last" < up-far > down-far &
exec cat < down-near"#;

/// How slow.
#[derive(Clone, Copy, Debug)]
pub struct Pace {
    /// Each way.
    pub delay: Duration,
    pub bytes_per_second: u64,
}

/// Of 64 kbit/s, to the other side of the world.
pub const SLOW: Pace = Pace { delay: Duration::from_millis(150), bytes_per_second: 8_000 };

/// A line that waits for [`SSH`].
pub struct Line {
    gate: Arc<Gate>,
    down: Arc<AtomicU64>,
}

/// Open, or nothing passes.
#[derive(Default)]
struct Gate {
    shut: Mutex<bool>,
    opened: Condvar,
}

impl Gate {
    fn pass(&self) {
        let shut = self.shut.lock().unwrap();
        drop(self.opened.wait_while(shut, |shut| *shut).unwrap());
    }
}

impl Line {
    /// Lays one in the folder of the far end.
    pub fn lay(folder: &Path, pace: Pace) -> Self {
        let ends = ["up-near", "up-far", "down-far", "down-near"].map(|name| folder.join(name));
        assert!(Command::new("mkfifo").args(&ends).status().unwrap().success());
        let [up_near, up_far, down_far, down_near] = ends;
        let (gate, down) = (Arc::<Gate>::default(), Arc::<AtomicU64>::default());
        carry(up_near, up_far, pace, Arc::clone(&gate), Arc::default());
        carry(down_far, down_near, pace, Arc::clone(&gate), Arc::clone(&down));
        Self { gate, down }
    }

    /// From now on nothing passes, either way.
    pub fn shut(&self) {
        *self.gate.shut.lock().unwrap() = true;
    }

    pub fn open(&self) {
        *self.gate.shut.lock().unwrap() = false;
        self.gate.opened.notify_all();
    }

    /// Bytes that have arrived here.
    pub fn came_down(&self) -> u64 {
        self.down.load(Ordering::Relaxed)
    }
}

/// Carries bytes until one end is closed. It takes no more than it can send, so that what waits does so at the sender, as on a real line.
fn carry(from: PathBuf, to: PathBuf, pace: Pace, gate: Arc<Gate>, passed: Arc<AtomicU64>) {
    let (sender, under_way) = mpsc::channel::<(Instant, Vec<u8>)>();
    thread::spawn(move || {
        let Ok(mut from) = File::open(from) else { return };
        let mut chunk = [0; 400];
        while let Ok(got @ 1..) = from.read(&mut chunk) {
            gate.pass();
            thread::sleep(Duration::from_secs_f64(got as f64 / pace.bytes_per_second as f64));
            if sender.send((Instant::now() + pace.delay, chunk[..got].to_vec())).is_err() {
                return;
            }
        }
    });
    thread::spawn(move || {
        let Ok(mut to) = File::options().write(true).open(to) else { return };
        for (due, bytes) in under_way {
            thread::sleep(due.saturating_duration_since(Instant::now()));
            if to.write_all(&bytes).is_err() {
                return;
            }
            passed.fetch_add(bytes.len() as u64, Ordering::Relaxed);
        }
    });
}
