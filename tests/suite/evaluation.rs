//! `frostline eval` on a real engine: the figures on the terminal, in JSON, in a line an image and in a page agree, and what a page
//! refers to is there.

use std::{
    fs,
    path::{Path, PathBuf},
    sync::OnceLock,
};

use frostline::run::checkpoint;
use image::{Rgb, RgbImage};
use serde_json::Value;

use crate::acting::frostline;

const SIGMOID: &str = r#"
[data]
source = "critters"
train = 32
validation = 8
test = 24
[model]
input = [24, 24, 3]
layers = [
  { type = "conv2d", filters = 6, kernel_size = 3, activation = "relu" },
  { type = "flatten" },
  { type = "dense", units = 1, activation = "sigmoid" },
]
"#;

const SOFTMAX: &str = r#"
[data]
source = "folder"
path = "colours"
[model]
input = [8, 8, 3]
layers = [
  { type = "flatten" },
  { type = "dense", units = 3, activation = "softmax" },
]
"#;

const REST: &str = "[train]\nepochs = 1\nbatch_size = 8\n[engine]\ndevice = \"cpu\"\nthreads = 1\n";

/// A folder with three runs: one sigmoid, three classes under a softmax, and one whose weights have blown up.
fn trained() -> &'static Path {
    static FOLDER: OnceLock<tempfile::TempDir> = OnceLock::new();
    let folder = FOLDER.get_or_init(|| {
        let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
        let here = folder.path();
        for split in ["train", "test"] {
            for (class, name) in ["blue <b>", "green|x", "red"].iter().enumerate() {
                let folder = here.join("colours").join(split).join(name);
                fs::create_dir_all(&folder).unwrap();
                for number in 0..6_u8 {
                    let mut colour = [number * 30; 3];
                    colour[2 - class] = 90 + number * 20;
                    RgbImage::from_pixel(8, 8, Rgb(colour)).save(folder.join(format!("{number}.png"))).unwrap();
                }
            }
        }
        fs::write(here.join("colours/test/red/words.png"), "no picture").unwrap();
        let whole = fs::read(here.join("colours/test/red/1.png")).unwrap();
        fs::write(here.join("colours/test/red/torn.png"), &whole[..whole.len() / 2]).unwrap();
        for (name, config) in [
            ("sigmoid", format!("{SIGMOID}{REST}")),
            ("softmax", format!("{SOFTMAX}{REST}")),
            ("blown", format!("{SOFTMAX}{REST}")),
        ] {
            fs::write(here.join(format!("{name}.toml")), config).unwrap();
            let told = frostline(here, &["train", &format!("{name}.toml"), "--headless", "--name", name]);
            assert_eq!(told.code, Some(0), "{name}: {}", told.err);
        }
        blow_up(here);
        folder
    });
    folder.path()
}

/// Training guards against it, so the weights are spoilt by hand.
fn blow_up(here: &Path) {
    let run = frostline::run::find(&here.join("runs"), "blown").unwrap();
    let last = run.checkpoint(frostline::event::CheckpointKind::Last);
    let (mut tensors, about) = checkpoint::read::<Value>(&last).unwrap();
    for (_, tensor) in tensors.iter_mut().filter(|(_, tensor)| tensor.dtype == checkpoint::DType::F32) {
        tensor.bytes = f32::NAN.to_le_bytes().repeat(tensor.bytes.len() / 4);
    }
    checkpoint::write(&last, &tensors, &about).unwrap();
}

fn json(path: &str) -> Value {
    serde_json::from_str(&fs::read_to_string(trained().join(path)).unwrap()).unwrap()
}

/// What stands in `](…)`.
fn links(page: &str) -> Vec<PathBuf> {
    page.split("](").skip(1).map(|rest| rest.split(')').next().unwrap().replace("%20", " ").into()).collect()
}

fn number(value: &Value) -> f64 {
    value.as_f64().unwrap_or_else(|| panic!("{value} is no number"))
}

#[test]
fn a_sigmoid_is_reported_in_every_form_and_all_agree() {
    let reports = ["--report", "all figures.md", "--report", "a.json", "--report", "a.csv", "--report", "a.html"];
    let told = frostline(trained(), &[&["eval", "sigmoid", "--pictures", "3"], &reports[..]].concat());
    assert_eq!((told.code, told.err.as_str()), (Some(0), ""));
    assert!(told.out.starts_with("test: loss ") && told.out.contains("\nweighted "), "{}", told.out);
    let figures = json("a.json");
    // The figures once more, from the lines.
    let mut lines = csv::Reader::from_path(trained().join("a.csv")).unwrap();
    let head: Vec<String> = lines.headers().unwrap().iter().map(str::to_owned).collect();
    assert_eq!(head, ["image", "truth", "predicted", "loss", "probability of cat", "probability of dog"]);
    let rows: Vec<csv::StringRecord> = lines.records().map(Result::unwrap).collect();
    assert_eq!(rows.len(), 24);
    let share = |what: &dyn Fn(&csv::StringRecord) -> f64| rows.iter().map(what).sum::<f64>() / 24.0;
    let of = |row: &csv::StringRecord, at: usize| row[at].parse::<f64>().unwrap();
    let accuracy = share(&|row| f64::from(u8::from(row[1] == row[2])));
    assert!((number(&figures["metrics"]["accuracy"]) - accuracy).abs() < 1e-9);
    assert!((number(&figures["log_loss"]) - share(&|row| of(row, 3))).abs() < 1e-9);
    assert!((number(&figures["metrics"]["loss"]) - number(&figures["log_loss"])).abs() < 1e-5);
    let own = |row: &csv::StringRecord| if &row[1] == "dog" { of(row, 5) } else { of(row, 4) };
    assert!((number(&figures["log_loss"]) - share(&|row| -own(row).ln())).abs() < 1e-4);
    let brier = share(&|row| (of(row, 5) - f64::from(u8::from(&row[1] == "dog"))).powi(2));
    assert!((number(&figures["brier"]) - brier).abs() < 1e-6);
    assert_eq!(figures["positive"], "dog");
    assert_eq!(figures["top_k"].as_array().unwrap().len(), 1);
    let worst = &figures["worst"][0];
    let highest = rows.iter().map(|row| of(row, 3)).fold(0.0, f64::max);
    assert!((number(&worst["loss"]) - highest).abs() < 1e-9);
    // The page refers to what is there.
    let page = fs::read_to_string(trained().join("all figures.md")).unwrap();
    let links = links(&page);
    assert!(links.len() > 4 + 3 * 2, "{page}");
    for link in &links {
        assert!(trained().join(link).is_file(), "{}", link.display());
    }
    let files = trained().join("all figures.files");
    assert_eq!(image::open(files.join("confusion.png")).unwrap().to_rgb8().dimensions(), (34 + 161, 34 + 161));
    let sample = worst["sample"].as_u64().unwrap();
    // 24 pixels a side, as the network got it, seven times as large.
    assert_eq!(image::open(files.join(format!("{sample}.png"))).unwrap().to_rgb8().dimensions(), (168, 168));
    for name in ["roc.svg", "precision-recall.svg", "reliability.svg"] {
        assert!(fs::read_to_string(files.join(name)).unwrap().ends_with("</svg>\n"), "{name}");
    }
    let html = fs::read_to_string(trained().join("a.html")).unwrap();
    assert!(html.contains("a.files/confusion.png") && html.contains("<h2>Worst</h2>"), "{html}");
}

#[test]
fn classes_under_a_softmax_are_told_one_by_one_and_what_is_left_out_is_listed() {
    let told = frostline(trained(), &["eval", "softmax", "--report", "b.md", "--pictures", "2"]);
    assert_eq!(told.code, Some(0), "{}", told.err);
    for (name, reason) in [("words.png", "not a png"), ("torn.png", "")] {
        assert!(told.err.lines().any(|line| line.contains(name) && line.contains(reason)), "{}", told.err);
    }
    let page = fs::read_to_string(trained().join("b.md")).unwrap();
    assert!(page.contains("| blue &lt;b&gt; |") && page.contains("green\\|x"), "{page}");
    let left_out = page.split("## Left out").nth(1).unwrap();
    assert!(left_out.contains("words.png") && left_out.contains("torn.png"), "{page}");
    // This network has no feature map, so there is no heat, but the images are there.
    assert!(links(&page).iter().all(|link| trained().join(link).is_file()), "{page}");
    let told = frostline(trained(), &["eval", "softmax", "--json"]);
    let figures: Value = serde_json::from_str(&told.out).unwrap();
    assert_eq!((figures["event"].as_str(), figures["images"].as_u64()), (Some("tested"), Some(18)));
    assert!(figures["positive"].is_null() && figures["skipped"].as_array().unwrap().len() == 2);
    let classes = figures["per_class"].as_array().unwrap();
    assert_eq!(classes.len(), 3);
    let mean = classes.iter().map(|class| number(&class["roc_auc"])).sum::<f64>() / 3.0;
    assert!((number(&figures["roc_auc"]) - mean).abs() < 1e-12);
    assert_eq!(figures["reliability"].as_array().unwrap().len(), 15);
}

#[test]
fn a_network_that_blew_up_is_said_to_have_blown_up() {
    let told =
        frostline(trained(), &["eval", "blown", "--checkpoint", "last", "--report", "c.md", "--report", "c.csv"]);
    assert_eq!(told.code, Some(0), "{}", told.err);
    assert!(told.out.contains("for 18 of 18 images the network's output is not a number"), "{}", told.out);
    let page = fs::read_to_string(trained().join("c.md")).unwrap();
    assert!(page.contains("blown up") && !page.contains("roc.svg") && !page.contains("## Worst"), "{page}");
    assert!(fs::read_to_string(trained().join("c.csv")).unwrap().contains("NaN"));
    let picture = trained().join("colours/test/red/1.png");
    let told = frostline(trained(), &["predict", "blown", "--checkpoint", "last", picture.to_str().unwrap()]);
    assert_eq!(told.code, Some(0), "{}", told.err);
    assert!(told.out.contains("its weights have blown up"), "{}", told.out);
}

#[test]
fn what_cannot_be_written_is_said_before_anything_is_measured() {
    for (report, expected) in [("a.pdf", "no kind of report ends like this"), ("none/a.md", "none: no such folder")] {
        let told = frostline(trained(), &["eval", "sigmoid", "--report", report]);
        assert_eq!(told.code, Some(2), "{}", told.err);
        assert!(told.err.contains(expected) && told.err.contains("hint") && told.out.is_empty(), "{}", told.err);
    }
    let told = frostline(trained(), &["eval", "softmax", "--split", "validation"]);
    assert_eq!(told.code, Some(2), "{}", told.err);
    assert!(told.err.contains("the data has no validation split"), "{}", told.err);
}
