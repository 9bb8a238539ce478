//! When a key does something: on which page, and how the run and the connection must stand. What does not apply says why.

use super::{
    model::{Connection, Model},
    page::Page,
};

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
    pub fn page(self) -> Option<Page> {
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
