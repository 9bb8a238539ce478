//! What a terminal answers when it is asked, taken out of the bytes that it sends. What is no answer was typed, and is kept in its order;
//! what has the form of an answer is never a key, whether it was asked for or not. No I/O here: bytes in, facts out.

/// What the terminal has said of itself.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Answers {
    /// To XTVERSION (`CSI > q`): `kitty(0.41.1)`, `XTerm(379)`, `Konsole 22.12.3`.
    pub version: Option<String>,
    /// To DA1 (`CSI c`); 4 means sixel.
    pub attributes: Vec<u16>,
    /// To a query in kitty's graphics protocol (`a=q`): whether it was OK.
    pub kitty: Option<bool>,
    /// To `CSI 16 t`: pixels of a cell, width and height.
    pub cell: Option<(u16, u16)>,
    /// To `CSI 14 t`: pixels of the text area, width and height.
    pub area: Option<(u16, u16)>,
    /// To `CSI 6 n`: columns and rows of the cursor, from 1, one for each time it was asked.
    pub cursors: Vec<(u16, u16)>,
    /// To DSR (`CSI 5 n`), which is asked last: nothing more will come.
    pub done: bool,
}

impl Answers {
    pub fn has_sixel(&self) -> bool {
        self.attributes.contains(&4)
    }

    /// Pixels of a cell in a terminal of so many cells, from whichever answer there was. Nothing of less than a few pixels, or of
    /// hundreds, is believed.
    pub fn cell_size(&self, (columns, rows): (u16, u16)) -> Option<(u16, u16)> {
        let derived = || self.area.map(|(width, height)| (width / columns.max(1), height / rows.max(1)));
        let likely = |(width, height): &(u16, u16)| (3..=200).contains(width) && (5..=400).contains(height);
        self.cell.filter(likely).or_else(|| derived().filter(likely))
    }
}

/// Takes bytes as they come, in pieces of any size.
#[derive(Debug, Default)]
pub struct Reader {
    pub answers: Answers,
    typed: Vec<u8>,
    /// The beginning of a sequence whose end has not come.
    open: Vec<u8>,
}

impl Reader {
    pub fn push(&mut self, bytes: &[u8]) {
        self.open.extend_from_slice(bytes);
        let open = std::mem::take(&mut self.open);
        let mut at = 0;
        while at < open.len() {
            match sequence(&open[at..]) {
                Piece::Whole(length) => {
                    let piece = &open[at..at + length];
                    if !self.answer(piece) {
                        self.typed.extend_from_slice(piece);
                    }
                    at += length;
                }
                Piece::Open => break,
            }
        }
        self.open = open[at..].to_vec();
    }

    /// What was said, and what was typed. The beginning of an answer that never ended is no key; a bare escape is one.
    pub fn finish(mut self) -> (Answers, Vec<u8>) {
        if self.open == [ESC] {
            self.typed.push(ESC);
        }
        (self.answers, self.typed)
    }

    /// Whether `piece` has the form of an answer; what it says is noted.
    fn answer(&mut self, piece: &[u8]) -> bool {
        let text = String::from_utf8_lossy(piece);
        if let Some(inside) = text.strip_prefix("\x1b[") {
            return inside.is_ascii() && !inside.is_empty() && self.control(inside);
        }
        let string = ["\x1b_", "\x1bP", "\x1b]", "\x1b^"].iter().any(|start| text.starts_with(start));
        if let Some(said) = text.strip_prefix("\x1b_Gi=31") {
            self.answers.kitty = Some(said.contains(";OK"));
        } else if let Some(version) = text.strip_prefix("\x1bP>|") {
            let version = version.trim_end_matches("\x1b\\").trim_end_matches('\x07');
            self.answers.version = Some(version.chars().filter(|c| !c.is_control()).take(80).collect());
        }
        string
    }

    /// A control sequence without its `CSI`.
    fn control(&mut self, inside: &str) -> bool {
        let (parameters, kind) = inside.split_at(inside.len() - 1);
        let numbers: Vec<Option<u16>> =
            parameters.trim_start_matches(['?', '>']).split(';').map(|n| n.parse().ok()).collect();
        match (kind, numbers.as_slice()) {
            ("c", _) if parameters.starts_with('?') => {
                self.answers.attributes = numbers.into_iter().flatten().collect();
            }
            ("c", _) if parameters.starts_with(['>', '=']) => {}
            ("t", [Some(6), Some(height), Some(width)]) => self.answers.cell = Some((*width, *height)),
            ("t", [Some(4), Some(height), Some(width)]) => self.answers.area = Some((*width, *height)),
            ("R", [Some(row), Some(column)]) => self.answers.cursors.push((*column, *row)),
            ("n", [Some(0)]) => self.answers.done = true,
            ("t" | "n" | "y", _) => {}
            _ => return false,
        }
        true
    }
}

const ESC: u8 = 0x1b;

enum Piece {
    Whole(usize),
    Open,
}

/// How far the key, the character or the sequence at the beginning of `bytes` reaches.
fn sequence(bytes: &[u8]) -> Piece {
    let after = |found: Option<usize>, before: usize| found.map_or(Piece::Open, |at| Piece::Whole(before + at + 1));
    match bytes {
        [ESC] => Piece::Open,
        [ESC, b'[', rest @ ..] => {
            // Whatever is no parameter ends it, so that a broken one cannot swallow what follows.
            match rest.iter().position(|b| !(0x20..0x40).contains(b)) {
                Some(at) if rest[at] == ESC => Piece::Whole(2 + at),
                found => after(found, 2),
            }
        }
        [ESC, b'O', rest @ ..] => after((!rest.is_empty()).then_some(0), 2),
        [ESC, kind @ (b'_' | b'P' | b']' | b'^'), rest @ ..] => {
            let end = |at: &usize| {
                rest[*at] == b'\\' && at.checked_sub(1).is_some_and(|before| rest[before] == ESC)
                    || rest[*at] == 0x07 && *kind == b']'
            };
            after((0..rest.len()).find(end), 2)
        }
        [ESC, ESC, ..] => Piece::Whole(1),
        [ESC, _, ..] => Piece::Whole(2),
        _ => Piece::Whole(1),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn read(bytes: &[u8]) -> (Answers, String) {
        let mut reader = Reader::default();
        reader.push(bytes);
        let (answers, typed) = reader.finish();
        (answers, String::from_utf8(typed).unwrap())
    }

    /// What kitty 0.41.1 answers, with two keys and an arrow typed in between.
    const KITTY: &[u8] =
        b"j\x1b_Gi=31;OK\x1b\\\x1bP>|kitty(0.41.1)\x1b\\\x1b[6;18;9t\x1b[4;756;1188tk\x1b[A\x1b[?62;c\x1b[0n";

    #[test]
    fn answers_and_keys_are_told_apart() {
        let (answers, typed) = read(KITTY);
        assert_eq!(typed, "jk\x1b[A");
        assert_eq!(answers.version.as_deref(), Some("kitty(0.41.1)"));
        assert_eq!((answers.kitty, answers.cell, answers.area), (Some(true), Some((9, 18)), Some((1188, 756))));
        assert_eq!((answers.attributes.as_slice(), answers.done), (&[62][..], true));
    }

    #[test]
    fn the_pieces_in_which_bytes_come_make_no_difference() {
        let whole = read(KITTY);
        for cut in 0..=KITTY.len() {
            let mut reader = Reader::default();
            reader.push(&KITTY[..cut]);
            reader.push(&KITTY[cut..]);
            let (answers, typed) = reader.finish();
            assert_eq!((&answers, typed.as_slice()), (&whole.0, whole.1.as_bytes()), "cut at {cut}");
        }
    }

    #[test]
    fn what_is_cut_off_is_no_key() {
        for end in 0..KITTY.len() {
            let (_, typed) = read(&KITTY[..end]);
            assert!(
                ["", "j", "j\x1b", "jk", "jk\x1b", "jk\x1b[A", "jk\x1b[A\x1b"].contains(&typed.as_str()),
                "{typed:?}"
            );
        }
    }

    /// As recorded: xterm 379 `-ti vt340`, foot 1.13.1, tmux 3.8 built with sixel, Konsole 22.12.3.
    #[test]
    fn sixel_is_the_fourth_attribute() {
        assert!(read(b"\x1b[?63;1;2;4;6;9;15;16;22;28c").0.has_sixel());
        assert!(read(b"\x1b[?62;4;22c").0.has_sixel());
        assert!(read(b"\x1b[?1;2;4c").0.has_sixel());
        assert!(!read(b"\x1b[?62;22c").0.has_sixel());
        assert!(!read(b"\x1b[?64;14c").0.has_sixel());
    }

    #[test]
    fn a_refusal_and_an_unknown_answer_are_no_keys() {
        let (answers, typed) = read(
            b"\x1b_Gi=31;ENOTSUP:no\x1b\\\x1b]1337;ReportCellSize=18.0;9.0\x1b\\\x1b]11;rgb:0/0/0\x07\x1b[>65;7006;1c",
        );
        assert_eq!((answers.kitty, typed.as_str()), (Some(false), ""));
    }

    #[test]
    fn keys_stay_as_they_were_typed() {
        let typed = "é고\x1bx\x1b[5~\x1bOA\x1b\x1b[Z\r\x03";
        assert_eq!(read(typed.as_bytes()).1, typed);
    }

    #[test]
    fn a_cell_is_believed_when_it_can_be_one() {
        let of = |cell, area| Answers { cell, area, ..Answers::default() }.cell_size((80, 24));
        assert_eq!(of(Some((9, 18)), None), Some((9, 18)));
        assert_eq!(of(Some((0, 0)), Some((640, 480))), Some((8, 20)));
        assert_eq!(of(None, Some((0, 0))), None);
    }

    proptest::proptest! {
        #[test]
        fn any_bytes_are_read(bytes: Vec<u8>) {
            let mut reader = Reader::default();
            for byte in &bytes {
                reader.push(&[*byte]);
            }
            let one_by_one = reader.finish();
            let mut reader = Reader::default();
            reader.push(&bytes);
            proptest::prop_assert_eq!(one_by_one, reader.finish());
        }
    }
}
