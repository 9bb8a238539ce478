//! Loss and accuracy, one over or beside the other.

use ratatui::{
    buffer::Buffer,
    layout::Rect,
    text::{Line, Span},
    widgets::Widget,
};

use super::{
    Place,
    charts::{self, Quantity, Series},
    starting,
    text::sparkline,
};
use crate::tui::{model::Model, theme::Role};

pub fn draw(model: &Model, place: Place, buffer: &mut Buffer) {
    let theme = model.theme();
    if model.is_starting() {
        let title = Line::from(Span::styled("starting", theme.style(Role::Accent)));
        let inner = place.open(&theme, title, buffer);
        starting::draw(model, inner, buffer);
        return;
    }
    for (quantity, area) in [Quantity::Loss, Quantity::Accuracy].into_iter().zip(split(place.area)) {
        let series = Series::new(model, quantity);
        let title = series.title(quantity, &theme, usize::from(area.width).saturating_sub(4));
        let inner = Place { area, ..place }.open(&theme, title, buffer);
        if inner.height >= 3 && inner.width >= 12 {
            charts::draw(model, quantity, &series, inner, buffer);
        } else {
            let values: Vec<f64> = series.train.iter().map(|p| p.1).collect();
            let text = sparkline(&theme, &values, inner.width.into());
            Span::styled(text, theme.style(Role::Train)).render(Rect { height: inner.height.min(1), ..inner }, buffer);
        }
    }
}

/// Time runs sideways, so width is worth more than height, until a chart would be too flat to read.
fn split(area: Rect) -> [Rect; 2] {
    if area.height >= 16 {
        let upper = area.height / 2;
        [Rect { height: upper, ..area }, Rect { y: area.y + upper, height: area.height - upper, ..area }]
    } else {
        let left = area.width / 2;
        [Rect { width: left, ..area }, Rect { x: area.x + left, width: area.width - left, ..area }]
    }
}
