//! Panels on a page: title, legend, and for each metric a chart with its axes. Where each mark goes; nothing of what it means.

use super::{
    PlotArgs, Told,
    axis::Axis,
    panel::{Flag, Panel, Trace, flags},
};
use crate::{
    cli::drawing::{Anchor, Drawing, Ink, LETTER, Text},
    text::guard,
};

const SIZE: f64 = 11.0;
const TITLE: f64 = 15.0;
/// Around the page, and what axes need to the left and below.
const MARGIN: f64 = 16.0;
const LEFT: f64 = 52.0;
const BELOW: f64 = 42.0;
const ABOVE: f64 = 26.0;
const ROW: f64 = 18.0;
/// Of a single run: training and validation as in the dashboard, cold and warm.
const TRAINING: usize = 0;
const VALIDATION: usize = 1;
/// Of the name beside a line where something happened.
const LABEL: usize = 28;

pub fn draw(told: &[Told], args: &PlotArgs) -> Drawing {
    let panels: Vec<Panel> =
        args.metrics.iter().map(|&metric| Panel::new(metric, told, args.smoothing, args.x, args.log)).collect();
    let columns = panels.len().clamp(1, 2);
    let rows = panels.len().div_ceil(columns);
    let (width, height) = args.size.map_or_else(
        || (if columns == 1 { 800.0 } else { 1200.0 }, 420.0 * rows as f64),
        |size| (f64::from(size.width), f64::from(size.height)),
    );
    let mut page = Drawing::new(width, height);
    let top = head(&mut page, told, &panels);
    let last = |told: &Told| args.x.of(&told.state, told.state.step);
    let across = Axis::upto(told.iter().map(last).fold(0.0, f64::max));
    let happened: Vec<Vec<Flag>> = told.iter().map(|told| flags(&told.state, args.x)).collect();
    let cell = ((width - MARGIN) / columns as f64, (height - top - MARGIN / 2.0) / rows as f64);
    for (at, panel) in panels.iter().enumerate() {
        let (left, top) = (MARGIN / 2.0 + (at % columns) as f64 * cell.0, top + (at / columns) as f64 * cell.1);
        let area = [left + LEFT, top + ABOVE, cell.0 - LEFT - MARGIN / 2.0, cell.1 - ABOVE - BELOW];
        let area = [area[0], area[1], area[2].max(10.0), area[3].max(10.0)];
        Chart { panel, across: &across, title: args.x.title(), area }.draw(&mut page, &happened);
    }
    page
}

/// Title and legend; gives what lies below them.
fn head(page: &mut Drawing, told: &[Told], panels: &[Panel]) -> f64 {
    let title = match told {
        [one] => one.name.clone(),
        several => format!("{} runs", several.len()),
    };
    let letters = ((page.width - 2.0 * MARGIN) / (TITLE * LETTER)) as usize;
    page.text([MARGIN, 26.0], guard::fit(&title, letters, "…"), TITLE, Anchor::Start);
    let validated = panels.iter().flat_map(|panel| &panel.traces).any(|trace| !trace.validation.is_empty());
    let mut entries: Vec<(String, Ink, bool)> = match told {
        [_] => vec![("training".into(), Ink::of(TRAINING), false)],
        several => several.iter().enumerate().map(|(at, told)| (told.name.clone(), Ink::of(at), false)).collect(),
    };
    if validated {
        let ink = if told.len() == 1 { Ink::of(VALIDATION) } else { Ink::FAINT };
        entries.push(("validation".into(), ink, true));
    }
    let (mut left, mut base) = (MARGIN, 26.0 + ROW + 4.0);
    for (name, ink, dotted) in entries {
        let name = guard::fit(&name, 48, "…");
        let room = 30.0 + guard::width(&name) as f64 * SIZE * LETTER + 16.0;
        if left + room > page.width && left > MARGIN {
            (left, base) = (MARGIN, base + ROW);
        }
        let line = vec![[left, base - 4.0], [left + 22.0, base - 4.0]];
        if dotted {
            page.dashes(line, ink, 2.0);
            page.dot([left + 11.0, base - 4.0], 3.0, ink);
        } else {
            page.line(line, ink, 2.5);
        }
        page.text([left + 28.0, base], name, SIZE, Anchor::Start);
        left += room;
    }
    if panels.iter().flat_map(|panel| &panel.traces).any(|trace| trace.best.is_some()) {
        let room = 30.0 + 15.0 * SIZE * LETTER;
        if left + room > page.width && left > MARGIN {
            (left, base) = (MARGIN, base + ROW);
        }
        ring(page, [left + 11.0, base - 4.0], Ink::TEXT);
        page.text([left + 28.0, base], "best checkpoint", SIZE, Anchor::Start);
    }
    base + 8.0
}

struct Chart<'a> {
    panel: &'a Panel,
    across: &'a Axis,
    /// Of the axis below.
    title: &'a str,
    area: [f64; 4],
}

impl Chart<'_> {
    fn draw(&self, page: &mut Drawing, happened: &[Vec<Flag>]) {
        let [left, top, width, height] = self.area;
        let up = Axis::around(self.panel.values(), self.panel.log);
        let place =
            |[x, y]: [f64; 2]| Some([left + self.across.share(x)? * width, top + (1.0 - up.share(y)?) * height]);
        self.axes(page, &up);
        let several = self.panel.traces.len() > 1;
        for (at, flags) in happened.iter().enumerate() {
            self.flags(page, flags, if several { Ink::of(at) } else { Ink::FAINT });
        }
        // All that is faint first, so that no run's readings lie over another's course.
        for (at, trace) in self.panel.traces.iter().enumerate() {
            broken(page, &trace.raw, &place, Ink::of(at).faint(0.22), 1.0, false);
        }
        for (at, trace) in self.panel.traces.iter().enumerate() {
            let Trace { smooth, validation, best, .. } = trace;
            broken(page, smooth, &place, Ink::of(at), 1.8, false);
            let ink = Ink::of(if several { at } else { VALIDATION });
            broken(page, validation, &place, ink, 1.4, true);
            for point in validation.iter().filter_map(|&point| place(point)) {
                page.dot(point, if validation.len() > 60 { 1.8 } else { 2.8 }, ink);
            }
            if let Some(best) = best.and_then(place) {
                ring(page, best, ink);
            }
        }
    }

    fn axes(&self, page: &mut Drawing, up: &Axis) {
        let [left, top, width, height] = self.area;
        for (value, words) in up.ticks((height / 40.0) as usize + 1) {
            let Some(share) = up.share(value) else { continue };
            let y = top + (1.0 - share) * height;
            page.line(vec![[left, y], [left + width, y]], Ink::GRID, 1.0);
            page.text([left - 6.0, y + 4.0], words, SIZE, Anchor::End);
        }
        for (value, words) in self.across.ticks((width / 80.0) as usize + 1) {
            let Some(share) = self.across.share(value) else { continue };
            let x = left + share * width;
            page.line(vec![[x, top], [x, top + height]], Ink::GRID, 1.0);
            page.text([x, top + height + 16.0], words, SIZE, Anchor::Middle);
        }
        page.frame(self.area, Ink::FRAME);
        page.text([left + width / 2.0, top - 8.0], self.panel.title, 13.0, Anchor::Middle);
        page.text([left + width / 2.0, top + height + 33.0], self.title, SIZE, Anchor::Middle);
    }

    /// A line where something happened, and along it what. Names that would lie on each other are left out, lines never.
    fn flags(&self, page: &mut Drawing, flags: &[Flag], ink: Ink) {
        let [left, top, width, height] = self.area;
        let mut named = f64::NEG_INFINITY;
        for Flag { x, label } in flags {
            let Some(share) = self.across.share(*x) else { continue };
            let x = left + share * width;
            page.dashes(vec![[x, top], [x, top + height]], ink.faint(0.7), 1.0);
            if x - named >= SIZE + 2.0 {
                named = x;
                let room = (height / (SIZE * LETTER)) as usize;
                let words = guard::fit(label, room.min(LABEL), "…");
                let at = [if x - left < SIZE + 4.0 { x + SIZE } else { x - 3.0 }, top + 4.0];
                page.write(Text { at, words, size: SIZE - 1.0, ink: Ink::FAINT, anchor: Anchor::End, turned: true });
            }
        }
    }
}

fn ring(page: &mut Drawing, [x, y]: [f64; 2], ink: Ink) {
    page.dot([x, y], 5.5, ink);
    page.dot([x, y], 3.5, Ink::solid(0xff_ffff));
    page.dot([x, y], 1.5, ink);
}

/// A line that has gaps where there is no number.
fn broken(
    page: &mut Drawing,
    points: &[[f64; 2]],
    place: &impl Fn([f64; 2]) -> Option<[f64; 2]>,
    ink: Ink,
    width: f64,
    dashed: bool,
) {
    let placed: Vec<Option<[f64; 2]>> = points.iter().map(|&point| place(point)).collect();
    for part in placed.split(Option::is_none) {
        let part: Vec<[f64; 2]> = part.iter().flatten().copied().collect();
        match (part.len(), dashed) {
            (0, _) => {}
            (1, _) => page.dot(part[0], width, ink),
            (_, true) => page.dashes(part, ink, width),
            (_, false) => page.line(part, ink, width),
        }
    }
}
