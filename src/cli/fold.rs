//! All that a run's journal says, as one state: from its digest on where there is one.

use crate::{
    error::Result,
    run::{Entry, Place, RunDir, Tail, digest},
    state::RunState,
};

/// Lines that cannot be read are passed over, as a dashboard on the run would. A run that never began has an empty state.
pub fn fold(run: &RunDir) -> Result<RunState> {
    let kept = digest::read(run, digest::Form::Whole)
        .and_then(|kept| Some((serde_json::from_slice(&kept.body).ok()?, kept.place)));
    let (mut state, place): (RunState, Place) = kept.unwrap_or_default();
    if !run.journal().exists() {
        return Ok(state);
    }
    let mut tail = Tail::open_at(&run.journal(), place)?;
    while let Some(entry) = tail.next_entry()? {
        if let Entry::Event(stamped) = entry {
            state.apply(&stamped);
        }
    }
    Ok(state)
}
