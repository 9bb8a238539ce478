//! The names of the pages with their keys, in a row that the mouse knows too. The page of alarms has its name there once there are some.

use ratatui::{buffer::Buffer, layout::Rect, text::Span, widgets::Widget};

use crate::tui::{alarms, guard, model::Model, page::Page, theme::Role};

/// Where each page's name stands in the row; those that do not fit are left out.
pub fn places(model: &Model, area: Rect) -> Vec<(Page, Rect)> {
    let mut x = area.x;
    let mut places = Vec::new();
    for (page, label) in labels(model) {
        let width = guard::width(&label) as u16;
        if area.is_empty() || x + width > area.right() {
            break;
        }
        places.push((page, Rect { x, width, ..area }));
        x += width + 1;
    }
    places
}

fn labels(model: &Model) -> Vec<(Page, String)> {
    let numbered = (1..).zip(Page::ALL).map(|(number, page)| (page, format!(" {number} {} ", page.name())));
    let alarms = (!model.run.alarms.is_empty()).then(|| {
        let key = alarms::key(model, "alarms").map(|key| format!("{key} ")).unwrap_or_default();
        (Page::Alarms, format!(" {key}{} ", Page::Alarms.name()))
    });
    numbered.chain(alarms).collect()
}

pub fn draw(model: &Model, area: Rect, buffer: &mut Buffer) {
    let theme = model.theme();
    for ((page, place), (_, label)) in places(model, area).into_iter().zip(labels(model)) {
        let shown = page == model.view.page;
        let role = match (shown, page) {
            (_, Page::Alarms) if model.run.alarm_in_force().is_some() => Role::Bad,
            (true, _) => Role::Accent,
            (false, Page::Alarms) => Role::Warning,
            (false, _) => Role::Faint,
        };
        Span::styled(label, theme.style(role)).render(place, buffer);
        if shown {
            buffer.set_style(place, theme.style(Role::Selected).patch(theme.style(role)));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tui::tests::{COLOURS, alarmed, open};

    #[test]
    fn all_names_fit_into_72_columns_and_alarms_into_80() {
        let model = open("mid_run.jsonl", (80, 24), COLOURS);
        let six = places(&model, Rect::new(0, 1, 72, 1));
        assert_eq!(six.len(), Page::ALL.len());
        assert!(six.windows(2).all(|pair| pair[0].1.right() < pair[1].1.x));
        assert!(places(&model, Rect::new(0, 0, 0, 0)).is_empty());
        let all = places(&alarmed((80, 24)), Rect::new(0, 1, 80, 1));
        assert_eq!(all.last().map(|(page, _)| *page), Some(Page::Alarms));
    }
}
