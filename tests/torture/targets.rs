//! The readers that take bytes from outside, each with files to start from and a function that reads them to the end.

use std::{
    collections::HashMap,
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context as _, Result};
use frostline::{
    config::Config,
    data::{self, DataSpec, Interpolation, Size, decode_file, decode_whole, probe},
    run::{
        RunDir, Tail,
        checkpoint::{self, DType, TensorData},
        summarise,
    },
    trainer::Progress,
    weights::{KerasModel, WeightsFile},
    wire::{ClientMessage, ServerMessage, frame::Decoder},
};

/// What is fuzzed.
pub type Reader = Box<dyn FnMut(&[u8])>;

pub struct Target {
    pub name: &'static str,
    pub corpus: Vec<Vec<u8>>,
    pub read: Reader,
}

impl Target {
    fn new(name: &'static str, corpus: Vec<Vec<u8>>, read: impl FnMut(&[u8]) + 'static) -> Self {
        Self { name, corpus, read: Box::new(read) }
    }

    /// Of a reader that takes a path.
    fn of_file(name: &'static str, file: &str, corpus: Vec<Vec<u8>>, read: impl Fn(&Path) + 'static) -> Result<Self> {
        let folder = in_memory()?;
        let path = folder.path().join(file);
        Ok(Self::new(name, corpus, move |bytes| {
            let _stays = &folder;
            // Without room there is nothing to read, which is no finding.
            if fs::write(&path, bytes).is_ok() {
                read(&path);
            }
        }))
    }
}

/// A folder in memory, where the system has one: a disk waits for each file that is written over, which takes most of the time.
fn in_memory() -> Result<tempfile::TempDir> {
    let memory = Path::new("/dev/shm");
    Ok(if memory.is_dir() { tempfile::tempdir_in(memory) } else { tempfile::tempdir() }?)
}

pub fn all() -> Result<Vec<Target>> {
    Ok(vec![
        configuration()?,
        journal()?,
        frames()?,
        words(),
        Target::of_file("checkpoint", "last.safetensors", vec![a_checkpoint()?], |path| {
            let _ = checkpoint::read::<Progress>(path);
            let _ = checkpoint::read::<u64>(path);
            let _ = checkpoint::read_record::<u64>(path);
        })?,
        idx()?,
        images()?,
        weights()?,
    ])
}

fn configuration() -> Result<Target> {
    let corpus = files(&root().join("config"), &["toml"])?;
    Ok(Target::new("configuration", corpus, |bytes| {
        let text = String::from_utf8_lossy(bytes);
        if let Ok(config) = Config::parse(&text, Path::new("fuzz.toml"), &[]) {
            let _ = config.to_toml();
            // A plan is computed from it; networks of astronomic size are refused or counted, never built.
            let _ = frostline::plan::Plan::resolve(config);
        }
    }))
}

fn journal() -> Result<Target> {
    let corpus =
        files(&root().join("tests/scenarios"), &["jsonl"])?.iter().map(|journal| one_of_each(journal)).collect();
    let folder = in_memory()?;
    let run = RunDir::create_at(&folder.path().join("run"), "")?;
    Ok(Target::new("journal", corpus, move |bytes| {
        let _stays = &folder;
        if fs::write(run.journal(), bytes).is_err() {
            return;
        }
        let mut state = frostline::state::RunState::default();
        if let Ok(tail) = Tail::open(&run.journal()) {
            tail.events().map_while(Result::ok).for_each(|stamped| state.apply(&stamped));
        }
        let _ = summarise(&run);
        let _ = frostline::run::JournalWriter::open(&run.journal(), || 0);
    }))
}

/// The first two lines of each kind of event: what is read in the same way a hundred times takes the time of others.
fn one_of_each(journal: &[u8]) -> Vec<u8> {
    let mut seen = HashMap::<Vec<u8>, u32>::new();
    let kind = |line: &[u8]| line.split(|&byte| byte == b'"').nth(7).unwrap_or_default().to_vec();
    let few = journal.split_inclusive(|&byte| byte == b'\n').filter(|line| {
        let count = seen.entry(kind(line)).or_default();
        *count += 1;
        *count <= 2 && line.len() < 3000
    });
    few.flatten().copied().collect()
}

fn words() -> Target {
    let lines = [
        "pause",
        "freeze conv2d conv2d_1",
        "frost-line none",
        "learning-rate 1e-4",
        "checkpoint",
        "stop",
        "phase insert train=all epochs=2 learning_rate=1e-5",
        "phase insert groups=[{layers=[\"a\"], multiplier=0.1}]",
    ];
    let corpus = lines.iter().map(|line| line.as_bytes().to_vec()).collect();
    Target::new("commands", corpus, |bytes| {
        let line = String::from_utf8_lossy(bytes);
        let _ = line.parse::<frostline::command::Command>();
        let _ = frostline::config::Phase::parse(&line);
    })
}

fn frames() -> Result<Target> {
    let mut greeting = Vec::new();
    ClientMessage::Hello {
        protocol: frostline::event::PROTOCOL,
        client: "fuzz".into(),
        since: 7,
        digest: None,
        light: false,
    }
    .put(&mut greeting)?;
    ClientMessage::Blob { name: "af1349b9f5f9a1a6a0404dea36dcc949".into() }.put(&mut greeting)?;
    ClientMessage::Watch(Some(frostline::command::Watch::default())).put(&mut greeting)?;
    let mut answer = Vec::new();
    ServerMessage::UpToDate.put(&mut answer)?;
    ServerMessage::Behind { events: 3 }.put(&mut answer)?;
    ServerMessage::Blob { name: "af1349b9f5f9a1a6a0404dea36dcc949".into(), bytes: vec![1, 2, 3] }.put(&mut answer)?;
    Ok(Target::new("frames", vec![greeting, answer], |bytes| {
        let mut decoder = Decoder::default();
        let (one, other) = bytes.split_at(bytes.len() / 2);
        for piece in [one, other] {
            decoder.push(piece);
            while let Ok(Some(frame)) = decoder.next_frame() {
                let _ = ClientMessage::from_frame(&frame);
                let _ = ServerMessage::from_frame(frame);
            }
        }
    }))
}

fn a_checkpoint() -> Result<Vec<u8>> {
    let folder = tempfile::tempdir()?;
    let path = folder.path().join("a.safetensors");
    let tensor = |shape: Vec<usize>, dtype, bytes: usize| TensorData { shape, dtype, bytes: vec![1; bytes] };
    let tensors = vec![
        ("conv2d/kernel".into(), tensor(vec![2, 3], DType::F32, 24)),
        ("step".into(), tensor(vec![], DType::I64, 8)),
        ("rule".into(), tensor(vec![5], DType::U8, 5)),
    ];
    checkpoint::write(&path, &tensors, &7_u64)?;
    Ok(fs::read(path)?)
}

fn idx() -> Result<Target> {
    // Two pictures of 2x2, and their labels, in one: the first byte says which is changed.
    let images = [&[0, 0, 8, 3, 0, 0, 0, 2, 0, 0, 0, 2, 0, 0, 0, 2][..], &[9; 8]].concat();
    let labels = vec![0, 0, 8, 1, 0, 0, 0, 2, 0, 1];
    let folder = in_memory()?;
    let corpus = vec![[&[0][..], &images].concat(), [&[1][..], &labels].concat()];
    Ok(Target::new("IDX", corpus, move |bytes| {
        let Some((which, bytes)) = bytes.split_first() else { return };
        let (one, other) = if which % 2 == 0 { (bytes, &labels[..]) } else { (&images[..], bytes) };
        let path = |name: &str| folder.path().join(name);
        let written = fs::write(path("train-images-idx3-ubyte"), one).is_ok()
            && fs::write(path("train-labels-idx1-ubyte"), other).is_ok();
        let spec = DataSpec::of_idx(folder.path().to_path_buf());
        if written && let Ok(data) = data::open(&spec) {
            let _ = data::inspect(&spec);
            for position in 0..data.train.len().min(3) {
                let _ = data.train.load(position, spec.size);
            }
        }
    }))
}

fn images() -> Result<Target> {
    let fixtures = root().join("tests/fixtures/data");
    let mut corpus = files(&fixtures.join("pillow"), &["png", "gif", "bmp", "webp", "jpg"])?;
    corpus.extend(files(&fixtures.join("jpeg"), &["jpg"])?);
    corpus.retain(|bytes| bytes.len() < 3000);
    let size = Size { height: 24, width: 24, channels: 3 };
    Target::of_file("images", "picture", corpus, move |path| {
        if probe(path).is_ok() {
            let _ = decode_file(path, size, Interpolation::default());
            let _ = decode_whole(path);
        }
    })
}

fn weights() -> Result<Target> {
    let fixtures = root().join("tests/fixtures");
    let kinds = ["safetensors", "pth", "h5", "keras"];
    let mut corpus = files(&fixtures.join("weights"), &kinds)?;
    corpus.extend(files(&fixtures.join("models"), &kinds)?);
    Target::of_file("weights", "weights", corpus, |path| {
        if let Ok(file) = WeightsFile::open(path) {
            for position in 0..file.tensors().len().min(20) {
                let _ = file.read(position);
            }
        }
        let _ = KerasModel::open(path, None);
    })
}

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

fn files(folder: &Path, endings: &[&str]) -> Result<Vec<Vec<u8>>> {
    let mut paths: Vec<PathBuf> = fs::read_dir(folder)
        .with_context(|| folder.display().to_string())?
        .flatten()
        .map(|entry| entry.path())
        .filter(|path| path.extension().is_some_and(|ending| endings.iter().any(|each| ending == *each)))
        .collect();
    paths.sort();
    anyhow::ensure!(!paths.is_empty(), "no file to start from in {}", folder.display());
    paths.iter().map(|path| Ok(fs::read(path)?)).collect()
}
