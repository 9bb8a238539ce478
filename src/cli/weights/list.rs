//! `frostline weights list`: which ImageNet weights are here, which can be fetched, and what else lies in the folder.

use std::path::{Path, PathBuf};

use clap::Args;

use super::Place;
use crate::{
    cli::{Exit, output::Output, table},
    error::Result,
    weights::{Shelf, catalogue},
};

#[derive(Args, Debug)]
pub struct ListArgs {
    /// Print one JSON object a line
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    place: Place,
}

/// One set of weights.
#[derive(Debug, serde::Serialize)]
struct Row {
    name: String,
    /// `None`: not here.
    path: Option<PathBuf>,
    bytes: Option<u64>,
    /// `owner/name` on the hub.
    repository: Option<&'static str>,
    about: &'static str,
}

pub fn run(args: &ListArgs, out: &mut Output) -> Result<Exit> {
    let shelf = args.place.shelf();
    let rows = rows(&shelf);
    if args.json {
        for row in &rows {
            out.json(row)?;
        }
        return Ok(Exit::DONE);
    }
    out.line(&text(&rows))?;
    Ok(Exit::DONE)
}

fn rows(shelf: &Shelf) -> Vec<Row> {
    let mut rows: Vec<Row> = catalogue::REMOTES
        .iter()
        .map(|remote| {
            let path = shelf.find(remote.architecture).ok();
            let name = remote.architecture.name().to_owned();
            Row { name, bytes: bytes(path.as_deref()), path, repository: Some(remote.repository), about: remote.about }
        })
        .collect();
    let mut others: Vec<PathBuf> = std::fs::read_dir(shelf.folder())
        .map(|entries| entries.flatten().map(|entry| entry.path()).collect())
        .unwrap_or_default();
    others.retain(|path| path.is_file() && is_weights(path) && !rows.iter().any(|row| row.path.as_ref() == Some(path)));
    others.sort();
    rows.extend(others.into_iter().map(|path| {
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        Row { name, bytes: bytes(Some(&path)), path: Some(path), repository: None, about: "" }
    }));
    rows
}

fn is_weights(path: &Path) -> bool {
    let ending = path.extension().and_then(|ending| ending.to_str()).unwrap_or_default();
    matches!(ending, "safetensors" | "pth" | "pt" | "bin" | "h5" | "hdf5" | "keras")
}

fn bytes(path: Option<&Path>) -> Option<u64> {
    Some(path?.metadata().ok()?.len())
}

fn text(rows: &[Row]) -> String {
    let header = ["NAME", "SIZE"].map(str::to_owned).to_vec();
    let cells = rows.iter().map(|row| vec![row.name.clone(), row.bytes.map_or_else(|| "-".into(), table::size)]);
    let lined_up = table::table(&std::iter::once(header).chain(cells).collect::<Vec<_>>());
    let places = rows.iter().map(|row| match (&row.path, row.repository) {
        (Some(path), _) => path.display().to_string(),
        (None, Some(repository)) => {
            format!("not here: frostline weights pull {} ({}, {repository})", row.name, row.about)
        }
        (None, None) => String::new(),
    });
    let lines = lined_up.lines().zip(std::iter::once("WHERE".to_owned()).chain(places));
    lines.map(|(cells, place)| format!("{cells}  {place}")).collect::<Vec<_>>().join("\n")
}
