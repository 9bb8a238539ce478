//! A stretch of training that was given up by going back to before it: what a chart draws of it, grey.

use serde::{Deserialize, Serialize};

use super::{Curve, RunState, What, apply::keep_newest};
use crate::event::{EpochEnded, Undone};

#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Stretch {
    /// It left the run after this step.
    pub after: u64,
    /// Its last step.
    pub to: u64,
    pub loss: Curve,
    pub accuracy: Curve,
    pub epochs: Vec<EpochEnded>,
}

impl RunState {
    /// The run stands where it stood before an intervention.
    pub(super) fn undo(&mut self, undone: &Undone) {
        let &Undone { from, to, epoch, step_in_epoch, .. } = undone;
        self.give_up(from, (to, epoch, step_in_epoch));
        // What was done at this very step is undone as well.
        self.markers.retain(|marker| {
            marker.step < to || !matches!(&marker.what, What::Applied(command) if command.intervenes())
        });
        self.mark(to, What::Undone(from));
    }

    /// The run goes back from a step to another place: a step, its epoch (0 where nobody knows), and the steps done in that. What lies
    /// between is kept aside.
    pub(super) fn give_up(&mut self, from: u64, (to, epoch, step_in_epoch): (u64, u32, u32)) {
        let gone = |ended: &EpochEnded| ended.step > to || (epoch > 0 && ended.epoch >= epoch);
        let epochs: Vec<EpochEnded> = self.epochs.iter().filter(|ended| gone(ended)).cloned().collect();
        self.epochs.retain(|ended| !gone(ended));
        let (loss, accuracy) = (self.curves.loss.after(to), self.curves.accuracy.after(to));
        if from > to {
            let stretch = Stretch { after: to, to: from, loss, accuracy, epochs };
            keep_newest(&mut self.abandoned, stretch, Self::ABANDONED);
        }
        self.forget_after(to);
        self.step = to;
        if epoch > 0 {
            (self.epoch, self.step_in_epoch) = (epoch, step_in_epoch);
        }
        (self.evaluating, self.latest) = (None, None);
    }
}
