//! Pictures as plain data: colour maps, activation grids, Grad-CAM overlays, and their rendering as terminal text.
//! The engine builds PNGs from the first half, the dashboard draws with the second. Nothing here knows a tensor, a run or a clock.

mod cells;
mod colormap;
mod depth;
mod glyphs;
mod grid;
mod overlay;
mod scale;

pub use cells::{fit, paint};
pub use colormap::{jet, viridis};
pub use depth::{Depth, nearest_indexed};
pub use glyphs::Glyphs;
pub use grid::{columns_for, grid};
pub use overlay::overlay;
pub use scale::{enlarge, shrink, upsample};
