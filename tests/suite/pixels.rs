//! Pictures in pixels, end to end: terminals that are played, by what they answer, and a real tmux between. A run that has ended shows one
//! image, its heat and a layer's activations.

use std::{path::Path, process::Command, time::Duration};

use frostline::{
    command::Method,
    event::{DataOpened, Ended, Event, Explained, Picture, PictureKind, SplitName},
    run::{Blobs, RunDir},
};
use image::{ImageFormat, Rgb, RgbImage};
use portable_pty::CommandBuilder;

use crate::{
    acting::{Actor, Stage, eventually},
    pty::{Kind, Screen},
};

const PLACEHOLDER: char = '\u{10EEEE}';
const PLACED: &str = "_Ga=p,U=1";
const DELETED: &str = "_Ga=d,d=I";

/// A run that has ended, with three pictures.
fn explained(stage: &Stage) -> RunDir {
    let run = stage.run("seen");
    let mut actor = Actor::on(&run);
    actor.start();
    actor.say(Event::DataOpened(DataOpened {
        classes: vec!["cats".into(), "dogs".into()],
        train: 10,
        validation: 4,
        test: 2,
        steps_per_epoch: 1,
        pinned: SplitName::Validation,
    }));
    let mut blobs = Blobs::open(&run.blobs(), 10).unwrap();
    let mut picture = |kind, image: RgbImage| {
        let mut png = std::io::Cursor::new(Vec::new());
        image.write_to(&mut png, ImageFormat::Png).unwrap();
        let (width, height) = image.dimensions();
        Picture { kind, blob: blobs.put(png.get_ref()).unwrap(), width, height }
    };
    let heat = PictureKind::Heat { method: Method::GradCam, layer: "conv2d".into(), class: 0, empty: false };
    let grid = PictureKind::Activations { layer: "conv2d".into(), channels: 4 };
    let pictures = vec![
        picture(PictureKind::Sample, RgbImage::from_fn(32, 32, |x, y| Rgb([8 * x as u8, 8 * y as u8, 90]))),
        picture(heat, RgbImage::from_fn(8, 8, |x, _| Rgb([x as u8 * 30; 3]))),
        picture(grid, RgbImage::from_fn(40, 40, |x, y| Rgb([(x * y) as u8, 30, 200]))),
    ];
    actor.say(Event::Explained(Explained {
        step: 10,
        epoch: 1,
        sample: 0,
        name: "cat.0".into(),
        label: 0,
        probabilities: vec![0.75, 0.25],
        pictures,
        kept: false,
        refused: None,
    }));
    actor.end(Ended::Completed { early: false });
    run
}

fn placeholders(screen: &Screen) -> Vec<vt100::Color> {
    let cells = screen.cells().into_iter();
    cells.filter(|(text, _)| text.starts_with(PLACEHOLDER)).map(|(_, colour)| colour).collect()
}

fn glyphs(screen: &Screen) -> usize {
    screen.cells().iter().filter(|(text, _)| text.chars().any(|c| ('\u{2580}'..='\u{259F}').contains(&c))).count()
}

#[test]
fn kitty_gets_placeholders_and_is_left_without_a_picture() {
    let stage = Stage::new();
    explained(&stage);
    let mut screen = Screen::open_in(Kind::Kitty, Duration::ZERO, &stage, &["attach"]);
    screen.await_sent(PLACED, 3);
    eventually("three pictures of cells", || {
        let mut ids = placeholders(&screen);
        ids.dedup();
        ids.sort_by_key(|id| format!("{id:?}"));
        ids.dedup();
        (ids == [1, 2, 3].map(vt100::Color::Idx)).then_some(())
    });
    let before = placeholders(&screen).len();

    screen.press("?");
    eventually("help over the pictures", || (placeholders(&screen).len() < before).then_some(()));
    screen.press("\x1b");
    eventually("the pictures again", || (placeholders(&screen).len() == before).then_some(()));
    assert_eq!(screen.sent(PLACED), 3, "the terminal has them still");

    screen.resize(40, 120);
    screen.await_sent(PLACED, 6);
    screen.press("g");
    screen.await_sent(DELETED, 3);
    eventually("glyphs in their place", || (glyphs(&screen) > 50 && placeholders(&screen).is_empty()).then_some(()));
    // A kitty begins with sextants: octants, letters, half blocks, which pixels take the turn of.
    screen.press("ggg");
    screen.await_sent(PLACED, 9);
    screen.press("q");
    assert_eq!(screen.exit_code(), 0);
    screen.await_sent(DELETED, 6);
    eventually("the shell's screen", || screen.is_the_shells().then_some(()));
}

#[test]
fn sixels_are_drawn_over_blanks_and_give_way_to_boxes() {
    let stage = Stage::new();
    explained(&stage);
    let mut screen = Screen::open_in(Kind::Sixel, Duration::ZERO, &stage, &["attach"]);
    let held = |screen: &Screen| screen.cells().iter().filter(|(text, _)| text == "\u{A0}").count();
    eventually("three sixel pictures", || (sixels(&screen) == 3).then_some(()));
    let before = held(&screen);
    assert!(before > 50 && placeholders(&screen).is_empty(), "{before} cells are kept free");
    screen.press("?");
    eventually("no picture behind the help", || (held(&screen) == 0).then_some(()));
    screen.press("\x1b");
    eventually("the pictures again", || (sixels(&screen) == 6 && held(&screen) == before).then_some(()));
    screen.press("q");
    assert_eq!(screen.exit_code(), 0);
}

/// Device control strings that begin a sixel picture; the answer to none of our questions is one.
fn sixels(screen: &Screen) -> usize {
    screen.sent("\x1bP")
}

#[test]
fn a_mute_terminal_gets_glyphs_and_loses_no_key() {
    let stage = Stage::new();
    explained(&stage);
    let mut screen = Screen::open_in(Kind::Mute, Duration::ZERO, &stage, &["attach"]);
    screen.await_text("acted");
    screen.press("t");
    screen.await_text("colours: ");
    eventually("pictures in glyphs", || (glyphs(&screen) > 50).then_some(()));
    assert_eq!((screen.sent("_Ga=t"), placeholders(&screen).len()), (0, 0));
    screen.press("q");
    assert_eq!(screen.exit_code(), 0);
}

#[test]
fn late_answers_are_no_keys() {
    let stage = Stage::new();
    explained(&stage);
    let mut screen = Screen::open_in(Kind::Kitty, Duration::from_secs(2), &stage, &["attach"]);
    eventually("glyphs first", || (glyphs(&screen) > 50).then_some(()));
    // `kitty(0.41.1)` would type a phase, and change the colours.
    std::thread::sleep(Duration::from_millis(2500));
    assert!(!screen.shows("colours: ") && !screen.shows("phase:"), "answers were taken for keys");
    screen.press("s");
    screen.await_text("smoothing");
    screen.press("q");
    assert_eq!(screen.exit_code(), 0);
}

/// A tmux server of its own, gone with the test.
struct Tmux {
    socket: std::path::PathBuf,
    config: std::path::PathBuf,
}

impl Tmux {
    fn new(folder: &Path, options: &str) -> Self {
        let (socket, config) = (folder.join("tmux"), folder.join("tmux.conf"));
        let always = "set -g default-terminal tmux-256color\nset -g escape-time 20\n";
        std::fs::write(&config, format!("{always}{options}")).unwrap();
        Self { socket, config }
    }

    fn client(&self, arguments: &[&str]) -> CommandBuilder {
        let mut command = CommandBuilder::new("tmux");
        command.args(["-S", self.socket.to_str().unwrap(), "-f", self.config.to_str().unwrap()]);
        command.args(arguments);
        for name in ["TMUX", "TMUX_PANE", "TERM_PROGRAM", "NO_COLOR", "FROSTLINE_RUNS"] {
            command.env_remove(name);
        }
        for (name, value) in [("TERM", "xterm-256color"), ("COLORTERM", "truecolor"), ("LC_ALL", "C.UTF-8")] {
            command.env(name, value);
        }
        command
    }

    fn tell(&self, arguments: &[&str]) {
        let told = Command::new("tmux").arg("-S").arg(&self.socket).args(arguments).status().unwrap();
        assert!(told.success(), "{arguments:?}");
    }

    fn option(&self, arguments: &[&str]) -> String {
        let asked = Command::new("tmux").arg("-S").arg(&self.socket).args(arguments).output().unwrap();
        String::from_utf8(asked.stdout).unwrap().trim().to_owned()
    }
}

impl Drop for Tmux {
    fn drop(&mut self) {
        let _ = Command::new("tmux").arg("-S").arg(&self.socket).arg("kill-server").status();
    }
}

/// The dashboard as the only program of a new session.
fn session(stage: &Stage, kind: Kind, tmux: &Tmux) -> Screen {
    let line = format!("{} attach --runs {}", stage.path("frostline").display(), stage.path("runs").display());
    Screen::spawn(tmux.client(&["new-session", "-s", "main", &line]), kind, Duration::ZERO)
}

#[test]
fn a_tmux_that_lets_nothing_through_gets_glyphs_and_keeps_its_options() {
    let stage = Stage::new();
    explained(&stage);
    let tmux = Tmux::new(&stage.path(""), "");
    let screen = session(&stage, Kind::Kitty, &tmux);
    eventually("pictures in glyphs", || (glyphs(&screen) > 50).then_some(()));
    std::thread::sleep(Duration::from_millis(500));
    assert_eq!((screen.sent("_Ga="), placeholders(&screen).len()), (0, 0));
    assert_eq!(tmux.option(&["show", "-p", "-t", "main:0", "allow-passthrough"]), "", "not set for the pane");
}

#[test]
fn pictures_come_again_after_another_window_and_another_terminal() {
    let stage = Stage::new();
    explained(&stage);
    let tmux = Tmux::new(&stage.path(""), "set -g allow-passthrough on\n");
    let mut screen = session(&stage, Kind::Kitty, &tmux);
    screen.await_sent(PLACED, 3);
    eventually("placeholders", || (placeholders(&screen).len() > 50).then_some(()));

    tmux.tell(&["new-window", "-t", "main:", "sleep 99"]);
    eventually("another window", || placeholders(&screen).is_empty().then_some(()));
    // Glyphs, and pixels again, while nobody sees it.
    tmux.tell(&["send-keys", "-t", "main:0", "g"]);
    std::thread::sleep(Duration::from_millis(300));
    tmux.tell(&["send-keys", "-t", "main:0", "ggg"]);
    std::thread::sleep(Duration::from_millis(300));
    assert_eq!(screen.sent(PLACED), 3, "tmux would drop what is sent to a hidden pane");
    tmux.tell(&["select-window", "-t", "main:0"]);
    screen.await_sent(PLACED, 6);

    tmux.tell(&["detach-client", "-s", "main"]);
    assert_eq!(screen.exit_code(), 0);
    let plain = Screen::spawn(tmux.client(&["attach", "-t", "main:0"]), Kind::Plain, Duration::ZERO);
    eventually("glyphs in a terminal without pictures", || {
        (glyphs(&plain) > 50 && placeholders(&plain).is_empty()).then_some(())
    });
    assert_eq!(plain.sent(PLACED), 0);
    tmux.tell(&["detach-client", "-s", "main"]);

    let again = Screen::spawn(tmux.client(&["attach", "-t", "main:0"]), Kind::Kitty, Duration::ZERO);
    again.await_sent(PLACED, 3);
    eventually("placeholders again", || (placeholders(&again).len() > 50).then_some(()));
}
