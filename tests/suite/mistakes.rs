//! What a person is told about a broken configuration or broken data: the whole text and the exit code, as snapshots.

use std::{
    fmt::Write as _,
    fs,
    path::Path,
    process::{Command, Stdio},
};

use crate::acting::{Said, said};

const LAYERS: &str = r#"
[model]
input = [8, 8, 3]
layers = [
  { type = "flatten" },
  { type = "dense", units = 1, activation = "sigmoid" },
]
[train]
epochs = 1
batch_size = 4
[engine]
device = "cpu"
"#;

fn config(data: &str) -> String {
    format!("[data]\n{data}\n{LAYERS}")
}

fn frostline(folder: &Path, arguments: &[&str]) -> Said {
    let mut command = Command::new(env!("CARGO_BIN_EXE_frostline"));
    command.args(arguments).current_dir(folder).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    said(&mut command)
}

/// What `train` says of a configuration in `folder`, with the folder's own name taken out.
fn told(folder: &Path, text: &str) -> String {
    fs::write(folder.join("mine.toml"), text).unwrap();
    let Said { out, err, code } = frostline(folder, &["train", "mine.toml", "--headless"]);
    let text = format!("{out}{err}exit code {}\n", code.unwrap_or(-1));
    text.replace(&folder.canonicalize().unwrap().display().to_string(), "HERE")
        .replace(&folder.display().to_string(), "HERE")
}

/// `count` small pictures in `folder`, all different.
fn pictures(folder: &Path, count: u8) {
    fs::create_dir_all(folder).unwrap();
    for number in 0..count {
        let picture = image::RgbImage::from_fn(8, 8, |x, y| image::Rgb([x as u8 * 30, y as u8 * 30, number * 20]));
        picture.save(folder.join(format!("{number}.png"))).unwrap();
    }
}

fn idx(folder: &Path, magic: u32, images: u32, bytes: usize) {
    fs::create_dir_all(folder).unwrap();
    let header = [magic, images, 4, 4].map(u32::to_be_bytes).concat();
    fs::write(folder.join("train-images-idx3-ubyte"), [header, vec![0; bytes]].concat()).unwrap();
    let labels = [0x801, images].map(u32::to_be_bytes).concat();
    let classes = (0..images).map(|label| (label % 2) as u8).collect();
    fs::write(folder.join("train-labels-idx1-ubyte"), [labels, classes].concat()).unwrap();
}

#[test]
fn mistakes_are_told_before_a_run_begins() {
    let folder = tempfile::tempdir().unwrap();
    let here = folder.path();
    pictures(&here.join("lonely/train/cats"), 2);
    fs::create_dir_all(here.join("lonely/train/dogs")).unwrap();
    fs::create_dir_all(here.join("empty")).unwrap();
    pictures(&here.join("alien/train/cats"), 2);
    pictures(&here.join("alien/train/dogs"), 2);
    pictures(&here.join("alien/validation/cats"), 2);
    pictures(&here.join("alien/validation/foxes"), 2);
    idx(&here.join("magic"), 0x0000_0d03, 4, 64);
    idx(&here.join("short"), 0x0000_0803, 4, 60);
    let cases = [
        ("no such file", String::new()),
        ("broken TOML", config("source = \"critters")),
        ("unknown key", config("source = \"critters\"\nbatchsize = 3")),
        ("unknown kind of layer", config("source = \"critters\"").replace("flatten", "flaten")),
        ("wrong type", config("source = \"critters\"\ntrain = \"many\"")),
        ("missing folder", config("source = \"folder\"\npath = \"nowhere\"")),
        ("no train folder", config("source = \"folder\"\npath = \"empty\"")),
        ("a class without images", config("source = \"folder\"\npath = \"lonely\"")),
        ("classes that differ", config("source = \"folder\"\npath = \"alien\"")),
        ("idx: wrong magic number", config("source = \"idx\"\npath = \"magic\"")),
        ("idx: wrong length", config("source = \"idx\"\npath = \"short\"")),
        ("idx: no files", config("source = \"idx\"\npath = \"empty\"")),
    ];
    let mut text = String::new();
    for (what, config) in cases {
        let told = if config.is_empty() {
            let Said { err, code, .. } = frostline(here, &["train", "nothing.toml"]);
            format!("{err}exit code {}\n", code.unwrap_or(-1))
        } else {
            told(here, &config)
        };
        let _ = writeln!(text, "# {what}\n{told}");
    }
    insta::assert_snapshot!(text);
    assert!(!here.join("runs").exists(), "no run directory is left behind");
}

/// A single bad picture ends no run: it is counted, listed and left out.
#[test]
#[cfg(feature = "engine")]
fn unreadable_and_truncated_images_are_left_out_and_listed() {
    let folder = tempfile::tempdir().unwrap();
    let here = folder.path();
    for split in ["train", "validation", "test"] {
        pictures(&here.join("mine").join(split).join("cats"), 4);
        pictures(&here.join("mine").join(split).join("dogs"), 4);
    }
    let cats = here.join("mine/train/cats");
    fs::write(cats.join("notes.jpg"), "these are words").unwrap();
    let whole = fs::read(cats.join("1.png")).unwrap();
    fs::write(cats.join("1.png"), &whole[..whole.len() / 2]).unwrap();
    fs::write(cats.join("2.jpg"), "").unwrap();
    let told = told(here, &config("source = \"folder\"\npath = \"mine\""));
    let kept: Vec<&str> = told
        .lines()
        .filter(|line| !line.starts_with("epoch") && !line.contains("device:") && !line.starts_with("completed"))
        .map(|line| if line.starts_with("test:") { "test: …" } else { line })
        .map(|line| line.split_once("-mine: ").map_or(line, |(_, rest)| rest))
        .collect();
    insta::assert_snapshot!(kept.join("\n"));
}
