//! `frostline explain cam`: heat over the image where it speaks for a class.

use std::path::{Path, PathBuf};

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
        data::{inline, preview},
        images,
        output::Output,
    },
    command::Method,
    data,
    error::{Error, Result},
    event::explain::{Answer, HEAT, Heat, Named},
    picture::{Colormap, enlarge, overlay, tinted},
};

#[derive(Args, Debug)]
pub struct CamArgs {
    #[command(flatten)]
    network: Network,
    #[command(flatten)]
    images: Images,
    /// How to explain
    #[arg(long, default_value = Method::default().name(), value_parser = PossibleValuesParser::new(Method::ALL.map(Method::name)))]
    method: String,
    /// Explain this class, by name or number, or `all` [default: the predicted one, and the true one where the image's folder is
    /// called by it]
    #[arg(long)]
    class: Option<String>,
    /// Colours of the heat
    #[arg(long, default_value = Colormap::Jet.name(), value_parser = PossibleValuesParser::new(Colormap::ALL.map(Colormap::name)))]
    map: String,
    /// How strongly the heat covers the image
    #[arg(long, default_value_t = 0.4, value_parser = strength)]
    strength: f32,
    /// The heat alone, without the image
    #[arg(long)]
    alone: bool,
    /// The PNG to write, at the image's size; for several images a folder [default: for one image none, for several `explain-cam`]
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
    /// Print the numbers, one JSON object a map
    #[arg(long)]
    json: bool,
    /// Do not show the pictures
    #[arg(long)]
    no_image: bool,
}

/// Columns that a picture takes in the scrollback.
const COLUMNS: u16 = 48;
/// Smaller images are enlarged by whole pixels.
const SMALLEST: u32 = 224;

/// What `--json` prints.
#[derive(Serialize)]
struct Record<'a> {
    image: &'a str,
    method: Method,
    layer: Option<&'a str>,
    class: &'a Named,
    truth: Option<&'a str>,
    top: &'a [Named],
    empty: bool,
    height: usize,
    width: usize,
    /// Row by row, 0–1.
    heat: Vec<f32>,
    picture: Option<PathBuf>,
}

pub fn run(args: &CamArgs, out: &mut Output) -> Result<Exit> {
    let images = args.images.all()?;
    let map = Colormap::from_name(&args.map).unwrap_or(Colormap::Jet);
    let mut kept = Kept::new(args.output.as_deref(), args.images.is_batch(), "explain-cam")?;
    let mut what = vec!["classes".into(), "--method".into(), args.method.clone().into()];
    if let Some(class) = &args.class {
        what.extend(["--class".into(), class.into()]);
    }
    what.push("--".into());
    what.extend(images.iter().map(|image| image.clone().into_os_string()));
    let mut entries = Vec::new();
    let mut shown: Option<(String, RgbImage)> = None;
    let exit = args.network.ask(what, |answer| {
        let Answer::Heat(heat) = answer else { return Err(unexpected(&answer)) };
        let (shape, values) = Numbers::read(&heat.file)?.floats(HEAT)?;
        let &[height, width] = &shape[..] else {
            return Err(Error::internal(format!("a heat map of the shape {shape:?}")));
        };
        // One image after the other, each with all its classes.
        let before = shown.take().filter(|(name, _)| *name == heat.image);
        let decoded = match before {
            Some(same) => same,
            None => (heat.image.clone(), at_its_size(images::named(&images, &heat.image))?),
        };
        let (_, image) = &*shown.insert(decoded);
        let picture = if args.alone {
            tinted(&values, [height, width], [image.height() as usize, image.width() as usize], map)
        } else {
            overlay(image, &values, [height, width], args.strength, map)
        };
        let written = kept.picture(&picture, Path::new(&heat.image), &heat.class.class)?;
        if let Some(path) = &written {
            entries.push(Entry::new(&heat.image, path, lines(&heat)));
        }
        if args.json {
            let record = Record {
                image: &heat.image,
                method: heat.method,
                layer: heat.layer.as_deref(),
                class: &heat.class,
                truth: heat.truth.as_deref(),
                top: &heat.top,
                empty: heat.empty,
                height,
                width,
                heat: values,
                picture: written,
            };
            return out.json(&record);
        }
        out.line(&heat.image)?;
        if !args.no_image && !inline::picture(&picture, COLUMNS) {
            // Through a pipe: where the heat is, without the image that would hide it.
            let alone = tinted(&values, [height, width], [height, width], Colormap::Gray);
            let aspect = image.width() as f32 / image.height() as f32;
            out.line(&inline::lines(&stretched(&alone, aspect), COLUMNS))?;
        }
        for line in lines(&heat) {
            out.line(&format!("  {line}"))?;
        }
        written.map_or(Ok(()), |path| out.line(&format!("  {}", path.display())))
    })?;
    if let Some(folder) = kept.folder()
        && !entries.is_empty()
    {
        let title = Method::parse(&args.method).unwrap_or_default().title();
        index::write(folder, &format!("{title}: {}", args.network.name()), &entries)?;
        if !args.json {
            out.line(&format!("{}: an index of {} pictures", folder.join("index.html").display(), entries.len()))?;
        }
    }
    Ok(exit)
}

fn lines(heat: &Heat) -> Vec<String> {
    let share = |named: &Named| format!("{} {:.2} %", named.class, named.probability * 100.0);
    let place = heat.layer.as_ref().map(|layer| format!(" at {layer}")).unwrap_or_default();
    let mut lines = vec![format!("{} for {}{place}", heat.method.title(), share(&heat.class))];
    if heat.top.first().is_some_and(|first| first.index != heat.class.index) {
        lines.push(format!("predicted: {}", share(&heat.top[0])));
    }
    if let Some(truth) = heat.truth.as_ref().filter(|truth| **truth != heat.class.class) {
        lines.push(format!("its folder says {truth}"));
    }
    if heat.class.probability.is_nan() {
        lines.push(
            "the network's output is not a number: its weights have blown up, and no map of it means anything".into(),
        );
    }
    if heat.empty {
        lines.push(format!("nothing in it speaks for {}: the map is nowhere positive", heat.class.class));
    }
    lines
}

fn strength(text: &str) -> std::result::Result<f32, String> {
    let strength: f32 = text.parse().map_err(|error| format!("{error}"))?;
    if (0.0..=100.0).contains(&strength) { Ok(strength) } else { Err("it is 0 (the image alone) to 100".into()) }
}

/// The image itself, upright, in colour, and large enough to be seen.
pub fn at_its_size(path: &Path) -> Result<RgbImage> {
    let image = preview::picture(&data::decode_whole(path)?);
    let longest = image.width().max(image.height());
    Ok(if longest < SMALLEST { enlarge(&image, SMALLEST.div_ceil(longest) * longest) } else { image })
}

/// A map of few cells in the shape of its image.
fn stretched(map: &RgbImage, aspect: f32) -> RgbImage {
    const SIDE: f32 = 128.0;
    let (width, height) = if aspect > 1.0 { (SIDE, SIDE / aspect) } else { (SIDE * aspect, SIDE) };
    let (width, height) = (width.max(1.0) as u32, height.max(1.0) as u32);
    image::imageops::resize(map, width, height, image::imageops::FilterType::Triangle)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn named(index: u32, class: &str, probability: f32) -> Named {
        Named { index, class: class.into(), probability }
    }

    #[test]
    fn an_empty_map_says_so_and_names_what_was_predicted() {
        let heat = Heat {
            image: "a.png".into(),
            method: Method::GradCam,
            layer: Some("conv2d_3".into()),
            class: named(0, "cat", 0.1),
            truth: Some("cat".into()),
            top: vec![named(1, "dog", 0.9), named(0, "cat", 0.1)],
            empty: true,
            file: String::new(),
        };
        assert_eq!(
            lines(&heat),
            [
                "Grad-CAM for cat 10.00 % at conv2d_3",
                "predicted: dog 90.00 %",
                "nothing in it speaks for cat: the map is nowhere positive",
            ]
        );
    }
}
