//! Kitty's graphics protocol, as sequences to write: <https://sw.kovidgoyal.net/kitty/graphics-protocol/>. Pictures have numbers from 1 to
//! 255 (and second ones above, where cells do not hold them), and a picture that is sent under a number takes the place of the one before.

use std::fmt::Write as _;

use base64::prelude::{BASE64_STANDARD, Engine as _};
use ratatui::layout::Rect;

/// Bytes of base64 that one sequence may carry.
const CHUNK: usize = 4096;

/// A PNG for the placeholders of picture `id` over so many columns and rows.
///
/// The data goes first and what places it last and alone: kitty redraws placeholders when it sees `U=1`, and with `a=T` on the first of
/// several chunks they may stay blank (kitty 0.41 and 0.48, when the line is slow).
pub fn transmit(id: u8, png: &[u8], columns: u16, rows: u16) -> Vec<String> {
    let mut out = chunks(&format!("a=t,f=100,q=2,i={id},"), png);
    out.push(format!("\x1b_Ga=p,U=1,q=2,i={id},c={columns},r={rows}\x1b\\"));
    out
}

/// A PNG over the cells of `area`. The cursor is put back.
pub fn place(id: u32, png: &[u8], area: Rect) -> Vec<String> {
    let mut out = chunks(&format!("a=t,f=100,q=2,i={id},"), png);
    let at = format!("\x1b7\x1b[{};{}H", area.y + 1, area.x + 1);
    out.push(format!("{at}\x1b_Ga=p,q=2,i={id},p=1,C=1,c={},r={}\x1b\\\x1b8", area.width, area.height));
    out
}

/// Takes a picture off the screen and its data out of the terminal's memory.
pub fn delete(id: u32) -> String {
    format!("\x1b_Ga=d,d=I,q=2,i={id}\x1b\\")
}

/// The keys of the first sequence are `keys`.
fn chunks(keys: &str, data: &[u8]) -> Vec<String> {
    let encoded = BASE64_STANDARD.encode(data);
    let mut out = Vec::new();
    let mut rest = encoded.as_str();
    loop {
        let (chunk, more) = rest.split_at(rest.len().min(CHUNK));
        rest = more;
        let first = if out.is_empty() { keys } else { "q=2," };
        let mut sequence = String::with_capacity(chunk.len() + 64);
        let _ = write!(sequence, "\x1b_G{first}m={};{chunk}\x1b\\", u8::from(!rest.is_empty()));
        out.push(sequence);
        if rest.is_empty() {
            return out;
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn data_goes_in_chunks_and_is_placed_last() {
        let data = vec![7; 7000];
        let sent = transmit(9, &data, 20, 10);
        assert_eq!(sent.len(), 4);
        assert!(sent[0].starts_with("\x1b_Ga=t,f=100,q=2,i=9,m=1;") && sent[1].starts_with("\x1b_Gq=2,m=1;"));
        assert!(sent[2].starts_with("\x1b_Gq=2,m=0;"));
        assert_eq!(sent[3], "\x1b_Ga=p,U=1,q=2,i=9,c=20,r=10\x1b\\");
        let payload: String =
            sent[..3].iter().map(|s| s.split_once(';').unwrap().1.trim_end_matches("\x1b\\")).collect();
        assert_eq!(BASE64_STANDARD.decode(payload).unwrap(), data);
        assert!(sent.iter().all(|s| s.len() <= CHUNK + 64));
    }

    #[test]
    fn no_data_is_still_one_whole_sequence() {
        assert_eq!(chunks("i=1,", &[]), ["\x1b_Gi=1,m=0;\x1b\\"]);
    }

    #[test]
    fn a_picture_over_cells_says_where_and_how_large() {
        let sent = place(2, b"png", Rect::new(4, 2, 20, 10));
        assert_eq!(sent[1], "\x1b7\x1b[3;5H\x1b_Ga=p,q=2,i=2,p=1,C=1,c=20,r=10\x1b\\\x1b8");
    }
}
