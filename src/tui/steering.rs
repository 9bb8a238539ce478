//! Actions that ask something of the engine.

use super::{
    figures,
    model::{Model, Tone},
    prompt::Prompt,
    update::Effect,
};
use crate::command::{Command, HeldOut};

/// Sends `command`; it is pending until it is answered.
pub fn send(model: &mut Model, command: Command) -> Vec<Effect> {
    model.view.notice = None;
    model.view.pending.asked(command.clone());
    vec![Effect::Send(command)]
}

/// As a key would: what ends the run is asked for once more.
pub fn ask_or_send(model: &mut Model, command: Command) -> Vec<Effect> {
    match command {
        Command::Stop => ask_to_stop(model),
        Command::Abort => ask_to_abort(model),
        Command::Undo => ask_to_undo(model),
        command => send(model, command),
    }
}

pub fn pause(model: &mut Model) -> Vec<Effect> {
    send(model, Command::Pause)
}

pub fn go_on(model: &mut Model) -> Vec<Effect> {
    send(model, Command::Resume)
}

pub fn step(model: &mut Model) -> Vec<Effect> {
    send(model, Command::Step { steps: 1 })
}

pub fn epoch(model: &mut Model) -> Vec<Effect> {
    send(model, Command::Epoch)
}

pub fn checkpoint(model: &mut Model) -> Vec<Effect> {
    send(model, Command::Checkpoint)
}

pub fn freeze(model: &mut Model) -> Vec<Effect> {
    let chosen = &model.run.layers[model.chosen_layers()];
    let Some(first) = chosen.first() else { return Vec::new() };
    let own = || chosen.iter().filter(|layer| layer.info.parameters > 0);
    // A block of which a part is frozen is frozen whole.
    let frozen = own().all(|layer| layer.frozen);
    let layers: Vec<String> =
        own().filter(|layer| layer.frozen == frozen).map(|layer| layer.info.name.clone()).collect();
    if layers.is_empty() {
        let text = format!("{} has no parameters to freeze", first.info.name);
        model.notify(Tone::Bad, text);
        return Vec::new();
    }
    send(model, if frozen { Command::Unfreeze { layers } } else { Command::Freeze { layers } })
}

pub fn frost_line(model: &mut Model) -> Vec<Effect> {
    let Some(last) = model.chosen_layers().next_back() else { return Vec::new() };
    let name = model.run.layers[last].info.name.clone();
    let (below, above) = model.run.layers.split_at(last + 1);
    let own = |l: &&crate::state::Layer| l.info.parameters > 0;
    if !below.iter().any(|l| own(&l)) {
        model.notify(Tone::Bad, format!("nothing up to {name} has parameters to freeze"));
        return Vec::new();
    }
    let here = below.iter().filter(own).all(|l| l.frozen) && above.iter().filter(own).all(|l| !l.frozen);
    send(model, Command::FrostLine { layer: if here { None } else { Some(name) } })
}

pub fn halve(model: &mut Model) -> Vec<Effect> {
    scale_rate(model, 0.5)
}

pub fn double(model: &mut Model) -> Vec<Effect> {
    scale_rate(model, 2.0)
}

fn scale_rate(model: &mut Model, factor: f64) -> Vec<Effect> {
    send(model, Command::ScaleRate { factor, layers: Vec::new() })
}

pub fn type_rate(model: &mut Model) -> Vec<Effect> {
    let before = model.learning_rate().map_or_else(|| "unknown".into(), figures::rate);
    model.view.prompt = Some(Prompt::Rate { typed: String::new(), before, error: None });
    Vec::new()
}

pub fn ask_to_end_phase(model: &mut Model) -> Vec<Effect> {
    model.view.prompt = Some(Prompt::EndPhase);
    Vec::new()
}

pub fn type_phase(model: &mut Model) -> Vec<Effect> {
    model.view.prompt = Some(Prompt::Phase { typed: String::new(), error: None });
    Vec::new()
}

pub fn ask_to_stop(model: &mut Model) -> Vec<Effect> {
    model.view.prompt = Some(Prompt::Stop);
    Vec::new()
}

pub fn ask_to_undo(model: &mut Model) -> Vec<Effect> {
    model.view.prompt = Some(Prompt::Undo);
    Vec::new()
}

pub fn ask_to_abort(model: &mut Model) -> Vec<Effect> {
    model.view.prompt = Some(Prompt::Abort);
    Vec::new()
}

pub fn measure(model: &mut Model) -> Vec<Effect> {
    send(model, Command::Evaluate { split: HeldOut::Validation })
}

pub fn schedule(model: &mut Model) -> Vec<Effect> {
    send(model, Command::Schedule { layers: Vec::new() })
}

pub fn revive(model: &mut Model) -> Vec<Effect> {
    if model.view.host.is_none() {
        model.notify(Tone::Plain, "starting the engine from the last checkpoint");
    }
    vec![Effect::Resume]
}
