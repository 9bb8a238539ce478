//! Pictures as plain data: colour maps, activation grids, heat over images, animations, and their rendering as terminal text.
//! The engine builds PNGs from the first half, the dashboard draws with the second. Nothing here knows a tensor, a run or a clock.

mod animation;
mod cells;
mod channel;
mod colormap;
mod depth;
mod glyphs;
mod grid;
mod mosaic;
mod overlay;
mod scale;

pub use animation::{Motion, animated};
pub use cells::{Painting, fit, paint};
pub use channel::Channel;
pub use colormap::Colormap;
pub use depth::{Depth, nearest_indexed};
pub use glyphs::Glyphs;
pub use grid::{columns_for, grid, mark};
pub use mosaic::mosaic;
pub use overlay::{overlay, tinted};
pub use scale::{enlarge, shrink, upsample};
