//! The names of the pages with their keys, in a row that the mouse knows too.

use ratatui::{buffer::Buffer, layout::Rect, text::Span, widgets::Widget};

use crate::tui::{guard, model::Model, page::Page, theme::Role};

/// Where each page's name stands in the row; those that do not fit are left out.
pub fn places(area: Rect) -> Vec<(Page, Rect)> {
    let mut x = area.x;
    let mut places = Vec::new();
    for (number, page) in Page::ALL.into_iter().enumerate() {
        let width = guard::width(&label(number, page)) as u16;
        if area.is_empty() || x + width > area.right() {
            break;
        }
        places.push((page, Rect { x, width, ..area }));
        x += width + 1;
    }
    places
}

fn label(number: usize, page: Page) -> String {
    format!(" {} {} ", number + 1, page.name())
}

pub fn draw(model: &Model, area: Rect, buffer: &mut Buffer) {
    let theme = model.theme();
    for (number, (page, place)) in places(area).into_iter().enumerate() {
        let shown = page == model.view.page;
        let role = if shown { Role::Accent } else { Role::Faint };
        Span::styled(label(number, page), theme.style(role)).render(place, buffer);
        if shown {
            buffer.set_style(place, theme.style(Role::Selected).patch(theme.style(Role::Accent)));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_names_fit_into_72_columns() {
        let places = places(Rect::new(0, 1, 72, 1));
        assert_eq!(places.len(), Page::ALL.len());
        assert!(places.windows(2).all(|pair| pair[0].1.right() < pair[1].1.x));
        assert!(super::places(Rect::new(0, 0, 0, 0)).is_empty());
    }
}
