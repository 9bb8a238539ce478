//! What the journal of a run tells about its speed: when the first step was done, and how many images were trained between two
//! moments. Times are the journal's own, in milliseconds since 1970.

use super::json::Json;

/// Steps that one event of the journal gathers.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Piece {
    pub from_ms: f64,
    pub to_ms: f64,
    pub epoch: u32,
    pub images: u32,
    /// Milliseconds in which a step waited for its batch.
    pub waited_ms: f64,
}

/// A journal as far as it was read.
#[derive(Debug, Default)]
pub struct Journal {
    batch: u32,
    /// Images in an epoch.
    images: u32,
    since_ms: Option<f64>,
    pub first_step_ms: Option<f64>,
    pub pieces: Vec<Piece>,
    /// For how many milliseconds the step after each checkpoint had waited for it.
    pub stalls: Vec<f64>,
    pub ended: bool,
}

impl Journal {
    /// Takes one line; what it doesn't know is passed over.
    pub fn read(&mut self, line: &str) {
        let Some(event) = Json::parse(line) else { return };
        let number = |key| event.number(key).unwrap_or(0.0);
        match event.text("event") {
            Some("run_started") => self.batch = number("batch_size") as u32,
            Some("data_opened") => self.images = number("train") as u32,
            // The steps of an epoch are timed from here on; what lies between two epochs belongs to neither.
            Some("epoch_started") => self.since_ms = event.number("at_ms"),
            Some("steps") => self.steps(
                number("at_ms"),
                number("epoch") as u32,
                number("step_in_epoch") as u32,
                number("count") as u32,
                number("data_wait"),
            ),
            Some("checkpoint") => self.stalls.push(number("stalled") * 1e3),
            Some("run_ended") => self.ended = true,
            _ => {}
        }
    }

    fn steps(&mut self, at_ms: f64, epoch: u32, reached: u32, count: u32, data_wait: f64) {
        let up_to = |step: u32| (step * self.batch).min(self.images);
        let images = up_to(reached) - up_to(reached.saturating_sub(count));
        if self.first_step_ms.replace(self.first_step_ms.unwrap_or(at_ms)).is_none() {
            // Everything that happens once comes with the first steps.
            self.since_ms = Some(at_ms);
            return;
        }
        if let Some(from_ms) = self.since_ms.replace(at_ms) {
            self.pieces.push(Piece { from_ms, to_ms: at_ms, epoch, images, waited_ms: (at_ms - from_ms) * data_wait });
        }
    }
}

impl Journal {
    /// What a step takes, in milliseconds, in each piece after the first epoch.
    pub fn steps_ms(&self) -> Vec<f64> {
        let later = self.pieces.iter().filter(|piece| piece.epoch > 1 && piece.images > 0);
        later.map(|piece| (piece.to_ms - piece.from_ms) * f64::from(self.batch) / f64::from(piece.images)).collect()
    }
}

/// Images a second and the share of waiting over some pieces; `None` of none.
pub fn rate(pieces: &[Piece]) -> Option<(f64, f64)> {
    let time: f64 = pieces.iter().map(|piece| piece.to_ms - piece.from_ms).sum();
    let images: f64 = pieces.iter().map(|piece| f64::from(piece.images)).sum();
    let waited: f64 = pieces.iter().map(|piece| piece.waited_ms).sum();
    (time > 0.0).then(|| (images / time * 1e3, waited / time))
}

/// Those that lie wholly between two moments.
pub fn between(pieces: &[Piece], from_ms: f64, to_ms: f64) -> Vec<Piece> {
    pieces.iter().copied().filter(|piece| piece.from_ms >= from_ms && piece.to_ms <= to_ms).collect()
}

/// Cuts the pieces after the first epoch into windows of at least so many milliseconds; what is left over is no window.
pub fn windows(pieces: &[Piece], least_ms: f64) -> Vec<Vec<Piece>> {
    let mut windows = Vec::new();
    let mut open = Vec::new();
    let mut length = 0.0;
    for piece in pieces.iter().filter(|piece| piece.epoch > 1) {
        open.push(*piece);
        length += piece.to_ms - piece.from_ms;
        if length >= least_ms {
            windows.push(std::mem::take(&mut open));
            length = 0.0;
        }
    }
    windows
}

#[cfg(test)]
mod tests {
    use super::*;

    fn steps(at_ms: u32, epoch: u32, reached: u32, count: u32, data_wait: f64) -> String {
        format!(
            r#"{{"seq":1,"at_ms":{at_ms},"event":"steps","epoch":{epoch},"step":9,"step_in_epoch":{reached},"count":{count},"loss":{{"mean":0.7,"min":0.7,"max":0.7,"last":null}},"data_wait":{data_wait}}}"#
        )
    }

    fn journal() -> Journal {
        let mut journal = Journal::default();
        // Ten images in batches of four: 4, 4, 2.
        for line in [
            r#"{"seq":0,"at_ms":100,"event":"run_started","batch_size":4,"layers":[]}"#,
            r#"{"seq":0,"at_ms":150,"event":"data_opened","classes":["a","b"],"train":10}"#,
            r#"{"seq":0,"at_ms":200,"event":"epoch_started","epoch":1,"step":0}"#,
            &steps(1000, 1, 1, 1, 0.0),
            &steps(3000, 1, 3, 2, 0.5),
            r#"{"seq":0,"at_ms":9000,"event":"epoch_started","epoch":2,"step":3}"#,
            &steps(10_000, 2, 2, 2, 0.0),
            &steps(11_000, 2, 3, 1, 0.1),
        ] {
            journal.read(line);
        }
        journal
    }

    #[test]
    fn the_first_step_is_told_apart_and_epochs_are_not_joined() {
        let journal = journal();
        assert_eq!(journal.first_step_ms, Some(1000.0));
        let told: Vec<_> = journal.pieces.iter().map(|piece| (piece.from_ms, piece.to_ms, piece.images)).collect();
        assert_eq!(told, [(1000.0, 3000.0, 6), (9000.0, 10_000.0, 8), (10_000.0, 11_000.0, 2)]);
        assert_eq!(rate(&journal.pieces[1..]), Some((5.0, 0.05)));
        assert_eq!(rate(&[]), None);
    }

    #[test]
    fn windows_begin_after_the_first_epoch() {
        let journal = journal();
        let lengths: Vec<_> = windows(&journal.pieces, 900.0).iter().map(Vec::len).collect();
        assert_eq!(lengths, [1, 1]);
        assert_eq!(windows(&journal.pieces, 2500.0).len(), 0);
        assert_eq!(between(&journal.pieces, 9000.0, 10_500.0).len(), 1);
    }

    #[test]
    fn a_torn_line_is_passed_over() {
        let mut journal = journal();
        let before = journal.pieces.len();
        journal.read(&steps(12_000, 2, 3, 1, 0.1)[..60]);
        assert_eq!(journal.pieces.len(), before);
    }
}
