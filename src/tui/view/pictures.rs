//! One validation image, what in it speaks for the class, and the activations of a layer, in a pane among others.

use ratatui::{
    buffer::Buffer,
    layout::{Alignment, Rect},
    text::{Line, Span},
    widgets::Widget,
};

use super::{
    Place, lens,
    text::bar,
    tiles::{self, Tile},
};
use crate::{
    event::{Explained, Picture, PictureKind},
    state::Seen,
    tui::{
        figures, guard,
        model::{Connection, Model},
        theme::{Role, Theme},
    },
};

pub fn draw(model: &Model, place: Place, buffer: &mut Buffer) {
    if model.is_lens() {
        return lens::draw(model, place, buffer);
    }
    let theme = model.theme();
    let seen = model.seen();
    let width = place.area.width.into();
    let area = place.open(&theme, title(model, &theme, "pictures", seen.map(|seen| seen.explained), width), buffer);
    let Some(seen) = seen else { return nothing(model, &theme, area, buffer) };
    let tiles = layer_tiles(model, &theme, seen);
    let (boxes, rest) = boxes(area, tiles.len() as u16);
    for ((tile, captions), area) in tiles.iter().zip(boxes) {
        tiles::draw(model, &theme, tile, captions, area, buffer);
    }
    if let Some(rest) = rest {
        probabilities(model, &theme, seen.explained, rest, buffer);
    }
}

pub(super) fn nothing(model: &Model, theme: &Theme, area: Rect, buffer: &mut Buffer) {
    let never = model.run.is_over() || model.connection == Connection::Replay;
    let text = if never { "no picture was computed" } else { "not computed yet" };
    let middle = Rect { y: area.y + area.height / 2, height: area.height.min(1), ..area };
    Line::styled(text, theme.style(Role::Faint)).alignment(Alignment::Center).render(middle, buffer);
}

/// The image, its heat, and the layer's activations, with their captions.
pub(super) fn layer_tiles<'a>(model: &Model, theme: &Theme, seen: Seen<'a>) -> Vec<(Tile<'a>, Vec<String>)> {
    let mut tiles = Vec::new();
    if let Some(sample) = seen.sample {
        tiles.push((Tile::Picture(sample, None), caption(model, theme, sample)));
    }
    tiles.push(match seen.heat {
        Some(heat) => (Tile::Picture(heat, seen.sample), caption(model, theme, heat)),
        None => (Tile::Words(lens::no_heat(model, theme, seen.explained)), vec![model.wish().method.title().into()]),
    });
    tiles.push(if let Some(grid) = seen.activations {
        (Tile::Picture(grid, None), caption(model, theme, grid))
    } else {
        let layer = model.looked_at().unwrap_or("activations").to_owned();
        (Tile::Words(lens::no_activations(model, theme)), vec![layer])
    });
    tiles
}

/// What the image is and what it is taken for, after `word`.
pub(super) fn title(
    model: &Model,
    theme: &Theme,
    word: &'static str,
    explained: Option<&Explained>,
    width: usize,
) -> Line<'static> {
    let dot = theme.symbols.separator;
    let mut spans = vec![Span::styled(word, theme.style(Role::Accent))];
    let Some(e) = explained else {
        spans.push(Span::styled(format!(" {dot} image {}", model.view.sample), theme.style(Role::Faint)));
        return Line::from(spans);
    };
    let label = model.run.class(e.label);
    let long = width >= 70;
    let verdict = e.predicted().map(|(class, share)| {
        let right = class == e.label;
        let (mark, role) = if right { (theme.symbols.check, Role::Good) } else { (theme.symbols.cross, Role::Bad) };
        let said = guard::fit(&model.run.class(class), width / 4, theme.symbols.ellipsis);
        let verb = if long { "predicted " } else { "" };
        (format!(" {mark} {verb}{said} {}", figures::whole_percent(share)), role)
    });
    let taken = verdict.as_ref().map_or(0, |(text, _)| guard::width(text)) + word.len() + 8;
    let about = if long { format!("{} {dot} label {label}", e.name) } else { format!("{} {dot} {label}", e.name) };
    let about = guard::fit(&about, width.saturating_sub(taken), theme.symbols.ellipsis);
    spans.push(Span::styled(format!(" {dot} {about}"), theme.style(Role::Faint)));
    if let Some((text, role)) = verdict {
        spans.push(Span::styled(text, theme.style(role)));
    }
    Line::from(spans)
}

/// A square box for each picture, side by side, and what is left beside or below them if a table fits.
pub(super) fn boxes(area: Rect, count: u16) -> (Vec<Rect>, Option<Rect>) {
    const TABLE: u16 = 26;
    if count == 0 || area.is_empty() {
        return (Vec::new(), None);
    }
    let gaps = count - 1;
    let caption = u16::from(area.height >= 3);
    let width = (2 * (area.height - caption)).min(area.width.saturating_sub(gaps) / count).max(1);
    let height = (width.div_ceil(2) + caption).min(area.height);
    let boxes =
        (0..count).map(|i| Rect { x: area.x + i * (width + 1), width, height, ..area }.intersection(area)).collect();
    let used = count * (width + 1);
    let rest = if area.width >= used + TABLE {
        Some(Rect { x: area.x + used + 1, width: area.width - used - 1, ..area })
    } else {
        let below = Rect { y: area.y + height + 1, height: area.height.saturating_sub(height + 1), ..area };
        (below.height >= 2 && below.width >= TABLE).then_some(below)
    };
    (boxes, rest)
}

/// Wordings for what a picture shows, the longest first.
pub(super) fn caption(model: &Model, theme: &Theme, picture: &Picture) -> Vec<String> {
    let heat = |what: &str, class: u32, empty: bool| {
        let class = model.run.class(class);
        // An empty map is an answer, and the person must not take it for a defect.
        if empty {
            vec![format!("nothing speaks for {class}"), "no heat".into()]
        } else {
            vec![format!("{what} {class}"), class]
        }
    };
    match &picture.kind {
        PictureKind::Sample => vec!["image".into(), String::new()],
        PictureKind::Activations { layer, channels } => {
            vec![format!("{layer} {}{channels}", theme.symbols.times), layer.clone()]
        }
        PictureKind::Heat { method, class, empty, .. } => heat(method.title(), *class, *empty),
        PictureKind::GradCam { class, empty, .. } => heat("Grad-CAM", *class, *empty),
    }
}

/// The most probable classes, with bars.
pub(super) fn probabilities(model: &Model, theme: &Theme, explained: &Explained, area: Rect, buffer: &mut Buffer) {
    let ranked: Vec<u32> = explained.likeliest();
    let width = usize::from(area.width);
    let shown = &ranked[..ranked.len().min(area.height.into())];
    let longest = shown.iter().map(|class| guard::width(&model.run.class(*class))).max().unwrap_or(0);
    let name = longest.min(width.saturating_sub(14)).min(16);
    for (class, row) in shown.iter().copied().zip(area.rows()) {
        let share = explained.probabilities.get(class as usize).map_or(0.0, |share| f64::from(*share));
        let role = if class == explained.label { Role::Good } else { Role::Text };
        let text = guard::column(&model.run.class(class), name, theme.symbols.ellipsis);
        let mut spans = vec![Span::styled(text + " ", theme.style(role))];
        spans.extend(bar(theme, share, width.saturating_sub(name + 8).min(24), Role::Accent));
        spans.push(Span::styled(format!(" {:>6}", figures::percent(share)), theme.style(Role::Text)));
        Line::from(spans).render(row, buffer);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn boxes_are_square_while_there_is_room() {
        let (three, rest) = boxes(Rect::new(0, 0, 80, 11), 3);
        assert_eq!(three.iter().map(|b| (b.x, b.width)).collect::<Vec<_>>(), [(0, 20), (21, 20), (42, 20)]);
        assert_eq!(rest, None);
        assert_eq!(boxes(Rect::new(0, 0, 100, 11), 3).1, Some(Rect::new(64, 0, 36, 11)), "a table beside");
        assert_eq!(boxes(Rect::new(0, 0, 62, 30), 3).1, Some(Rect::new(0, 12, 62, 18)), "a table below");
        assert!(boxes(Rect::new(0, 0, 5, 11), 3).0.iter().all(|b| b.right() <= 5));
    }
}
