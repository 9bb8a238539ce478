//! Curves of the scenarios' journals, as files.

#![allow(clippy::unwrap_used)]

use std::path::Path;

use clap::Parser as _;

use super::*;
use crate::cli::drawing::{Drawing, Mark};

#[derive(clap::Parser)]
struct Line {
    #[command(flatten)]
    plot: PlotArgs,
}

fn args(words: &[&str]) -> PlotArgs {
    Line::parse_from(["plot"].iter().chain(words)).plot
}

fn told(scenario: &str) -> Told {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/scenarios").join(scenario);
    let mut state = RunState::default();
    for line in fs::read_to_string(path).unwrap().lines() {
        state.apply(&serde_json::from_str(line).unwrap());
    }
    Told { name: scenario.trim_end_matches(".jsonl").into(), state }
}

fn words(drawing: &Drawing) -> Vec<&str> {
    drawing
        .marks
        .iter()
        .filter_map(|mark| if let Mark::Text(text) = mark { Some(&text.words[..]) } else { None })
        .collect()
}

#[test]
fn a_run_is_drawn_with_what_happened_to_it() {
    let told = [told("story.jsonl")];
    let drawing = chart::draw(&told, &args(&[]));
    let words = words(&drawing);
    for word in ["story", "training", "validation", "best checkpoint", "loss", "accuracy", "step"] {
        assert!(words.contains(&word), "{word} is not among {words:?}");
    }
    let marker = told[0].state.markers.iter().find_map(|marker| match &marker.what {
        state::What::Applied(command) => Some(command.to_string()),
        _ => None,
    });
    assert!(words.contains(&&marker.unwrap()[..]), "{words:?}");
    let inside = |[x, y]: &[f64; 2]| (0.0..=drawing.width).contains(x) && (0.0..=drawing.height).contains(y);
    for mark in &drawing.marks {
        if let Mark::Line { points, .. } = mark {
            assert!(points.iter().all(inside), "{points:?}");
        }
    }
}

#[test]
fn several_runs_have_a_colour_each() {
    let told = [told("story.jsonl"), told("phased.jsonl")];
    let drawing = chart::draw(&told, &args(&["--metrics", "loss,learning_rate,data_wait", "--x", "epochs", "--log"]));
    let words = words(&drawing);
    for word in ["2 runs", "story", "phased", "epoch", "learning rate", "phase fine-tune"] {
        assert!(words.contains(&word), "{word} is not among {words:?}");
    }
    assert!(png(&drawing).unwrap().starts_with(b"\x89PNG"));
}

#[test]
fn a_step_between_two_ends_of_epochs_lies_in_proportion() {
    let state = told("story.jsonl").state;
    let [first, second] = [0, 1].map(|at| state.epochs[at].step);
    assert_eq!(Across::Epochs.of(&state, first), 1.0);
    assert_eq!(Across::Epochs.of(&state, u64::midpoint(first, second)), 1.5);
    assert_eq!(Across::Steps.of(&state, 7), 7.0);
}

#[test]
fn options_are_read_as_they_are_written() {
    assert_eq!("0.6".parse(), Ok(Smoothing { factor: 0.6, plain: false }));
    assert_eq!("chapter".parse(), Ok(Smoothing { factor: 0.8, plain: true }));
    assert_eq!("chapter:0.9".parse(), Ok(Smoothing { factor: 0.9, plain: true }));
    assert!("1".parse::<Smoothing>().is_err() && "chapters".parse::<Smoothing>().is_err());
    assert_eq!("640x480".parse(), Ok(Size { width: 640, height: 480 }));
    assert!("640".parse::<Size>().is_err() && "1x1".parse::<Size>().is_err() && "9000x200".parse::<Size>().is_err());
}
