//! `frostline data preview`: training images as the network gets them, and with `--augment` as it gets them epoch after epoch:
//! the same draws that training makes with this configuration's seed.

use std::path::{Path, PathBuf};

use clap::Args;
use image::{GrayImage, ImageFormat, RgbImage};

use super::{
    inline,
    sheet::{Tile, sheet, strip},
};
use crate::{
    cli::{
        Exit,
        output::{Output, complain},
        table::several,
    },
    data::{self, Mixing, Pixels, Split},
    error::{Error, Result},
    plan::Plan,
};

#[derive(Args, Debug)]
pub struct PreviewArgs {
    /// The configuration file
    config: PathBuf,
    /// Show each image also as augmentation varies it in the first epochs
    #[arg(long)]
    augment: bool,
    /// Show this image, as if it were the first of the training images
    #[arg(long, value_name = "FILE")]
    image: Option<PathBuf>,
    /// How many training images [default: 4 with --augment, else 12]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=100))]
    count: Option<u32>,
    /// How many epochs of --augment
    #[arg(long, value_name = "N", default_value_t = 5, value_parser = clap::value_parser!(u32).range(1..=50))]
    epochs: u32,
    /// The contact sheet to write [default: the configuration's name with -preview.png]
    #[arg(short, long, value_name = "PNG")]
    output: Option<PathBuf>,
    /// Change a key of the configuration, for example `data.augment.horizontal_flip=true`
    #[arg(long, value_name = "KEY=VALUE")]
    set: Vec<String>,
}

/// Images in a row of the contact sheet without augmentation.
const ACROSS: usize = 6;

/// One image of the training split.
struct Sample {
    pixels: Pixels,
    /// Its position in the split, which its augmentation is drawn from.
    position: u32,
    name: String,
    class: Option<String>,
}

pub fn run(args: &PreviewArgs, out: &mut Output) -> Result<Exit> {
    let plan = Plan::load(&args.config, &args.set)?;
    let count = args.count.unwrap_or(if args.augment { 4 } else { 12 }) as usize;
    let samples = match &args.image {
        Some(file) => vec![given(file, &plan)?],
        None => chosen(&plan, count)?,
    };
    if args.augment && plan.data.augment.is_none() {
        complain("note: this configuration augments nothing; every epoch shows the images as they are");
    }
    if args.augment && plan.data.augment.mixing != Mixing::default() {
        complain("note: mixup and cutmix blend two images of a batch; each is shown as it is before that");
    }
    let rows = if args.augment { varied(&plan, &samples, args.epochs) } else { plain(&samples) };
    for (label, row) in &rows {
        out.line(label)?;
        inline::show(&strip(row), row.len());
    }
    let rows: Vec<Vec<Tile>> = rows.into_iter().map(|(_, row)| row).collect();
    let path = args.output.clone().unwrap_or_else(|| format!("{}-preview.png", plan.name).into());
    write(&sheet(&rows), &path)?;
    out.line(&format!("{}: a contact sheet of {}", path.display(), several(samples.len(), "image")))?;
    Ok(Exit::DONE)
}

fn given(file: &Path, plan: &Plan) -> Result<Sample> {
    let pixels = data::decode_file(file, plan.data.size, plan.data.interpolation)?;
    Ok(Sample { pixels, position: 0, name: file.display().to_string(), class: None })
}

/// Training images, from each class in turn and from all over the class.
fn chosen(plan: &Plan, count: usize) -> Result<Vec<Sample>> {
    let data = data::open(&plan.data)?;
    let mut samples = Vec::new();
    for position in spread(&data.train, data.classes.len(), count) {
        match data.train.load(position, plan.data.size) {
            Ok(pixels) => samples.push(Sample {
                pixels,
                position: position as u32,
                name: data.train.name(position),
                class: data.classes.get(data.train.label(position) as usize).cloned(),
            }),
            Err(error) => complain(&format!("warning: left out: {}", Error::from(error).message())),
        }
    }
    if samples.is_empty() {
        return Err(Error::user("none of the chosen images can be read", "`frostline data check` reads all of them"));
    }
    Ok(samples)
}

/// Positions of `count` samples, class by class in turn; within a class at even distances.
fn spread(split: &Split, classes: usize, count: usize) -> Vec<usize> {
    let mut by_class = vec![Vec::new(); classes];
    for position in 0..split.len() {
        by_class[split.label(position) as usize].push(position);
    }
    by_class.retain(|positions| !positions.is_empty());
    let classes = by_class.len().max(1);
    let (rounds, one_more) = (count / classes, count % classes);
    let picks = by_class.iter().enumerate().map(|(class, positions)| {
        let wanted = (rounds + usize::from(class < one_more)).min(positions.len());
        (0..wanted).map(|pick| positions[pick * positions.len() / wanted]).collect::<Vec<_>>()
    });
    let picks: Vec<Vec<usize>> = picks.collect();
    (0..=rounds).flat_map(|round| picks.iter().filter_map(move |picks| picks.get(round).copied())).collect()
}

/// Each sample in a row of its own: as it is, then as each epoch shows it.
fn varied(plan: &Plan, samples: &[Sample], epochs: u32) -> Vec<(String, Vec<Tile>)> {
    let row = |sample: &Sample| {
        let mut tiles = vec![Tile::new(&picture(&sample.pixels), caption(sample))];
        tiles.extend((1..=epochs).map(|epoch| {
            let varied = plan.data.augment.preview(&sample.pixels, plan.seed, epoch.into(), sample.position);
            Tile::new(&picture(&varied), format!("epoch {epoch}"))
        }));
        (format!("{}, then in epochs 1 to {epochs}", label(sample)), tiles)
    };
    samples.iter().map(row).collect()
}

fn plain(samples: &[Sample]) -> Vec<(String, Vec<Tile>)> {
    let row = |samples: &[Sample]| {
        let names: Vec<String> = samples.iter().map(label).collect();
        (names.join("\n"), samples.iter().map(|sample| Tile::new(&picture(&sample.pixels), caption(sample))).collect())
    };
    samples.chunks(ACROSS).map(row).collect()
}

fn label(sample: &Sample) -> String {
    match &sample.class {
        Some(class) => format!("{}  {class}", sample.name),
        None => sample.name.clone(),
    }
}

/// The file's name says more in a few letters than its path.
fn caption(sample: &Sample) -> String {
    let file = sample.name.rsplit('/').next().unwrap_or(&sample.name);
    match &sample.class {
        Some(class) => format!("{class}\n{file}"),
        None => file.to_owned(),
    }
}

/// In colour, whatever its channels.
pub fn picture(pixels: &Pixels) -> RgbImage {
    let (width, height) = (pixels.size.width, pixels.size.height);
    let bytes = pixels.bytes.clone();
    let picture = if pixels.size.channels == 1 {
        GrayImage::from_raw(width, height, bytes).map(|grey| image::DynamicImage::from(grey).into_rgb8())
    } else {
        RgbImage::from_raw(width, height, bytes)
    };
    picture.expect("pixels hold as many bytes as their size says")
}

fn write(sheet: &RgbImage, path: &Path) -> Result<()> {
    sheet
        .save_with_format(path, ImageFormat::Png)
        .map_err(|error| Error::environment(format!("{}: cannot be written: {error}", path.display()), None))
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::data::{DataError, Size, Source};

    struct Labels(Vec<u32>);

    impl Source for Labels {
        fn len(&self) -> usize {
            self.0.len()
        }
        fn label(&self, i: usize) -> u32 {
            self.0[i]
        }
        fn name(&self, i: usize) -> String {
            i.to_string()
        }
        fn load(&self, _: usize, size: Size) -> Result<Pixels, DataError> {
            Ok(Pixels { size, bytes: vec![0; size.bytes()] })
        }
    }

    #[test]
    fn samples_come_from_each_class_in_turn_and_from_all_over_it() {
        let split = Split::whole(Arc::new(Labels([vec![0; 10], vec![1; 10], vec![2; 1]].concat())));
        assert_eq!(spread(&split, 3, 7), [0, 10, 20, 3, 15, 6]);
        assert_eq!(spread(&split, 3, 2), [0, 10]);
    }
}
