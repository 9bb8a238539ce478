//! Frostline trains convolutional image classifiers and lets a person steer them and look inside them from a terminal.
//!
//! In the order in which data flows: what a user writes (`config`) and a network as data (`arch`) become a `plan`; `data` turns
//! files into batches; the `trainer` drives the `engine` and says `event`s, which the `run` directory keeps and the `wire`
//! carries; `state` folds them into what the dashboard (`tui`, `picture`, `text`) draws, and `command`s go back the same way.
//!
//! The `engine` is no part of this library but of the binary `frostline-engine`: one object file with both kinds of code would be
//! enough for the linker to load libtorch into the front end.

pub mod arch;
pub mod cli;
pub mod command;
pub mod config;
pub mod data;
pub mod error;
pub mod event;
pub mod picture;
pub mod plan;
pub mod run;
pub mod state;
pub mod text;
pub mod trainer;
pub mod tui;
pub mod wire;
