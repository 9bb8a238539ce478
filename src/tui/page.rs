//! The screens of the dashboard, one at a time, and the panes that they are made of.

/// What has the screen.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Page {
    #[default]
    Overview,
    Curves,
    Layers,
    Lens,
    Mistakes,
    Machine,
    /// Steps that went wrong: it has no number, and is there once there are some.
    Alarms,
}

impl Page {
    /// In the order of their keys, 1 to 6.
    pub const ALL: [Self; 6] = [Self::Overview, Self::Curves, Self::Layers, Self::Lens, Self::Mistakes, Self::Machine];

    /// All that can be gone to by name.
    pub fn named() -> impl Iterator<Item = Self> {
        Self::ALL.into_iter().chain([Self::Alarms])
    }

    pub fn name(self) -> &'static str {
        match self {
            Self::Overview => "overview",
            Self::Curves => "curves",
            Self::Layers => "layers",
            Self::Lens => "lens",
            Self::Mistakes => "mistakes",
            Self::Machine => "machine",
            Self::Alarms => "alarms",
        }
    }

    /// The pane that has all of it. The overview's where there is room for one only.
    pub fn pane(self) -> Pane {
        match self {
            Self::Overview | Self::Curves => Pane::Curves,
            Self::Layers => Pane::Layers,
            Self::Lens => Pane::Pictures,
            Self::Mistakes => Pane::Mistakes,
            Self::Machine => Pane::Machine,
            Self::Alarms => Pane::Alarms,
        }
    }

    /// Round and round; from one without a number to the second or the last.
    pub fn step(self, by: isize) -> Self {
        let at = Self::ALL.iter().position(|page| *page == self).unwrap_or(0) as isize;
        Self::ALL[(at + by).rem_euclid(Self::ALL.len() as isize) as usize]
    }
}

/// A part of the screen.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Pane {
    Curves,
    /// The newest figures, and how far they are from the best.
    Figures,
    Layers,
    Pictures,
    Log,
    Mistakes,
    Machine,
    Alarms,
}
