//! The home screen: the runs that there are, and configurations to start one of. What it shows it is told, and what it is asked to do it hands to
//! its caller: it knows no files and no engines. Model, keys and drawing are pure, as the dashboard's are.

mod keys;
mod list;
mod screen;
mod view;

#[cfg(test)]
mod tests;

pub use self::{
    list::{Choice, Configuration, Listing, Mark, Run},
    screen::{HomeSession, Leaving, Tell, run},
};
