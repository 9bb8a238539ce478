//! The palette: cold and calm, one warm colour for validation. What a colour says, a mark or a word says too.

use ratatui::style::{Color, Modifier, Style};

use super::{appearance::Appearance, symbols::Symbols};
use crate::picture::Depth;

#[derive(Clone, Copy, Debug)]
pub struct Theme {
    pub symbols: &'static Symbols,
    pub appearance: Appearance,
}

/// What a piece of text or a line is, from which its style follows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Role {
    Text,
    Strong,
    Faint,
    /// Titles and keys.
    Accent,
    Frozen,
    Train,
    /// Raw readings behind a smoothed curve.
    TrainRaw,
    Validation,
    /// The lesser of the two curves of validation.
    ValidationRaw,
    Good,
    Warning,
    Bad,
    Border,
    Focus,
    BarEmpty,
    Selected,
}

impl Role {
    /// Of other runs on the same charts.
    pub const OTHERS: [Self; 4] = [Self::Good, Self::Warning, Self::Bad, Self::Frozen];

    pub const ALL: [Self; 16] = [
        Self::Text,
        Self::Strong,
        Self::Faint,
        Self::Accent,
        Self::Frozen,
        Self::Train,
        Self::TrainRaw,
        Self::Validation,
        Self::ValidationRaw,
        Self::Good,
        Self::Warning,
        Self::Bad,
        Self::Border,
        Self::Focus,
        Self::BarEmpty,
        Self::Selected,
    ];

    /// On a dark and on a light ground; `None` is the terminal's own colour of text.
    fn rgb(self, light: bool) -> Option<[u8; 3]> {
        let (dark, bright) = match self {
            Self::Text | Self::Strong => return None,
            Self::Faint => (0x7d_93a8, 0x5b_6b7a),
            Self::Accent | Self::Focus => (0x8f_d3ff, 0x00_639c),
            Self::Frozen => (0xb5_f0ff, 0x00_7a99),
            Self::Train => (0x5c_b3ff, 0x0a_6ebd),
            Self::TrainRaw => (0x2f_5f8a, 0x9c_c3e3),
            Self::Validation => (0xf2_b880, 0xa8_5a00),
            Self::ValidationRaw => (0x7d_5b38, 0xe0_bd94),
            Self::Good => (0x7f_d8b0, 0x0b_7a4b),
            Self::Warning => (0xe8_cf6a, 0x82_6200),
            Self::Bad => (0xff_8190, 0xb3_203a),
            Self::Border => (0x3d_5466, 0xa9_bccb),
            Self::BarEmpty => (0x2f_4250, 0xc3_d3e0),
            // A ground, not an ink.
            Self::Selected => (0x16_324a, 0xd7_ecfb),
        };
        let [_, r, g, b] = u32::to_be_bytes(if light { bright } else { dark });
        Some([r, g, b])
    }
}

impl Theme {
    pub fn new(appearance: Appearance) -> Self {
        Self { symbols: Symbols::new(appearance.ascii), appearance }
    }

    pub fn color(&self, role: Role) -> Color {
        if self.appearance.depth == Depth::Indexed && role == Role::Faint {
            // The cube's blue greys are lilac; the ramp's are grey.
            return Color::Indexed(if self.appearance.light { 241 } else { 246 });
        }
        role.rgb(self.appearance.light).map_or(Color::Reset, |rgb| self.appearance.depth.color(rgb))
    }

    /// A ground that is a role's colour so strongly, 0–1, and an ink that can be read on it; `None` where there are no colours.
    pub fn shade(&self, role: Role, share: f64) -> Option<(Color, Color)> {
        let depth = self.appearance.depth;
        let full = role.rgb(self.appearance.light).filter(|_| depth != Depth::Mono)?;
        let empty = if self.appearance.light { [255.0; 3] } else { [18.0, 26.0, 34.0] };
        // Small shares can be told from none.
        let strength = if share > 0.0 { 0.12 + 0.88 * share.clamp(0.0, 1.0) } else { 0.0 };
        let blend = |at: usize| empty[at] + (f64::from(full[at]) - empty[at]) * strength;
        let ground: [f64; 3] = std::array::from_fn(blend);
        let luma = 0.299 * ground[0] + 0.587 * ground[1] + 0.114 * ground[2];
        let ink = if luma > 110.0 { [10; 3] } else { [235; 3] };
        Some((depth.color(ground.map(|value| value.round() as u8)), depth.color(ink)))
    }

    pub fn style(&self, role: Role) -> Style {
        let mono = self.appearance.depth == Depth::Mono;
        let color = self.color(role);
        match role {
            Role::Text => Style::new(),
            Role::Strong => Style::new().add_modifier(Modifier::BOLD),
            Role::Selected if mono => Style::new().add_modifier(Modifier::REVERSED),
            Role::Selected => Style::new().bg(color),
            Role::Faint | Role::TrainRaw | Role::ValidationRaw | Role::Border | Role::BarEmpty if mono => {
                Style::new().add_modifier(Modifier::DIM)
            }
            Role::Accent | Role::Focus | Role::Frozen | Role::Bad => {
                let style = Style::new().add_modifier(Modifier::BOLD);
                if mono { style } else { style.fg(color) }
            }
            _ if mono => Style::new(),
            _ => Style::new().fg(color),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::picture::Glyphs;

    /// WCAG 2's relative luminance and contrast ratio.
    fn contrast(a: [u8; 3], b: [u8; 3]) -> f64 {
        let luminance = |rgb: [u8; 3]| {
            let linear = rgb.map(|v| {
                let v = f64::from(v) / 255.0;
                if v <= 0.04045 { v / 12.92 } else { ((v + 0.055) / 1.055).powf(2.4) }
            });
            0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
        };
        let (a, b) = (luminance(a) + 0.05, luminance(b) + 0.05);
        a.max(b) / a.min(b)
    }

    #[test]
    fn every_ink_stands_out_from_its_ground() {
        let decoration = [Role::TrainRaw, Role::ValidationRaw, Role::Border, Role::BarEmpty, Role::Selected];
        for (light, grounds) in [
            (false, [[0, 0, 0], [0x1e, 0x1e, 0x2e], [0x16, 0x32, 0x4a]]),
            (true, [[255; 3], [0xfd, 0xf6, 0xe3], [0xd7, 0xec, 0xfb]]),
        ] {
            for role in Role::ALL {
                let Some(rgb) = role.rgb(light) else { continue };
                let least = if decoration.contains(&role) { 1.1 } else { 4.0 };
                for ground in &grounds[..if role == Role::Selected { 2 } else { 3 }] {
                    let ratio = contrast(rgb, *ground);
                    assert!(ratio >= least, "{role:?} on {ground:02x?}: {ratio:.2}");
                }
            }
        }
    }

    #[test]
    fn without_colours_no_style_has_one() {
        let theme = Theme::new(Appearance { glyphs: Glyphs::Half, depth: Depth::Mono, ascii: false, light: false });
        for role in Role::ALL {
            let style = theme.style(role);
            assert!(matches!((style.fg, style.bg), (None | Some(Color::Reset), None | Some(Color::Reset))), "{role:?}");
        }
    }
}
