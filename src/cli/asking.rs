//! What the screen asks of the run: commands at once, pictures so few at a time that no answer waits long behind them. On a slow
//! line whatever is under way is ahead of what is said next, and nothing at either end can call it back.

use std::{
    collections::HashMap,
    time::{Duration, Instant},
};

use crate::{
    tui::{Incoming, Outgoing},
    wire::client::Sender,
};

/// Pictures that come so quickly hold nothing up.
const QUICK: Duration = Duration::from_millis(500);
/// For so long an answer may wait behind them.
const SLOW: Duration = Duration::from_secs(1);

/// Of one connection.
pub(super) struct Asking {
    /// The newest wish last: that is what a person looks at now.
    waiting: Vec<String>,
    under_way: HashMap<String, Instant>,
    /// Pictures that may be under way.
    most: usize,
}

impl Asking {
    const MOST: usize = 32;

    pub fn new() -> Self {
        Self { waiting: Vec::new(), under_way: HashMap::new(), most: 1 }
    }

    /// Passes on what is for the run, and gives what the screen should know of it.
    pub fn pass_on(&mut self, asked: Outgoing, sender: &Sender) -> Option<Incoming> {
        match asked {
            Outgoing::Command(command) => {
                let id = sender.request(command.clone());
                return Some(Incoming::Sent { command, by: sender.by().to_owned(), id });
            }
            Outgoing::Watch(watch) => sender.watch(watch),
            Outgoing::Blob(hash) => {
                self.waiting.push(hash);
                self.ask(sender);
            }
            // The run has its engine.
            Outgoing::Resume | Outgoing::ListRuns | Outgoing::ReadRun(_) => {}
        }
        None
    }

    /// A picture has come, or word that there is none.
    pub fn came(&mut self, name: &str, sender: &Sender) {
        self.arrived(name, Instant::now());
        self.ask(sender);
    }

    /// What nobody waits for: it goes behind all pictures.
    pub fn later(&mut self, name: String, sender: &Sender) {
        self.waiting.insert(0, name);
        self.ask(sender);
    }

    fn ask(&mut self, sender: &Sender) {
        while let Some(name) = self.due(Instant::now()) {
            sender.blob(&name);
        }
    }

    /// The next one to ask for, if it may be under way now.
    fn due(&mut self, now: Instant) -> Option<String> {
        if self.under_way.len() >= self.most {
            return None;
        }
        let name = self.waiting.pop()?;
        self.under_way.insert(name.clone(), now);
        Some(name)
    }

    fn arrived(&mut self, name: &str, now: Instant) {
        let Some(since) = self.under_way.remove(name) else { return };
        let took = now.saturating_duration_since(since);
        if took < QUICK {
            self.most = (self.most + 1).min(Self::MOST);
        } else if took > SLOW {
            self.most = (self.most / 2).max(1);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wishing(count: usize) -> Asking {
        let mut asking = Asking::new();
        asking.waiting = (0..count).map(|number| number.to_string()).collect();
        asking
    }

    fn all_due(asking: &mut Asking, now: Instant) -> Vec<String> {
        std::iter::from_fn(|| asking.due(now)).collect()
    }

    #[test]
    fn on_a_quick_line_more_and_more_pictures_are_under_way() {
        let (mut asking, mut now) = (wishing(10), Instant::now());
        for under_way in [1, 2, 3] {
            let asked = all_due(&mut asking, now);
            assert_eq!(asking.under_way.len(), under_way);
            now += Duration::from_millis(20);
            asking.arrived(&asked[0], now);
        }
    }

    #[test]
    fn on_a_slow_line_one_follows_the_other_and_the_newest_wish_goes_first() {
        let (mut asking, mut now) = (wishing(5), Instant::now());
        asking.most = 4;
        for name in all_due(&mut asking, now) {
            now += Duration::from_secs(2);
            asking.arrived(&name, now);
        }
        asking.waiting.push("new".into());
        assert_eq!(all_due(&mut asking, now), ["new"]);
        asking.arrived("never asked for", now);
        assert_eq!(all_due(&mut asking, now), [""; 0]);
    }
}
