//! What the terminal holds, against what the screen wants: which sequences make the two agree. It writes nothing, and knows neither clock nor
//! terminal; what it hands out, its caller has written before it asks again.

use std::{
    borrow::Cow,
    collections::{BTreeMap, VecDeque},
    io::Cursor,
};

use image::{ImageFormat, RgbImage, imageops};

use super::{
    drawn, kitty,
    marks::Placed,
    protocol::{Able, Protocol},
    tmux::wrap,
};
use crate::picture::{enlarge, shrink};

#[derive(Debug, Default)]
pub struct Canvas {
    held: BTreeMap<u8, Held>,
    /// Of what was begun: sequences between which others may stand, but not a part of them left out.
    queue: VecDeque<String>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Held {
    version: String,
    placed: Placed,
    protocol: Protocol,
    wrapped: bool,
    /// Under its second number: see [`number`].
    second: bool,
}

impl Canvas {
    /// Whether something has to be sent.
    pub fn is_behind(&self, wanted: &[(Placed, String)], able: Option<Able>) -> bool {
        !self.queue.is_empty() || self.held.keys().any(|id| !wants(wanted, *id)) || self.missing(wanted, able).is_some()
    }

    /// The next sequences, up to about `budget` bytes: pictures that are no longer wanted go first, then one after the other comes, and those
    /// in whose place they came go. `find` gives
    /// a picture by its number, for so many pixels. What `wanted` says besides is the picture's version.
    pub fn next<'a>(
        &mut self,
        wanted: &[(Placed, String)],
        able: Option<Able>,
        find: impl Fn(u8, (u32, u32)) -> Option<Cow<'a, RgbImage>>,
        budget: usize,
    ) -> String {
        let mut out = String::new();
        while out.len() < budget {
            if let Some(sequence) = self.queue.pop_front() {
                out += &sequence;
            } else if let Some(id) = self.unwanted(wanted, false) {
                out += &self.drop_picture(id);
            } else if let (Some((placed, version)), Some(able)) = (self.missing(wanted, able), able) {
                let (placed, version) = (*placed, version.clone());
                let size = able.pixels(placed.area);
                let Some(image) = find(placed.id, size) else { return out };
                let before = self.held.remove(&placed.id);
                let second = before.as_ref().is_some_and(|held| !held.second);
                self.queue.extend(encode(&image, size, placed, able, second));
                if able.protocol == Protocol::Kitty {
                    // The one before lies under it until it is whole. Of what was forgotten nobody knows the number.
                    let old =
                        Held { version: String::new(), second: !second, ..held(version.clone(), placed, able, second) };
                    self.queue.push_back(deletion(placed.id, &old));
                }
                self.held.insert(placed.id, held(version, placed, able, second));
            } else if let Some(id) = self.unwanted(wanted, true) {
                out += &self.drop_picture(id);
            } else {
                break;
            }
        }
        out
    }

    /// What takes everything away again, at any time.
    pub fn farewell(&self) -> String {
        self.held.iter().map(|(id, held)| both_deletions(*id, held)).collect()
    }

    /// Nothing of what was sent can be trusted to be there.
    pub fn forget(&mut self) {
        self.held.clear();
    }

    /// Another terminal is there, and nothing that was begun can be ended in it.
    pub fn forget_all(&mut self) {
        self.held.clear();
        self.queue.clear();
    }

    /// A picture that is not wanted any more. One with a successor at its place stays until that is there.
    fn unwanted(&self, wanted: &[(Placed, String)], succeeded: bool) -> Option<u8> {
        let follows = |held: &Held| wanted.iter().any(|(placed, _)| placed.area == held.placed.area);
        self.held.iter().find(|(id, held)| !wants(wanted, **id) && follows(held) == succeeded).map(|(id, _)| *id)
    }

    fn drop_picture(&mut self, id: u8) -> String {
        self.held.remove(&id).map_or_else(String::new, |held| both_deletions(id, &held))
    }

    fn missing<'a>(&self, wanted: &'a [(Placed, String)], able: Option<Able>) -> Option<&'a (Placed, String)> {
        let able = able?;
        wanted.iter().find(|(placed, version)| {
            self.held.get(&placed.id).is_none_or(|held| {
                let (was, is) = (held.placed.area, placed.area);
                let same = if able.protocol.floats() { was == is } else { was.as_size() == is.as_size() };
                held.version != *version || held.protocol != able.protocol || !same
            })
        })
    }
}

fn wants(wanted: &[(Placed, String)], id: u8) -> bool {
    wanted.iter().any(|(placed, _)| placed.id == id)
}

fn held(version: String, placed: Placed, able: Able, second: bool) -> Held {
    Held { version, placed, protocol: able.protocol, wrapped: able.wrapped, second }
}

/// A picture that is sent under the number of one on the screen takes that away before it is whole. Where cells do not name the number,
/// a picture has two, in turn.
fn number(id: u8, protocol: Protocol, second: bool) -> u32 {
    u32::from(id) + if second && protocol == Protocol::Kitty { 256 } else { 0 }
}

/// Also of what may not have gone yet.
fn both_deletions(id: u8, held: &Held) -> String {
    let other = Held { second: !held.second, ..held.clone() };
    if held.protocol == Protocol::Kitty { deletion(id, &other) + &deletion(id, held) } else { deletion(id, held) }
}

fn deletion(id: u8, held: &Held) -> String {
    let number = number(id, held.protocol, held.second);
    match held.protocol {
        Protocol::Placeholders | Protocol::Kitty if held.wrapped => wrap(&kitty::delete(number)),
        Protocol::Placeholders | Protocol::Kitty => kitty::delete(number),
        // Gone with the cells.
        Protocol::Sixel | Protocol::Iterm2 => String::new(),
    }
}

fn encode(image: &RgbImage, (width, height): (u32, u32), placed: Placed, able: Able, second: bool) -> Vec<String> {
    let Placed { id, area } = placed;
    let sequences = match able.protocol {
        Protocol::Placeholders => kitty::transmit(id, &png(&sharp(image, width, height)), area.width, area.height),
        Protocol::Kitty => kitty::place(number(id, able.protocol, second), &png(&sharp(image, width, height)), area),
        Protocol::Iterm2 => vec![drawn::inline(&png(&sharp(image, width, height)), area)],
        Protocol::Sixel => drawn::sixel(&exact(image, width, height), area).into_iter().collect(),
    };
    if able.wrapped { sequences.iter().map(|s| wrap(s)).collect() } else { sequences }
}

/// For terminals that scale by themselves: no more pixels than are seen.
fn sharp(image: &RgbImage, width: u32, height: u32) -> RgbImage {
    match magnification(image.dimensions(), (width, height)) {
        0 => exact(image, width, height),
        times => enlarge(image, times * image.width().max(image.height())),
    }
}

/// How large a square each pixel of a picture becomes in a box: 0 where there is no room for all. Pixels of small pictures, as digits are, stay
/// pixels, where terminals would blur them; larger pictures are left to the terminal, as they are.
pub fn magnification((width, height): (u32, u32), room: (u32, u32)) -> u32 {
    const SMALL: u32 = 96;
    let times = (room.0 / width.max(1)).min(room.1 / height.max(1));
    if width.max(height) > SMALL { times.min(1) } else { times }
}

/// Exactly `width`×`height` pixels.
fn exact(image: &RgbImage, width: u32, height: u32) -> RgbImage {
    let (width, height) = (width.max(1), height.max(1));
    if image.width() >= width && image.height() >= height {
        let pixels = shrink(image, width as usize, height as usize);
        return RgbImage::from_raw(width, height, pixels.into_flattened()).unwrap_or_else(|| image.clone());
    }
    imageops::resize(&enlarge(image, width.min(height)), width, height, imageops::FilterType::Triangle)
}

fn png(image: &RgbImage) -> Vec<u8> {
    let mut out = Cursor::new(Vec::new());
    // Into memory it cannot fail.
    let _ = image.write_to(&mut out, ImageFormat::Png);
    out.into_inner()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use ratatui::layout::Rect;

    use super::*;

    const KITTY: Option<Able> = Some(Able { protocol: Protocol::Placeholders, cell: (10, 20), wrapped: false });
    const SIXEL: Option<Able> = Some(Able { protocol: Protocol::Sixel, cell: (4, 8), wrapped: false });
    const ALL: usize = usize::MAX;

    fn at(id: u8, x: u16, width: u16) -> Placed {
        Placed { id, area: Rect::new(x, 1, width, width / 2) }
    }

    fn next(canvas: &mut Canvas, wanted: &[(Placed, &str)], able: Option<Able>) -> String {
        canvas.next(&versions(wanted), able, |_, _| Some(Cow::Owned(RgbImage::new(8, 8))), ALL)
    }

    fn versions(wanted: &[(Placed, &str)]) -> Vec<(Placed, String)> {
        wanted.iter().map(|(placed, version)| (*placed, (*version).to_owned())).collect()
    }

    fn count(text: &str, what: &str) -> usize {
        text.matches(what).count()
    }

    #[test]
    fn a_picture_is_sent_once_and_again_when_it_changes() {
        let mut canvas = Canvas::default();
        let sent = next(&mut canvas, &[(at(1, 0, 8), "a"), (at(2, 9, 8), "b")], KITTY);
        assert_eq!(count(&sent, "a=p,U=1"), 2);
        assert_eq!(next(&mut canvas, &[(at(1, 0, 8), "a"), (at(2, 9, 8), "b")], KITTY), "");
        assert_eq!(next(&mut canvas, &[(at(1, 3, 8), "a"), (at(2, 12, 8), "b")], KITTY), "", "text carries it along");
        let sent = next(&mut canvas, &[(at(1, 3, 8), "c"), (at(2, 12, 12), "b")], KITTY);
        assert!(sent.contains("a=p,U=1,q=2,i=1,c=8,r=4") && sent.contains("a=p,U=1,q=2,i=2,c=12,r=6"));
    }

    #[test]
    fn what_is_no_longer_wanted_is_deleted_before_anything_else() {
        let mut canvas = Canvas::default();
        next(&mut canvas, &[(at(1, 0, 8), "a")], KITTY);
        assert!(canvas.is_behind(&[], KITTY));
        let sent = next(&mut canvas, &[(at(2, 20, 8), "b")], KITTY);
        assert!(sent.starts_with("\x1b_Ga=d,d=I,q=2,i=1\x1b\\"), "{sent:?}");
        assert_eq!(canvas.farewell(), "\x1b_Ga=d,d=I,q=2,i=2\x1b\\");
        assert_eq!(next(&mut canvas, &[], None), "\x1b_Ga=d,d=I,q=2,i=2\x1b\\", "with glyphs too");
        assert_eq!(canvas.farewell(), "");
    }

    #[test]
    fn a_picture_stays_until_its_successor_is_there() {
        let mut canvas = Canvas::default();
        next(&mut canvas, &[(at(1, 0, 8), "a")], KITTY);
        let sent = next(&mut canvas, &[(at(2, 0, 8), "b")], KITTY);
        assert!(sent.find("a=p,U=1,q=2,i=2").unwrap() < sent.find("a=d,d=I,q=2,i=1").unwrap());
        assert!(!canvas.is_behind(&versions(&[(at(2, 0, 8), "b")]), KITTY));
    }

    #[test]
    fn pictures_in_cells_go_where_they_move_and_need_no_deletion() {
        let mut canvas = Canvas::default();
        assert_eq!(count(&next(&mut canvas, &[(at(1, 0, 8), "a")], SIXEL), "\x1bP"), 1);
        assert_eq!(count(&next(&mut canvas, &[(at(1, 3, 8), "a")], SIXEL), "\x1bP"), 1);
        assert_eq!((canvas.farewell().as_str(), next(&mut canvas, &[], SIXEL).as_str()), ("", ""));
    }

    #[test]
    fn everything_comes_again_after_it_was_lost() {
        let mut canvas = Canvas::default();
        next(&mut canvas, &[(at(1, 0, 8), "a")], KITTY);
        canvas.forget();
        assert!(canvas.is_behind(&versions(&[(at(1, 0, 8), "a")]), KITTY));
        assert_eq!(count(&next(&mut canvas, &[(at(1, 0, 8), "a")], KITTY), "a=p,U=1"), 1);
    }

    #[test]
    fn a_large_picture_leaves_in_portions_of_whole_sequences() {
        let noise =
            RgbImage::from_fn(200, 200, |x, y| image::Rgb([(x * 97 + y * 57) as u8, (x * y) as u8, (x ^ y) as u8]));
        let wanted = [(Placed { id: 1, area: Rect::new(0, 0, 20, 10) }, String::new())];
        let mut canvas = Canvas::default();
        let mut portions = Vec::new();
        while canvas.is_behind(&wanted, KITTY) {
            portions.push(canvas.next(&wanted, KITTY, |_, _| Some(Cow::Borrowed(&noise)), 10_000));
            assert!(portions.len() < 100, "it has an end");
        }
        assert!(portions.len() > 3 && portions.iter().all(|p| p.len() < 15_000 && p.ends_with("\x1b\\")));
        assert!(portions.last().unwrap().contains("a=p,U=1"));
    }

    #[test]
    fn a_picture_stays_until_the_next_one_is_whole() {
        let able = KITTY.map(|able| Able { protocol: Protocol::Kitty, ..able });
        let mut canvas = Canvas::default();
        next(&mut canvas, &[(at(1, 0, 8), "a")], able);
        let sent = next(&mut canvas, &[(at(1, 0, 8), "b")], able);
        let place = |text: &str, what: &str| text.find(what).unwrap();
        assert!(place(&sent, "a=t,f=100,q=2,i=257,") < place(&sent, "a=p,q=2,i=257,"));
        assert!(place(&sent, "a=p,q=2,i=257,") < place(&sent, "a=d,d=I,q=2,i=1\x1b"));
        let sent = next(&mut canvas, &[(at(1, 0, 8), "c")], able);
        assert!(place(&sent, "a=p,q=2,i=1,") < place(&sent, "a=d,d=I,q=2,i=257\x1b"));
        assert!(canvas.farewell().contains("i=1\x1b") && canvas.farewell().contains("i=257\x1b"));
    }

    #[test]
    fn in_tmux_every_sequence_is_wrapped() {
        let able = KITTY.map(|able| Able { wrapped: true, ..able });
        let mut canvas = Canvas::default();
        let sent = next(&mut canvas, &[(at(1, 0, 8), "a")], able);
        assert_eq!(count(&sent, "\x1bPtmux;"), 2);
        assert!(canvas.farewell().starts_with("\x1bPtmux;"));
    }

    #[test]
    fn pictures_fill_their_cells_and_small_ones_keep_their_pixels() {
        let digit = RgbImage::from_fn(28, 28, |x, _| image::Rgb([if x % 2 == 0 { 255 } else { 0 }; 3]));
        assert_eq!(sharp(&digit, 200, 200).dimensions(), (196, 196));
        assert_eq!(exact(&digit, 200, 200).dimensions(), (200, 200));
        assert_eq!(sharp(&RgbImage::new(640, 480), 160, 120).dimensions(), (160, 120));
        assert_eq!(exact(&RgbImage::new(640, 1), 160, 120).dimensions(), (160, 120));
    }
}
