//! Which protocol draws pictures in a terminal, from what it answered and what lies between. Never from environment variables: in tmux and
//! over SSH they are another terminal's. An OK to kitty's query proves no placeholders, so brands that draw them are listed, and each
//! entry was seen to work.

use std::fmt;

use ratatui::layout::Rect;

use super::answers::Answers;
use crate::picture::Glyphs;

/// How pixels get into the terminal.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Protocol {
    /// Kitty's graphics protocol, with characters that stand for the parts of a picture: what moves text moves pictures.
    Placeholders,
    /// Kitty's graphics protocol, with pictures placed over the cells.
    Kitty,
    /// DEC's sixels: pictures drawn into the cells, in at most 256 colours.
    Sixel,
    /// iTerm2's inline images (`OSC 1337`).
    Iterm2,
}

impl Protocol {
    pub fn name(self) -> &'static str {
        match self {
            Self::Placeholders => "kitty graphics with placeholders",
            Self::Kitty => "kitty graphics",
            Self::Sixel => "sixel",
            Self::Iterm2 => "iTerm2 inline images",
        }
    }

    /// Whether a picture is independent of the cells that it covers, so that nothing may be drawn over it.
    pub fn floats(self) -> bool {
        self != Self::Placeholders
    }
}

/// What can be done, and what has to be known for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Able {
    pub protocol: Protocol,
    /// Pixels of a cell, width and height; a guess where nobody said.
    pub cell: (u16, u16),
    /// Whether each sequence has to be handed through tmux.
    pub wrapped: bool,
}

impl Able {
    /// Width and height of an area in pixels.
    pub fn pixels(self, area: Rect) -> (u32, u32) {
        (u32::from(area.width) * u32::from(self.cell.0), u32::from(area.height) * u32::from(self.cell.1))
    }
}

/// A cell of a common font, where a protocol scales pictures by itself and only their sharpness depends on it.
const COMMON_CELL: (u16, u16) = (10, 20);

/// What a terminal has to be known as.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Brand {
    /// In lower case: `kitty`, `konsole`, `xterm.js`.
    pub name: String,
    /// `0.41.1`; letters end it.
    pub version: Vec<u32>,
}

impl Brand {
    /// From the answer to XTVERSION: `kitty(0.41.1)`, `Konsole 22.12.3`, `tmux 3.3a`.
    pub fn parse(text: &str) -> Self {
        let (name, rest) = text.split_once(['(', ' ']).unwrap_or((text, ""));
        let number = |part: &str| part.chars().take_while(char::is_ascii_digit).collect::<String>().parse().ok();
        Self { name: name.to_lowercase(), version: rest.split('.').map_while(number).collect() }
    }

    pub fn of(answers: &Answers) -> Option<Self> {
        answers.version.as_deref().map(Self::parse)
    }

    fn is(&self, name: &str, least: &[u32]) -> bool {
        self.name == name && self.version.as_slice() >= least
    }

    /// Seen with kitty 0.41 and 0.48; the protocol has them since 0.28. Ghostty documents them.
    fn draws_placeholders(&self) -> bool {
        self.is("kitty", &[0, 28]) || self.is("ghostty", &[])
    }

    /// Brands whose kitty graphics are better than their sixels. Others that say yes to the query, as xterm.js does, are at the beginning.
    fn draws_kitty_graphics(&self) -> bool {
        ["kitty", "ghostty", "konsole", "wezterm"].contains(&self.name.as_str())
    }

    /// The finest glyphs that the terminal draws itself, whatever its font has. Seen in kitty, foot and Konsole; xterm and xterm.js leave
    /// gaps in sextants.
    pub fn glyphs(&self) -> Glyphs {
        let sextants = ["kitty", "foot", "konsole", "ghostty", "wezterm"].contains(&self.name.as_str());
        if sextants { Glyphs::Sextant } else { Glyphs::Quadrant }
    }
}

/// What lies between this program and the terminal.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Between {
    #[default]
    Nothing,
    Tmux {
        /// Whether it hands on what is wrapped for the terminal.
        passthrough: bool,
        /// Whether it places sixels by itself. What `own` says is tmux's answer, not the terminal's.
        sixel: bool,
        own: Answers,
    },
}

/// Why there are only characters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// Nothing came back before the deadline.
    Silent,
    /// tmux keeps to itself what is wrapped for the terminal.
    NoPassthrough,
    /// Kitty graphics without placeholders, and sixels of a terminal behind tmux: tmux would not know where they are.
    NotThroughTmux,
    NoProtocol,
    /// Sixels need the size of a cell.
    NoCellSize,
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Silent => "the terminal did not answer in time",
            Self::NoPassthrough => "tmux does not let pictures through",
            Self::NotThroughTmux => "the terminal has no pictures that tmux can keep in their place",
            Self::NoProtocol => "the terminal knows no protocol for pictures",
            Self::NoCellSize => "the terminal does not tell the size of its cells",
        })
    }
}

/// The best protocol for a terminal of `size` cells that gave these answers.
pub fn decide(answers: &Answers, between: &Between, size: (u16, u16)) -> Result<Able, Refusal> {
    let brand = Brand::of(answers);
    let kitty = answers.kitty == Some(true);
    let placeholders = kitty && brand.as_ref().is_some_and(Brand::draws_placeholders);
    let cell = answers.cell_size(size);
    let able = |protocol, wrapped| Able { protocol, cell: cell.unwrap_or(COMMON_CELL), wrapped };
    let sixel = |cell: Option<(u16, u16)>| {
        cell.map(|cell| Able { protocol: Protocol::Sixel, cell, wrapped: false }).ok_or(Refusal::NoCellSize)
    };
    // tmux that this process cannot see, on the other end of an SSH line, answers as a terminal.
    let hidden_tmux = brand.as_ref().is_some_and(|b| b.name == "tmux");
    match between {
        Between::Tmux { passthrough: true, .. } if placeholders => Ok(able(Protocol::Placeholders, true)),
        Between::Tmux { sixel: true, own, .. } if own.has_sixel() => sixel(own.cell_size(size)),
        Between::Tmux { passthrough: false, .. } => Err(Refusal::NoPassthrough),
        Between::Tmux { .. } if !answers.done => Err(Refusal::Silent),
        Between::Tmux { .. } => Err(Refusal::NotThroughTmux),
        Between::Nothing if placeholders => Ok(able(Protocol::Placeholders, false)),
        Between::Nothing if kitty && brand.as_ref().is_some_and(Brand::draws_kitty_graphics) => {
            Ok(able(Protocol::Kitty, false))
        }
        Between::Nothing if brand.as_ref().is_some_and(|b| b.name == "iterm2") => Ok(able(Protocol::Iterm2, false)),
        Between::Nothing if answers.has_sixel() && !hidden_tmux => sixel(cell),
        Between::Nothing if answers.has_sixel() && brand.as_ref().is_some_and(|b| b.is("tmux", TMUX_SIXEL)) => {
            sixel(cell)
        }
        Between::Nothing if kitty => Ok(able(Protocol::Kitty, false)),
        Between::Nothing if brand.as_ref().is_some_and(|b| b.name == "wezterm") => Ok(able(Protocol::Iterm2, false)),
        Between::Nothing if !answers.done => Err(Refusal::Silent),
        Between::Nothing => Err(Refusal::NoProtocol),
    }
}

/// The first tmux whose sixels were seen to survive a change of window and a re-attach.
pub const TMUX_SIXEL: &[u32] = &[3, 8];

#[cfg(test)]
mod tests {
    use super::*;

    fn said(version: &str, kitty: Option<bool>, attributes: &[u16], cell: Option<(u16, u16)>) -> Answers {
        let version = (!version.is_empty()).then(|| version.to_owned());
        Answers { version, attributes: attributes.to_vec(), kitty, cell, done: true, ..Answers::default() }
    }

    fn bare(answers: &Answers) -> Result<Protocol, Refusal> {
        decide(answers, &Between::Nothing, (80, 24)).map(|able| able.protocol)
    }

    fn tmux(answers: &Answers, passthrough: bool) -> Result<Able, Refusal> {
        decide(answers, &Between::Tmux { passthrough, sixel: false, own: Answers::default() }, (80, 24))
    }

    /// What each terminal answered, and what was seen to be drawn rightly in it.
    #[test]
    fn each_terminal_gets_what_was_seen_to_work() {
        let cell = Some((9, 18));
        let table: [(&str, Answers, Result<Protocol, Refusal>); 10] = [
            ("kitty 0.41", said("kitty(0.41.1)", Some(true), &[62], cell), Ok(Protocol::Placeholders)),
            ("kitty 0.48", said("kitty(0.48.2)", Some(true), &[62], cell), Ok(Protocol::Placeholders)),
            ("kitty 0.26", said("kitty(0.26.5)", Some(true), &[62], cell), Ok(Protocol::Kitty)),
            ("xterm -ti vt340", said("XTerm(379)", None, &[63, 1, 2, 4, 6], cell), Ok(Protocol::Sixel)),
            ("xterm", said("XTerm(379)", None, &[64, 1, 2, 6], cell), Err(Refusal::NoProtocol)),
            ("foot", said("foot(1.13.1)", None, &[62, 4, 22], cell), Ok(Protocol::Sixel)),
            ("Konsole", said("Konsole 22.12.3", Some(true), &[62, 1, 4], cell), Ok(Protocol::Kitty)),
            ("mlterm", said("", None, &[63, 1, 2, 3, 4, 7, 29], cell), Ok(Protocol::Sixel)),
            ("VTE", said("", None, &[65, 1, 9], None), Err(Refusal::NoProtocol)),
            ("xterm.js beta", said("xterm.js(6.1.0)", Some(true), &[62, 4, 9, 22], cell), Ok(Protocol::Sixel)),
        ];
        for (terminal, answers, wanted) in table {
            assert_eq!(bare(&answers), wanted, "{terminal}");
        }
    }

    #[test]
    fn terminals_that_could_not_be_had_go_by_their_documentation() {
        let cell = Some((9, 18));
        assert_eq!(bare(&said("ghostty 1.2.3", Some(true), &[62, 22], cell)), Ok(Protocol::Placeholders));
        assert_eq!(bare(&said("iTerm2 3.5.0", Some(true), &[62, 4], cell)), Ok(Protocol::Iterm2));
        assert_eq!(bare(&said("WezTerm 20240203-110809", Some(true), &[65, 4], cell)), Ok(Protocol::Kitty));
        assert_eq!(bare(&said("WezTerm 20240203-110809", None, &[65], cell)), Ok(Protocol::Iterm2));
    }

    #[test]
    fn sextants_are_for_terminals_that_draw_them_themselves() {
        for version in ["kitty(0.26.5)", "foot(1.13.1)", "Konsole 22.12.3"] {
            assert_eq!(Brand::parse(version).glyphs(), Glyphs::Sextant, "{version}");
        }
        for version in ["XTerm(379)", "xterm.js(6.1.0)", "tmux 3.5a"] {
            assert_eq!(Brand::parse(version).glyphs(), Glyphs::Quadrant, "{version}");
        }
    }

    #[test]
    fn only_placeholders_go_through_tmux() {
        let kitty = tmux(&said("kitty(0.41.1)", Some(true), &[], Some((9, 18))), true);
        assert_eq!(kitty, Ok(Able { protocol: Protocol::Placeholders, cell: (9, 18), wrapped: true }));
        for answers in [
            said("kitty(0.26.5)", Some(true), &[62], None),
            said("Konsole 22.12.3", Some(true), &[62, 4], Some((9, 18))),
            said("XTerm(379)", None, &[63, 4], Some((9, 18))),
        ] {
            assert_eq!(tmux(&answers, true), Err(Refusal::NotThroughTmux), "{answers:?}");
        }
        assert_eq!(tmux(&said("kitty(0.41.1)", Some(true), &[], None), false), Err(Refusal::NoPassthrough));
        assert_eq!(tmux(&Answers::default(), true), Err(Refusal::Silent));
    }

    #[test]
    fn a_tmux_that_places_sixels_gets_them_unwrapped() {
        let own = said("", None, &[1, 2, 4], Some((8, 16)));
        let outer = said("XTerm(379)", None, &[63, 4], Some((9, 18)));
        for passthrough in [false, true] {
            let between = Between::Tmux { passthrough, sixel: true, own: own.clone() };
            let able = decide(&outer, &between, (80, 24));
            assert_eq!(able, Ok(Able { protocol: Protocol::Sixel, cell: (8, 16), wrapped: false }));
        }
        let hidden = |version| bare(&said(version, None, &[1, 2, 4], Some((8, 16))));
        assert_eq!(hidden("tmux 3.5a"), Err(Refusal::NoProtocol));
        assert_eq!(hidden("tmux 3.8"), Ok(Protocol::Sixel));
    }

    #[test]
    fn the_mute_get_characters() {
        assert_eq!(bare(&Answers::default()), Err(Refusal::Silent));
        assert_eq!(bare(&said("foot(1.13.1)", None, &[62, 4], None)), Err(Refusal::NoCellSize));
    }

    #[test]
    fn versions_are_numbers_not_text() {
        let brand = |text: &str| (Brand::parse(text).name, Brand::parse(text).version);
        assert_eq!(brand("kitty(0.41.1)"), ("kitty".into(), vec![0, 41, 1]));
        assert_eq!(brand("tmux 3.3a"), ("tmux".into(), vec![3, 3]));
        assert_eq!(brand("tmux next-3.8"), ("tmux".into(), vec![]));
        assert_eq!(brand("XTerm"), ("xterm".into(), vec![]));
        assert!(
            Brand::parse("kitty(0.100.0)").draws_placeholders() && !Brand::parse("kitty(0.9.1)").draws_placeholders()
        );
    }
}
