//! The page of curves: which are shown, how they are smoothed, the part of the run that is in view, the crosshair, and other runs to compare
//! with. All of it is this terminal's own.

use super::{
    model::{Model, Tone},
    page::{Page, Pane},
    prompt::{Choice, Prompt},
    update::Effect,
    viewing,
};
use crate::state::{FACTORS, Metric, RunState, Smoothing};

/// How the curves are looked at.
#[derive(Clone, Debug)]
pub struct Curves {
    /// In the order of [`Metric::ALL`].
    pub metrics: Vec<Metric>,
    /// The chart that the keys speak of, by its place among `metrics`.
    pub chosen: usize,
    /// It has the page to itself.
    pub alone: bool,
    pub smoothing: Smoothing,
    /// Decades are equally far apart, where values are above zero.
    pub log: bool,
    pub window: Window,
    /// The step whose values are read off all charts.
    pub crosshair: Option<f64>,
    /// Other runs, drawn behind this one.
    pub others: Vec<Other>,
}

impl Default for Curves {
    fn default() -> Self {
        Self {
            metrics: vec![Metric::Loss, Metric::Accuracy, Metric::Gap, Metric::LearningRate],
            chosen: 0,
            alone: false,
            smoothing: Smoothing::default(),
            log: false,
            window: Window::default(),
            crosshair: None,
            others: Vec::new(),
        }
    }
}

/// The steps in view.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Window {
    /// So many; `None` is the whole run.
    pub span: Option<f64>,
    /// Up to this one; `None` follows the run.
    pub end: Option<f64>,
}

impl Window {
    /// The first and the last step of it, in a run of `steps`.
    pub fn of(self, steps: f64) -> [f64; 2] {
        let Some(span) = self.span else { return [0.0, steps] };
        let end = self.end.unwrap_or(steps).clamp(span.min(steps), steps);
        [(end - span).max(0.0), end]
    }
}

/// Another run, with its name.
#[derive(Clone, Debug)]
pub struct Other {
    pub name: String,
    pub run: Box<RunState>,
}

impl Model {
    /// Steps from the first to the end of the horizontal axis when all is shown.
    pub fn steps_shown(&self) -> f64 {
        let others = self.view.curves.others.iter().map(|other| other.run.step).max().unwrap_or(0);
        let run = &self.run;
        // To the end of the epoch: a chart that grew with every step would be drawn anew with every step.
        let whole = run.step.saturating_sub(run.step_in_epoch.into()) + u64::from(run.steps_per_epoch());
        let own = if run.is_over() { run.step } else { run.step.max(whole) }.max(1);
        own.max(if self.view.page == Page::Curves { others } else { 0 }) as f64
    }

    /// The charts on the page, with the chosen one among them.
    pub fn charts(&self) -> &[Metric] {
        let curves = &self.view.curves;
        if curves.alone { &curves.metrics[curves.chosen..=curves.chosen] } else { &curves.metrics }
    }
}

/// Shows the charts, where they are not.
fn show(model: &mut Model) {
    viewing::turn_to(model, Page::Curves);
}

pub fn smoother(model: &mut Model) -> Vec<Effect> {
    step_smoothing(model, 1)
}

pub fn rougher(model: &mut Model) -> Vec<Effect> {
    step_smoothing(model, -1)
}

/// Through the round factors, whatever was typed between them.
fn step_smoothing(model: &mut Model, by: isize) -> Vec<Effect> {
    let now = model.view.curves.smoothing.factor;
    let next = if by > 0 {
        FACTORS.into_iter().find(|factor| *factor > now + 1e-9).unwrap_or(FACTORS[0])
    } else {
        FACTORS.into_iter().rev().find(|factor| *factor < now - 1e-9).unwrap_or(FACTORS[FACTORS.len() - 1])
    };
    model.view.curves.smoothing.factor = next;
    tell_smoothing(model);
    Vec::new()
}

pub fn other_form(model: &mut Model) -> Vec<Effect> {
    model.view.curves.smoothing.plain ^= true;
    tell_smoothing(model);
    Vec::new()
}

pub fn tell_smoothing(model: &mut Model) {
    let Smoothing { factor, plain } = model.view.curves.smoothing;
    let form = if plain { "the chapter's form" } else { "debiased" };
    model.notify(
        Tone::Plain,
        if factor == 0.0 { "smoothing off".into() } else { format!("smoothing {factor}, {form}") },
    );
}

pub fn log_axis(model: &mut Model) -> Vec<Effect> {
    model.view.curves.log ^= true;
    show(model);
    Vec::new()
}

/// Twice as near, towards the crosshair if there is one.
pub fn zoom_in(model: &mut Model) -> Vec<Effect> {
    zoom(model, 0.5)
}

pub fn zoom_out(model: &mut Model) -> Vec<Effect> {
    zoom(model, 2.0)
}

fn zoom(model: &mut Model, factor: f64) -> Vec<Effect> {
    /// A few points are a curve still.
    const LEAST: f64 = 8.0;
    show(model);
    let steps = model.steps_shown();
    let curves = &mut model.view.curves;
    let [start, end] = curves.window.of(steps);
    let span = ((end - start) * factor).max(LEAST.min(steps));
    if span >= steps {
        curves.window = Window::default();
        return Vec::new();
    }
    // What is under the crosshair stays there; without one, the newest.
    let share = curves.crosshair.map_or(1.0, |at| ((at - start) / (end - start)).clamp(0.0, 1.0));
    let end = start + (end - start) * share + span * (1.0 - share);
    let follows = share == 1.0 && curves.window.end.is_none();
    curves.window = Window { span: Some(span), end: (!follows).then_some(end.clamp(span, steps)) };
    Vec::new()
}

pub fn whole(model: &mut Model) -> Vec<Effect> {
    model.view.curves.window = Window::default();
    model.view.curves.crosshair = None;
    Vec::new()
}

/// A quarter of the window, `by` times.
pub fn pan(model: &mut Model, by: f64) -> Vec<Effect> {
    let steps = model.steps_shown();
    let window = &mut model.view.curves.window;
    let Some(span) = window.span else { return Vec::new() };
    let end = window.of(steps)[1] + by * span / 4.0;
    window.end = (end < steps).then_some(end.max(span));
    Vec::new()
}

/// Along the columns of the charts; from nowhere it comes in at the newest.
pub fn move_crosshair(model: &mut Model, by: isize) -> Vec<Effect> {
    let steps = model.steps_shown();
    let columns = f64::from(super::view::chart_columns(model).max(1));
    let newest = model.run.step as f64;
    let curves = &mut model.view.curves;
    let [start, end] = curves.window.of(steps);
    let at = curves.crosshair.map_or(newest.min(end), |at| at + by as f64 * (end - start) / columns);
    curves.crosshair = Some(at.clamp(start, end));
    Vec::new()
}

/// To the best epoch's last step.
pub fn crosshair_to_best(model: &mut Model) -> Vec<Effect> {
    let steps = model.steps_shown();
    match &model.run.best {
        Some(best) => {
            let step = best.step as f64;
            let curves = &mut model.view.curves;
            let [start, end] = curves.window.of(steps);
            if !(start..=end).contains(&step) {
                let span = end - start;
                curves.window.end = Some((step + span / 2.0).clamp(span, steps));
            }
            curves.crosshair = Some(step);
        }
        None => model.notify(Tone::Plain, "no epoch has ended yet"),
    }
    Vec::new()
}

pub fn choose(model: &mut Model, by: isize) {
    let curves = &mut model.view.curves;
    let most = curves.metrics.len().saturating_sub(1) as isize;
    curves.chosen = (curves.chosen as isize).saturating_add(by).clamp(0, most) as usize;
}

pub fn alone(model: &mut Model) -> Vec<Effect> {
    model.view.curves.alone ^= true;
    Vec::new()
}

/// Opens the list of what can be shown.
pub fn pick_metrics(model: &mut Model) -> Vec<Effect> {
    show(model);
    model.view.prompt = Some(Prompt::Pick { what: Choice::Metrics, cursor: 0 });
    Vec::new()
}

/// Opens the list of runs to compare with, once they are found.
pub fn pick_runs(model: &mut Model) -> Vec<Effect> {
    show(model);
    if let Some(host) = &model.view.host {
        let text = format!("other runs are compared on their own machine: open the dashboard on {host}");
        model.notify(Tone::Bad, text);
        return Vec::new();
    }
    vec![Effect::ListRuns]
}

pub fn toggle_metric(model: &mut Model, metric: Metric) {
    let curves = &mut model.view.curves;
    if curves.metrics.contains(&metric) {
        // An empty page would show nobody how to fill it.
        if curves.metrics.len() > 1 {
            curves.metrics.retain(|shown| *shown != metric);
        }
    } else {
        curves.metrics.push(metric);
        curves.metrics.sort_by_key(|metric| Metric::ALL.iter().position(|each| each == metric));
    }
    curves.chosen = curves.chosen.min(curves.metrics.len() - 1);
}

/// So many can be told apart.
pub const OTHERS: usize = 4;

pub fn toggle_run(model: &mut Model, name: &str) -> Vec<Effect> {
    let others = &mut model.view.curves.others;
    if let Some(at) = others.iter().position(|other| other.name == name) {
        others.remove(at);
        Vec::new()
    } else if others.len() >= OTHERS {
        model.notify(Tone::Bad, format!("{OTHERS} other runs at most can be told apart"));
        Vec::new()
    } else {
        vec![Effect::ReadRun(name.to_owned())]
    }
}

/// Where the mouse points in the charts, the crosshair goes.
pub fn point(model: &mut Model, column: u16, row: u16) {
    if let Some(step) = super::view::step_at(model, column, row) {
        model.view.curves.crosshair = Some(step);
        if model.shows(Pane::Figures) {
            show(model);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_window_stays_inside_the_run() {
        assert_eq!(Window::default().of(100.0), [0.0, 100.0]);
        assert_eq!(Window { span: Some(20.0), end: None }.of(100.0), [80.0, 100.0], "it follows");
        assert_eq!(Window { span: Some(20.0), end: Some(5.0) }.of(100.0), [0.0, 20.0]);
        assert_eq!(Window { span: Some(20.0), end: Some(500.0) }.of(100.0), [80.0, 100.0]);
        assert_eq!(Window { span: Some(200.0), end: Some(50.0) }.of(100.0), [0.0, 100.0]);
    }
}
