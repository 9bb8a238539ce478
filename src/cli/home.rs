//! `frostline` alone on a terminal: the home screen, the dashboards that it opens, and back. Reads the runs again while it is shown, and
//! deletes those that it is asked to.

use std::{
    collections::HashMap,
    fs,
    io::{IsTerminal as _, stdin, stdout},
    path::{Path, PathBuf},
    time::Duration,
};

use clap::Args;
use tokio::{
    sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel},
    time::interval,
};

use super::{Exit, Place, block_on, dashboard, train, ui::UiArgs};
use crate::{
    error::{Error, Result},
    plan::Plan,
    run::{self, EngineLock, RunDir, Standing, Summary},
    tui::{
        Appearance, Settings, Why,
        home::{self, Choice, Configuration, HomeSession, Leaving, Listing, Mark, Tell},
    },
};

/// How often runs are looked at: an epoch more is soon enough.
const LOOK: Duration = Duration::from_secs(2);

/// Configurations that need no files, so that they can be brought along.
const BUILT_IN: [(&str, &str); 3] = [
    ("demo", include_str!("../../config/demo.toml")),
    ("critters", include_str!("../../config/critters.toml")),
    ("critters-augmented", include_str!("../../config/critters-augmented.toml")),
];

/// What can be said without a command.
#[derive(Args, Clone, Debug)]
pub struct HomeArgs {
    #[command(flatten)]
    ui: UiArgs,
    #[command(flatten)]
    place: Place,
}

/// Whether there is a person to look at it.
pub fn can_be_shown() -> bool {
    stdin().is_terminal() && stdout().is_terminal()
}

pub fn run(args: &HomeArgs) -> Result<Exit> {
    let settings = args.ui.load()?;
    block_on(stay(&args.place.runs, &settings))
}

/// Home, a dashboard, home again, until it is left.
async fn stay(root: &Path, settings: &Settings) -> Result<Exit> {
    let (mut said, mut last) = (None, None);
    loop {
        let (tell, incoming) = unbounded_channel();
        let (delete, deletions) = unbounded_channel();
        let listing = tokio::spawn(keep_listing(root.to_owned(), tell, deletions));
        let appearance = Appearance::detect(|name| std::env::var(name).ok());
        let (settings, run) = (settings.clone(), last.take());
        let session = HomeSession { appearance, settings: settings.clone(), said: said.take(), run, incoming, delete };
        let leaving = home::run(session).await;
        listing.abort();
        let place = match leaving? {
            Leaving::Asked | Leaving::Signal => return Ok(Exit::DONE),
            Leaving::Open(Choice::Run(name)) => RunDir::open(&root.join(name))
                .map(|run| dashboard::Place::Here { run, engine: dashboard::Engine::Theirs })
                .map_err(Error::from),
            Leaving::Open(Choice::Configuration(name)) => {
                begin(root, &name).map(|run| dashboard::Place::Here { run, engine: dashboard::Engine::ToStart })
            }
        };
        let place = match place {
            Ok(place) => place,
            Err(error) => {
                said = Some((one_line(&error), true));
                continue;
            }
        };
        if let dashboard::Place::Here { run, .. } = &place {
            last = Some(run.name());
        }
        let visit = dashboard::visit(place, settings).await?;
        if visit.why == Why::Signal {
            return Ok(Exit::DONE);
        }
        said = Some(match visit.said {
            Ok(words) => (words, false),
            Err(error) => (one_line(&error), true),
        });
    }
}

/// The error and its hint.
fn one_line(error: &Error) -> String {
    let message = error.message().lines().collect::<Vec<_>>().join(" ");
    error.hint().map_or(message.clone(), |hint| format!("{message} ({hint})"))
}

/// A run directory for the configuration of this name, with everything checked that `frostline train` checks.
fn begin(root: &Path, name: &str) -> Result<RunDir> {
    let plan = match BUILT_IN.iter().find(|(known, _)| *known == name) {
        Some((known, text)) => Plan::parse(text, &format!("{known}.toml"), &[])?,
        None => Plan::load(Path::new(name), &[])?,
    };
    train::create(&plan, &Place { runs: root.to_owned() })
}

/// Tells what there is, again and again, and deletes in between.
async fn keep_listing(root: PathBuf, tell: UnboundedSender<Tell>, mut deletions: UnboundedReceiver<String>) {
    let mut known = Known::default();
    let mut look = interval(LOOK);
    let mut told = None;
    loop {
        let deletion = tokio::select! {
            _ = look.tick() => None,
            name = deletions.recv() => match name {
                Some(name) => Some(name),
                None => return,
            },
        };
        let root = root.clone();
        // Journals are read beside the screen, which goes on answering keys.
        let read = tokio::task::spawn_blocking(move || {
            let trouble = deletion.and_then(|name| delete(&root, &name).err()).map(|error| one_line(&error));
            let listing = known.listing(&root);
            (known, trouble, listing)
        });
        let Ok((kept, trouble, listing)) = read.await else { return };
        known = kept;
        let news = match listing {
            Ok(listing) if told.as_ref() != Some(&listing) => {
                told = Some(listing.clone());
                Some(Tell::Listing(listing))
            }
            Ok(_) => None,
            Err(error) => Some(Tell::Trouble(one_line(&error))),
        };
        for news in news.into_iter().chain(trouble.map(Tell::Trouble)) {
            if tell.send(news).is_err() {
                return;
            }
        }
    }
}

fn delete(root: &Path, name: &str) -> Result<()> {
    let run = RunDir::open(&root.join(name))?;
    // Held while the files go, so that no engine begins in between.
    let _lock = EngineLock::acquire(&run)?;
    Ok(run.delete()?)
}

/// What was read of runs, with the length of their journals then: most have ended, and change no more.
#[derive(Default)]
struct Known(HashMap<PathBuf, (u64, bool, Summary)>);

impl Known {
    fn listing(&mut self, root: &Path) -> Result<Listing> {
        let mut runs = Vec::new();
        for run in run::list(root)?.into_iter().rev() {
            let length = fs::metadata(run.journal()).map_or(0, |file| file.len());
            let held = EngineLock::holder(&run).is_ok_and(|holder| holder.is_some());
            let key = run.path().to_owned();
            let fresh = self.0.get(&key).filter(|(then, was_held, _)| (*then, *was_held) == (length, held));
            let summary = match fresh {
                Some((_, _, summary)) => summary.clone(),
                // One damaged run must not hide the others.
                None => match run::summarise(&run) {
                    Ok(summary) => summary,
                    Err(_) => continue,
                },
            };
            runs.push(entry(&summary));
            self.0.insert(key, (length, held, summary));
        }
        runs.sort_by_key(|run| !run.mark.is_live());
        Ok(Listing { runs, configurations: configurations(Path::new("config")) })
    }
}

fn entry(summary: &Summary) -> home::Run {
    home::Run {
        name: summary.run.clone(),
        mark: match summary.standing {
            Standing::Running => Mark::Live,
            Standing::Paused => Mark::Paused,
            Standing::Completed => Mark::Done,
            Standing::Stopped => Mark::Stopped,
            Standing::Failed => Mark::Failed,
            Standing::Interrupted => Mark::Cut,
            Standing::New => Mark::New,
        },
        state: summary.standing.to_string(),
        model: summary.model.clone(),
        epoch: summary.epoch,
        epochs: summary.epochs,
        best_validation_accuracy: summary.best_validation_accuracy,
        test_accuracy: summary.test_accuracy,
        loss: summary.losses.clone(),
        latest_at_ms: summary.latest_at_ms,
    }
}

/// Those of the folder, by name, then those that are brought along.
fn configurations(folder: &Path) -> Vec<Configuration> {
    let files = fs::read_dir(folder).into_iter().flatten().filter_map(|entry| Some(entry.ok()?.path()));
    let mut found: Vec<Configuration> = files
        .filter(|path| path.extension().is_some_and(|ending| ending == "toml"))
        .filter(|path| !["ui.toml", "reference.toml"].iter().any(|other| path.ends_with(other)))
        .filter_map(|path| {
            let about = about(&fs::read_to_string(&path).ok()?);
            Some(Configuration { name: path.to_str()?.to_owned(), about })
        })
        .collect();
    found.sort_by(|a, b| a.name.cmp(&b.name));
    let built_in = BUILT_IN.iter().filter(|(name, _)| !folder.join(format!("{name}.toml")).exists());
    found.extend(built_in.map(|(name, text)| Configuration { name: (*name).to_owned(), about: about(text) }));
    found
}

/// The comment with which a configuration begins, on one line.
fn about(text: &str) -> String {
    let lines = text.lines().map_while(|line| line.strip_prefix('#')).map(str::trim);
    lines.collect::<Vec<_>>().join(" ").trim().to_owned()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn configurations_are_told_by_their_first_comment() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("b.toml"), "# Small\n#  and quick.\n\n# more\n[data]\n").unwrap();
        fs::write(folder.path().join("demo.toml"), "[data]\n").unwrap();
        fs::write(folder.path().join("ui.toml"), "").unwrap();
        let found = configurations(folder.path());
        let names: Vec<&str> = found.iter().map(|each| each.name.rsplit('/').next().unwrap()).collect();
        assert_eq!(names, ["b.toml", "demo.toml", "critters", "critters-augmented"]);
        assert_eq!((found[0].about.as_str(), found[1].about.as_str()), ("Small and quick.", ""));
        assert!(found[2].about.starts_with("The chapter's experiment"), "{}", found[2].about);
    }

    #[test]
    fn what_is_brought_along_can_be_started() {
        for (name, text) in BUILT_IN {
            Plan::parse(text, &format!("{name}.toml"), &[]).unwrap();
        }
    }

    #[test]
    fn a_run_is_deleted_whole_and_only_if_no_engine_holds_it() {
        let root = tempfile::tempdir().unwrap();
        let now = jiff::civil::date(2026, 1, 1).at(0, 0, 0, 0);
        let run = RunDir::create(root.path(), "a", "", now).unwrap();
        let lock = EngineLock::acquire(&run).unwrap();
        assert!(delete(root.path(), &run.name()).is_err() && run.config().exists());
        drop(lock);
        delete(root.path(), &run.name()).unwrap();
        assert!(!run.path().exists() && root.path().exists());
        assert!(delete(root.path(), "nothing").is_err());
    }
}
