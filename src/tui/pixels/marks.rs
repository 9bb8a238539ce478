//! Cells that stand for pictures. A screen that is drawn holds all that has to be known of them: which, and where. Kitty's placeholders are
//! such cells already; for the other protocols it is a blank of its own kind, which ratatui rewrites when something else takes its place.

use std::num::NonZeroU16;

use ratatui::{
    buffer::{Buffer, Cell, CellDiffOption},
    layout::Rect,
    style::Color,
};

use super::protocol::Protocol;

/// Where the picture with number `id` is to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Placed {
    pub id: u8,
    pub area: Rect,
}

/// Kitty's placeholder.
const PLACEHOLDER: char = '\u{10EEEE}';
/// Looks like a blank, and is not the one that ratatui takes an empty cell for.
const HELD: char = '\u{A0}';

/// Whether a picture over `area` can be marked on a screen of so many rows.
pub fn fits(area: Rect, rows: u16, protocol: Protocol) -> bool {
    let most = usize::from(area.width.max(area.height));
    // Sixels that reach the last row make the screen scroll.
    let last = area.bottom() >= rows;
    !area.is_empty() && if protocol.floats() { !last } else { most <= diacritics() }
}

/// Marks `area` as the place of picture `id`.
pub fn mark(id: u8, area: Rect, protocol: Protocol, buffer: &mut Buffer) {
    for (y, row) in area.rows().enumerate() {
        for (x, place) in row.columns().enumerate() {
            let Some(cell) = buffer.cell_mut((place.x, place.y)) else { continue };
            cell.reset();
            if protocol.floats() {
                cell.set_char(HELD);
            } else if let (Some(down), Some(right)) = (diacritic(y), diacritic(x)) {
                // Row and column in every cell: tmux and ratatui draw parts of rows.
                cell.set_symbol(&String::from_iter([PLACEHOLDER, down, right]));
                cell.set_diff_option(CellDiffOption::ForcedWidth(NonZeroU16::MIN));
            }
            // An entry of the palette, since tmux changes 24-bit colours for terminals that have none.
            cell.set_fg(Color::Indexed(id));
        }
    }
}

/// The marked rectangles, row by row. One that something lies over falls into pieces.
pub fn placed(buffer: &Buffer) -> Vec<Placed> {
    let mut found: Vec<Placed> = Vec::new();
    let has = |x: u16, y: u16, id: u8| buffer.cell((x, y)).and_then(marked) == Some(id);
    for (at, cell) in buffer.content.iter().enumerate() {
        let Some(id) = marked(cell) else { continue };
        let (x, y) = buffer.pos_of(at);
        if found.iter().any(|placed| placed.area.contains((x, y).into())) {
            continue;
        }
        let right = (x..buffer.area.right()).find(|x| !has(*x, y, id)).unwrap_or(buffer.area.right());
        let whole = |y: u16| (x..right).all(|x| has(x, y, id));
        let bottom = (y..buffer.area.bottom()).find(|y| !whole(*y)).unwrap_or(buffer.area.bottom());
        found.push(Placed { id, area: Rect { x, y, width: right - x, height: bottom - y } });
    }
    found
}

/// Leaves cells as they are in the terminal whose picture follows another one that was there in the last frame: a blank would take that away
/// before the new one is sent.
pub fn keep(before: &[Placed], now: &[Placed], buffer: &mut Buffer) {
    for cell in now.iter().flat_map(|placed| placed.area.positions()) {
        if before.iter().any(|placed| placed.area.contains(cell))
            && let Some(cell) = buffer.cell_mut(cell)
        {
            cell.set_diff_option(CellDiffOption::Skip);
        }
    }
}

fn marked(cell: &Cell) -> Option<u8> {
    let Color::Indexed(id) = cell.fg else { return None };
    cell.symbol().starts_with([PLACEHOLDER, HELD]).then_some(id)
}

fn diacritic(n: usize) -> Option<char> {
    let mut left = n as u32;
    for (first, count) in DIACRITICS {
        if left < *count {
            return char::from_u32(first + left);
        }
        left -= count;
    }
    None
}

fn diacritics() -> usize {
    DIACRITICS.iter().map(|(_, count)| *count as usize).sum()
}

/// Kitty's numbers for rows and columns: the marks above a letter (combining class 230) of Unicode 6.0 that have no decomposition and fuse
/// with no letter, in runs (first, how many). <https://sw.kovidgoyal.net/kitty/graphics-protocol/#unicode-placeholders>
const DIACRITICS: &[(u32, u32)] = &[
    (0x305, 1),
    (0x30D, 2),
    (0x310, 1),
    (0x312, 1),
    (0x33D, 3),
    (0x346, 1),
    (0x34A, 3),
    (0x350, 3),
    (0x357, 1),
    (0x35B, 1),
    (0x363, 13),
    (0x483, 5),
    (0x592, 4),
    (0x597, 3),
    (0x59C, 6),
    (0x5A8, 2),
    (0x5AB, 2),
    (0x5AF, 1),
    (0x5C4, 1),
    (0x610, 8),
    (0x657, 5),
    (0x65D, 2),
    (0x6D6, 7),
    (0x6DF, 4),
    (0x6E4, 1),
    (0x6E7, 2),
    (0x6EB, 2),
    (0x730, 1),
    (0x732, 2),
    (0x735, 2),
    (0x73A, 1),
    (0x73D, 1),
    (0x73F, 3),
    (0x743, 1),
    (0x745, 1),
    (0x747, 1),
    (0x749, 2),
    (0x7EB, 7),
    (0x7F3, 1),
    (0x816, 4),
    (0x81B, 9),
    (0x825, 3),
    (0x829, 5),
    (0x951, 1),
    (0x953, 2),
    (0xF82, 2),
    (0xF86, 2),
    (0x135D, 3),
    (0x17DD, 1),
    (0x193A, 1),
    (0x1A17, 1),
    (0x1A75, 8),
    (0x1B6B, 1),
    (0x1B6D, 7),
    (0x1CD0, 3),
    (0x1CDA, 2),
    (0x1CE0, 1),
    (0x1DC0, 2),
    (0x1DC3, 7),
    (0x1DCB, 2),
    (0x1DD1, 22),
    (0x1DFE, 1),
    (0x20D0, 2),
    (0x20D4, 4),
    (0x20DB, 2),
    (0x20E1, 1),
    (0x20E7, 1),
    (0x20E9, 1),
    (0x20F0, 1),
    (0x2CEF, 3),
    (0x2DE0, 32),
    (0xA66F, 1),
    (0xA67C, 2),
    (0xA6F0, 2),
    (0xA8E0, 18),
    (0xAAB0, 1),
    (0xAAB2, 2),
    (0xAAB7, 2),
    (0xAABE, 2),
    (0xAAC1, 1),
    (0xFE20, 7),
    (0x10A0F, 1),
    (0x10A38, 1),
    (0x1D185, 5),
    (0x1D1AA, 4),
    (0x1D242, 3),
];

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn numbers_are_kittys() {
        // The first, some in the middle and the last of its list of 297.
        assert_eq!(diacritics(), 297);
        let wanted =
            [(0, 0x305), (1, 0x30D), (2, 0x30E), (63, 0x658), (64, 0x659), (100, 0x7EB), (267, 0xA8F1), (296, 0x1D244)];
        for (n, code) in wanted {
            assert_eq!(diacritic(n).map(u32::from), Some(code), "{n}");
        }
        assert_eq!(diacritic(297), None);
    }

    #[test]
    fn what_is_marked_is_found_where_it_is() {
        for protocol in [Protocol::Placeholders, Protocol::Sixel] {
            let mut buffer = Buffer::empty(Rect::new(0, 0, 30, 10));
            mark(1, Rect::new(2, 1, 8, 4), protocol, &mut buffer);
            mark(255, Rect::new(12, 1, 3, 2), protocol, &mut buffer);
            let wanted = [(1, Rect::new(2, 1, 8, 4)), (255, Rect::new(12, 1, 3, 2))];
            assert_eq!(placed(&buffer), wanted.map(|(id, area)| Placed { id, area }), "{protocol:?}");
        }
    }

    #[test]
    fn what_lies_over_a_mark_is_seen() {
        let mut buffer = Buffer::empty(Rect::new(0, 0, 30, 10));
        mark(7, Rect::new(0, 0, 10, 5), Protocol::Kitty, &mut buffer);
        buffer.set_string(8, 2, "box", ratatui::style::Style::default());
        assert_ne!(placed(&buffer), [Placed { id: 7, area: Rect::new(0, 0, 10, 5) }]);
    }

    #[test]
    fn a_picture_is_not_wiped_before_the_one_after_it_is_there() {
        let screen = Rect::new(0, 0, 20, 8);
        let frame = |id: u8, area: Rect| {
            let mut buffer = Buffer::empty(screen);
            mark(id, area, Protocol::Sixel, &mut buffer);
            buffer
        };
        let (large, small) = (Rect::new(2, 1, 10, 5), Rect::new(2, 1, 8, 5));
        let before = frame(1, large);
        let mut next = frame(2, small);
        keep(&placed(&before), &placed(&next), &mut next);
        let written: Vec<_> = before.diff(&next).into_iter().map(|(x, y, _)| (x, y)).collect();
        let wanted: Vec<_> = (1..6).flat_map(|y| [(10, y), (11, y)]).collect();
        assert_eq!(written, wanted, "only what nothing follows");
        let text = Buffer::with_lines(["words"]);
        assert!(
            !next
                .diff(&{
                    let mut b = Buffer::empty(screen);
                    b.merge(&text);
                    b
                })
                .is_empty(),
            "text takes its place"
        );
    }

    #[test]
    fn a_picture_that_is_there_twice_is_found_twice() {
        let mut buffer = Buffer::empty(Rect::new(0, 0, 30, 10));
        let twice = [Rect::new(0, 0, 10, 5), Rect::new(11, 0, 10, 5)].map(|area| Placed { id: 7, area });
        for placed in twice {
            mark(7, placed.area, Protocol::Placeholders, &mut buffer);
        }
        assert_eq!(placed(&buffer), twice);
    }

    #[test]
    fn a_placeholder_says_its_row_and_column_in_one_cell() {
        let mut buffer = Buffer::empty(Rect::new(0, 0, 4, 4));
        mark(3, Rect::new(1, 1, 3, 3), Protocol::Placeholders, &mut buffer);
        let cell = buffer.cell((3, 2)).unwrap();
        assert_eq!((cell.symbol(), cell.fg), ("\u{10EEEE}\u{30D}\u{30E}", Color::Indexed(3)));
        assert_eq!(ratatui::text::Span::raw(cell.symbol()).width(), 1);
    }

    #[test]
    fn what_would_scroll_or_cannot_be_numbered_is_refused() {
        assert!(
            !fits(Rect::new(0, 20, 8, 4), 24, Protocol::Sixel) && fits(Rect::new(0, 19, 8, 4), 24, Protocol::Sixel)
        );
        assert!(fits(Rect::new(0, 20, 8, 4), 24, Protocol::Placeholders));
        assert!(!fits(Rect::new(0, 0, 298, 4), 24, Protocol::Placeholders));
        assert!(!fits(Rect::new(0, 0, 0, 4), 24, Protocol::Placeholders));
    }
}
