//! `frostline bench` on a real engine: every part gives figures. How high they are is no test's business.

use std::{
    path::Path,
    process::{Command, Output, Stdio},
};

use frostline::event::bench::{Line, What};

const CONFIG: &str = r#"
[data]
source = "critters"
train = 64
augment = { horizontal_flip = true }
[model]
input = [24, 24, 3]
layers = [
  { type = "conv2d", filters = 8, kernel_size = 3, activation = "relu", name = "low" },
  { type = "max_pooling2d" },
  { type = "flatten" },
  { type = "dense", units = 1, activation = "sigmoid" },
]
[train]
batch_size = 8
[engine]
device = "cpu"
threads = 1
"#;

fn bench(folder: &Path, arguments: &[&str]) -> Output {
    std::fs::write(folder.join("mine.toml"), CONFIG).unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_frostline"));
    command.args(["bench", "mine.toml", "--seconds", "0.02", "--repeats", "2"]).args(arguments);
    command.current_dir(folder).stdin(Stdio::null()).output().unwrap()
}

fn lines(output: &Output) -> Vec<Line> {
    let text = String::from_utf8_lossy(&output.stdout);
    text.lines().map(|line| serde_json::from_str(line).unwrap_or_else(|error| panic!("{line}: {error}"))).collect()
}

#[test]
fn every_part_gives_as_many_figures_as_windows_were_asked_for() {
    let folder = tempfile::tempdir().unwrap();
    let output = bench(folder.path(), &["--json", "--batch-size", "4", "--only", "step,eval,pipeline,end-to-end"]);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let lines = lines(&output);
    for (wanted, images) in
        [(What::Step, 4), (What::Evaluation, 8), (What::FirstPass, 4), (What::LaterPasses, 4), (What::EndToEnd, 4)]
    {
        let found = lines.iter().find_map(|line| match line {
            Line::Rate { what, values, batch, .. } if *what == wanted => Some((values, *batch)),
            _ => None,
        });
        let (values, batch) = found.unwrap_or_else(|| panic!("no {wanted:?} in {lines:?}"));
        assert!(values.len() == 2 && values.iter().all(|&value| value > 0.0 && value.is_finite()), "{values:?}");
        assert_eq!(batch, images, "{wanted:?}");
    }
    assert!(matches!(lines.last(), Some(Line::Memory { .. })), "{lines:?}");
    assert!(!folder.path().join("runs").exists(), "a measurement leaves no run behind");
}

#[test]
fn frozen_layers_take_no_arithmetic_of_a_step() {
    let folder = tempfile::tempdir().unwrap();
    let flops = |arguments: &[&str]| {
        let output = bench(folder.path(), &[&["--json", "--only", "step"], arguments].concat());
        let network = lines(&output).into_iter().find_map(|line| match line {
            Line::Network { frozen, forward_flops, step_flops, .. } => Some((frozen, forward_flops, step_flops)),
            _ => None,
        });
        network.unwrap_or_else(|| panic!("{}", String::from_utf8_lossy(&output.stderr)))
    };
    // Forward: 2 * 22 * 22 * 8 * 27 and 2 * 968. Backward: weights of both layers, and the dense layer's input.
    let (convolution, dense) = (209_088, 1936);
    assert_eq!(flops(&[]), (0, convolution + dense, 2 * convolution + 3 * dense));
    assert_eq!(flops(&["--freeze", "low"]), (1, convolution + dense, convolution + 2 * dense));
    let output = bench(folder.path(), &["--freeze", "high"]);
    assert_eq!(output.status.code(), Some(2), "{}", String::from_utf8_lossy(&output.stderr));
}
