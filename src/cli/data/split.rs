//! `frostline data split`: the chapter's small data set out of a folder of raw images.

use std::{path::PathBuf, str::FromStr};

use clap::{Args, ValueEnum};

use crate::{
    cli::{
        Exit,
        output::{Output, complain},
        progress::{self, Interrupts},
        table::{self, images},
    },
    data::{
        apportion::{ApportionError, Building, Link, Raw, SPLITS, Selection, Wish, choose, folder_name},
        survey::portray,
    },
    error::Result,
};

#[derive(Args, Debug)]
pub struct SplitArgs {
    /// Raw images: files called like cat.0.jpg in one folder, or one folder a class
    #[arg(long, value_name = "DIR")]
    from: PathBuf,
    /// The data set to make; must not be there yet
    #[arg(long, value_name = "DIR")]
    into: PathBuf,
    /// Images of each class for train, validation and test
    #[arg(long, value_name = "N,N,N")]
    per_class: PerClass,
    /// How an image comes into the data set
    #[arg(long, value_enum, default_value_t = How::Copy)]
    link: How,
    /// Choose at random; without it the first images by number train, the next validate, the next test
    #[arg(long, value_name = "N")]
    seed: Option<u64>,
    /// Also take images that look like one in another split
    #[arg(long)]
    keep_alike: bool,
    /// List every image that is left out
    #[arg(long)]
    all: bool,
    /// Print the result as one JSON object
    #[arg(long)]
    json: bool,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum How {
    Copy,
    /// The same file under a second name, on the same disk
    Hard,
    /// A reference to where it lies
    Symbolic,
}

impl From<How> for Link {
    fn from(how: How) -> Self {
        match how {
            How::Copy => Self::Copy,
            How::Hard => Self::Hard,
            How::Symbolic => Self::Symbolic,
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct PerClass([usize; 3]);

impl FromStr for PerClass {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || "expected one to three numbers like 1000,500,500, the first at least 1".to_owned();
        let mut counts = [0; SPLITS.len()];
        let parts: Vec<&str> = text.split(',').map(str::trim).collect();
        if parts.len() > counts.len() {
            return Err(wrong());
        }
        for (count, part) in counts.iter_mut().zip(parts) {
            *count = part.parse().map_err(|_| wrong())?;
        }
        if counts[0] == 0 { Err(wrong()) } else { Ok(Self(counts)) }
    }
}

/// Lines of a list before it says how many more there are.
const SHOWN: usize = 10;

pub fn run(args: &SplitArgs, out: &mut Output) -> Result<Exit> {
    let raw = Raw::list(&args.from)?;
    Building::check(&args.from, &args.into, &raw.classes)?;
    let wish = Wish { per_class: args.per_class.0, seed: args.seed, keep_alike: args.keep_alike };
    let bar = progress::files("reading", wish.per_class.iter().sum::<usize>() * raw.classes.len());
    let selection = choose(&raw.classes, wish, &mut |files| portray(files, &|| bar.inc(1)));
    bar.finish_and_clear();
    let selection = selection?;

    let interrupts = Interrupts::catch()?;
    let bar = progress::files("writing", selection.chosen.len());
    let go_on = || {
        bar.inc(1);
        interrupts.caught().is_none()
    };
    let done = Building::begin(&args.into, args.link.into())
        .and_then(|building| building.finish(&args.from, &raw.classes, &selection.chosen, &go_on));
    bar.finish_and_clear();
    match (done, interrupts.caught()) {
        (Err(ApportionError::Interrupted), Some(code)) => {
            complain(&format!("interrupted: {} was not made", args.into.display()));
            return Ok(Exit(code));
        }
        (done, _) => done?,
    }

    let (classes, counts) = counted(&raw, &selection);
    if args.json {
        out.json_line(&json(args, &classes, &counts, &selection))?;
        return Ok(Exit::DONE);
    }
    let done = Link::from(args.link).done();
    let (from, into) = (args.from.display(), args.into.display());
    out.line(&format!("{into}: {} {done} from {from}\n", images(selection.chosen.len())))?;
    let used: Vec<usize> = (0..SPLITS.len()).filter(|&split| wish.per_class[split] > 0).collect();
    let splits: Vec<String> = used.iter().map(|&split| SPLITS[split].to_owned()).collect();
    let used: Vec<Vec<usize>> = used.iter().map(|&split| counts[split].clone()).collect();
    let most = if args.all { usize::MAX - 1 } else { SHOWN };
    out.line(&table::counts(&splits, &classes, &used, usize::MAX - 1))?;
    for warning in warnings(&selection, args.keep_alike, most) {
        complain(&warning);
    }
    Ok(Exit::DONE)
}

/// The folders of the classes, and how many images went where: `[split][class]`.
fn counted(raw: &Raw, selection: &Selection) -> (Vec<String>, Vec<Vec<usize>>) {
    let classes: Vec<String> = raw.classes.iter().map(|class| folder_name(&class.name).to_owned()).collect();
    let mut counts = vec![vec![0; classes.len()]; SPLITS.len()];
    for chosen in &selection.chosen {
        counts[chosen.split][chosen.class] += 1;
    }
    (classes, counts)
}

fn warnings(selection: &Selection, kept: bool, most: usize) -> Vec<String> {
    let are = |count: usize| if count == 1 { "is" } else { "are" };
    let mut warnings = Vec::new();
    let unreadable = &selection.unreadable;
    if !unreadable.is_empty() {
        let list = table::list(unreadable, most, |(file, why)| format!("{}: {}", file.display(), why.reason));
        let count = unreadable.len();
        warnings.push(format!("warning: {} cannot be read and {} left out:\n{list}", images(count), are(count)));
    }
    let alike = &selection.alike;
    if !alike.is_empty() {
        let list = table::list(alike, most, |alike| {
            let how = if alike.identical { "the same file as" } else { "looks like" };
            let (file, like) = (alike.file.display(), alike.like.file.display());
            format!("{file}: {how} {like} in {}", SPLITS[alike.like.split])
        });
        let look = if alike.len() == 1 { "looks" } else { "look" };
        let done = if kept { "kept" } else { "left out" };
        let (count, are) = (images(alike.len()), are(alike.len()));
        warnings.push(format!("warning: {count} {look} like one in another split and {are} {done}:\n{list}"));
    }
    warnings
}

fn json(args: &SplitArgs, classes: &[String], counts: &[Vec<usize>], selection: &Selection) -> String {
    let splits = SPLITS.iter().zip(counts).filter(|(_, counts)| counts.iter().any(|&count| count > 0));
    let splits: serde_json::Map<_, _> = splits
        .map(|(split, counts)| {
            (
                (*split).to_owned(),
                classes
                    .iter()
                    .cloned()
                    .zip(counts.iter().copied().map(Into::into))
                    .collect::<serde_json::Map<_, serde_json::Value>>()
                    .into(),
            )
        })
        .collect();
    let unreadable = selection.unreadable.iter().map(|(file, why)| {
        serde_json::json!({ "file": file.display().to_string(), "reason": why.reason, "truncated": why.truncated })
    });
    let alike = selection.alike.iter().map(|alike| {
        serde_json::json!({
            "file": alike.file.display().to_string(),
            "like": alike.like.file.display().to_string(),
            "split": SPLITS[alike.like.split],
            "identical": alike.identical,
            "kept": args.keep_alike,
        })
    });
    serde_json::json!({
        "into": args.into.display().to_string(),
        "images": selection.chosen.len(),
        "splits": splits,
        "unreadable": unreadable.collect::<Vec<_>>(),
        "alike": alike.collect::<Vec<_>>(),
    })
    .to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_to_three_numbers_are_taken() {
        assert_eq!("1000,500,500".parse(), Ok(PerClass([1000, 500, 500])));
        assert_eq!("8, 2".parse(), Ok(PerClass([8, 2, 0])));
        for wrong in ["", "0,5", "1,2,3,4", "ten", "5,-1", "5,"] {
            assert!(wrong.parse::<PerClass>().is_err(), "{wrong}");
        }
    }
}
