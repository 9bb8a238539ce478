//! Keras's `apply_affine_transform`: rotation · shift · shear · zoom about the picture's centre, as the matrix by which an output
//! pixel finds its place in the input. Two slips of Keras are not repeated: it takes the centre of a picture that is not square
//! with height and width exchanged, and its generator lets `height_shift_range` move pictures sideways.

use super::Size;

/// Drawn figures in Keras's words, where x runs along the columns.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(in crate::data) struct Affine {
    /// Rotation in degrees.
    pub(in crate::data) theta: f64,
    /// Output pixel `(y, x)` shows input `(y + down, x + right)`, where nothing is turned. In pixels; Keras's `ty` and `tx`.
    pub(in crate::data) down: f64,
    pub(in crate::data) right: f64,
    /// In degrees.
    pub(in crate::data) shear: f64,
    /// Below 1 the picture grows.
    pub(in crate::data) zoom_x: f64,
    pub(in crate::data) zoom_y: f64,
}

impl Default for Affine {
    fn default() -> Self {
        Self { theta: 0.0, down: 0.0, right: 0.0, shear: 0.0, zoom_x: 1.0, zoom_y: 1.0 }
    }
}

/// A position along one axis of the input: `row * per_row + column * per_column + offset`, in pixels, 0 at the centre of the first.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Axis {
    pub(super) per_row: f64,
    pub(super) per_column: f64,
    pub(super) offset: f64,
}

impl Affine {
    /// Where rows and columns of the input are found. Products are summed in `NumPy`'s order, because whether a position lies on the
    /// border or beyond it may hang on the last bit.
    pub(super) fn axes(&self, size: Size) -> [Axis; 2] {
        // Not those of the platform, whose last bit differs from machine to machine.
        let turn = |degrees: f64| (libm::sin(degrees.to_radians()), libm::cos(degrees.to_radians()));
        let (sin, cos) = turn(self.theta);
        let (lean, stretch) = turn(self.shear);
        let (right, down) = (cos * self.right - sin * self.down, sin * self.right + cos * self.down);
        let sheared = [[cos, -cos * lean - sin * stretch], [sin, -sin * lean + cos * stretch]];
        let [xx, xy] = [sheared[0][0] * self.zoom_x, sheared[0][1] * self.zoom_y];
        let [yx, yy] = [sheared[1][0] * self.zoom_x, sheared[1][1] * self.zoom_y];
        let (x, y) = (f64::from(size.width) / 2.0 - 0.5, f64::from(size.height) / 2.0 - 0.5);
        [
            Axis { per_row: yy, per_column: yx, offset: -yx * x - yy * y + (down + y) },
            Axis { per_row: xy, per_column: xx, offset: -xx * x - xy * y + (right + x) },
        ]
    }
}
