//! One picture in the scrollback, for the commands that print and end.

use std::{borrow::Cow, fmt::Write as _};

use image::RgbImage;
use ratatui::{buffer::Buffer, layout::Rect};

use super::{
    canvas::Canvas,
    marks::{self, Placed},
    protocol::{Able, Protocol},
};

/// What shows `image` at `area` of the screen, whose rows must be there already: sequences that draw it, and for placeholders the text
/// that stands for it. It stays until the terminal scrolls it away.
pub fn still(image: &RgbImage, area: Rect, able: Able) -> String {
    const ID: u8 = 255;
    let placed = Placed { id: ID, area };
    let mut out =
        Canvas::default().next(&[(placed, String::new())], Some(able), |_, _| Some(Cow::Borrowed(image)), usize::MAX);
    if able.protocol == Protocol::Placeholders {
        let mut buffer = Buffer::empty(Rect { x: 0, y: 0, ..area });
        let all = buffer.area;
        marks::mark(ID, all, able.protocol, &mut buffer);
        for (row, y) in buffer.content.chunks(area.width.max(1).into()).zip(area.y..) {
            let cells: String = row.iter().map(ratatui::buffer::Cell::symbol).collect();
            let _ = write!(out, "\x1b7\x1b[{};{}H\x1b[38;5;{ID}m{cells}\x1b[39m\x1b8", y + 1, area.x + 1);
        }
    }
    out
}
