//! The lens: pictures as large as the screen makes them, the epochs that can be looked back at, and what the keys are set to.

use ratatui::{
    buffer::Buffer,
    layout::Rect,
    text::{Line, Span},
    widgets::Widget,
};

use super::{
    Place, pictures,
    text::{as_fits, bar},
    tiles::{self, Tile},
};
use crate::{
    command::{Scene, Whose},
    event::{Explained, Painted, PictureKind},
    state::{Seen, sweep},
    tui::{
        guard,
        model::Model,
        theme::{Role, Theme},
    },
};

/// Rows for the epochs and for what the keys are set to.
const BELOW: u16 = 2;

pub fn draw(model: &Model, place: Place, buffer: &mut Buffer) {
    let theme = model.theme();
    let scene = model.wish().scene;
    let seen = model.seen();
    let width = usize::from(place.area.width);
    if let Scene::Filters(_) = scene {
        let title = Line::styled("lens, what filters like", theme.style(Role::Accent));
        let (area, below) = split(place.open(&theme, title, buffer));
        filters(model, &theme, area, buffer);
        return settings(model, &theme, last_row(below), buffer);
    }
    let title = pictures::title(model, &theme, "lens", seen.map(|seen| seen.explained), width);
    let (area, below) = split(place.open(&theme, title, buffer));
    match seen {
        None => pictures::nothing(model, &theme, area, buffer),
        Some(seen) if scene == Scene::Sweep => every_block(model, &theme, seen, area, buffer),
        Some(seen) => {
            let tiles = pictures::layer_tiles(model, &theme, seen);
            let (boxes, table) = places(area, tiles.len() as u16);
            for ((tile, captions), area) in tiles.iter().zip(boxes) {
                tiles::draw(model, &theme, tile, captions, area, buffer);
            }
            pictures::probabilities(model, &theme, seen.explained, table, buffer);
        }
    }
    let mut rows = below.rows();
    if below.height == BELOW
        && let Some(row) = rows.next()
    {
        epochs(model, &theme, seen, row, buffer);
    }
    settings(model, &theme, last_row(below), buffer);
}

/// Where the pictures stand, and the table of probabilities: as the room's shape makes them largest. In a row with the table beside or below;
/// in two rows with the table in the place of a fourth; or the heat as high as the room and the others beside it.
fn places(area: Rect, count: u16) -> (Vec<Rect>, Rect) {
    let cells =
        |boxes: &[Rect]| boxes.iter().map(|place| u32::from(place.width) * u32::from(place.height)).sum::<u32>();
    // Two rows at least for the probabilities, where the pictures can spare them.
    let spared = Rect { height: area.height.saturating_sub(3).max(area.height.min(8)), ..area };
    let (mut boxes, beside) = pictures::boxes(spared, count);
    let bottom = boxes.iter().map(|place| place.bottom()).max().unwrap_or(area.y);
    let mut table = match beside {
        Some(beside) if beside.x > area.x => Rect { height: area.height, ..beside },
        _ => Rect { y: bottom + 1, height: area.bottom().saturating_sub(bottom + 1), ..area },
    };
    let mut square = tiles::boxes(count + 1, area);
    if square.first().map(|place| place.width) > boxes.first().map(|place| place.width) {
        table = square.pop().unwrap_or_default();
        boxes = square;
    }
    if let Some((large, aside)) = one_large(area).filter(|(large, _)| count == 3 && cells(large) > cells(&boxes)) {
        return (large, aside);
    }
    (boxes, table)
}

/// The image and the activations one above the other at the left, the heat beside them twice as large, and the table at the right.
fn one_large(area: Rect) -> Option<(Vec<Rect>, Rect)> {
    const TABLE: u16 = 26;
    let high = area.height.checked_sub(2)?;
    // Captions below all of them; the two small ones have two, where the large one has one.
    let small = (high / 2).min(area.width.saturating_sub(TABLE + 5) / 6);
    let large = 2 * small + 1;
    if small < 6 {
        return None;
    }
    let at = |x: u16, y: u16, side: u16| Rect { x: area.x + x, y: area.y + y, width: 2 * side, height: side + 1 };
    let boxes = vec![at(0, 0, small), at(2 * small + 1, 0, large), at(0, small + 1, small)];
    let used = 2 * small + 2 * large + 3;
    let table = Rect { x: area.x + used, width: area.width.saturating_sub(used), ..area };
    (boxes.iter().all(|place| area.intersection(*place) == *place)).then_some((boxes, table))
}

/// The pictures' part and the rows below it; a small screen has no room for those.
fn split(area: Rect) -> (Rect, Rect) {
    let rows = if area.height > 3 * BELOW { BELOW } else { 0 };
    let above = Rect { height: area.height - rows, ..area };
    (above, Rect { y: above.bottom(), height: rows, ..area })
}

fn last_row(area: Rect) -> Rect {
    Rect { y: area.bottom().saturating_sub(1), height: area.height.min(1), ..area }
}

/// The image, and heat at the end of every block.
fn every_block(model: &Model, theme: &Theme, seen: Seen<'_>, area: Rect, buffer: &mut Buffer) {
    let depth = |name: &str| model.run.layers.iter().position(|layer| layer.info.name == name);
    let mut heats: Vec<_> = sweep(seen.explained, &model.wish())
        .into_iter()
        .filter_map(|picture| match &picture.kind {
            PictureKind::Heat { layer, class, empty, .. } => Some((layer.as_str(), *class, *empty, picture)),
            _ => None,
        })
        .collect();
    heats.sort_by_key(|(layer, ..)| depth(layer));
    let mut all: Vec<(Tile<'_>, Vec<String>)> = Vec::new();
    all.extend(seen.sample.map(|sample| (Tile::Picture(sample, None), vec!["image".into()])));
    for (layer, class, empty, picture) in &heats {
        let sides = format!("{layer} {}{}{}", picture.height, theme.symbols.times, picture.width);
        let nothing = format!("{layer}: nothing speaks for {}", model.run.class(*class));
        let captions = if *empty { vec![nothing, format!("{layer}: none")] } else { vec![sides, (*layer).to_owned()] };
        all.push((Tile::Picture(picture, seen.sample), captions));
    }
    if heats.is_empty() {
        all.push((Tile::Words(no_heat(model, theme, seen.explained)), vec![model.wish().method.title().into()]));
    }
    for ((tile, captions), place) in all.iter().zip(tiles::boxes(all.len() as u16, area)) {
        tiles::draw(model, theme, tile, captions, place, buffer);
    }
}

/// The painting, and beside it how far it is.
fn filters(model: &Model, theme: &Theme, area: Rect, buffer: &mut Buffer) {
    const WORDS: u16 = 30;
    let side = (2 * area.height).min(area.width.saturating_sub(WORDS + 2)).max(area.width.min(2 * area.height).min(24));
    let square = Rect { width: side.min(area.width), height: side.div_ceil(2).min(area.height), ..area };
    let words = Rect { x: square.right() + 2, width: area.right().saturating_sub(square.right() + 2), ..area };
    let faint = theme.style(Role::Faint);
    let Some(painted) = model.painted().filter(|painted| painted.refused.is_none()) else {
        let text = match model.painted().and_then(|painted| painted.refused.as_deref()) {
            Some(reason) => format!("no picture is large enough: {reason}"),
            None if model.is_live() => format!("the first step is being painted{}", theme.symbols.ellipsis),
            None => format!("nobody had them painted while the run was there; {}", by_hand(model, "filters")),
        };
        for (line, row) in guard::wrap(&text, area.width.into()).into_iter().zip(area.rows()) {
            Line::styled(line, faint).render(row, buffer);
        }
        return;
    };
    let picture = crate::event::Picture {
        kind: PictureKind::Sample,
        blob: painted.blob.clone(),
        width: painted.width,
        height: painted.height,
    };
    // The painting has no caption: all of it stands beside.
    let with_caption = Rect { height: square.height + 1, ..square };
    tiles::draw(
        model,
        theme,
        &Tile::Picture(&picture, None),
        &[String::new()],
        with_caption.intersection(area),
        buffer,
    );
    for (line, row) in about(model, theme, painted, words.width.into()).into_iter().zip(words.rows()) {
        line.render(row, buffer);
    }
}

fn about(model: &Model, theme: &Theme, painted: &Painted, width: usize) -> Vec<Line<'static>> {
    let Painted { layer, filters, channels, done, total, epoch, .. } = painted;
    let faint = theme.style(Role::Faint);
    let share = f64::from(*done) / f64::from((*total).max(1));
    let mut lines = vec![
        Line::styled(guard::fit(layer, width, theme.symbols.ellipsis), theme.style(Role::Strong)),
        Line::styled(format!("the first {filters} of {channels} filters"), faint),
        Line::styled(format!("weights of epoch {}", ended_at(model, *epoch)), faint),
        Line::default(),
        Line::styled(format!("step {done} of {total}"), theme.style(Role::Text)),
        Line::from(bar(theme, share, width.min(24), Role::Accent)),
        Line::default(),
    ];
    let how =
        "uphill from grey noise, each for what its own filter puts out; while the run is paused, as fast as it goes";
    lines.extend(guard::wrap(how, width.max(8)).into_iter().map(|line| Line::styled(line, faint)));
    lines
}

/// Which epoch is shown, and between which there is a choice.
fn epochs(model: &Model, theme: &Theme, seen: Option<Seen<'_>>, area: Rect, buffer: &mut Buffer) {
    let symbols = theme.symbols;
    let faint = theme.style(Role::Faint);
    let sample = seen.map_or(model.view.sample, |seen| seen.explained.sample);
    let kept: Vec<u32> = model.run.kept_epochs(sample).collect();
    let newest = seen.map(|seen| seen.explained.epoch);
    let (word, at) = match (model.looks_back(), newest) {
        (Some(epoch), _) => (format!("epoch {epoch}"), Some(epoch)),
        (None, Some(epoch)) if model.is_live() => (format!("now, epoch {epoch}"), None),
        // What was computed after the last epoch belongs to it.
        (None, Some(epoch)) => (format!("epoch {}, last", ended_at(model, epoch)), None),
        (None, None) => ("now".into(), None),
    };
    let mut spans = vec![Span::styled(guard::column(&word, 16, symbols.ellipsis), theme.style(Role::Strong))];
    let pin = match model.run.is_pinned(sample) {
        _ if !model.is_live() => "",
        true => "  P unpins",
        false => "  P pins",
    };
    let keys = format!("  , . back and on  > now{pin}");
    let (Some(first), Some(last)) = (kept.first().copied(), kept.last().copied()) else {
        let why =
            if model.is_live() { "P keeps this image at the end of each epoch" } else { "no epoch of it is kept" };
        spans.push(Span::styled(why, faint));
        return Line::from(spans).render(area, buffer);
    };
    let word = if area.width >= 60 { "kept epochs" } else { "kept" };
    let ends = [format!("{word} {first} "), format!(" {last}")];
    let taken = 16 + ends[0].len() + ends[1].len();
    let room = usize::from(area.width).saturating_sub(taken);
    let keys = if room >= guard::width(&keys) + 16 { keys } else { String::new() };
    let track = room.saturating_sub(guard::width(&keys)).min(64);
    let cell = |epoch: u32| {
        let share = f64::from(epoch.saturating_sub(first)) / f64::from((last - first).max(1));
        (share * track.saturating_sub(1) as f64).round() as usize
    };
    let mut cells = vec![(symbols.bar_empty, Role::BarEmpty); track];
    for epoch in &kept {
        if let Some(cell) = cells.get_mut(cell(*epoch)) {
            *cell = (symbols.bar_full, Role::Faint);
        }
    }
    let shown = at.map_or(track.saturating_sub(1), cell);
    if let Some(cell) = cells.get_mut(shown) {
        *cell = (symbols.running, if at.is_some() { Role::Validation } else { Role::Good });
    }
    spans.push(Span::styled(ends[0].clone(), faint));
    spans.extend(cells.into_iter().map(|(symbol, role)| Span::styled(symbol, theme.style(role))));
    spans.extend([Span::styled(ends[1].clone(), faint), Span::styled(keys, faint)]);
    Line::from(spans).render(area, buffer);
}

/// An epoch, but none that never was.
fn ended_at(model: &Model, epoch: u32) -> u32 {
    let last = model.run.epochs.last().filter(|_| model.run.is_over());
    last.map_or(epoch, |last| epoch.min(last.epoch))
}

/// What the keys are set to, the keys first.
fn settings(model: &Model, theme: &Theme, area: Rect, buffer: &mut Buffer) {
    let wish = model.wish();
    let piece = |key: &'static str, text: String| {
        vec![Span::styled(key, theme.style(Role::Accent)), Span::styled(format!(" {text}"), theme.style(Role::Text))]
    };
    let scene = match wish.scene {
        Scene::Layer => "one layer",
        Scene::Sweep => "every block",
        Scene::Filters(_) => "filters",
        Scene::Verdict => "both classes",
        Scene::Probe | Scene::Machine | Scene::Figures => "",
    };
    let layer = model.looked_at().unwrap_or("the deepest layer");
    let mut pieces = vec![piece("v", scene.into())];
    if !matches!(wish.scene, Scene::Filters(_)) {
        pieces.push(piece("m", wish.method.title().into()));
        pieces.push(piece("C", class(model, wish.class)));
    }
    if wish.scene != Scene::Sweep {
        pieces.push(piece("j k", layer.to_owned()));
    }
    if !matches!(wish.scene, Scene::Filters(_)) {
        let style = model.view.lens.style();
        let alone = if style.strength.is_some() { "" } else { " alone" };
        pieces.push(piece("n", format!("image {}", model.view.sample)));
        pieces.push(piece("h", format!("{}{alone}", style.map.name())));
    }
    as_fits(pieces, "  ", area.width.into()).render(area, buffer);
}

fn class(model: &Model, whose: Whose) -> String {
    match whose {
        Whose::Predicted | Whose::True => whose.word().into(),
        Whose::Class(class) => guard::fit(&model.run.class(class), 20, model.theme().symbols.ellipsis),
    }
}

/// Why there is no heat where it was wanted.
pub(super) fn no_heat(model: &Model, theme: &Theme, explained: &Explained) -> String {
    let wish = model.wish();
    let method = wish.method.title();
    if let Some(epoch) = model.looks_back() {
        return format!("{method} of this layer and class is not kept of epoch {epoch}; . goes on to now");
    }
    if let Some(refused) = explained.refused.as_ref().filter(|refused| refused.method == wish.method) {
        return refused.reason.clone();
    }
    if model.is_live() {
        return format!("{method}{}", theme.symbols.ellipsis);
    }
    format!("{method} of this is not kept; {}", by_hand(model, "cam"))
}

pub(super) fn no_activations(model: &Model, theme: &Theme) -> String {
    match model.looks_back() {
        Some(epoch) => format!("its activations are not kept of epoch {epoch}"),
        None if model.is_live() => theme.symbols.ellipsis.to_owned(),
        None => format!("not kept; {}", by_hand(model, "activations")),
    }
}

/// How to have it computed of a run that is over.
fn by_hand(model: &Model, what: &str) -> String {
    let run = model.run.run.as_ref().map_or("RUN", |run| run.run.as_str());
    format!("frostline explain {what} {run} computes it")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pictures_take_the_room_that_there_is() {
        let widths = |width, height| {
            let area = Rect::new(1, 5, width, height);
            let (boxes, table) = places(area, 3);
            assert!(
                boxes.iter().chain([&table]).all(|place| area.intersection(*place) == *place),
                "{boxes:?} {table:?}"
            );
            assert!(boxes.iter().all(|one| boxes.iter().filter(|other| one.intersects(**other)).count() == 1));
            boxes.iter().map(|place| place.width).collect::<Vec<_>>()
        };
        assert_eq!(widths(78, 15), [22; 3], "side by side");
        assert_eq!(widths(130, 33), [30, 62, 30], "one large");
        assert_eq!(widths(60, 50), [29; 3], "in two rows");
    }
}
