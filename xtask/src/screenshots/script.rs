//! What is done before the camera, as tables: which keys, after which epochs, and which pictures. Keys have X's names.

/// A terminal's size, its letters' in points, and whether they are dark on a light ground.
#[derive(Debug, Clone, Copy)]
pub struct Cells {
    pub columns: u32,
    pub rows: u32,
    pub points: u32,
    pub light: bool,
}

impl Cells {
    /// The colours of the ground and of letters.
    pub const fn ground(self) -> (&'static str, &'static str) {
        if self.light { ("#fdfdfd", "#202428") } else { ("#000000", "#e5e5e5") }
    }
}

pub const LARGE: Cells = Cells { columns: 132, rows: 40, points: 12, light: false };
pub const LIGHT: Cells = Cells { light: true, ..LARGE };
/// As wide as a README's column shows without shrinking it, or nearly so.
pub const SMALL: Cells = Cells { columns: 112, rows: 34, points: 10, light: false };

#[derive(Debug)]
pub enum Step {
    Keys(&'static [&'static str]),
    Seconds(f32),
    /// Until so many epochs are over.
    Epoch(u32),
    /// Named without its ending.
    Picture(&'static str),
}

use Step::{Epoch, Keys, Picture, Seconds};

pub const RECORDED: &str = "first-look";
/// More epochs than there is time for: nothing ends before the camera.
pub const RECORDED_RUN: [&str; 5] = ["demo", "--name", RECORDED, "--set", "train.epochs=40"];
pub const PICTURED: &str = "critters";
pub const PICTURED_RUN: [&str; 5] = ["demo", "--name", PICTURED, "--set", "train.epochs=40"];

/// What happens before the recording: by then there are curves.
pub const BEFORE_RECORDING: u32 = 3;
/// Chooses a layer, freezes up to it, looks through the lens, reads the curves.
pub const RECORDING: &[Step] = &[
    Seconds(3.0),
    Keys(&["j", "j"]),
    Seconds(1.0),
    Keys(&["F"]),
    Seconds(3.0),
    Keys(&["n"]),
    Seconds(2.0),
    Keys(&["n"]),
    Seconds(2.0),
    Keys(&["4"]),
    Seconds(3.5),
    Keys(&["j", "j"]),
    Seconds(2.5),
    Keys(&["n"]),
    Seconds(2.5),
    Keys(&["v"]),
    Seconds(3.0),
    Keys(&["2"]),
    Seconds(2.0),
    Keys(&["Left", "Left", "Left", "Left", "Left", "Left"]),
    Seconds(2.0),
    Keys(&["1"]),
    Seconds(3.0),
];

pub const STILLS: &[Step] = &[
    Epoch(4),
    Keys(&["j", "j", "F"]),
    Epoch(10),
    Picture("overview"),
    Keys(&["2", "Left", "Left", "Left", "Left", "Left", "Left"]),
    Picture("curves"),
    Keys(&["3"]),
    Picture("layers"),
    // Two epochs ago: heat and activations are kept, and stay.
    Keys(&["4", "comma", "comma"]),
    Seconds(3.0),
    Picture("lens"),
    Keys(&["greater", "v"]),
    Seconds(3.5),
    Picture("lens-blocks"),
    Keys(&["6"]),
    Seconds(2.0),
    Picture("machine"),
    // Whichever are the worst images now are looked at now.
    Keys(&["p", "5"]),
    Seconds(7.0),
    Picture("mistakes"),
    Keys(&["p"]),
];

/// After a while the engine has answered what each page asks for.
pub const LIGHT_PAGE: &[Step] = &[Seconds(3.0), Picture("light")];

pub const HOME: &[Step] = &[Seconds(1.0), Picture("home")];

pub const SIXEL: &[Step] =
    &[Seconds(3.0), Picture("xterm-sixel-overview"), Keys(&["4"]), Seconds(4.0), Picture("xterm-sixel")];
