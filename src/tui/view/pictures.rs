//! One validation image, the activations of a layer for it, and what in it speaks for the class.

use ratatui::{
    buffer::Buffer,
    layout::{Alignment, Rect},
    text::{Line, Span},
    widgets::Widget,
};

use super::{Place, text::bar};
use crate::{
    event::{Explained, Picture, PictureKind},
    picture::fit,
    tui::{
        figures, guard,
        model::{Connection, Model},
        pixels,
        theme::{Role, Theme},
    },
};

pub fn draw(model: &Model, place: Place, buffer: &mut Buffer) {
    let theme = model.theme();
    let explained = model.explained();
    let area = place.open(&theme, title(model, &theme, explained, place.area.width.into()), buffer);
    let Some(explained) = explained else {
        let never = model.run.is_over() || model.connection == Connection::Replay;
        let text = if never { "no picture was computed" } else { "not computed yet" };
        let middle = Rect { y: area.y + area.height / 2, height: area.height.min(1), ..area };
        Line::styled(text, theme.style(Role::Faint)).alignment(Alignment::Center).render(middle, buffer);
        return;
    };
    let (boxes, rest) = boxes(area, explained.pictures.len() as u16);
    for (picture, area) in explained.pictures.iter().zip(boxes) {
        thumbnail(model, &theme, picture, area, buffer);
    }
    if let Some(rest) = rest {
        probabilities(model, &theme, explained, rest, buffer);
    }
}

fn title(model: &Model, theme: &Theme, explained: Option<&Explained>, width: usize) -> Line<'static> {
    let dot = theme.symbols.separator;
    let mut spans = vec![Span::styled("pictures", theme.style(Role::Accent))];
    let Some(e) = explained else {
        spans.push(Span::styled(format!(" {dot} image {}", model.view.sample), theme.style(Role::Faint)));
        return Line::from(spans);
    };
    let label = model.run.class(e.label);
    let long = width >= 70;
    let verdict = predicted(e).map(|(class, share)| {
        let right = class == e.label;
        let (mark, role) = if right { (theme.symbols.check, Role::Good) } else { (theme.symbols.cross, Role::Bad) };
        let said = guard::fit(&model.run.class(class), width / 4, theme.symbols.ellipsis);
        let verb = if long { "predicted " } else { "" };
        (format!(" {mark} {verb}{said} {}", figures::whole_percent(share)), role)
    });
    let taken = verdict.as_ref().map_or(0, |(text, _)| guard::width(text)) + "pictures".len() + 8;
    let about = if long { format!("{} {dot} label {label}", e.name) } else { format!("{} {dot} {label}", e.name) };
    let about = guard::fit(&about, width.saturating_sub(taken), theme.symbols.ellipsis);
    spans.push(Span::styled(format!(" {dot} {about}"), theme.style(Role::Faint)));
    if let Some((text, role)) = verdict {
        spans.push(Span::styled(text, theme.style(role)));
    }
    Line::from(spans)
}

/// The most probable class and its probability.
fn predicted(explained: &Explained) -> Option<(u32, f64)> {
    let (class, share) = explained.probabilities.iter().enumerate().max_by(|a, b| a.1.total_cmp(b.1))?;
    Some((class as u32, f64::from(*share)))
}

/// A square box for each picture, side by side, and what is left beside or below them if a table fits.
fn boxes(area: Rect, count: u16) -> (Vec<Rect>, Option<Rect>) {
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

fn thumbnail(model: &Model, theme: &Theme, picture: &Picture, area: Rect, buffer: &mut Buffer) {
    let caption_rows = u16::from(area.height >= 3);
    let inside = Rect { height: area.height - caption_rows, ..area };
    if caption_rows > 0 {
        let text = caption(model, theme, picture, area.width.into());
        let row = Rect { y: inside.bottom(), height: 1, ..area };
        Line::styled(text, theme.style(Role::Faint)).alignment(Alignment::Center).render(row, buffer);
    }
    let appearance = model.view.appearance;
    if let Some(image) = model.view.album.get(&picture.blob) {
        let place = fit(image.width(), image.height(), inside);
        pixels::show(&model.view.pixels, appearance, &picture.blob, image, place, buffer);
    } else {
        let middle = Rect { y: inside.y + inside.height / 2, height: inside.height.min(1), ..inside };
        let missing = model.view.album.is_missing(&picture.blob);
        let text = if missing { "no longer kept" } else { theme.symbols.ellipsis };
        let text = guard::fit(text, middle.width.into(), theme.symbols.ellipsis);
        Line::styled(text, theme.style(Role::Faint)).alignment(Alignment::Center).render(middle, buffer);
    }
}

/// The longest wording that fits.
fn caption(model: &Model, theme: &Theme, picture: &Picture, width: usize) -> String {
    let wordings = match &picture.kind {
        PictureKind::Sample => ["image".into(), String::new()],
        PictureKind::Activations { layer, channels } => {
            [format!("{layer} {}{channels}", theme.symbols.times), layer.clone()]
        }
        PictureKind::GradCam { class, empty, .. } => {
            let class = model.run.class(*class);
            // An empty map is an answer, and the person must not take it for a defect.
            if *empty {
                [format!("nothing speaks for {class}"), "no heat".into()]
            } else {
                [format!("Grad-CAM {class}"), class]
            }
        }
    };
    let fits = wordings.iter().find(|w| guard::width(w) <= width).unwrap_or(&wordings[1]);
    guard::fit(fits, width, theme.symbols.ellipsis)
}

/// The most probable classes, with bars.
fn probabilities(model: &Model, theme: &Theme, explained: &Explained, area: Rect, buffer: &mut Buffer) {
    let mut ranked: Vec<(u32, f64)> =
        explained.probabilities.iter().map(|p| f64::from(*p)).zip(0..).map(|(p, c)| (c, p)).collect();
    ranked.sort_by(|a, b| b.1.total_cmp(&a.1));
    let width = usize::from(area.width);
    let longest = ranked.iter().map(|(c, _)| guard::width(&model.run.class(*c))).max().unwrap_or(0);
    let name = longest.min(width.saturating_sub(14)).min(16);
    for ((class, share), row) in ranked.into_iter().zip(area.rows()) {
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
