//! The programs as a user meets them: started as processes, judged by what they print and by their exit codes.
#![allow(clippy::unwrap_used)]

mod acting;
#[cfg(feature = "engine")]
mod admission;
#[cfg(feature = "engine")]
mod bench;
mod cli;
mod configs;
mod data;
#[cfg(feature = "engine")]
mod evaluation;
#[cfg(feature = "engine")]
mod explain;
#[cfg(feature = "engine")]
mod features;
mod home;
mod hub;
mod interchange;
#[cfg(feature = "engine")]
mod jobs;
#[cfg(feature = "engine")]
mod lens;
mod line;
mod mistakes;
mod models;
#[cfg(feature = "engine")]
mod odd;
mod pixels;
mod pty;
#[cfg(feature = "engine")]
mod resume;
mod screen;
mod slow_line;
#[cfg(feature = "engine")]
mod steering;
mod tensorboard;
#[cfg(feature = "engine")]
mod tmux;
#[cfg(feature = "engine")]
mod torture;
mod weights;
