//! One picture with a line of words below it: images and grids as they are, heat laid over its image. What is not here says why.

use ratatui::{
    buffer::Buffer,
    layout::{Alignment, Rect},
    text::Line,
    widgets::Widget,
};

use super::content::Content;
use crate::{
    event::Picture,
    picture::{Depth, fit},
    tui::{
        guard,
        model::Model,
        pixels,
        theme::{Role, Theme},
    },
};

/// What stands in a box.
#[derive(Clone, Debug)]
pub enum Tile<'a> {
    /// With the image that heat is of.
    Picture(&'a Picture, Option<&'a Picture>),
    /// Words in its place.
    Words(String),
}

/// `captions` are wordings, the longest first; the first that fits is taken.
pub fn draw(model: &Model, theme: &Theme, tile: &Tile<'_>, captions: &[String], area: Rect, buffer: &mut Buffer) {
    let caption_rows = u16::from(area.height >= 3);
    let inside = Rect { height: area.height - caption_rows, ..area };
    if caption_rows > 0 {
        let width = usize::from(area.width);
        let fits = captions.iter().find(|words| guard::width(words) <= width).or(captions.last());
        let text = guard::fit(fits.map_or("", String::as_str), width, theme.symbols.ellipsis);
        let row = Rect { y: inside.bottom(), height: 1, ..area };
        Line::styled(text, theme.style(Role::Faint)).alignment(Alignment::Center).render(row, buffer);
    }
    match tile {
        Tile::Words(text) => words(theme, text, inside, buffer),
        Tile::Picture(picture, image) => {
            if !painted(model, picture, *image, inside, buffer) {
                let missing = model.view.album.is_missing(&picture.blob);
                words(theme, if missing { "no longer kept" } else { theme.symbols.ellipsis }, inside, buffer);
            }
        }
    }
}

/// Whether it was there to be drawn.
fn painted(model: &Model, picture: &Picture, image: Option<&Picture>, area: Rect, buffer: &mut Buffer) -> bool {
    let Some(content) = Content::of(model, picture, image) else { return false };
    let (look, shape) = (model.view.appearance, content.dimensions());
    if pixels::mark(&model.view, &picture.blob, fit(shape.0, shape.1, area), buffer) {
        return true;
    }
    let name = format!("{} {}", picture.blob, content.version());
    let make = |place: Rect| {
        let (across, down) = if look.depth == Depth::Mono { (1, 1) } else { look.glyphs.resolution() };
        Some(content.at([usize::from(place.height) * down, usize::from(place.width) * across]))
    };
    model.view.album.paint_made(name, shape, area, look, make, buffer)
}

/// In the middle of a box, on as many lines as it takes.
fn words(theme: &Theme, text: &str, area: Rect, buffer: &mut Buffer) {
    let lines = guard::wrap(text, usize::from(area.width).max(1));
    let rows = (lines.len() as u16).min(area.height);
    let middle = Rect { y: area.y + (area.height - rows) / 2, height: rows, ..area };
    for (line, row) in lines.into_iter().zip(middle.rows()) {
        Line::styled(line, theme.style(Role::Faint)).alignment(Alignment::Center).render(row, buffer);
    }
}

/// How many in a row make `count` squares with captions largest, and the side of each in columns.
pub fn columns(count: u16, area: Rect) -> (u16, u16) {
    let side = |across: u16| {
        let down = count.div_ceil(across).max(1);
        let height = (area.height / down).saturating_sub(1);
        (area.width.saturating_sub(across - 1) / across).min(2 * height)
    };
    (1..=count.max(1))
        .map(|across| (across, side(across)))
        .max_by_key(|(across, side)| (*side, u16::MAX - across))
        .unwrap_or((1, 0))
}

/// Boxes for `count` squares with captions, row by row, together in the middle of the area's width.
pub fn boxes(count: u16, area: Rect) -> Vec<Rect> {
    let (across, side) = columns(count, area);
    if side == 0 {
        return Vec::new();
    }
    let height = side.div_ceil(2) + 1;
    let left = area.x + (area.width.saturating_sub(across * (side + 1) - 1)) / 2;
    (0..count)
        .map(|at| Rect { x: left + at % across * (side + 1), y: area.y + at / across * height, width: side, height })
        .map(|place| place.intersection(area))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn squares_are_as_large_as_they_can_be() {
        assert_eq!(columns(3, Rect::new(0, 0, 78, 15)), (3, 25), "side by side");
        assert_eq!(columns(5, Rect::new(0, 0, 78, 15)), (5, 14));
        assert_eq!(columns(6, Rect::new(0, 0, 100, 50)), (3, 32), "two rows of three");
        let places = boxes(5, Rect::new(2, 3, 100, 40));
        assert_eq!(places.len(), 5);
        for (at, place) in places.iter().enumerate() {
            assert_eq!(place.intersection(Rect::new(2, 3, 100, 40)), *place);
            assert!(places[at + 1..].iter().all(|other| other.intersection(*place).is_empty()));
        }
        assert!(boxes(3, Rect::new(0, 0, 1, 1)).is_empty());
    }
}
