//! `frostline ctl`: one command to a run from the shell, and its answer as text and exit code. The same requests as the
//! dashboard's keys.

use clap::{Arg, ArgAction, ArgMatches, Args, FromArgMatches, Subcommand, value_parser};

use super::{Exit, Place, block_on, hint, output::Output, report, viewer};
use crate::{
    command::{Argument, Command, VERBS, Verb},
    config::Phase,
    error::{Class, Error, Result},
    event::{Event, Outcome},
    run::RunDir,
    wire::{
        self, ServerMessage,
        client::{Connection, From},
    },
};

#[derive(Args, Debug)]
pub struct CtlArgs {
    /// The run: its name, a unique part of it, a path, or `last`
    run: String,
    #[command(subcommand)]
    words: Words,
    #[command(flatten)]
    place: Place,
}

/// A command as it was typed. The table of verbs says which there are; here it becomes subcommands, for help and completions.
#[derive(Debug)]
struct Words {
    line: String,
    /// Of `stop`: until the run has ended.
    wait: bool,
}

/// Behind a verb, by place; and `--layers`.
const BEHIND: &str = "argument";
const OF_LAYERS: &str = "layers";
const WAIT: &str = "wait";

impl Subcommand for Words {
    fn augment_subcommands(mut command: clap::Command) -> clap::Command {
        let group = |verb: &Verb| verb.name.split_once(' ').map(|(group, _)| group);
        for (at, verb) in VERBS.iter().enumerate() {
            let Some(name) = group(verb) else {
                command = command.subcommand(described(verb.name, verb));
                continue;
            };
            // The first of a group brings all of it.
            if !VERBS[..at].iter().any(|before| group(before) == Some(name)) {
                let of_group = VERBS.iter().filter(|other| group(other) == Some(name));
                let own: Vec<&str> = of_group.clone().map(|verb| &verb.name[name.len() + 1..]).collect();
                let whole = clap::Command::new(name).about(format!("Of a {name}: {}", own.join(", ")));
                let subcommands = of_group.map(|verb| described(&verb.name[name.len() + 1..], verb));
                command = command.subcommand(whole.subcommand_required(true).subcommands(subcommands));
            }
        }
        command.subcommand_required(true)
    }

    fn augment_subcommands_for_update(command: clap::Command) -> clap::Command {
        Self::augment_subcommands(command)
    }

    fn has_subcommand(name: &str) -> bool {
        VERBS.iter().any(|verb| verb.name.split(' ').next() == Some(name))
    }
}

impl FromArgMatches for Words {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, clap::Error> {
        let mut words: Vec<String> = Vec::new();
        let mut matches = matches;
        while let Some((name, inner)) = matches.subcommand() {
            words.push(name.to_owned());
            matches = inner;
        }
        let given = |name| matches.try_get_many::<String>(name).ok().flatten().into_iter().flatten().cloned();
        words.extend(given(BEHIND));
        if given(OF_LAYERS).next().is_some() {
            words.push(format!("--{OF_LAYERS}"));
            words.extend(given(OF_LAYERS));
        }
        let wait = matches.try_get_one::<bool>(WAIT).ok().flatten() == Some(&true);
        Ok(Self { line: words.join(" "), wait })
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), clap::Error> {
        *self = Self::from_arg_matches(matches)?;
        Ok(())
    }
}

fn described(name: &'static str, verb: &Verb) -> clap::Command {
    let mut command = clap::Command::new(name).about(verb.help);
    for &argument in verb.arguments {
        command = command.arg(taken(argument));
    }
    if name == "stop" {
        let wait = Arg::new(WAIT).long(WAIT).action(ArgAction::SetTrue);
        command = command.arg(wait.help("Wait until the run has ended"));
    }
    command
}

fn taken(argument: Argument) -> Arg {
    let of_layers = argument == Argument::OfLayers;
    let arg = Arg::new(if of_layers { OF_LAYERS } else { BEHIND }).value_parser(value_parser!(String));
    let arg = arg.required(!of_layers);
    match argument {
        Argument::Layers => arg.value_name("LAYER").num_args(1..),
        Argument::OfLayers => arg
            .long(OF_LAYERS)
            .value_name("LAYER")
            .num_args(1..)
            .help("Of these layers alone; 'block5_*' means all that begin so"),
        Argument::LayerOrNone => arg.value_name("LAYER|none"),
        Argument::OneOf(words) => arg.value_parser(words.to_vec()),
        // Whether it is a number, and one that makes sense, is for the reader of the line to say.
        Argument::Number(word) | Argument::Count(word) => arg.value_name(word).allow_negative_numbers(true),
        Argument::Text(word) => arg.value_name(word).num_args(1..),
    }
}

pub fn run(args: &CtlArgs, out: &mut Output) -> Result<Exit> {
    let command: Command = args.words.line.parse()?;
    if let Command::InsertPhase { phase } = &command {
        Phase::parse(phase)?;
    }
    let run = args.place.find(&args.run)?;
    block_on(async {
        // What was said before cannot be the answer.
        let connection = viewer::local(&run, None, From::Event(viewer::NEWS)).await?;
        if !connection.welcome.live {
            return Err(Error::user(
                format!("{} has no engine that could {command}", run.name()),
                format!("go on with it by `{}`", hint::resume(&run)),
            ));
        }
        let measures = matches!(command, Command::Evaluate { .. });
        let id = connection.sender.request(command);
        let next = connection.welcome.head;
        let mut listener = Listener { run: &run, connection, next };
        await_answer(&mut listener, id, out).await?;
        if measures {
            await_figures(&mut listener, out).await?;
        }
        if args.words.wait {
            await_end(&mut listener, out).await?;
        }
        Ok(Exit::DONE)
    })
}

async fn await_answer(listener: &mut Listener<'_>, id: u64, out: &mut Output) -> Result<()> {
    let answer = |event| match event {
        Event::Answered(answered) if answered.id == id => Some(Some(answered)),
        Event::RunEnded(_) => Some(None),
        _ => None,
    };
    let Some(Some(answered)) = listener.find(answer).await? else {
        return Err(Error::environment(
            format!("{} ended before it answered", listener.run.name()),
            Some(format!("`{}` shows how", hint::attach(listener.run))),
        ));
    };
    match &answered.outcome {
        Outcome::Applied => out.line(&report::answer(&answered)),
        Outcome::Rejected { reason } => {
            Err(Error::reported(Class::User, format!("{}: rejected: {reason}", answered.request), None))
        }
    }
}

async fn await_figures(listener: &mut Listener<'_>, out: &mut Output) -> Result<()> {
    let figures = |event| match event {
        Event::Measured(measured) => Some(Some(measured)),
        Event::RunEnded(_) => Some(None),
        _ => None,
    };
    match listener.find(figures).await?.flatten() {
        Some(measured) => out.line(&report::measurement(&measured)),
        None => Err(Error::environment(format!("{} ended before it was measured", listener.run.name()), None)),
    }
}

async fn await_end(listener: &mut Listener<'_>, out: &mut Output) -> Result<()> {
    let ended = listener.find(|event| if let Event::RunEnded(ended) = event { Some(ended) } else { None }).await?;
    let Some(ended) = ended else { return Err(super::engine::died(listener.run, None)) };
    if let Some(line) = report::Reporter::default().line(&Event::RunEnded(ended.clone())) {
        out.line(&line)?;
    }
    report::verdict(&ended)
}

/// Waits for an event. The engine waits for nobody when it ends, so what it said last is looked up in the journal.
struct Listener<'a> {
    run: &'a RunDir,
    connection: Connection,
    /// The first event that has not come yet.
    next: u64,
}

impl Listener<'_> {
    async fn find<T>(&mut self, look: impl Fn(Event) -> Option<T>) -> Result<Option<T>> {
        loop {
            let live = self.connection.welcome.live;
            match self.connection.receiver.next().await {
                Ok(Some(ServerMessage::Event(stamped))) => {
                    self.next = stamped.seq + 1;
                    if let Some(found) = look(stamped.event) {
                        return Ok(Some(found));
                    }
                }
                Ok(Some(ServerMessage::UpToDate)) if !live => return Ok(None),
                Ok(Some(_)) => {}
                Ok(None) | Err(wire::Error::Io(_)) if live => {
                    // It may still be writing; and another may have taken the run up.
                    self.connection = viewer::local(self.run, None, From::Event(self.next)).await?;
                }
                Ok(None) => return Ok(None),
                Err(error) => return Err(error.into()),
            }
        }
    }
}
