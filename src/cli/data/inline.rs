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
    picture::{Depth, Glyphs, fit, paint},
    tui::Appearance,
};

/// Columns that one picture of a row takes where there is room.
const COLUMNS: u16 = 20;

/// Shows a row of `across` pictures, all in one.
pub fn show(strip: &RgbImage, across: usize) {
    picture(strip, COLUMNS * across as u16);
}

/// Shows a picture in at most so many columns. Where stdout is no terminal it does nothing, and says so: [`lines`] is for pipes.
pub fn picture(picture: &RgbImage, columns: u16) -> bool {
    if !stdout().is_terminal() {
        return false;
    }
    let width = room().min(columns);
    let appearance = Appearance::detect(|name| std::env::var(name).ok());
    // A picture that cannot be shown takes nothing from the others.
    if shows_pictures() && appearance.depth != Depth::Mono {
        let config = viuer::Config { absolute_offset: false, width: Some(width.into()), ..viuer::Config::default() };
        let _ = viuer::print(&DynamicImage::from(picture.clone()), &config);
    } else {
        let _ = write_text(picture, width, appearance);
    }
    true
}

/// A picture in letters, dark to bright, without colours: what a pipe carries and a log keeps.
pub fn lines(picture: &RgbImage, columns: u16) -> String {
    let area = area(picture, columns);
    let mut buffer = Buffer::empty(area);
    paint(picture, area, Glyphs::Ascii, Depth::Mono, false, &mut buffer);
    let row = |cells: &[ratatui::buffer::Cell]| {
        let text: String = cells.iter().map(ratatui::buffer::Cell::symbol).collect();
        text.trim_end().to_owned()
    };
    buffer.content.chunks(area.width.max(1).into()).map(row).collect::<Vec<_>>().join("\n")
}

/// A picture that changes in its place in the scrollback, as characters, since those can be written over.
pub struct Forming {
    columns: u16,
    /// Of the picture that stands there.
    rows: u16,
}

impl Forming {
    pub fn new(columns: u16) -> Self {
        Self { columns, rows: 0 }
    }

    pub fn show(&mut self, picture: &RgbImage) {
        if !stdout().is_terminal() {
            return;
        }
        let rows = terminal::size().map_or(24, |(_, rows)| rows);
        // As high as the screen at most, or its top could not be reached any more.
        let highest = f64::from(rows.saturating_sub(3).max(1)) * 2.0;
        let widest = highest * f64::from(picture.width()) / f64::from(picture.height().max(1));
        let width = room().min(self.columns).min(widest as u16).max(1);
        let appearance = Appearance::detect(|name| std::env::var(name).ok());
        if self.rows > 0 {
            let _ = queue!(stdout(), crossterm::cursor::MoveUp(self.rows));
        }
        let _ = write_text(picture, width, appearance);
        self.rows = area(picture, width).height;
    }

    pub fn has_shown(&self) -> bool {
        self.rows > 0
    }
}

fn room() -> u16 {
    terminal::size().map_or(80, |(columns, _)| columns)
}

fn area(picture: &RgbImage, width: u16) -> Rect {
    let area = fit(picture.width(), picture.height(), Rect::new(0, 0, width, u16::MAX / width.max(1)));
    Rect::new(0, 0, area.width, area.height)
}

fn write_text(strip: &RgbImage, width: u16, appearance: Appearance) -> io::Result<()> {
    let area = area(strip, width);
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
