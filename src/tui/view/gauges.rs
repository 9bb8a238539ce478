//! What the page of the machine measures: what each thing is now, its course, and the scale that the course is drawn on. Words and numbers;
//! where they stand is [`super::machine`]'s.

use super::area::Tone;
use crate::{
    event::Load,
    state::Readings,
    tui::{figures, model::Model},
};

/// One thing that is measured, over the time that is shown.
pub struct Gauge {
    pub name: &'static str,
    pub now: String,
    /// What else there is to say, the most telling first; what does not fit is left out.
    pub figures: Vec<String>,
    /// The least and the greatest, with the unit.
    pub range: Option<String>,
    /// The upper end of the scale, whose lower end is zero.
    pub top: String,
    /// Shares of the scale, 0–1; `None` where nothing was read.
    pub course: Vec<Option<f64>>,
    pub tone: Tone,
}

/// The time that is shown.
#[derive(Clone, Copy)]
pub struct Span {
    pub now_ms: u64,
    pub span_ms: u64,
    /// Readings beside each other.
    pub columns: usize,
}

impl Span {
    fn gauge<T>(
        self,
        readings: &Readings<T>,
        of: impl Fn(&T) -> Option<f64>,
        write: impl Fn(f64) -> String,
    ) -> (Option<String>, Vec<Option<f64>>) {
        let begin = self.now_ms.saturating_sub(self.span_ms);
        let shown = readings.iter().filter(|(at, _)| *at >= begin).filter_map(|(_, reading)| of(reading));
        let ends = shown.fold(None, |ends: Option<[f64; 2]>, value| {
            Some(ends.map_or([value; 2], |[low, high]| [low.min(value), high.max(value)]))
        });
        let range = ends.map(|[low, high]| {
            let (low, high) = (write(low), write(high));
            format!("min {low}  max {high}")
        });
        (range, readings.columns(self.columns, self.span_ms, self.now_ms, of))
    }
}

/// How many there are for what was read.
pub fn count(load: &Load) -> u16 {
    if load.card.is_some() { 6 } else { 4 }
}

/// In the order in which they stand.
pub fn all(model: &Model, load: &Load, span: Span) -> Vec<Gauge> {
    let run = &model.run;
    let share = |part: u64, whole: u64| (whole > 0).then(|| part as f64 / whole as f64);
    let percent_of = |of: fn(&Load) -> Option<f64>| span.gauge(&run.machine, of, figures::whole_percent);
    let bytes_of = |of: &dyn Fn(&Load) -> Option<f64>, top: u64| {
        span.gauge(&run.machine, of, |share| bytes((share * top as f64).round() as u64))
    };
    let hundred = || figures::whole_percent(1.0);
    let mut all = Vec::new();
    if let Some(card) = &load.card {
        let (range, course) = percent_of(|load| load.card.as_ref().map(|card| card.utilisation));
        let mut said = Vec::new();
        said.extend(card.power.map(|watts| match card.power_limit {
            Some(limit) => format!("{watts:.0} of {limit:.0} W"),
            None => format!("{watts:.0} W"),
        }));
        said.extend(card.temperature.map(|degrees| format!("{degrees:.0} °C")));
        said.push(card.name.clone());
        let now = figures::whole_percent(card.utilisation);
        all.push(Gauge { name: "card", now, figures: said, range, top: hundred(), course, tone: Tone::Busy });
        let held = |load: &Load| load.card.as_ref().and_then(|card| share(card.memory_used, card.memory_total));
        let (range, course) = bytes_of(&held, card.memory_total);
        let (now, said) = (bytes(card.memory_used), vec![format!("of {}", bytes(card.memory_total))]);
        let top = bytes(card.memory_total);
        all.push(Gauge { name: "card memory", now, figures: said, range, top, course, tone: Tone::Full });
    }
    let (range, course) = percent_of(|load| Some(load.processor));
    let mut said =
        vec![format!("own {}", figures::whole_percent(load.own_processor)), format!("load {:.1}", load.load_average)];
    said.extend(load.temperature.map(|degrees| format!("{degrees:.0} °C")));
    let now = figures::whole_percent(load.processor);
    all.push(Gauge { name: "processor", now, figures: said, range, top: hundred(), course, tone: Tone::Busy });
    let (range, course) = bytes_of(&|load| share(load.memory_used, load.memory_total), load.memory_total);
    let said = vec![format!("of {}", bytes(load.memory_total)), format!("own {}", bytes(load.own_memory))];
    let (now, top) = (bytes(load.memory_used), bytes(load.memory_total));
    all.push(Gauge { name: "memory", now, figures: said, range, top, course, tone: Tone::Full });
    let held = load.tensors;
    let peak = run.machine.iter().map(|(_, load)| load.tensors.peak).max().unwrap_or(0);
    let (range, course) = bytes_of(&|load| share(load.tensors.used, peak), peak);
    let said = vec![format!("peak {}", bytes(held.peak)), format!("spare {}", bytes(held.spare))];
    let (now, top) = (bytes(held.used), bytes(peak));
    all.push(Gauge { name: "tensors", now, figures: said, range, top, course, tone: Tone::Calm });
    // Most runs wait little: their scale ends where they do.
    let begin = span.now_ms.saturating_sub(span.span_ms);
    let waits = run.waits.iter().filter(|(at, _)| *at >= begin).map(|(_, mean)| mean.value);
    let most = waits.fold(0.0, f64::max);
    let end = [0.1, 0.25, 0.5].into_iter().find(|end| most <= *end).unwrap_or(1.0);
    let whole = |share: f64| figures::whole_percent(share * end);
    let (range, course) = span.gauge(&run.waits, |mean| Some(mean.value / end), whole);
    let now = run.waits.newest().map_or_else(|| "–".into(), |mean| figures::whole_percent(mean.value));
    let (said, top) = (vec!["of the steps' time".into()], figures::whole_percent(end));
    all.push(Gauge { name: "data wait", now, figures: said, range, top, course, tone: Tone::Calm });
    all
}

/// How fast the run's own files grow, bytes a minute; `None` before it can be told.
pub fn growth(readings: &Readings<Load>, span: Span) -> Option<f64> {
    const LEAST_MS: u64 = 10_000;
    let begin = span.now_ms.saturating_sub(span.span_ms);
    let mut taken = readings.iter().filter(|(at, _)| *at >= begin).filter_map(|(at, load)| Some((at, load.run_bytes?)));
    let first = taken.next()?;
    let last = taken.next_back()?;
    let minutes = last.0.checked_sub(first.0).filter(|time| *time >= LEAST_MS)? as f64 / 60_000.0;
    Some((last.1 as f64 - first.1 as f64) / minutes)
}

/// `1.4 GB`: powers of 1000, as discs and cards are sold.
pub fn bytes(count: u64) -> String {
    let brief = |value: f64, unit: &str| {
        if value < 99.95 { format!("{value:.1} {unit}") } else { format!("{value:.0} {unit}") }
    };
    match count {
        0..1_000_000 => format!("{} kB", count / 1000),
        1_000_000..1_000_000_000 => brief(count as f64 / 1e6, "MB"),
        1_000_000_000..1_000_000_000_000 => brief(count as f64 / 1e9, "GB"),
        _ => brief(count as f64 / 1e12, "TB"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_short() {
        assert_eq!(
            [0, 999_999, 1_500_000, 250_000_000, 1_450_000_000, 270_000_000_000, 4_000_000_000_000].map(bytes),
            ["0 kB", "999 kB", "1.5 MB", "250 MB", "1.4 GB", "270 GB", "4.0 TB"]
        );
    }

    #[test]
    fn growth_is_told_by_the_minute() {
        let mut readings = Readings::default();
        let span = Span { now_ms: 100_000, span_ms: 60_000, columns: 4 };
        assert_eq!(growth(&readings, span), None);
        for (at, taken) in [(10_000, 0), (50_000, 1_000_000), (80_000, 1_500_000)] {
            readings.push(at, Load { run_bytes: Some(taken), ..Load::default() });
        }
        assert_eq!(growth(&readings, span), Some(1e6), "half a megabyte in half a minute; what is older is not shown");
    }

    #[test]
    fn the_ends_of_what_is_shown_are_told() {
        let mut readings = Readings::default();
        for (at, share) in [(10_000, 0.01), (50_000, 0.4), (80_000, 0.9)] {
            readings.push(at, Load { processor: share, ..Load::default() });
        }
        let span = Span { now_ms: 100_000, span_ms: 60_000, columns: 4 };
        let (range, course) = span.gauge(&readings, |load| Some(load.processor), figures::whole_percent);
        assert_eq!((range.as_deref(), course.len()), (Some("min 40 %  max 90 %"), 4));
    }
}
