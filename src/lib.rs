//! Frostline trains convolutional image classifiers and lets a person steer them and look inside them from a terminal.
//!
//! In the order in which data flows: what a user writes (`config`) and a network as data (`arch`) become a `plan`; `data` turns
//! files into batches; the `trainer` drives the `engine` and says `event`s, which the `run` directory keeps and the `wire`
//! carries; `state` folds them into what the dashboard (`tui`, `picture`, `text`) draws, and `command`s go back the same way. `metrics`
//! say how good the result is.
//!
//! The `engine` is no part of this library but of the binary `frostline-engine`: one object file with both kinds of code would be
//! enough for the linker to load libtorch into the front end.

// What a run will do.
pub mod arch;
pub mod config;
pub mod plan;
pub mod weights;

// From files to batches.
pub mod data;

// The loop, the vocabulary between it and those who watch, and how good a network is in the end.
pub mod command;
pub mod event;
pub mod metrics;
pub mod trainer;

// What is kept, and what is carried.
pub mod run;
pub mod wire;

// What a person sees and types.
pub mod cli;
pub mod picture;
pub mod state;
pub mod text;
pub mod tui;

pub mod error;
