//! Between the event loop, the terminal and tmux: when the terminal is asked, when pictures may be sent, and what is sent again after another
//! terminal, another window or another size. All waiting is done beside the loop; it is told by [`News`].

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

use crossterm::event::KeyEvent;
use tokio::{sync::mpsc, time::timeout};

use super::{
    canvas::Canvas,
    late::Late,
    marks::{Placed, keep, placed},
    probe::{PATIENCE, Probe, probe},
    tmux::{Pane, Sight},
    typed,
};
use crate::{
    picture::Depth,
    tui::{
        appearance::Appearance,
        model::Model,
        terminal::{self, Guarded, TerminalError},
        update::Msg,
        view::{self, content::Content},
    },
};

/// How often tmux is asked who looks at this pane, once it lets pictures through.
const LOOK: Duration = Duration::from_secs(1);
/// Bytes of pictures between two frames: keys are answered in between, however slow the line is.
const PORTION: usize = 16 << 10;
/// For the thread that read keys to let go of the terminal.
const LET_GO: Duration = Duration::from_millis(5);

/// What the loop is told.
pub enum News {
    /// The terminal was asked; nothing came of it where it cannot even be read.
    Probed(Option<Probe>),
    /// Another terminal looks at this pane, or none, or one that looked away looks again.
    Seen(Sight),
}

pub struct Link {
    tell: mpsc::UnboundedSender<News>,
    news: mpsc::UnboundedReceiver<News>,
    pane: Option<Pane>,
    /// While it is asked nobody else may read keys.
    asking: Option<Arc<AtomicBool>>,
    /// A reason to ask came while it was being asked.
    again: bool,
    watching: bool,
    sight: Option<Sight>,
    late: Late,
    canvas: Canvas,
    /// Where the last frame had pictures.
    placed: Vec<Placed>,
    /// The terminal lacks pictures that the screen has.
    owes: bool,
    /// When tmux last said that nobody looks.
    unseen: Option<Instant>,
}

impl Link {
    /// Asks the terminal, if pixels are wanted and its appearance leaves room for them.
    pub fn start(appearance: Appearance, wanted: bool, size: (u16, u16)) -> Self {
        let (tell, news) = mpsc::unbounded_channel();
        let mut link = Self {
            tell,
            news,
            pane: Pane::own(),
            asking: None,
            again: false,
            watching: false,
            sight: None,
            late: Late::default(),
            canvas: Canvas::default(),
            placed: Vec::new(),
            owes: false,
            unseen: None,
        };
        if wanted && !appearance.ascii && appearance.depth != Depth::Mono {
            link.ask(size);
        }
        link
    }

    /// Whether the terminal is being asked: its answers come where keys do.
    pub fn is_asking(&self) -> bool {
        self.asking.is_some()
    }

    pub async fn news(&mut self) -> News {
        match self.news.recv().await {
            Some(news) => news,
            // It holds a sender itself.
            None => std::future::pending().await,
        }
    }

    /// Asks again, as the redraw key does. Whoever reads keys has to stop first.
    pub fn ask(&mut self, size: (u16, u16)) {
        self.canvas.forget();
        if self.asking.is_some() {
            self.again = true;
            return;
        }
        let give_up = Arc::new(AtomicBool::new(false));
        self.asking = Some(Arc::clone(&give_up));
        let (tell, pane) = (self.tell.clone(), self.pane.clone());
        thread::spawn(move || {
            thread::sleep(LET_GO);
            let (sight, visible) = sight(pane.as_ref(), &give_up);
            // A pane that nobody sees gets no answers; it is asked once it is seen.
            let found = match (&pane, &sight) {
                (Some(_), None) => None,
                _ if !visible => None,
                _ => probe(sight.as_ref(), size, PATIENCE, &give_up).ok(),
            };
            if let Some(sight) = sight {
                let _ = tell.send(News::Seen(sight));
            }
            let _ = tell.send(News::Probed(found));
        });
    }

    /// Takes news in, on a screen of `size` cells. What the model has to know comes back: what can be shown, and keys that were typed meanwhile.
    pub fn take(&mut self, news: News, size: (u16, u16)) -> Vec<Msg> {
        match news {
            News::Probed(found) => {
                self.asking = None;
                self.canvas.forget();
                if std::mem::take(&mut self.again) {
                    self.ask(size);
                }
                let Some(found) = found else { return vec![Msg::Terminal { able: None, glyphs: None }] };
                self.late.expect(found.is_answered(), Instant::now());
                let glyphs = found.glyphs();
                let terminal = Msg::Terminal { able: found.able.ok(), glyphs };
                std::iter::once(terminal).chain(typed::keys(&found.typed).into_iter().map(Msg::Key)).collect()
            }
            News::Seen(sight) => {
                let worth = sight.passthrough || sight.sixel;
                let before = self.sight.replace(sight.clone());
                if worth && !self.watching {
                    self.watch();
                }
                let another = before.is_some_and(|before| before.viewer != sight.viewer || !before.visible);
                if another && sight.visible && !self.is_asking() {
                    self.canvas.forget_all();
                    self.ask(size);
                }
                Vec::new()
            }
        }
    }

    /// Looks at tmux from now on, and tells what changes.
    fn watch(&mut self) {
        let Some(pane) = self.pane.clone() else { return };
        self.watching = true;
        let (tell, mut before) = (self.tell.clone(), self.sight.clone());
        thread::spawn(move || {
            while !tell.is_closed() {
                thread::sleep(LOOK);
                let now = pane.look();
                if now.is_some() && now != before {
                    before = now;
                    if before.clone().is_none_or(|sight| tell.send(News::Seen(sight)).is_err()) {
                        return;
                    }
                }
            }
        });
    }

    /// Whether `key` is a late answer.
    pub fn swallows(&mut self, key: &KeyEvent) -> bool {
        self.late.swallows(key, Instant::now())
    }

    /// What was on the screen is gone: another size, another program.
    pub fn lost(&mut self) {
        self.canvas.forget();
    }

    /// Draws a frame, and sends a portion of the pictures that it lacks. True if there is more to send.
    pub fn draw(&mut self, model: &mut Model, terminal: &mut Guarded) -> Result<bool, TerminalError> {
        let mut wanted = Vec::new();
        let drawn = &mut *model;
        terminal.draw(|frame| {
            view::draw_panes(drawn, frame);
            wanted = placed(frame.buffer_mut());
            view::draw_boxes(drawn, frame);
            let floats = drawn.view.pixels.able().is_some_and(|able| able.protocol.floats());
            let covered = floats && placed(frame.buffer_mut()) != wanted;
            if covered || !shared_well(&mut wanted, floats) {
                // A picture would cover a box, or cannot be in two places.
                wanted.clear();
                frame.buffer_mut().reset();
                drawn.view.pixels.veiled = true;
                view::draw_panes(drawn, frame);
                view::draw_boxes(drawn, frame);
                drawn.view.pixels.veiled = false;
            }
            if floats {
                keep(&self.placed, &wanted, frame.buffer_mut());
            }
        })?;
        self.placed.clone_from(&wanted);
        let model = &*model;
        let pixels = &model.view.pixels;
        let able = pixels.able();
        let find = |id| Content::named(model, pixels.name(id)?);
        let version = |id| Some(format!("{} {}", pixels.name(id)?, find(id)?.version()));
        let named: Vec<(Placed, String)> =
            wanted.iter().filter_map(|placed| Some((*placed, version(placed.id)?))).collect();
        self.owes = !self.is_asking() && self.canvas.is_behind(&named, able);
        if !self.owes || !self.is_seen() {
            return Ok(false);
        }
        let sent = self.canvas.next(&named, able, |id, size| Some(find(id)?.in_pixels(size)), PORTION);
        terminal::leave_with(&self.canvas.farewell());
        terminal.send(&sent)?;
        self.owes = !sent.is_empty() && self.canvas.is_behind(&named, able);
        Ok(self.owes)
    }

    /// Whether a picture waits for somebody to look: another frame is to be drawn though nothing changed.
    pub fn owes(&self) -> bool {
        self.owes
    }

    /// Whether what is sent now arrives. Asked each time: a look a second ago does not tell what happened since. Only where nobody looked,
    /// it is not asked again at once.
    fn is_seen(&mut self) -> bool {
        let Some(pane) = &self.pane else { return true };
        if self.unseen.is_some_and(|when| when.elapsed() < LOOK / 4) {
            return false;
        }
        self.unseen = Some(Instant::now());
        let Some(sight) = pane.look() else { return false };
        if self.sight.as_ref().is_some_and(|before| before.viewer != sight.viewer) {
            // Told by the next look too, which asks the new terminal.
            return false;
        }
        let visible = sight.visible;
        self.sight = Some(sight);
        if visible {
            self.unseen = None;
        } else {
            // What was begun is cut off, and what was sent last may not have come through.
            self.canvas.forget_all();
        }
        visible
    }

    /// Stops asking, before the terminal is given back: the next key is the shell's.
    pub async fn end(&mut self) {
        const NOTICED: Duration = Duration::from_millis(500);
        let Some(give_up) = self.asking.take() else { return };
        give_up.store(true, Ordering::Relaxed);
        let stopped = async { while !matches!(self.news().await, News::Probed(_)) {} };
        let _ = timeout(NOTICED, stopped).await;
    }
}

impl Drop for Link {
    fn drop(&mut self) {
        if let Some(give_up) = &self.asking {
            give_up.store(true, Ordering::Relaxed);
        }
    }
}

/// Whether each picture is in one place only, or its cells, if these carry it, may share what they show. It is sent once.
fn shared_well(wanted: &mut Vec<Placed>, floats: bool) -> bool {
    let same = |a: &Placed, b: &Placed| !floats && a.area.as_size() == b.area.as_size();
    let apart = wanted.iter().enumerate().all(|(at, a)| wanted[..at].iter().all(|b| a.id != b.id || same(a, b)));
    let mut seen = Vec::new();
    wanted.retain(|placed| {
        !seen.contains(&placed.id) && {
            seen.push(placed.id);
            true
        }
    });
    apart
}

/// What tmux says, once somebody looks: `new-session` starts a program before its terminal is there.
fn sight(pane: Option<&Pane>, give_up: &AtomicBool) -> (Option<Sight>, bool) {
    const PATIENCE: Duration = Duration::from_millis(500);
    let Some(pane) = pane else { return (None, true) };
    let begun = Instant::now();
    loop {
        let sight = pane.look();
        let visible = sight.as_ref().is_some_and(|sight| sight.visible);
        let waits = sight.as_ref().is_some_and(|sight| sight.passthrough || sight.sixel);
        if visible || !waits || begun.elapsed() > PATIENCE || give_up.load(Ordering::Relaxed) {
            return (sight, visible);
        }
        thread::sleep(Duration::from_millis(25));
    }
}
