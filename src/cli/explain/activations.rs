//! `frostline explain activations`: the channels of a layer as a grid, one of them alone, or all layers from the first to the last.

use std::{
    fmt::Write as _,
    path::{Path, PathBuf},
};

use clap::{Args, builder::PossibleValuesParser};
use image::RgbImage;
use serde::Serialize;

use super::{
    Images, Network,
    index::{self, Entry},
    kept::Kept,
    numbers::Numbers,
    unexpected,
};
use crate::{
    cli::{
        Exit,
        data::{
            inline,
            sheet::{Tile, sheet},
        },
        output::Output,
    },
    error::{Error, Result},
    event::explain::{Activations, Answer, Layer, Named},
    picture::{Channel, Colormap, enlarge, grid, mark},
};

#[derive(Args, Debug)]
pub struct ActivationsArgs {
    #[command(flatten)]
    network: Network,
    #[command(flatten)]
    images: Images,
    /// Every layer with a feature map, from the first to the last
    #[arg(long, conflicts_with_all = ["layer", "channel"])]
    sweep: bool,
    /// This channel alone, enlarged
    #[arg(long, value_name = "N")]
    channel: Option<usize>,
    /// Channels in a row
    #[arg(long, value_name = "N", default_value_t = 16, value_parser = clap::value_parser!(u32).range(1..=1024))]
    columns: u32,
    /// Colours
    #[arg(long, default_value = Colormap::Viridis.name(), value_parser = PossibleValuesParser::new(Colormap::ALL.map(Colormap::name)))]
    map: String,
    /// The PNG to write; for several images, and for a sweep, a folder [default: for one image none, else `explain-activations`]
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
    /// Print the numbers, one JSON object a layer
    #[arg(long)]
    json: bool,
    /// Do not show the pictures
    #[arg(long)]
    no_image: bool,
}

const COLUMNS: u16 = 96;
/// Small maps are enlarged by whole pixels up to this.
const LARGEST: u32 = 1024;
/// Channels that a sweep shows of each layer, those with the most in them.
const OF_EACH: usize = 8;

/// What `--json` prints.
#[derive(Serialize)]
struct Record<'a> {
    image: &'a str,
    #[serde(flatten)]
    layer: &'a Layer,
    top: &'a [Named],
    channels: Vec<Measured>,
    picture: Option<PathBuf>,
}

#[derive(Serialize)]
struct Measured {
    mean: f64,
    min: f32,
    max: f32,
    state: &'static str,
}

pub fn run(args: &ActivationsArgs, out: &mut Output) -> Result<Exit> {
    let images = args.images.all()?;
    let several = args.images.is_batch() || args.sweep;
    let mut kept = Kept::new(args.output.as_deref(), several, "explain-activations")?;
    let mut what = vec!["activations".into()];
    if args.sweep {
        what.push("--sweep".into());
    }
    what.push("--".into());
    what.extend(images.iter().map(|image| image.clone().into_os_string()));
    let mut entries = Vec::new();
    let exit = args.network.ask(what, |answer| {
        let Answer::Activations(seen) = answer else { return Err(unexpected(&answer)) };
        let numbers = Numbers::read(&seen.file)?;
        if !args.json {
            out.line(&seen.image)?;
        }
        let mut rows = Vec::new();
        for layer in &seen.layers {
            let (_, values) = numbers.floats(&layer.name)?;
            rows.push(show(args, &seen, layer, &values, &mut kept, &mut entries, out)?);
        }
        if args.sweep {
            let overview = sheet(&rows);
            let path = kept.picture(&overview, Path::new(&seen.image), "sweep")?;
            if !args.json {
                if !args.no_image {
                    inline::picture(&overview, COLUMNS);
                }
                path.map_or(Ok(()), |path| out.line(&format!("{}: all layers", path.display())))?;
            }
        }
        Ok(())
    })?;
    if let Some(folder) = kept.folder()
        && !entries.is_empty()
    {
        index::write(folder, &format!("activations: {}", args.network.name()), &entries)?;
    }
    Ok(exit)
}

/// One layer's grid, written, shown and told; some of its channels come back for the overview.
fn show(
    args: &ActivationsArgs,
    seen: &Activations,
    layer: &Layer,
    values: &[f32],
    kept: &mut Kept,
    entries: &mut Vec<Entry>,
    out: &mut Output,
) -> Result<Vec<Tile>> {
    let map = Colormap::from_name(&args.map).unwrap_or(Colormap::Viridis);
    let [count, height, width] = layer.shape;
    let channels: Vec<&[f32]> = values.chunks_exact((height * width).max(1)).collect();
    let states: Vec<Channel> = channels.iter().map(|values| Channel::of(values, layer.bounds)).collect();
    let picture = match args.channel {
        Some(channel) if channel < count => grid(channels[channel], [1, height, width], 1, map),
        Some(channel) => {
            let hint = "channels are counted from 0";
            return Err(Error::user(
                format!("layer \"{}\" has no channel {channel}: it has {count}", layer.name),
                hint,
            ));
        }
        None => {
            let columns = args.columns as usize;
            let mut picture = grid(values, layer.shape, columns, map);
            for (index, &state) in states.iter().enumerate() {
                mark(&mut picture, layer.shape, columns, index, state);
            }
            picture
        }
    };
    let picture = enlarge(&picture, LARGEST);
    let name = args.channel.map_or_else(|| layer.name.clone(), |channel| format!("{}-{channel}", layer.name));
    let written = kept.picture(&picture, Path::new(&seen.image), &name)?;
    let told = told(layer, &states);
    if let Some(path) = &written {
        entries.push(Entry::new(&seen.image, path, vec![told.clone()]));
    }
    if args.json {
        let measured = channels.iter().zip(&states).map(|(values, &state)| measured(values, state)).collect();
        let record = Record { image: &seen.image, layer, top: &seen.top, channels: measured, picture: written };
        out.json(&record)?;
    } else {
        out.line(&format!("  {told}"))?;
        if !args.no_image && !args.sweep && !inline::picture(&picture, COLUMNS) {
            out.line(&inline::lines(&grey(args, layer, values), COLUMNS))?;
        }
        written.map_or(Ok(()), |path| out.line(&format!("  {}", path.display())))?;
    }
    Ok(if args.sweep { tiles(layer, &channels, map) } else { Vec::new() })
}

/// The same without colours, for a pipe.
fn grey(args: &ActivationsArgs, layer: &Layer, values: &[f32]) -> RgbImage {
    let [_, height, width] = layer.shape;
    let one = |channel: usize| &values[channel * height * width..(channel + 1) * height * width];
    match args.channel {
        Some(channel) => grid(one(channel), [1, height, width], 1, Colormap::Gray),
        None => grid(values, layer.shape, args.columns as usize, Colormap::Gray),
    }
}

fn tiles(layer: &Layer, channels: &[&[f32]], map: Colormap) -> Vec<Tile> {
    let [count, height, width] = layer.shape;
    let spread = |values: &[f32]| {
        let mean = values.iter().sum::<f32>() / values.len() as f32;
        values.iter().map(|value| (value - mean).powi(2)).sum::<f32>()
    };
    let spreads: Vec<f32> = channels.iter().map(|values| spread(values)).collect();
    let mut order: Vec<usize> = (0..count).collect();
    order.sort_by(|&a, &b| spreads[b].total_cmp(&spreads[a]));
    order.truncate(OF_EACH);
    order.sort_unstable();
    let tile = |channel: usize| {
        let picture = grid(channels[channel], [1, height, width], 1, map);
        // All of one size: a sheet is as wide as its widest tile.
        let even = image::imageops::resize(&picture, 112, 112, image::imageops::FilterType::Nearest);
        Tile::new(&even, format!("{}\n{channel}", layer.name))
    };
    order.into_iter().map(tile).collect()
}

fn told(layer: &Layer, states: &[Channel]) -> String {
    let [channels, height, width] = layer.shape;
    let mut text = format!("{} ({}): {channels} channels of {height}x{width}", layer.name, layer.kind);
    for (state, word) in [(Channel::Dead, "dead"), (Channel::Saturated, "saturated"), (Channel::Broken, "not finite")] {
        const SHOWN: usize = 12;
        let those: Vec<String> =
            states.iter().enumerate().filter(|(_, own)| **own == state).map(|(index, _)| index.to_string()).collect();
        if !those.is_empty() {
            let more = if those.len() > SHOWN { ", …" } else { "" };
            let listed = those[..those.len().min(SHOWN)].join(", ");
            let _ = write!(text, "; {} {word} ({listed}{more})", those.len());
        }
    }
    text
}

fn measured(values: &[f32], state: Channel) -> Measured {
    Measured {
        mean: values.iter().map(|&value| f64::from(value)).sum::<f64>() / values.len().max(1) as f64,
        min: values.iter().copied().fold(f32::INFINITY, f32::min),
        max: values.iter().copied().fold(f32::NEG_INFINITY, f32::max),
        state: match state {
            Channel::Alive => "alive",
            Channel::Dead => "dead",
            Channel::Saturated => "saturated",
            Channel::Broken => "not finite",
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_layer_is_told_with_its_silent_channels() {
        let layer = Layer { name: "conv2d".into(), kind: "Conv2D".into(), shape: [4, 2, 3], bounds: [Some(0.0), None] };
        let states = [Channel::Dead, Channel::Alive, Channel::Dead, Channel::Broken];
        assert_eq!(told(&layer, &states), "conv2d (Conv2D): 4 channels of 2x3; 2 dead (0, 2); 1 not finite (3)");
    }
}
