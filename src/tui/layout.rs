//! Where everything stands, for any size of screen. The update uses it too: what is not on the screen is not asked of the engine, and the
//! mouse finds what it points at.

use ratatui::layout::Rect;

use super::page::{Page, Pane};

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Layout {
    pub header: Rect,
    /// The names of the pages; empty on a small screen.
    pub tabs: Rect,
    pub progress: Rect,
    pub meters: Rect,
    panes: Vec<(Pane, Rect)>,
    pub footer: Rect,
    /// Too small for frames around panes.
    pub compact: bool,
}

impl Layout {
    pub fn pane(&self, pane: Pane) -> Option<Rect> {
        self.panes.iter().find(|(p, _)| *p == pane).map(|(_, area)| *area)
    }

    pub fn panes(&self) -> impl Iterator<Item = (Pane, Rect)> + '_ {
        self.panes.iter().copied()
    }
}

/// Up to 72 columns or 20 rows there is room for one pane only, whatever the page.
pub fn layout((width, height): (u16, u16), page: Page) -> Layout {
    let compact = width < 72 || height < 20;
    let mut rest = Rect::new(0, 0, width, height);
    let mut take = |rows: u16| {
        let rows = rows.min(rest.height);
        let taken = Rect { height: rows, ..rest };
        rest = Rect { y: rest.y + rows, height: rest.height - rows, ..rest };
        taken
    };
    let header = take(1);
    let tabs = take(u16::from(!compact));
    let progress = take(if compact && height >= 8 { 2 } else { 1 });
    let meters = take(u16::from(!compact || height >= 8));
    let footer_rows = u16::from(rest.height > 0 && height >= 4);
    let main = Rect { height: rest.height - footer_rows, ..rest };
    let footer = Rect { y: main.bottom(), height: footer_rows, ..rest };
    let panes = if main.height < 2 {
        Vec::new()
    } else if compact || page != Page::Overview {
        vec![(page.pane(), main)]
    } else {
        overview(main)
    };
    Layout { header, tabs, progress, meters, panes, footer, compact }
}

/// Curves above, beside them the figures and the layers; pictures and log below.
fn overview(main: Rect) -> Vec<(Pane, Rect)> {
    /// Four figures, their heading and the frame.
    const FIGURES: u16 = 7;
    let below = (f32::from(main.height) * 0.42).round() as u16;
    let above = main.height - below;
    // Three square pictures and the caption, frame and gaps around them, but never at the cost of a log that can be read.
    let pictures = (3 * 2 * below.saturating_sub(3) + 4).clamp(main.width * 2 / 5, main.width * 2 / 3);
    let side = (main.width * 2 / 5).clamp(36, 82);
    // The layers keep a few rows, or have the side to themselves.
    let figures = if above >= FIGURES + 6 { (above / 3).clamp(FIGURES, FIGURES + 4) } else { 0 };
    let rect = |x: u16, y: u16, width: u16, height: u16| Rect { x: main.x + x, y: main.y + y, width, height };
    let mut panes = vec![(Pane::Curves, rect(0, 0, main.width - side, above))];
    if figures > 0 {
        panes.push((Pane::Figures, rect(main.width - side, 0, side, figures)));
    }
    panes.extend([
        (Pane::Layers, rect(main.width - side, figures, side, above - figures)),
        (Pane::Pictures, rect(0, above, pictures, below)),
        (Pane::Log, rect(pictures, above, main.width - pictures, below)),
    ]);
    panes
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn nothing_overlaps_or_leaves_the_screen(w in 0u16..300, h in 0u16..100, page in 0usize..6) {
            let layout = layout((w, h), Page::ALL[page]);
            let screen = Rect::new(0, 0, w, h);
            let mut areas = vec![layout.header, layout.tabs, layout.progress, layout.meters, layout.footer];
            areas.extend(layout.panes().map(|(_, area)| area));
            for (at, area) in areas.iter().enumerate() {
                prop_assert_eq!(area.intersection(screen), *area);
                for other in &areas[at + 1..] {
                    prop_assert!(area.intersection(*other).is_empty(), "{area} and {other}");
                }
            }
        }
    }

    #[test]
    fn a_page_has_its_panes() {
        let shown = |size, page| layout(size, page).panes().map(|(p, _)| p).collect::<Vec<_>>();
        assert_eq!(shown((80, 24), Page::Overview), [Pane::Curves, Pane::Layers, Pane::Pictures, Pane::Log]);
        assert_eq!(
            shown((120, 40), Page::Overview),
            [Pane::Curves, Pane::Figures, Pane::Layers, Pane::Pictures, Pane::Log]
        );
        assert_eq!(shown((40, 12), Page::Overview), [Pane::Curves]);
        for page in Page::ALL.into_iter().skip(1) {
            assert_eq!(shown((80, 24), page), [page.pane()]);
        }
    }
}
