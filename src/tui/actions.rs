//! The table of everything a key can do. Dispatch, the footer, the `?` page and `docs/keys.md` are made from it.

use crossterm::event::KeyCode;

use super::{
    alarms, command_line, curves, judging,
    keys::Chord,
    lens, logbook,
    model::{Connection, Model},
    page::Page,
    prompt::Prompt,
    steering, tree,
    update::Effect,
    viewing,
};

pub struct Action {
    /// By which `ui.toml` binds keys to it; actions that one key stands for in turn share it.
    pub name: &'static str,
    /// Unless the user has bound others.
    pub keys: &'static [Chord],
    pub group: Group,
    /// A sentence for the `?` page.
    pub help: &'static str,
    /// A word for the footer; without one it is not there.
    pub hint: Option<&'static str>,
    pub when: When,
    pub effect: fn(&mut Model) -> Vec<Effect>,
}

impl Action {
    /// Whether both may apply at the same time, so that a key of both would be ambiguous.
    pub fn clashes(&self, other: &Self) -> bool {
        let apart = [(When::Running, When::Paused), (When::Detached, When::Over), (When::Revivable, When::Cut)];
        let excluded = apart.contains(&(self.when, other.when)) || apart.contains(&(other.when, self.when));
        // What a page has of its own comes first.
        !excluded && self.when.page() == other.when.page()
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Group {
    Steer,
    Curves,
    /// On the pages of layers, mistakes, the machine and alarms.
    Pages,
    Look,
    Move,
    Leave,
}

impl Group {
    pub const ALL: [Self; 6] = [Self::Steer, Self::Look, Self::Curves, Self::Pages, Self::Move, Self::Leave];

    pub fn title(self) -> &'static str {
        match self {
            Self::Steer => "Steer the run",
            Self::Look => "Look inside",
            Self::Curves => "On the page of curves",
            Self::Pages => "On the pages of layers, mistakes, the machine and alarms",
            Self::Move => "Find your way",
            Self::Leave => "Leave",
        }
    }
}

/// Where an action applies. Two actions may share a key if they never apply together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum When {
    Always,
    /// On this page, where it comes before what the key does elsewhere.
    OnCurves,
    OnLayers,
    OnMistakes,
    OnMachine,
    OnAlarms,
    /// A step went wrong.
    Alarmed,
    /// An engine is there to obey.
    Steering,
    Running,
    Paused,
    /// There is no engine, and this machine can start one: it is gone, or has ended the run before all epochs were done.
    Revivable,
    /// The way to another machine is gone.
    Cut,
    /// Leaving ends nothing: an engine goes on without this screen.
    Detached,
    /// Nothing goes on any more.
    Over,
}

impl When {
    /// The only page on which it applies.
    fn page(self) -> Option<Page> {
        match self {
            Self::OnCurves => Some(Page::Curves),
            Self::OnLayers => Some(Page::Layers),
            Self::OnMistakes => Some(Page::Mistakes),
            Self::OnMachine => Some(Page::Machine),
            Self::OnAlarms => Some(Page::Alarms),
            _ => None,
        }
    }

    /// `Err` says why not, for the person who pressed the key.
    pub fn holds(self, model: &Model) -> Result<(), &'static str> {
        let rule = |holds: bool, why: &'static str| if holds { Ok(()) } else { Err(why) };
        let steering = model.refusal().map_or(Ok(()), Err);
        let here = model.view.host.is_none();
        let lost = matches!(model.connection, Connection::Lost { .. });
        let over = model.run.is_over() || matches!(model.connection, Connection::Lost { .. } | Connection::Replay);
        match self {
            Self::Always => Ok(()),
            Self::OnCurves => rule(model.view.page == Page::Curves, "that is for the page of curves"),
            Self::OnLayers => rule(model.view.page == Page::Layers, "that is for the page of layers"),
            Self::OnMistakes => rule(model.view.page == Page::Mistakes, "that is for the page of mistakes"),
            Self::OnMachine => rule(model.view.page == Page::Machine, "that is for the page of the machine"),
            Self::OnAlarms => rule(model.view.page == Page::Alarms, "that is for the page of alarms"),
            Self::Alarmed => rule(!model.run.alarms.is_empty(), "no step went wrong"),
            Self::Steering => steering,
            Self::Running => steering.and_then(|()| rule(!model.is_pausing(), "the run is paused")),
            Self::Paused => steering.and_then(|()| rule(model.is_pausing(), "the run is not paused")),
            Self::Revivable => rule(here && (lost || model.is_unfinished()), "there is nothing to resume"),
            Self::Cut => rule(!here && lost, "the connection stands"),
            Self::Detached => rule(!over, "nothing is running"),
            Self::Over => rule(over, "the run goes on"),
        }
    }
}

const UP: &[Chord] = &[Chord::key('k'), Chord::code(KeyCode::Up)];
const DOWN: &[Chord] = &[Chord::key('j'), Chord::code(KeyCode::Down)];

macro_rules! action {
    ($group:ident, $keys:expr, $hint:expr, $when:ident, $name:literal, $help:literal, $effect:expr) => {
        Action {
            name: $name,
            keys: $keys,
            group: Group::$group,
            help: $help,
            hint: $hint,
            when: When::$when,
            effect: $effect,
        }
    };
}

/// In the order of the `?` page within their groups; what a page has of its own comes first. The footer takes those with a hint, in this
/// order, as far as they fit.
#[rustfmt::skip]
pub static ACTIONS: &[Action] = &[
    action!(Curves, &[Chord::code(KeyCode::Left)], Some("crosshair"), OnCurves,
        "crosshair-left",
        "The crosshair to the left, which reads values off all charts", |model| curves::move_crosshair(model, -1)),
    action!(Curves, &[Chord::code(KeyCode::Right)], None, OnCurves,
        "crosshair-right",
        "The crosshair to the right", |model| curves::move_crosshair(model, 1)),
    action!(Curves, &[Chord::key('b')], None, OnCurves,
        "crosshair-to-best",
        "The crosshair to the best epoch", curves::crosshair_to_best),
    action!(Curves, &[Chord::key('+'), Chord::key('=')], Some("zoom"), OnCurves,
        "zoom-in",
        "Nearer: half as many steps, around the crosshair or at the end", curves::zoom_in),
    action!(Curves, &[Chord::key('-')], None, OnCurves,
        "zoom-out",
        "Farther: twice as many steps", curves::zoom_out),
    action!(Curves, &[Chord::key('0')], None, OnCurves,
        "whole-run",
        "The whole run, without a crosshair", curves::whole),
    action!(Curves, &[Chord::key(',')], None, OnCurves,
        "pan-left",
        "A quarter of the window to the left", |model| curves::pan(model, -1.0)),
    action!(Curves, &[Chord::key('.')], None, OnCurves,
        "pan-right",
        "A quarter of the window to the right; at the end it follows the run", |model| curves::pan(model, 1.0)),
    action!(Curves, &[Chord::key('y')], None, OnCurves,
        "log-axis",
        "Logarithmic axes, or linear ones", curves::log_axis),
    action!(Curves, &[Chord::key('m')], Some("charts"), OnCurves,
        "pick-charts",
        "Choose the charts", curves::pick_metrics),
    action!(Curves, &[Chord::key('o')], Some("compare"), OnCurves,
        "compare",
        "Choose other runs to draw behind this one", curves::pick_runs),
    action!(Curves, &[Chord::code(KeyCode::Enter)], None, OnCurves,
        "one-chart",
        "The chosen chart alone, or all again", curves::alone),

    action!(Pages, &[Chord::code(KeyCode::Enter), Chord::key(' ')], Some("fold"), OnLayers,
        "fold",
        "Layers: fold the block around the layer, or unfold it", tree::fold),
    action!(Pages, &[Chord::key('o')], None, OnLayers,
        "fold-all",
        "Layers: fold all blocks, or none", tree::fold_all),
    action!(Pages, &[Chord::code(KeyCode::Right)], Some("other list"), OnMistakes,
        "next-list",
        "Mistakes: the next list, of the worst, the confidently wrong, the confused pairs", |model| judging::step_list(model, 1)),
    action!(Pages, &[Chord::code(KeyCode::Left)], None, OnMistakes,
        "previous-list",
        "Mistakes: the list before", |model| judging::step_list(model, -1)),
    action!(Pages, &[Chord::code(KeyCode::Enter)], Some("lens"), OnMistakes,
        "look-at-mistake",
        "Mistakes: the lens on the chosen image", judging::look),
    action!(Pages, &[Chord::key('/')], Some("filter"), OnMachine,
        "filter-log",
        "Machine: type words that lines of the log must have", logbook::type_words),
    action!(Pages, &[Chord::key('w')], Some("level"), OnMachine,
        "log-level",
        "Machine: all lines of the log, warnings and errors, errors", logbook::next_level),

    action!(Pages, &[Chord::code(KeyCode::Left)], Some("earlier"), OnAlarms,
        "previous-alarm",
        "Alarms: the step that went wrong before this one", |model| alarms::step(model, 1)),
    action!(Pages, &[Chord::code(KeyCode::Right)], None, OnAlarms,
        "next-alarm",
        "Alarms: the one after it", |model| alarms::step(model, -1)),
    action!(Pages, &[Chord::code(KeyCode::Enter)], Some("one image"), OnAlarms,
        "one-image",
        "Alarms: the chosen image alone, or all again", alarms::alone),

    action!(Steer, &[Chord::key('p'), Chord::key(' ')], Some("pause"), Running,
        "pause",
        "Pause after the current step; everything stays in memory", steering::pause),
    action!(Steer, &[Chord::key('p'), Chord::key(' ')], Some("resume"), Paused,
        "pause",
        "Go on after a pause", steering::go_on),
    action!(Steer, &[Chord::key(';')], Some("step"), Paused,
        "step",
        "One step, then pause again", steering::step),
    action!(Steer, &[Chord::key('E')], Some("epoch"), Paused,
        "epoch",
        "Go on to the end of this epoch, validation included, then pause again", steering::epoch),
    action!(Steer, &[Chord::key(';')], None, Running,
        "step",
        "One step more, then pause", steering::step),
    action!(Steer, &[Chord::key('E')], None, Running,
        "epoch",
        "Pause at the end of this epoch, after its validation", steering::epoch),
    action!(Steer, &[Chord::key('f')], Some("freeze"), Steering,
        "freeze",
        "Freeze the selected layer, or thaw it", steering::freeze),
    action!(Steer, &[Chord::key('F')], Some("frost line"), Steering,
        "frost-line",
        "Move the frost line to the selected layer: freeze up to it, thaw above it; again: thaw all", steering::frost_line),
    action!(Steer, &[Chord::key('[')], None, Steering,
        "halve-rate",
        "Halve the learning rate", steering::halve),
    action!(Steer, &[Chord::key(']')], None, Steering,
        "double-rate",
        "Double the learning rate", steering::double),
    action!(Steer, &[Chord::key('l')], Some("rate"), Steering,
        "set-rate",
        "Type a learning rate, which then holds whatever the schedule says", steering::type_rate),
    action!(Steer, &[Chord::key('L')], None, Steering,
        "schedule",
        "Return to the learning rate that the schedule gives", steering::schedule),
    action!(Steer, &[Chord::key('V')], None, Steering,
        "measure",
        "Measure the weights of this moment on the validation images", steering::measure),
    action!(Steer, &[Chord::key('u')], Some("undo"), Steering,
        "undo",
        "Return to just before the last intervention (asks first)", steering::ask_to_undo),
    action!(Steer, &[Chord::key('e')], None, Steering,
        "end-phase",
        "End this phase, or skip to the next one (asks first)", steering::ask_to_end_phase),
    action!(Steer, &[Chord::key('i')], None, Steering,
        "insert-phase",
        "Type a phase to come after this one, for example: train=all epochs=2 learning_rate=1e-5", steering::type_phase),
    action!(Steer, &[Chord::key('c')], Some("save"), Steering,
        "checkpoint",
        "Write a checkpoint now", steering::checkpoint),
    action!(Steer, &[Chord::key('x')], Some("stop"), Steering,
        "stop",
        "Save and end the run (asks first)", steering::ask_to_stop),
    action!(Steer, &[Chord::key('X')], None, Steering,
        "abort",
        "End the run at once without saving (asks first)", steering::ask_to_abort),
    action!(Steer, &[Chord::key('r')], Some("resume from the last checkpoint"), Revivable,
        "resume",
        "Start an engine from the last checkpoint", steering::revive),
    action!(Steer, &[Chord::key('r')], Some("connect again"), Cut,
        "resume",
        "Connect again to another machine", steering::revive),

    action!(Look, &[Chord::key('a')], Some("alarms"), Alarmed,
        "alarms",
        "Steps that went wrong: their images, and the layers where it began; again: back", alarms::open),
    action!(Look, &[Chord::code(KeyCode::Enter)], None, Always,
        "show-layer",
        "Show the selected layer's activations and Grad-CAM; again: let the engine choose", viewing::show_layer),
    action!(Look, &[Chord::key('n')], None, Always,
        "next-image",
        "Next validation image", viewing::next_sample),
    action!(Look, &[Chord::key('N')], None, Always,
        "previous-image",
        "Previous validation image", viewing::previous_sample),
    action!(Look, &[Chord::key('v')], Some("lens"), Always,
        "lens",
        "The lens: pictures on the whole screen; again: one layer, every block, what filters like", lens::open),
    action!(Look, &[Chord::key(',')], None, Always,
        "previous-epoch",
        "In the lens, an epoch back, of those that are kept", |model| lens::step_epoch(model, -1)),
    action!(Look, &[Chord::key('.')], None, Always,
        "next-epoch",
        "An epoch on; behind the last one is now", |model| lens::step_epoch(model, 1)),
    action!(Look, &[Chord::key('<')], None, Always,
        "first-epoch",
        "The first epoch that is kept", |model| lens::step_epoch(model, isize::MIN / 2)),
    action!(Look, &[Chord::key('>')], None, Always,
        "now",
        "Now", |model| lens::step_epoch(model, isize::MAX / 2)),
    action!(Look, &[Chord::key('m')], None, Always,
        "next-method",
        "The next method: Grad-CAM, Grad-CAM++, LayerCAM and so on to occlusion", |model| lens::step_method(model, 1)),
    action!(Look, &[Chord::key('M')], None, Always,
        "previous-method",
        "The method before", |model| lens::step_method(model, -1)),
    action!(Look, &[Chord::key('C')], None, Always,
        "next-class",
        "The class that is explained: predicted, true, then each", lens::next_class),
    action!(Look, &[Chord::key('h')], None, Always,
        "heat-colours",
        "Heat over the image in jet, turbo or inferno, or alone", lens::next_style),
    action!(Look, &[Chord::key('P')], None, Steering,
        "pin",
        "Keep what the network sees in this image at the end of each epoch, or no longer", lens::pin),
    action!(Look, &[Chord::key('b')], None, Always,
        "next-pinned",
        "The next image that is kept", lens::next_pinned),
    action!(Look, &[Chord::key('s')], None, Always,
        "smoother",
        "Smoother curves: 0, 0.2, 0.4 and so on to 0.99, then the raw ones", curves::smoother),
    action!(Look, &[Chord::key('S')], None, Always,
        "rougher",
        "Less smooth curves", curves::rougher),
    action!(Look, &[Chord::key('d')], None, Always,
        "smoothing-form",
        "Smoothing debiased, or in the chapter's plain form", curves::other_form),
    action!(Look, &[Chord::key('g')], None, Always,
        "glyphs",
        "Pictures in pixels, where they can be, or in glyphs: half, quadrant, sextant, octant, ascii", viewing::glyphs),
    action!(Look, &[Chord::key('t')], None, Always,
        "theme",
        "Colours: dark, light, for colour-blind eyes, the terminal's sixteen, none", viewing::theme),

    action!(Move, DOWN, None, Always,
        "down",
        "Next layer, which the lens shows at once; next mistake or image; in the log, newer lines", viewing::down),
    action!(Move, UP, None, Always,
        "up",
        "Layer, mistake or image before; in the log, older lines", viewing::up),
    action!(Move, &[Chord::code(KeyCode::PageDown), Chord::control('d')], None, Always,
        "page-down",
        "Ten lines down", viewing::page_down),
    action!(Move, &[Chord::code(KeyCode::PageUp), Chord::control('u')], None, Always,
        "page-up",
        "Ten lines up", viewing::page_up),
    action!(Move, &[Chord::code(KeyCode::Home)], None, Always,
        "first-line",
        "The first line", viewing::first),
    action!(Move, &[Chord::code(KeyCode::End), Chord::key('G')], None, Always,
        "last-line",
        "The last line", viewing::last),
    action!(Move, &[Chord::code(KeyCode::Tab)], None, Always,
        "next-page",
        "The next page", viewing::next_page),
    action!(Move, &[Chord::code(KeyCode::BackTab)], None, Always,
        "previous-page",
        "The page before this one", viewing::previous_page),
    action!(Move, &[Chord::key('z')], None, Always,
        "back",
        "Back to the page that was shown last", viewing::page_before),
    action!(Move, &[Chord::key('1')], None, Always,
        "go-to-overview",
        "The overview: figures, curves, layers, pictures and log", |model| viewing::go_to(model, Page::Overview)),
    action!(Move, &[Chord::key('2')], None, Always,
        "go-to-curves",
        "The curves, any of them, with a crosshair", |model| viewing::go_to(model, Page::Curves)),
    action!(Move, &[Chord::key('3')], None, Always,
        "go-to-layers",
        "The layers: what they hold, learn and cost", |model| viewing::go_to(model, Page::Layers)),
    action!(Move, &[Chord::key('4')], None, Always,
        "go-to-lens",
        "The lens: pictures on the whole screen", |model| viewing::go_to(model, Page::Lens)),
    action!(Move, &[Chord::key('5')], None, Always,
        "go-to-mistakes",
        "The mistakes: the confusion matrix and the worst images", |model| viewing::go_to(model, Page::Mistakes)),
    action!(Move, &[Chord::key('6')], None, Always,
        "go-to-machine",
        "The machine and the log", |model| viewing::go_to(model, Page::Machine)),
    action!(Move, &[Chord::code(KeyCode::Esc)], None, Always,
        "close",
        "Close what is open", viewing::close),

    action!(Move, &[Chord::key(':')], Some("command"), Always,
        "command",
        "Type a command: the words of `frostline ctl`; Tab completes", command_line::open),
    action!(Leave, &[Chord::key('q'), Chord::control('c')], Some("detach"), Detached,
        "leave",
        "Leave the dashboard; training goes on, and `frostline attach` comes back", viewing::leave),
    action!(Leave, &[Chord::key('q'), Chord::control('c')], Some("quit"), Over,
        "leave",
        "Leave, when nothing is running", viewing::leave),
    action!(Leave, &[Chord::control('l')], None, Always,
        "redraw",
        "Draw the whole screen again", |_| vec![Effect::Redraw]),
    action!(Leave, &[Chord::key('?')], Some("help"), Always,
        "help",
        "This list", |model| { model.view.prompt = Some(Prompt::Help { scrolled: 0 }); Vec::new() }),
];

/// The action of a key: the first that applies, else why the first that would not does not.
pub fn find(chord: Chord, model: &Model) -> Option<Result<&'static Action, &'static str>> {
    let mut refusal = None;
    for action in ACTIONS.iter().filter(|a| model.view.settings.keymap.of(a).contains(&chord)) {
        match action.when.holds(model) {
            Ok(()) => return Some(Ok(action)),
            Err(why) => refusal = refusal.or(Some(Err(why))),
        }
    }
    refusal
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_actions_share_a_key_only_where_they_exclude_each_other() {
        for (at, a) in ACTIONS.iter().enumerate() {
            for b in &ACTIONS[at + 1..] {
                let shared = a.keys.iter().any(|k| b.keys.contains(k));
                assert!(!shared || !a.clashes(b), "{:?}: {} / {}", a.keys, a.help, b.help);
                let own = b.when.page().is_some() && a.when.page().is_none();
                assert!(!shared || !own, "{:?}: {} comes too late to go before {}", b.keys, b.help, a.help);
            }
        }
    }
}
