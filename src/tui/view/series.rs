//! The points of one chart, and what is read off them.

use ratatui::text::{Line, Span};

use crate::{
    state::{Bucket, Curve, Metric, RunState, Smoothing},
    tui::{
        curves::Other,
        figures, guard,
        theme::{Role, Theme},
    },
};

/// Points in steps. What is measured at the steps, and what at the ends of epochs.
pub struct Series<'a> {
    pub metric: Metric,
    pub raw: &'a [Bucket],
    /// The raw ones smoothed.
    pub train: Vec<(f64, f64)>,
    pub validation: Vec<(f64, f64)>,
    pub validation_smooth: Vec<(f64, f64)>,
    /// What was given up by going back, smoothed likewise.
    pub abandoned: Vec<Vec<(f64, f64)>>,
}

impl<'a> Series<'a> {
    pub fn new(run: &'a RunState, metric: Metric, smoothing: Smoothing) -> Self {
        let raw = metric.curve(run).map_or(&[][..], |curve| curve.buckets());
        let epochs = run.epochs.iter();
        let validation: Vec<(f64, f64)> =
            epochs.filter_map(|epoch| Some((epoch.step as f64, metric.at_epoch(epoch)?))).collect();
        let smoothed = |points: &[(f64, f64)]| -> Vec<(f64, f64)> {
            points.iter().map(|p| p.0).zip(smoothing.apply(points.iter().map(|p| p.1))).collect()
        };
        let means: Vec<(f64, f64)> = raw.iter().map(|b| (b.step as f64, b.mean)).collect();
        let train = if metric.is_noisy() { smoothed(&means) } else { means };
        let given_up = |curve: &Curve| -> Vec<(f64, f64)> {
            smoothed(&curve.buckets().iter().map(|b| (b.step as f64, b.mean)).collect::<Vec<_>>())
        };
        let abandoned = run.abandoned.iter().filter_map(|stretch| metric.abandoned(stretch)).map(given_up).collect();
        Self { metric, raw, abandoned, train, validation_smooth: smoothed(&validation), validation }
    }

    /// The measured points lead while there are few: smoothed exponentially, they would trail far behind themselves.
    pub fn validation_leads(&self) -> bool {
        self.validation.len() < 30
    }

    /// What stands for the whole series where there is room for one line.
    pub fn lead(&self) -> &[(f64, f64)] {
        match (self.validation.is_empty(), self.validation_leads()) {
            (true, _) => &self.train,
            (false, true) => &self.validation,
            (false, false) => &self.validation_smooth,
        }
    }

    /// The newest figures, by name, mark and colour, in the longest wording that fits in `width`.
    pub fn title(&self, theme: &Theme, width: usize) -> Line<'static> {
        let last = |points: &[(f64, f64)]| points.last().map(|p| p.1);
        self.worded(theme, last(&self.train), None, last(&self.validation), &[], width)
    }

    /// The figures at a step: of training smoothed and raw, of the last validation until then, and of the other runs.
    pub fn title_at(&self, theme: &Theme, step: f64, others: &[(Role, Series<'_>)], width: usize) -> Line<'static> {
        let raw = self.raw.iter().find(|b| b.step as f64 >= step).or(self.raw.last()).map(|b| b.mean);
        let others: Vec<_> = others.iter().map(|(role, other)| (*role, until(other.lead(), step))).collect();
        let raw = raw.filter(|_| self.metric.is_noisy());
        self.worded(theme, at(&self.train, step), raw, until(&self.validation, step), &others, width)
    }

    fn worded(
        &self,
        theme: &Theme,
        train: Option<f64>,
        raw: Option<f64>,
        validation: Option<f64>,
        others: &[(Role, Option<f64>)],
        width: usize,
    ) -> Line<'static> {
        let metric = self.metric;
        let (rule, point) = (theme.symbols.rule, theme.symbols.point);
        let both = train.is_some() && validation.is_some();
        let word = |names: bool, long: bool| {
            let write = |value| if long { metric.write(value) } else { metric.write_short(value) };
            let name = if long { metric.name() } else { metric.short() };
            let mut spans = vec![Span::styled(name, theme.style(Role::Accent))];
            let named = |word: &'static str| if names && both { word } else { "" };
            if let Some(value) = train {
                let text = format!(" {rule} {}{}", named("train "), write(value));
                spans.push(Span::styled(text, theme.style(Role::Train)));
            }
            if let Some(value) = raw.filter(|_| names) {
                spans.push(Span::styled(format!(" (raw {})", write(value)), theme.style(Role::Faint)));
            }
            if let Some(value) = validation {
                let text = format!(" {point} {}{}", named("validation "), write(value));
                spans.push(Span::styled(text, theme.style(Role::Validation)));
            }
            for (role, value) in others {
                let text = value.map_or_else(String::new, |value| format!(" {rule} {}", write(value)));
                spans.push(Span::styled(text, theme.style(*role)));
            }
            Line::from(spans)
        };
        let wordings = [(true, true), (false, true), (false, false)].map(|(names, long)| word(names, long));
        let [.., shortest] = &wordings;
        wordings.iter().find(|line| line.width() <= width).unwrap_or(shortest).clone()
    }
}

/// Series of the other runs, each in its colour.
pub fn of_others(others: &[Other], metric: Metric, smoothing: Smoothing) -> Vec<(Role, Series<'_>)> {
    let series = others.iter().map(|other| Series::new(&other.run, metric, smoothing));
    Role::OTHERS.into_iter().zip(series).collect()
}

/// Which colour is whose.
pub fn legend(theme: &Theme, own: &str, others: &[Other], width: usize) -> Line<'static> {
    let rule = theme.symbols.rule.repeat(2);
    let room = width / (others.len() + 1);
    let name = |role: Role, name: &str| {
        let text = guard::fit(name, room.saturating_sub(5), theme.symbols.ellipsis);
        Span::styled(format!("{rule} {text}  "), theme.style(role))
    };
    let mut spans = vec![name(Role::Train, own)];
    spans.extend(Role::OTHERS.into_iter().zip(others).map(|(role, other)| name(role, &other.name)));
    Line::from(spans)
}

/// The step under the crosshair, and its epoch: `step 1,240 · epoch 3`.
pub fn place(run: &RunState, step: f64, theme: &Theme) -> String {
    let step = step.round().max(0.0) as u64;
    let epoch = run.epochs.iter().find(|epoch| epoch.step >= step).map_or(run.epoch, |epoch| epoch.epoch);
    format!("step {} {} epoch {epoch}", figures::count(step), theme.symbols.separator)
}

/// The first point from `step` on, or the last of all.
fn at(points: &[(f64, f64)], step: f64) -> Option<f64> {
    points.iter().find(|p| p.0 >= step).or(points.last()).map(|p| p.1)
}

/// The last point until `step`.
fn until(points: &[(f64, f64)], step: f64) -> Option<f64> {
    points.iter().rev().find(|p| p.0 <= step).map(|p| p.1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn points_are_read_off() {
        let points = [(10.0, 1.0), (20.0, 2.0)];
        assert_eq!([0.0, 10.0, 11.0, 30.0].map(|step| at(&points, step)), [1.0, 1.0, 2.0, 2.0].map(Some));
        assert_eq!([0.0, 10.0, 19.0, 30.0].map(|step| until(&points, step)), [None, Some(1.0), Some(1.0), Some(2.0)]);
    }
}
