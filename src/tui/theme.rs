//! The palettes: cold and calm, one warm colour for validation. What a colour says, a mark or a word says too.

use ratatui::style::{Color, Modifier, Style};

use super::{
    appearance::{Appearance, Scheme},
    symbols::Symbols,
};
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

    /// On a dark and on a light ground, then of the colours for colour-blind eyes the same; `None` is the terminal's own colour of text.
    fn rgb(self, scheme: Scheme) -> Option<[u8; 3]> {
        let inks = match self {
            Self::Text | Self::Strong => return None,
            Self::Faint => [0x7d_93a8, 0x5b_6b7a, 0x9a_9a9a, 0x5f_5f5f],
            Self::Accent | Self::Focus => [0x8f_d3ff, 0x00_639c, 0x8c_cdf0, 0x00_5a8c],
            Self::Frozen => [0xb5_f0ff, 0x00_7a99, 0xc4_e8fb, 0x00_5f8a],
            Self::Train => [0x5c_b3ff, 0x0a_6ebd, 0x56_b4e9, 0x00_68a3],
            Self::TrainRaw => [0x2f_5f8a, 0x9c_c3e3, 0x2b_5f80, 0x9c_c7e3],
            Self::Validation => [0xf2_b880, 0xa8_5a00, 0xe6_9f00, 0x9a_5300],
            Self::ValidationRaw => [0x7d_5b38, 0xe0_bd94, 0x7a_5600, 0xe6_c48c],
            // Bluish green and reddish purple: they differ in blue and in lightness, not by green and red alone.
            Self::Good => [0x7f_d8b0, 0x0b_7a4b, 0x1f_bf92, 0x00_5c45],
            Self::Warning => [0xe8_cf6a, 0x82_6200, 0xf0_e442, 0x75_6200],
            Self::Bad => [0xff_8190, 0xb3_203a, 0xe0_94bd, 0xae_3d8f],
            Self::Border => [0x3d_5466, 0xa9_bccb, 0x50_5050, 0xb0_b0b0],
            Self::BarEmpty => [0x2f_4250, 0xc3_d3e0, 0x42_4242, 0xcc_cccc],
            // A ground, not an ink.
            Self::Selected => [0x16_324a, 0xd7_ecfb, 0x1f_3345, 0xdc_ebf5],
        };
        let ink = match scheme {
            Scheme::Dark => inks[0],
            Scheme::Light => inks[1],
            Scheme::SafeDark => inks[2],
            Scheme::SafeLight => inks[3],
            Scheme::Sixteen | Scheme::Mono => return None,
        };
        let [_, r, g, b] = u32::to_be_bytes(ink);
        Some([r, g, b])
    }

    /// Of the terminal's own colours. Bright ones vanish on light grounds, and bright black is some themes' ground.
    fn own(self) -> Option<Color> {
        match self {
            Self::Accent | Self::Focus | Self::Train | Self::TrainRaw => Some(Color::Cyan),
            Self::Frozen => Some(Color::Blue),
            Self::Validation | Self::ValidationRaw => Some(Color::Yellow),
            Self::Good => Some(Color::Green),
            Self::Warning => Some(Color::Magenta),
            Self::Bad => Some(Color::Red),
            Self::Text | Self::Strong | Self::Faint | Self::Border | Self::BarEmpty | Self::Selected => None,
        }
    }

    /// Whether it steps back behind the rest.
    fn is_dim(self) -> bool {
        matches!(self, Self::Faint | Self::TrainRaw | Self::ValidationRaw | Self::Border | Self::BarEmpty)
    }
}

impl Theme {
    pub fn new(appearance: Appearance) -> Self {
        Self { symbols: Symbols::new(appearance.ascii), appearance }
    }

    pub fn color(&self, role: Role) -> Color {
        let Appearance { depth, scheme, light, .. } = self.appearance;
        match depth {
            Depth::Mono => Color::Reset,
            // The cube's blue greys are lilac; the ramp's are grey.
            Depth::Indexed if role == Role::Faint && scheme != Scheme::Sixteen => {
                Color::Indexed(if light { 241 } else { 246 })
            }
            Depth::Sixteen => role.own().unwrap_or(Color::Reset),
            _ if scheme == Scheme::Sixteen => role.own().unwrap_or(Color::Reset),
            depth => role.rgb(scheme).map_or(Color::Reset, |rgb| depth.color(rgb)),
        }
    }

    /// A ground that is a role's colour so strongly, 0–1, and an ink that can be read on it; `None` where there are no colours.
    pub fn shade(&self, role: Role, share: f64) -> Option<(Color, Color)> {
        let Appearance { depth, scheme, .. } = self.appearance;
        if !matches!(depth, Depth::True | Depth::Indexed) || matches!(scheme, Scheme::Sixteen | Scheme::Mono) {
            return None;
        }
        let full = role.rgb(scheme)?;
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
        let Appearance { depth, scheme, .. } = self.appearance;
        // Few colours, or none: dim and reverse say what shades would.
        let few = matches!(depth, Depth::Mono | Depth::Sixteen) || matches!(scheme, Scheme::Sixteen | Scheme::Mono);
        let color = match self.color(role) {
            Color::Reset => None,
            color => Some(color),
        };
        let style = Style { fg: color, ..Style::new() };
        match role {
            Role::Text => Style::new(),
            Role::Strong => Style::new().add_modifier(Modifier::BOLD),
            // Reversed, what has a colour of its own would become a ground of that colour.
            Role::Selected if few => {
                Style::new().fg(Color::Reset).remove_modifier(Modifier::DIM).add_modifier(Modifier::REVERSED)
            }
            Role::Selected => Style { bg: color, ..Style::new() },
            Role::Accent | Role::Focus | Role::Frozen | Role::Bad => style.add_modifier(Modifier::BOLD),
            role if few && role.is_dim() => style.add_modifier(Modifier::DIM),
            _ => style,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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
        let (dark, light) = ([[0, 0, 0], [0x1e, 0x1e, 0x2e]], [[255; 3], [0xfd, 0xf6, 0xe3]]);
        for (scheme, grounds) in
            [(Scheme::Dark, dark), (Scheme::Light, light), (Scheme::SafeDark, dark), (Scheme::SafeLight, light)]
        {
            let selected = Role::Selected.rgb(scheme).unwrap_or_default();
            let grounds = [grounds[0], grounds[1], selected];
            for role in Role::ALL {
                let Some(rgb) = role.rgb(scheme) else { continue };
                let least = if decoration.contains(&role) { 1.1 } else { 4.0 };
                for ground in &grounds[..if role == Role::Selected { 2 } else { 3 }] {
                    let ratio = contrast(rgb, *ground);
                    assert!(ratio >= least, "{role:?} of {scheme:?} on {ground:02x?}: {ratio:.2}");
                }
            }
        }
    }

    #[test]
    fn without_colours_no_style_has_one() {
        let theme = Theme::new(Appearance::new(Depth::Mono, false));
        for role in Role::ALL {
            let style = theme.style(role);
            assert!(matches!((style.fg, style.bg), (None | Some(Color::Reset), None | Some(Color::Reset))), "{role:?}");
        }
    }
    #[test]
    fn the_terminals_own_colours_are_named_and_shades_are_dim() {
        let theme = Theme::new(Appearance::new(Depth::True, false).with_scheme(Scheme::Sixteen));
        for role in Role::ALL {
            let style = theme.style(role);
            assert!(!matches!(style.fg, Some(Color::Rgb(..) | Color::Indexed(_))), "{role:?}: {style:?}");
        }
        assert!(theme.style(Role::Border).add_modifier.contains(Modifier::DIM));
        assert!(theme.style(Role::Selected).add_modifier.contains(Modifier::REVERSED));
    }

    /// Viénot, Brettel and Mollon's simulation of eyes without red or green receptors, in linear RGB.
    #[test]
    fn good_and_bad_differ_for_eyes_that_see_no_red_or_no_green() {
        let protanope = [[0.112_38, 0.887_62, 0.0], [0.112_38, 0.887_62, 0.0], [0.004_01, -0.004_01, 1.0]];
        let deuteranope = [[0.292_75, 0.707_25, 0.0], [0.292_75, 0.707_25, 0.0], [-0.022_34, 0.022_34, 1.0]];
        for scheme in [Scheme::SafeDark, Scheme::SafeLight] {
            let pairs = [(Role::Good, Role::Bad), (Role::Train, Role::Validation), (Role::Good, Role::Warning)];
            for (one, other) in pairs {
                for eye in [protanope, deuteranope] {
                    let seen = |role: Role| {
                        let linear = role.rgb(scheme).unwrap_or_default().map(|v| (f64::from(v) / 255.0).powf(2.2));
                        eye.map(|row| row.iter().zip(linear).map(|(a, b)| a * b).sum::<f64>().max(0.0).powf(1.0 / 2.2))
                    };
                    let distance: f64 = seen(one).iter().zip(seen(other)).map(|(a, b)| (a - b).powi(2)).sum();
                    assert!(distance.sqrt() > 0.15, "{one:?} and {other:?} of {scheme:?}: {:.2}", distance.sqrt());
                }
            }
        }
    }
}
