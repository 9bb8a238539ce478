//! A small data set out of raw images, as the book's chapter makes one of Kaggle's cats and dogs: [`Raw`] lists what is there,
//! [`choose`] decides what goes where, [`Building`] copies or links it. Nothing is overwritten, and a data set appears whole or
//! not at all.

mod build;
mod choose;
mod error;
mod raw;

pub use build::{Building, Link};
pub use choose::{Alike, Chosen, Portraits, SPLITS, Selection, Wish, choose};
pub use error::ApportionError;
pub use raw::{Raw, RawClass};

pub(super) use raw::pictures_below;

/// The name of a class's folder: its own, but cats and dogs are called as the chapter calls them, wherever they come from.
pub fn folder_name(class: &str) -> &str {
    match class {
        "cat" | "Cat" => "cats",
        "dog" | "Dog" => "dogs",
        class => class,
    }
}
