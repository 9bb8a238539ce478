//! What the mouse points at: pages by their names, keys in the last row, layers, charts, lines of the log. The wheel scrolls what is under it.

use crossterm::event::{MouseButton, MouseEvent, MouseEventKind};

use super::{
    curves, lens,
    model::Model,
    page::{Page, Pane},
    prompt::Prompt,
    tree::{self, Row},
    update::Effect,
    view, viewing,
};

/// Lines for one notch of the wheel.
const NOTCH: isize = 3;

/// A press, a drag or a turn of the wheel.
pub fn take(model: &mut Model, event: MouseEvent) -> Vec<Effect> {
    let at = (event.column, event.row);
    if let Some(Prompt::Help { scrolled }) = &mut model.view.prompt {
        match event.kind {
            MouseEventKind::ScrollUp => *scrolled = scrolled.saturating_sub(NOTCH as u16),
            MouseEventKind::ScrollDown => *scrolled = scrolled.saturating_add(NOTCH as u16),
            MouseEventKind::Down(MouseButton::Left) => model.view.prompt = None,
            _ => {}
        }
        return Vec::new();
    }
    // A question is answered by keys: a click beside it must not do something else.
    if model.view.prompt.is_some() {
        return Vec::new();
    }
    match event.kind {
        MouseEventKind::Down(MouseButton::Left) => press(model, at),
        MouseEventKind::Drag(MouseButton::Left) if pane_at(model, at) == Some(Pane::Curves) => {
            curves::point(model, at.0, at.1);
            Vec::new()
        }
        MouseEventKind::ScrollUp => wheel(model, at, -1),
        MouseEventKind::ScrollDown => wheel(model, at, 1),
        _ => Vec::new(),
    }
}

fn pane_at(model: &Model, at: (u16, u16)) -> Option<Pane> {
    model.layout().panes().find(|(_, area)| area.contains(at.into())).map(|(pane, _)| pane)
}

fn press(model: &mut Model, at: (u16, u16)) -> Vec<Effect> {
    if let Some(page) = view::page_at(model, at) {
        return viewing::go_to(model, page);
    }
    if let Some(action) = view::action_at(model, at) {
        return (action.effect)(model);
    }
    match pane_at(model, at) {
        Some(Pane::Curves) => curves::point(model, at.0, at.1),
        Some(Pane::Layers) if model.view.page == Page::Layers => match view::row_at(model, at) {
            Some(Row::Layer { at, .. }) => model.view.cursor = at,
            Some(Row::Block { block, .. }) => tree::toggle(model, &block),
            _ => {}
        },
        Some(Pane::Mistakes) => {
            if let Some(chosen) = view::mistake_at(model, at) {
                model.view.judging.chosen = chosen;
            }
        }
        Some(Pane::Layers) => {
            if let Some(layer) = view::layer_at(model, at) {
                model.view.cursor = layer;
            }
        }
        Some(Pane::Alarms) => {
            if let Some(image) = view::suspect_at(model, at) {
                model.view.alarms.image = image;
            }
        }
        Some(Pane::Pictures) => return viewing::go_to(model, Page::Lens),
        Some(Pane::Log) => return viewing::go_to(model, Page::Machine),
        Some(Pane::Figures) => return viewing::go_to(model, Page::Curves),
        _ => {}
    }
    Vec::new()
}

fn wheel(model: &mut Model, at: (u16, u16), by: isize) -> Vec<Effect> {
    match (pane_at(model, at), model.view.page) {
        (Some(Pane::Curves), Page::Curves) => {
            // Where the mouse is, the curves stay.
            curves::point(model, at.0, at.1);
            if by < 0 { curves::zoom_in(model) } else { curves::zoom_out(model) }
        }
        (Some(Pane::Pictures), Page::Lens) => lens::step_epoch(model, by),
        (Some(Pane::Log), _) => viewing::scroll_log(model, NOTCH * by),
        (Some(_), _) => viewing::scroll(model, by),
        (None, _) => Vec::new(),
    }
}
