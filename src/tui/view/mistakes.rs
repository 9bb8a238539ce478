//! PLACEHOLDER
use ratatui::{buffer::Buffer, text::Line};

use super::Place;
use crate::tui::{model::Model, theme::Role};

pub fn draw(model: &Model, place: Place, buffer: &mut Buffer) {
    let theme = model.theme();
    place.open(&theme, Line::styled("mistakes", theme.style(Role::Accent)), buffer);
}
