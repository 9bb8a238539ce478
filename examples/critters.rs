//! Draws a sheet of critters as a PNG, cats and dogs in turn: `cargo run --example critters -- SHEET.png [SIDE] [COLUMNS] [ROWS] [SEED]`.
//! With `--masks` the parts that tell the species are lit and the rest is dimmed; with `--twins` each cat stands beside the dog that
//! shares its pose, coat, scenery and light.
//!
//! To measure rather than look: `--raw COUNT PREFIX SIDE` writes COUNT pictures of train and as many of validation as raw bytes.
#![allow(clippy::print_stdout)]

use std::error::Error;
use std::time::Instant;

use frostline::data::critters::{self, Species};
use frostline::data::{Augment, DataSpec, Interpolation, Size, SourceSpec, open};

const USAGE: &str =
    "usage: critters [--masks] [--twins] SHEET.png [SIDE] [COLUMNS] [ROWS] [SEED] | critters --raw COUNT PREFIX SIDE";

fn main() -> Result<(), Box<dyn Error>> {
    let (flags, words): (Vec<String>, Vec<String>) = std::env::args().skip(1).partition(|word| word.starts_with('-'));
    if let Some(flag) = flags.iter().find(|flag| !["--masks", "--twins", "--raw"].contains(&flag.as_str())) {
        return Err(format!("unknown flag {flag}; {USAGE}").into());
    }
    let has = |flag: &str| flags.iter().any(|given| given == flag);
    let number = |at: usize, default: u32| words.get(at).map_or(Ok(default), |word| word.parse());
    if has("--raw") {
        return raw(number(0, 100)? as usize, words.get(1).map_or("critters", String::as_str), number(2, 64)?);
    }
    let path = words.first().ok_or(USAGE)?;
    let (side, columns, rows, seed) = (number(1, 150)?, number(2, 8)?, number(3, 6)?, number(4, 1)?);
    let mut sheet = image::RgbImage::new(columns * side, rows * side);
    let start = Instant::now();
    for place in 0..columns * rows {
        let index = if has("--twins") { place / 2 } else { place };
        let critter = critters::draw(u64::from(seed), index, Species::ALL[place as usize % 2], side, side);
        let (left, top) = (place % columns * side, place / columns * side);
        for (at, (pixel, &told)) in critter.pixels.bytes.chunks_exact(3).zip(&critter.mask).enumerate() {
            let dim = if has("--masks") { 4 - u32::from(told) * 3 / 255 } else { 1 };
            let pixel = [0, 1, 2].map(|channel| (u32::from(pixel[channel]) / dim) as u8);
            sheet.put_pixel(left + at as u32 % side, top + at as u32 / side, image::Rgb(pixel));
        }
    }
    println!("{:.0} pictures a second", f64::from(columns * rows) / start.elapsed().as_secs_f64());
    sheet.save(path)?;
    Ok(())
}

fn raw(count: usize, prefix: &str, side: u32) -> Result<(), Box<dyn Error>> {
    let size = Size { height: side, width: side, channels: 3 };
    let source = SourceSpec::Critters { train: count, validation: count, test: 0 };
    let dataset = open(&DataSpec {
        source,
        size,
        interpolation: Interpolation::default(),
        validation_fraction: None,
        limit: None,
        seed: 1,
        augment: Augment::default(),
    })?;
    let validation = dataset.validation.ok_or("no validation")?;
    for (name, split) in [("train", dataset.train), ("validation", validation)] {
        let start = Instant::now();
        let mut bytes = Vec::with_capacity(count * size.bytes());
        for position in 0..split.len() {
            bytes.extend(split.load(position, size)?.bytes);
        }
        println!("{name}: {:.0} pictures a second on one core", count as f64 / start.elapsed().as_secs_f64());
        std::fs::write(format!("{prefix}.{name}"), bytes)?;
    }
    Ok(())
}
