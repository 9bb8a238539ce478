//! Pictures in pixels, for terminals that proved able. Text stays what is drawn by default and whenever something is in doubt.
//!
//! In the order in which it happens: [`probe`] asks the terminal, `answers` reads what it says, `protocol` decides; a drawing marks cells that
//! stand for pictures ([`mark`]); `canvas` makes the terminal hold them, in the sequences of `kitty` and `drawn`; [`Link`] carries all this
//! between the event loop, the terminal and tmux. The decisions and the sequences are pure; `probe`, `tmux` and `link` alone talk to anybody.

mod answers;
mod canvas;
mod drawn;
mod kitty;
mod late;
mod link;
mod marks;
mod probe;
mod protocol;
mod still;
mod tmux;
mod typed;

use ratatui::{buffer::Buffer, layout::Rect};

pub use self::{
    answers::Answers,
    probe::{PATIENCE, Probe, ask, probe},
    protocol::{Able, Between, Brand, Protocol, Refusal},
    still::still,
    tmux::{Pane, Sight},
};
pub(super) use self::{canvas::magnification, link::Link};
use super::{album::Album, model::ViewState};
use crate::picture::{Depth, Glyphs};

/// What this terminal can show, and how its pictures are numbered.
#[derive(Debug, Default)]
pub struct Pixels {
    able: Option<Able>,
    /// The person chose glyphs.
    off: bool,
    /// The person chose, glyphs or pixels.
    chosen: bool,
    /// A box lies over a picture that would show through it.
    veiled: bool,
    /// `names[i]` is the picture with number `i + 1`.
    names: Vec<Option<String>>,
}

impl Pixels {
    /// What glyphs are called in the cycle of kinds, when they are pixels.
    pub const NAME: &str = "pixels";

    /// What the terminal can do is known, or known anew.
    pub fn found(&mut self, able: Option<Able>) {
        self.able = able;
    }

    /// In use now.
    pub fn able(&self) -> Option<Able> {
        self.able.filter(|_| !self.off && !self.veiled)
    }

    /// Whether how pictures are drawn is the person's choice, not the terminal's.
    pub fn is_chosen(&self) -> bool {
        self.chosen
    }

    /// The next way of drawing pictures: pixels where they are possible, then one kind of glyphs after the other. Gives its name.
    pub fn cycle(&mut self, glyphs: &mut Glyphs) -> &'static str {
        self.chosen = true;
        if self.able.is_some() && !self.off {
            // The glyphs that were there before pixels were found begin.
            self.off = true;
            return glyphs.name();
        }
        *glyphs = glyphs.next();
        if self.able.is_some() && *glyphs == Glyphs::ALL[0] {
            self.off = false;
            return Self::NAME;
        }
        glyphs.name()
    }

    /// Gives every picture of the album a number, and takes those back whose pictures are gone.
    pub fn number(&mut self, album: &Album) {
        for slot in &mut self.names {
            if slot.as_ref().is_some_and(|name| album.get(name).is_none()) {
                *slot = None;
            }
        }
        for name in album.names() {
            if self.id(name).is_some() {
                continue;
            }
            match self.names.iter().position(Option::is_none) {
                Some(free) => self.names[free] = Some(name.to_owned()),
                None if self.names.len() < usize::from(u8::MAX) => self.names.push(Some(name.to_owned())),
                None => return,
            }
        }
    }

    fn id(&self, name: &str) -> Option<u8> {
        let at = self.names.iter().position(|n| n.as_deref() == Some(name))?;
        u8::try_from(at + 1).ok()
    }

    fn name(&self, id: u8) -> Option<&str> {
        self.names.get(usize::from(id).checked_sub(1)?)?.as_deref()
    }
}

/// Marks `area` as the place of the picture that the album has as `name`. False where it has to be drawn in glyphs.
pub(super) fn mark(view: &ViewState, name: &str, area: Rect, buffer: &mut Buffer) -> bool {
    let look = view.appearance;
    let area = area.intersection(buffer.area);
    let colours = !look.ascii && look.depth != Depth::Mono;
    let Some((able, id)) = view.pixels.able().filter(|_| colours).zip(view.pixels.id(name)) else { return false };
    let fits = marks::fits(area, buffer.area.bottom(), able.protocol);
    if fits {
        marks::mark(id, area, able.protocol, buffer);
    }
    fits
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use image::RgbImage;

    use super::*;
    use crate::tui::{
        Appearance,
        model::{Connection, Model},
        tests::png,
        update::{Msg, update},
    };

    fn album(names: &[&str]) -> Album {
        let mut album = Album::default();
        for name in names {
            album.put((*name).into(), &png(&RgbImage::new(2, 2))).unwrap();
        }
        album
    }

    #[test]
    fn numbers_are_kept_while_a_picture_is_there_and_used_again_after_it() {
        let mut pixels = Pixels::default();
        pixels.number(&album(&["a", "b"]));
        assert_eq!((pixels.id("a"), pixels.id("b"), pixels.name(2)), (Some(1), Some(2), Some("b")));
        pixels.number(&album(&["b", "c", "d"]));
        assert_eq!((pixels.id("a"), pixels.id("b"), pixels.id("c"), pixels.id("d")), (None, Some(2), Some(1), Some(3)));
        for round in 0..2000 {
            pixels.number(&album(&[&round.to_string()]));
            assert!(pixels.names.len() <= 3);
        }
    }

    #[test]
    fn glyphs_are_the_terminals_until_a_person_chooses() {
        let mut model =
            Model::new(Appearance::new(Depth::True, false), Connection::Live, (80, 24), jiff::tz::TimeZone::UTC);
        let tell = |model: &mut Model, glyphs| {
            update(model, Msg::Terminal { able: None, glyphs });
            model.view.appearance.glyphs
        };
        assert_eq!(tell(&mut model, Some(Glyphs::Sextant)), Glyphs::Sextant);
        assert_eq!(tell(&mut model, None), Glyphs::Sextant, "it did not answer in time");
        assert_eq!(tell(&mut model, Some(Glyphs::Quadrant)), Glyphs::Quadrant, "another terminal");
        crate::tui::viewing::glyphs(&mut model);
        let chosen = model.view.appearance.glyphs;
        assert_eq!(tell(&mut model, Some(Glyphs::Quadrant)), chosen);
    }

    #[test]
    fn the_cycle_has_pixels_where_there_are_some() {
        let mut glyphs = Glyphs::Quadrant;
        let mut plain = Pixels::default();
        let names: Vec<_> = (0..5).map(|_| plain.cycle(&mut glyphs)).collect();
        assert_eq!(names, ["sextant", "octant", "ascii", "half", "quadrant"]);

        let mut able = Pixels::default();
        able.found(Some(Able { protocol: Protocol::Sixel, cell: (8, 16), wrapped: false }));
        let names: Vec<_> = (0..8).map(|_| able.cycle(&mut glyphs)).collect();
        assert_eq!(names, ["quadrant", "sextant", "octant", "ascii", "pixels", "half", "quadrant", "sextant"]);
    }

    #[test]
    fn glyphs_are_drawn_where_pixels_are_not_possible() {
        let marks = |name: &str, area: Rect, depth: Depth| {
            let appearance = Appearance::new(depth, false);
            let mut model = Model::new(appearance, Connection::Replay, (20, 10), jiff::tz::TimeZone::UTC);
            model.view.pixels.found(Some(Able { protocol: Protocol::Sixel, cell: (8, 16), wrapped: false }));
            model.view.pixels.number(&album(&["a"]));
            let mut buffer = Buffer::empty(Rect::new(0, 0, 20, 10));
            mark(&model.view, name, area, &mut buffer);
            marks::placed(&buffer).len()
        };
        let area = Rect::new(1, 1, 8, 4);
        assert_eq!(marks("a", area, Depth::True), 1);
        assert_eq!(marks("unknown", area, Depth::True), 0);
        assert_eq!(marks("a", area, Depth::Mono), 0, "no colours were asked for");
        assert_eq!(marks("a", Rect::new(1, 6, 8, 4), Depth::True), 0, "it would scroll the screen");
    }
}
