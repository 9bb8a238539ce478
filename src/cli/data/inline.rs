//! Pictures in the scrollback: pixels where the terminal takes them, otherwise characters, which tmux carries too. Nothing where
//! stdout is no terminal.

use std::io::{self, IsTerminal as _, Write as _, stdout};

use crossterm::{
    queue,
    style::{Print, ResetColor, SetBackgroundColor, SetForegroundColor},
    terminal,
};
use image::{DynamicImage, RgbImage};
use ratatui::{backend::IntoCrossterm as _, buffer::Buffer, layout::Rect};

use crate::{
    cli::predict::shows_pictures,
    picture::{Depth, fit, paint},
    tui::Appearance,
};

/// Columns that one picture of a row takes where there is room.
const COLUMNS: u16 = 20;

/// Shows a row of `across` pictures, all in one.
pub fn show(strip: &RgbImage, across: usize) {
    if !stdout().is_terminal() {
        return;
    }
    let columns = terminal::size().map_or(80, |(columns, _)| columns);
    let width = columns.min(COLUMNS * across as u16);
    let appearance = Appearance::detect(|name| std::env::var(name).ok());
    let pixels = shows_pictures() && appearance.depth != Depth::Mono;
    // A picture that cannot be shown takes nothing from the others.
    if pixels {
        let config = viuer::Config { absolute_offset: false, width: Some(width.into()), ..viuer::Config::default() };
        let _ = viuer::print(&DynamicImage::from(strip.clone()), &config);
    } else {
        let _ = write_text(strip, width, appearance);
    }
}

fn write_text(strip: &RgbImage, width: u16, appearance: Appearance) -> io::Result<()> {
    let area = fit(strip.width(), strip.height(), Rect::new(0, 0, width, u16::MAX / width.max(1)));
    let area = Rect::new(0, 0, area.width, area.height);
    let mut buffer = Buffer::empty(area);
    paint(strip, area, appearance.glyphs, appearance.depth, appearance.light, &mut buffer);
    let mut out = stdout().lock();
    for row in buffer.content.chunks(area.width.max(1).into()) {
        for cell in row {
            if appearance.depth != Depth::Mono {
                queue!(
                    out,
                    SetForegroundColor(cell.fg.into_crossterm()),
                    SetBackgroundColor(cell.bg.into_crossterm())
                )?;
            }
            queue!(out, Print(cell.symbol()))?;
        }
        if appearance.depth != Depth::Mono {
            queue!(out, ResetColor)?;
        }
        queue!(out, Print("\n"))?;
    }
    out.flush()
}
