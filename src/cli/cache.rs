//! `frostline cache`: what is kept between runs, decoded images and frozen layers' outputs, and getting rid of it.

use std::time::{Duration, SystemTime};

use clap::{Args, Subcommand, ValueEnum};
use jiff::{Timestamp, tz::TimeZone};

use super::{Exit, output::Output};
use crate::{
    data::{self, CacheContent, CacheEntry},
    error::{Error, Result},
    text::{figures, guard},
};

#[derive(Args, Debug)]
pub struct CacheArgs {
    #[command(subcommand)]
    task: Task,
}

#[derive(Subcommand, Debug)]
enum Task {
    /// List the files, the one that was used last first
    List {
        /// Print one JSON object a line
        #[arg(long)]
        json: bool,
    },
    /// Remove files; runs that use them go on, and make them anew the next time
    Clear {
        /// Only files of this kind
        #[arg(long, value_enum)]
        only: Option<Kind>,
        /// Only files that were not used for so many days
        #[arg(long, value_name = "DAYS")]
        unused_for: Option<u32>,
    },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Kind {
    /// Images at the network's size
    Decoded,
    /// What frozen layers make of images
    Features,
}

#[derive(serde::Serialize)]
struct Line<'a> {
    path: &'a str,
    content: CacheContent,
    bytes: u64,
    records: u64,
    filled: u64,
    record_bytes: u64,
    used_at_ms: u64,
    about: &'a str,
}

pub fn run(args: &CacheArgs, out: &mut Output) -> Result<Exit> {
    let entries = data::cache_entries()
        .map_err(|error| Error::environment(format!("cannot look through the cache: {error}"), None))?;
    match &args.task {
        Task::List { json: true } => entries.iter().try_for_each(|entry| json(entry, out))?,
        Task::List { json: false } => out.line(&listed(&entries, &TimeZone::system()))?,
        Task::Clear { only, unused_for } => out.line(&cleared(&entries, *only, *unused_for)?)?,
    }
    Ok(Exit::DONE)
}

fn json(entry: &CacheEntry, out: &mut Output) -> Result<()> {
    out.json(&Line {
        path: &entry.path.to_string_lossy(),
        content: entry.content,
        bytes: entry.bytes,
        records: entry.room,
        filled: entry.filled,
        record_bytes: entry.record_bytes,
        used_at_ms: entry.used.duration_since(SystemTime::UNIX_EPOCH).map_or(0, |since| since.as_millis() as u64),
        about: &entry.about,
    })
}

fn listed(entries: &[CacheEntry], zone: &TimeZone) -> String {
    if entries.is_empty() {
        return "nothing is kept between runs".to_owned();
    }
    let header = ["KIND", "LAST USED", "RECORDS", "EACH", "ON DISK", "WHAT"].map(str::to_owned);
    let rows: Vec<[String; 6]> = std::iter::once(header).chain(entries.iter().map(|entry| row(entry, zone))).collect();
    let width = |column: usize| rows.iter().map(|row| guard::width(&row[column])).max().unwrap_or(0);
    let widths: [usize; 6] = std::array::from_fn(width);
    let mut lines: Vec<String> = rows
        .iter()
        .map(|[kind, used, numbers @ .., what]| {
            let mut line = format!("{kind:0$}  {used:1$}", widths[0], widths[1]);
            for (number, &width) in numbers.iter().zip(&widths[2..]) {
                line.push_str("  ");
                line.push_str(&guard::column_right(number, width, ""));
            }
            format!("{line}  {what}")
        })
        .collect();
    let total = entries.iter().map(|entry| entry.bytes).sum();
    let mut folders: Vec<String> =
        entries.iter().filter_map(|entry| entry.path.parent()).map(|path| path.display().to_string()).collect();
    folders.sort();
    folders.dedup();
    lines.push(format!("{} in {}", size(total), folders.join(" and ")));
    lines.join("\n")
}

fn row(entry: &CacheEntry, zone: &TimeZone) -> [String; 6] {
    let used = Timestamp::try_from(entry.used)
        .map_or_else(|_| "-".into(), |at| at.to_zoned_datetime(zone.clone()).strftime("%Y-%m-%d %H:%M").to_string());
    let records = match (entry.filled, entry.room) {
        (filled, room) if filled == room => figures::count(room),
        (filled, room) => format!("{} of {}", figures::count(filled), figures::count(room)),
    };
    let kind = entry.content.name().to_owned();
    [kind, used, records, size(entry.record_bytes), size(entry.bytes), guard::clean(&entry.about).into_owned()]
}

fn cleared(entries: &[CacheEntry], only: Option<Kind>, unused_for: Option<u32>) -> Result<String> {
    let is_of_kind = |entry: &CacheEntry| match only {
        None => true,
        Some(Kind::Decoded) => entry.content == CacheContent::Decoded,
        Some(Kind::Features) => entry.content == CacheContent::Features,
    };
    let oldest = unused_for.map(|days| Duration::from_secs(u64::from(days) * 24 * 60 * 60));
    let (mut files, mut bytes) = (0, 0);
    for entry in entries.iter().filter(|entry| is_of_kind(entry)) {
        if oldest.is_some_and(|oldest| entry.used.elapsed().is_ok_and(|since| since < oldest)) {
            continue;
        }
        match std::fs::remove_file(&entry.path) {
            Ok(()) => {}
            // It made way for another in the meantime.
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => continue,
            Err(error) => {
                let error = format!("cannot remove {}: {error}", entry.path.display());
                return Err(Error::environment(error, None));
            }
        }
        files += 1;
        bytes += entry.bytes;
    }
    Ok(match files {
        0 => "nothing to remove".to_owned(),
        1 => format!("1 file removed, {}", size(bytes)),
        _ => format!("{} files removed, {}", figures::count(files), size(bytes)),
    })
}

/// `896 B`, `32.8 kB`, `65.5 MB`.
fn size(bytes: u64) -> String {
    match bytes {
        0..1_000 => format!("{bytes} B"),
        1_000..1_000_000 => format!("{:.1} kB", bytes as f64 / 1e3),
        1_000_000..1_000_000_000 => format!("{:.1} MB", bytes as f64 / 1e6),
        _ => format!("{:.2} GB", bytes as f64 / 1e9),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(content: CacheContent, filled: u64, about: &str) -> CacheEntry {
        CacheEntry {
            path: format!("/cache/{about}").into(),
            content,
            bytes: filled * 32_768 + 40_000,
            used: SystemTime::UNIX_EPOCH + Duration::from_secs(1_796_000_000),
            room: 2000,
            filled,
            record_bytes: 32_768,
            about: about.into(),
        }
    }

    #[test]
    fn the_table_lines_up() {
        let entries = [
            entry(CacheContent::Features, 2000, "vgg16 up to flatten: cat.0.jpg and 1999 more"),
            entry(CacheContent::Decoded, 17, "a\u{1b}[2Jb"),
        ];
        let lines = listed(&entries, &TimeZone::UTC);
        assert_eq!(
            lines.lines().collect::<Vec<_>>(),
            [
                "KIND      LAST USED             RECORDS     EACH   ON DISK  WHAT",
                "features  2026-11-30 00:53        2,000  32.8 kB   65.6 MB  vgg16 up to flatten: cat.0.jpg and 1999 more",
                "decoded   2026-11-30 00:53  17 of 2,000  32.8 kB  597.1 kB  a\\x1b[2Jb",
                "66.2 MB in /cache",
            ]
        );
    }

    #[test]
    fn an_empty_cache_is_said_so() {
        assert_eq!(listed(&[], &TimeZone::UTC), "nothing is kept between runs");
        assert_eq!(cleared(&[], None, None).unwrap_or_default(), "nothing to remove");
    }
}
