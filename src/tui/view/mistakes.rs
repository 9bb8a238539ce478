//! The page of mistakes: who was taken for whom, and the images that a person should see, with what spoke for each of their two classes.

use ratatui::{
    buffer::Buffer,
    layout::Rect,
    text::{Line, Span},
    widgets::Widget,
};

use super::{
    Place, confusion,
    digits::Digits,
    layers::first_shown,
    pictures::{boxes, caption},
    text::{as_fits, ends},
    tiles::{self, Tile},
};
use crate::{
    event::Picture,
    tui::{
        figures, guard,
        judging::{Entry, List},
        model::Model,
        page::Pane,
        theme::{Role, Theme},
    },
};

pub fn draw(model: &Model, place: Place, buffer: &mut Buffer) {
    let theme = model.theme();
    let mut title = vec![vec![Span::styled("mistakes", theme.style(Role::Accent))]];
    if let Some(found) = &model.run.mistakes {
        let counts = found.confusion.figures.iter();
        let (all, right) = counts.fold((0, 0), |(all, right), class| (all + class.support, right + class.right));
        let more = if found.confusion.of as usize > found.confusion.classes.len() { " of these classes" } else { "" };
        let text = format!("{} of {} images{more}", figures::count(all - right), figures::count(all));
        title.push(vec![Span::styled(text, theme.style(Role::Strong))]);
        title.push(vec![Span::styled(format!("validation of epoch {}", found.epoch), theme.style(Role::Faint))]);
    }
    let dot = format!(" {} ", theme.symbols.separator);
    let area = place.open(&theme, as_fits(title, &dot, usize::from(place.area.width).saturating_sub(4)), buffer);
    let Some(found) = &model.run.mistakes else {
        let text = if model.run.data.as_ref().is_some_and(|data| data.validation == 0) {
            "this run has no validation split"
        } else if model.is_live() {
            "the first validation will tell"
        } else {
            "no validation told them: the journal is of an older version, or ended before"
        };
        for (line, row) in guard::wrap(text, area.width.into()).into_iter().zip(area.rows()) {
            Line::styled(line, theme.style(Role::Faint)).render(row, buffer);
        }
        return;
    };
    let parts = Parts::of(area, found.confusion.counts.len() as u16);
    if let Some(matrix) = parts.matrix {
        confusion::draw(model, &theme, &found.confusion, matrix, buffer);
    }
    browse(model, &theme, parts.list, buffer);
    if let Some(pictures) = parts.pictures {
        show(model, &theme, pictures, buffer);
    }
}

struct Parts {
    matrix: Option<Rect>,
    list: Rect,
    pictures: Option<Rect>,
}

impl Parts {
    /// The matrix at the left, as wide as so many classes need, at most half, and the list at the right; the pictures below the list, or
    /// below both where they are larger there.
    fn of(area: Rect, classes: u16) -> Self {
        /// Of the list.
        const LEAST: u16 = 12;
        if area.width < 66 {
            return Self { matrix: None, list: area, pictures: None };
        }
        let wanted = confusion::width(classes, area.width / 2);
        let matrix = Rect { width: wanted, ..area };
        let right = Rect { x: matrix.right() + 2, width: area.width - wanted - 2, ..area };
        if right.height < 12 {
            return Self { matrix: Some(matrix), list: right, pictures: None };
        }
        // Three pictures side by side and a caption.
        let wide = |width: u16| (width.saturating_sub(2) / 3).div_ceil(2) + 1;
        // But a few lines of the list at least.
        let beside = wide(right.width).clamp(5, right.height - 6);
        let above = confusion::rows(classes, wanted).max(LEAST);
        let below = wide(area.width).min(area.height.saturating_sub(above + 1));
        let (under, height) = if below > beside { (area, below) } else { (right, beside) };
        let list = Rect { height: right.height - height - 1, ..right };
        let matrix = if below > beside { Rect { height: list.height, ..matrix } } else { matrix };
        Self { matrix: Some(matrix), list, pictures: Some(Rect { y: list.bottom() + 1, height, ..under }) }
    }
}

fn browse(model: &Model, theme: &Theme, area: Rect, buffer: &mut Buffer) {
    let mut rows = area.rows();
    let entries = model.mistakes();
    if let Some(row) = rows.next() {
        tabs(model, theme, entries.len(), row, buffer);
    }
    if entries.is_empty() {
        if let Some(row) = rows.next() {
            let text = if model.view.judging.list == List::Worst {
                "nothing to show"
            } else {
                "nothing was taken for something else"
            };
            Line::styled(text, theme.style(Role::Good)).render(row, buffer);
        }
        return;
    }
    let chosen = model.view.judging.chosen.min(entries.len() - 1);
    let first = first_shown(chosen, entries.len(), usize::from(area.height).saturating_sub(1));
    let widths = Widths::of(model, &entries);
    for ((at, entry), row) in entries.iter().enumerate().skip(first).zip(rows) {
        line(model, theme, entry, at == chosen, &widths, row, buffer);
    }
}

/// Cells of what stands below each other in the list.
struct Widths {
    truth: usize,
    predicted: usize,
    images: usize,
}

impl Widths {
    /// A longer name is cut.
    const NAME: usize = 16;

    fn of(model: &Model, entries: &[Entry<'_>]) -> Self {
        let longest = |of: fn(&Entry<'_>) -> u32| {
            let widths = entries.iter().map(|entry| guard::width(&guard::clean(&model.run.class(of(entry)))));
            widths.max().unwrap_or(0).min(Self::NAME)
        };
        let images = entries.iter().filter_map(|entry| entry.pair).map(|pair| figures::count(pair.images).len());
        Self {
            truth: longest(|entry| entry.case.truth),
            predicted: longest(|entry| entry.case.predicted),
            images: images.max().unwrap_or(0),
        }
    }
}

/// The lists' names, that one strong which is browsed, and how far in it the cursor is.
fn tabs(model: &Model, theme: &Theme, entries: usize, row: Rect, buffer: &mut Buffer) {
    let judging = &model.view.judging;
    let at = if entries == 0 { String::new() } else { format!("{} of {entries}", judging.chosen.min(entries - 1) + 1) };
    let room = usize::from(row.width).saturating_sub(guard::width(&at) + 2);
    let mut spans = Vec::new();
    for list in List::ALL {
        let role = if list == judging.list { Role::Accent } else { Role::Faint };
        if !spans.is_empty() {
            spans.push(Span::raw("   "));
        }
        spans.push(Span::styled(list.title(), theme.style(role)));
    }
    let whole = Line::from(spans);
    let left =
        if whole.width() <= room { whole } else { Line::styled(judging.list.title(), theme.style(Role::Accent)) };
    ends(left, Line::styled(at, theme.style(Role::Text)), row, buffer);
}

/// `▸ dog ✗ cat 98 %  loss 4.12  dog.1041.jpg`
fn line(
    model: &Model,
    theme: &Theme,
    entry: &Entry<'_>,
    chosen: bool,
    widths: &Widths,
    row: Rect,
    buffer: &mut Buffer,
) {
    let symbols = theme.symbols;
    let Entry { case, pair } = entry;
    let right = case.truth == case.predicted;
    let name = |class: u32, cells: usize| guard::column(&model.run.class(class), cells, symbols.ellipsis);
    let mut pieces = vec![vec![
        Span::styled(if chosen { symbols.cursor } else { " " }, theme.style(Role::Accent)),
        Span::raw(" "),
        Span::styled(name(case.truth, widths.truth), theme.style(Role::Good)),
        Span::styled(
            format!(" {} ", if right { symbols.check } else { symbols.arrow }),
            theme.style(if right { Role::Good } else { Role::Faint }),
        ),
        Span::styled(name(case.predicted, widths.predicted), theme.style(if right { Role::Good } else { Role::Bad })),
    ]];
    let faint = |text: String| vec![Span::styled(text, theme.style(Role::Faint))];
    if let Some(pair) = pair {
        let images = if pair.images == 1 { "image" } else { "images" };
        pieces.push(vec![Span::styled(
            format!("{:>1$} {images:<6}", figures::count(pair.images), widths.images),
            theme.style(Role::Strong),
        )]);
        pieces.push(faint(format!("the surest {}", figures::whole_percent(f64::from(case.probability)))));
    } else {
        let sure = figures::whole_percent(f64::from(case.probability));
        pieces.push(vec![Span::styled(format!("{sure:>5}"), theme.style(Role::Text))]);
        let loss = guard::column_right(&Digits::Fixed(2).write(case.loss), 5, "");
        pieces.push(vec![Span::styled(format!("loss {loss}"), theme.style(Role::Warning))]);
    }
    // The name is cut before it is left out.
    let used: usize = pieces.iter().flatten().map(Span::width).sum::<usize>() + 2 * pieces.len();
    let left = usize::from(row.width).saturating_sub(used);
    if left >= 8 {
        pieces.push(faint(guard::fit(&case.name, left, symbols.ellipsis)));
    }
    as_fits(pieces, "  ", row.width.into()).render(row, buffer);
    if chosen {
        buffer.set_style(row, theme.style(Role::Selected));
    }
}

/// The chosen image, and heat for the class that it was given and for its own.
fn show(model: &Model, theme: &Theme, area: Rect, buffer: &mut Buffer) {
    let Some(entry) = model.chosen_mistake() else { return };
    let verdict = model.verdict();
    let waiting = || {
        let words = if model.is_live() {
            format!("heat is on its way{}", theme.symbols.ellipsis)
        } else {
            "no engine to ask for heat".into()
        };
        Tile::Words(words)
    };
    // The picture that came with the heat is the whole one; until then there is the thumbnail.
    let image: Option<&Picture> = verdict
        .and_then(|verdict| verdict.sample)
        .filter(|sample| model.view.album.get(&sample.blob).is_some())
        .or(entry.case.picture.as_ref());
    let mut shown = vec![match image {
        Some(image) => (Tile::Picture(image, None), vec![guard::clean(&entry.case.name).into_owned()]),
        None => (Tile::Words("no thumbnail".into()), vec![guard::clean(&entry.case.name).into_owned()]),
    }];
    match verdict {
        Some(verdict) => {
            for heat in [Some(verdict.predicted), verdict.truth].into_iter().flatten() {
                shown.push((Tile::Picture(heat, verdict.sample), caption(model, theme, heat)));
            }
        }
        None => shown.push((waiting(), vec![model.view.lens.method.title().into()])),
    }
    let (places, _) = boxes(area, 3);
    for ((tile, captions), place) in shown.iter().zip(places) {
        tiles::draw(model, theme, tile, captions, place, buffer);
    }
}

/// The entry of the list at a place on the page.
pub fn mistake_at(model: &Model, at: (u16, u16)) -> Option<usize> {
    let layout = model.layout();
    let area = layout.pane(Pane::Mistakes)?;
    let inside = if layout.compact {
        Rect { y: area.y + 1, height: area.height.saturating_sub(1), ..area }
    } else {
        area.inner(ratatui::layout::Margin::new(1, 1))
    };
    let classes = model.run.mistakes.as_ref()?.confusion.counts.len() as u16;
    let list = Parts::of(inside, classes).list;
    let entries = model.mistakes().len();
    let chosen = model.view.judging.chosen.min(entries.checked_sub(1)?);
    let first = first_shown(chosen, entries, usize::from(list.height).saturating_sub(1));
    let row = usize::from(at.1.checked_sub(list.y + 1)?);
    (list.contains(at.into()) && first + row < entries).then_some(first + row)
}
