//! `frostline data fetch`: gets the data sets of the exercises and puts them where their configurations look for them.

mod sources;
mod unpack;

use std::path::{Path, PathBuf};

use clap::Args;
use ureq::Agent;

use self::{
    sources::{Form, SOURCES, Source},
    unpack::{UnpackError, unpack},
};
use crate::{
    cli::{
        Exit,
        download::{self, DownloadError, Fetched, Known, Patience, Wanted, fetch},
        hint,
        output::{Output, complain},
        progress,
        table::{self, images, size},
    },
    data::{self, DataSpec},
    error::{Error, Result},
    text::figures,
};

#[derive(Args, Debug)]
pub struct FetchArgs {
    /// The data set: mnist, fashion-mnist or cats-vs-dogs
    #[arg(value_name = "NAME", required_unless_present = "list", value_parser = SOURCES.iter().map(|source| source.name).collect::<Vec<_>>())]
    name: Option<String>,
    /// The folder to put it into [default: where config/ looks for it, below data/]
    #[arg(long, value_name = "DIR")]
    into: Option<PathBuf>,
    /// Take the files from this folder on a server instead of the known places
    #[arg(long, value_name = "URL")]
    from: Option<String>,
    /// Take the files even if they are another edition, whose checksums are not known
    #[arg(long)]
    unchecked: bool,
    /// List what can be fetched
    #[arg(long)]
    list: bool,
}

pub fn run(args: &FetchArgs, out: &mut Output) -> Result<Exit> {
    let source = args.name.as_deref().and_then(sources::find);
    match source {
        Some(source) if !args.list => match source.form {
            Form::Idx => idx(source, args, out),
            Form::Archive => archive(source, args, out),
        },
        _ => {
            out.line(&list())?;
            Ok(Exit::DONE)
        }
    }
}

fn list() -> String {
    let header = ["NAME", "SIZE"].map(str::to_owned).to_vec();
    let rows = SOURCES.iter().map(|source| vec![source.name.to_owned(), size(source.bytes())]);
    let table = table::table(&std::iter::once(header).chain(rows).collect::<Vec<_>>());
    let told = SOURCES.iter().map(|source| format!("{} (into {})", source.about, source.into));
    let lines = table.lines().zip(std::iter::once("WHAT".to_owned()).chain(told));
    lines.map(|(row, about)| format!("{row}  {about}")).collect::<Vec<_>>().join("\n")
}

/// MNIST's four files, side by side.
fn idx(source: &Source, args: &FetchArgs, out: &mut Output) -> Result<Exit> {
    let into = args.into.clone().unwrap_or_else(|| source.into.into());
    files(source, &into, args, out)?;
    // Files of a known checksum are whole; others had better be looked at.
    let found = data::inspect(&DataSpec::of_idx(into.clone()))?;
    let (train, test) = (figures::count(found.train as u64), figures::count(found.test as u64));
    let classes = found.classes.len();
    out.line(&format!("{}: {train} training and {test} test images in {classes} classes", into.display()))?;
    if args.into.is_none() {
        out.line(&format!("next: frostline train config/{}.toml", source.name))?;
    }
    Ok(Exit::DONE)
}

/// The archive beside the folder of its images.
fn archive(source: &Source, args: &FetchArgs, out: &mut Output) -> Result<Exit> {
    let into = args.into.clone().unwrap_or_else(|| source.into.into());
    if into.symlink_metadata().is_ok() {
        let text = format!("{}: is there already", into.display());
        return Err(Error::user(text, "nothing is overwritten: remove it first, or give another folder with --into"));
    }
    let beside = into.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    files(source, beside, args, out)?;
    let path = beside.join(source.files[0].name);
    let bar = progress::files("unpacking", 0);
    let unpacked = unpack(&path, &into, &|count| bar.set_length(count as u64), &|| bar.inc(1));
    bar.finish_and_clear();
    let unpacked = unpacked.map_err(|error| unpacking(&error, source))?;
    let total: usize = unpacked.counts.values().sum();
    let classes: Vec<String> =
        unpacked.counts.iter().map(|(class, count)| format!("{} {class}", figures::count(*count as u64))).collect();
    out.line(&format!("{}: {}: {}", into.display(), images(total), classes.join(", ")))?;
    let folder = hint::word(&into.display().to_string());
    out.line(&format!(
        "next: frostline data split --from {folder} --into data/cats-and-dogs-small --per-class 1000,500,500"
    ))?;
    out.line(&format!("the archive {} is no longer needed", path.display()))?;
    let left_out = &unpacked.left_out;
    if !left_out.is_empty() {
        let list = table::list(left_out, 10, |(name, reason)| format!("{name}: {reason}"));
        let are = if left_out.len() == 1 { "is" } else { "are" };
        complain(&format!("warning: {} cannot be read and {are} left out:\n{list}", images(left_out.len())));
    }
    Ok(Exit::DONE)
}

/// Fetches all files into the folder; one that was made for nothing is removed again.
fn files(source: &Source, folder: &Path, args: &FetchArgs, out: &mut Output) -> Result<()> {
    let is_new = !folder.exists();
    let fetched = fetch_into(source, folder, args, out);
    if fetched.is_err() && is_new {
        // Only where nothing has arrived: it must be empty.
        let _ = std::fs::remove_dir(folder);
    }
    fetched
}

fn fetch_into(source: &Source, folder: &Path, args: &FetchArgs, out: &mut Output) -> Result<()> {
    std::fs::create_dir_all(folder)
        .map_err(|error| Error::environment(format!("{}: cannot be made: {error}", folder.display()), None))?;
    let agent: Agent = download::agent();
    for remote in source.files {
        let mirrors: Vec<&str> = args.from.as_deref().map_or_else(|| source.mirrors.to_vec(), |url| vec![url]);
        let wanted = Wanted {
            urls: mirrors.iter().map(|mirror| format!("{}/{}", mirror.trim_end_matches('/'), remote.name)).collect(),
            target: folder.join(remote.name),
            token: None,
            known: (!args.unchecked).then(|| Known { bytes: remote.bytes, sha256: remote.sha256.to_owned() }),
        };
        let bar = progress::bytes(remote.name.to_owned(), remote.bytes);
        let fetched = fetch(&agent, &wanted, Patience::default(), &|arrived| bar.set_position(arrived));
        bar.finish_and_clear();
        match fetched.map_err(|error| downloading(error, source, folder, args))? {
            Fetched::Present => out.line(&format!("{}: is there already", wanted.target.display()))?,
            Fetched::From(url) => {
                let bytes = wanted.target.metadata().map_or(remote.bytes, |data| data.len());
                out.line(&format!("{}: {} from {}", wanted.target.display(), size(bytes), download::host(&url)))?;
            }
        }
    }
    Ok(())
}

fn downloading(error: DownloadError, source: &Source, folder: &Path, args: &FetchArgs) -> Error {
    let text = error.to_string();
    match error {
        DownloadError::Disk { .. } => Error::environment(text, None),
        DownloadError::Occupied { .. } => Error::user(
            text,
            "nothing is overwritten: move it away; or, if it is another edition that you want, use --unchecked",
        ),
        DownloadError::Nowhere { target, .. } => {
            let names: Vec<&str> = source.files.iter().map(|file| file.name).collect();
            let again = if source.form == Form::Idx {
                "; nothing else is to be done".to_owned()
            } else {
                let into = args.into.as_ref().map_or(String::new(), |into| format!(" --into {}", into.display()));
                format!(" and give the same command again: frostline data fetch {}{into}", source.name)
            };
            // One hint a line.
            let mut hints = Vec::new();
            if let Ok(part) = download::part(&target).metadata() {
                hints.push(format!("{} are here; the same command goes on from there", size(part.len())));
            }
            hints.push(format!("by hand: put {} into {}{again}", names.join(", "), folder.display()));
            hints.push(source.by_hand.to_owned());
            Error::environment(text, Some(hints.join("\n  hint: ")))
        }
    }
}

fn unpacking(error: &UnpackError, source: &Source) -> Error {
    let text = error.to_string();
    match error {
        UnpackError::Disk { .. } => Error::environment(text, None),
        UnpackError::Archive { .. } => Error::user(text, "remove it and fetch it again"),
        UnpackError::Nothing { .. } => Error::user(text, source.by_hand),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn every_source_is_complete() {
        for source in SOURCES {
            assert!(!source.mirrors.is_empty() && !source.files.is_empty(), "{}", source.name);
            for file in source.files {
                assert!(file.bytes > 0 && file.sha256.len() == 64, "{}", file.name);
                assert!(file.sha256.bytes().all(|byte| byte.is_ascii_hexdigit() && !byte.is_ascii_uppercase()));
            }
        }
    }

    #[test]
    fn configurations_look_where_the_files_go() {
        for name in ["mnist", "fashion-mnist"] {
            let config = format!("{}/config/{name}.toml", env!("CARGO_MANIFEST_DIR"));
            let plan = crate::plan::Plan::load(Path::new(&config), &[]).unwrap();
            let data::SourceSpec::Idx { places, .. } = plan.data.source else { panic!("{name}") };
            let into = Path::new(env!("CARGO_MANIFEST_DIR")).join(sources::find(name).unwrap().into);
            assert!(places.contains(&into), "{places:?} lacks {}", into.display());
        }
    }

    #[test]
    fn the_list_says_what_comes_where() {
        assert_eq!(
            list(),
            "NAME               SIZE  WHAT\n\
             mnist           11.6 MB  handwritten digits, 60,000 and 10,000 (into data/mnist)\n\
             fashion-mnist   30.9 MB  pictures of clothes, 60,000 and 10,000 (into data/fashion-mnist)\n\
             cats-vs-dogs   824.9 MB  photographs of cats and dogs, 25,000 (into data/cats-vs-dogs)"
        );
    }
}
