//! The layouts in which libraries keep the same numbers, and the way to ours: convolutions `[out, in / groups, kh, kw]`, dense
//! `[out, in]` whose columns follow a map flattened in the order (h, w, c).

use crate::arch::{Arch, Op, Parameter, Shape, Source};

/// How a file has a parameter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Layout {
    /// As ours; sides of one at the end may be left out, which is how a linear layer stands for a 1x1 convolution.
    Same,
    /// `PyTorch`'s dense layer behind a flattened map, or a normalisation there: along the last axis (c, h, w).
    ChannelsFirst { height: usize, width: usize, channels: usize },
    /// Keras's convolution `[kh, kw, in / groups, out]`.
    Hwio,
    /// Keras's depthwise convolution `[kh, kw, in, multiplier]`.
    Depthwise { multiplier: usize },
    /// Keras's dense layer `[in, out]`.
    Transposed,
}

impl Layout {
    /// Of Keras's files.
    pub fn keras(op: &Op, parameter: &Parameter) -> Self {
        match (op, parameter.name) {
            (Op::Dense { .. }, "kernel") => Self::Transposed,
            (Op::Conv2d { .. }, "kernel") | (_, "pointwise_kernel") => Self::Hwio,
            (
                Op::DepthwiseConv2d { multiplier, .. } | Op::SeparableConv2d { multiplier, .. },
                "kernel" | "depthwise_kernel",
            ) => Self::Depthwise { multiplier: *multiplier },
            _ => Self::Same,
        }
    }

    /// Of `PyTorch`'s libraries.
    pub fn torch(arch: &Arch, layer: usize, parameter: &Parameter) -> Self {
        let along_input = match arch.layers()[layer].op {
            Op::Dense { .. } => parameter.name == "kernel",
            Op::BatchNorm { .. } => true,
            _ => false,
        };
        match flattened(arch, layer).filter(|_| along_input) {
            Some(Shape::Map { height, width, channels }) if height * width > 1 && channels > 1 => {
                Self::ChannelsFirst { height, width, channels }
            }
            _ => Self::Same,
        }
    }

    /// Whether a tensor of this shape in the file is a parameter of that shape here.
    pub(super) fn fits(self, theirs: &[usize], ours: &[usize]) -> bool {
        match self {
            Self::Same => theirs == ours || trimmed(theirs) == trimmed(ours) && !ours.is_empty() && !theirs.is_empty(),
            // timm's VGG has a convolution over all of the map for its first dense layer.
            Self::ChannelsFirst { height, width, channels } => {
                theirs == ours || ours.first().is_some_and(|&out| theirs == [out, channels, height, width])
            }
            // Or a convolution over a single position.
            Self::Transposed => {
                matches!(theirs, &[1, 1, input, out] | &[input, out] if ours == [out, input])
            }
            _ => self.shape(ours).is_some_and(|shape| theirs == shape),
        }
    }

    /// The shape that a parameter of that shape here has there; `None` where the layout is of another kind of parameter.
    pub fn shape(self, ours: &[usize]) -> Option<Vec<usize>> {
        match (self, ours) {
            (Self::Same | Self::ChannelsFirst { .. }, _) => Some(ours.to_vec()),
            (Self::Hwio, &[out, input, height, width]) => Some(vec![height, width, input, out]),
            (Self::Depthwise { multiplier }, &[out, _, height, width]) => {
                Some(vec![height, width, out / multiplier, multiplier])
            }
            (Self::Transposed, &[out, input]) => Some(vec![input, out]),
            _ => None,
        }
    }

    /// Brings numbers of a tensor that [fits](Self::fits) into our order.
    pub(super) fn convert(self, numbers: Vec<f32>, ours: &[usize]) -> Vec<f32> {
        if self == Self::Same {
            return numbers;
        }
        let mut turned = vec![0.0; numbers.len()];
        self.pairs(numbers.len(), ours, |here, there| turned[here] = numbers[there]);
        turned
    }

    /// The way back: our numbers in their order.
    pub fn restore(self, numbers: Vec<f32>, ours: &[usize]) -> Vec<f32> {
        if self == Self::Same {
            return numbers;
        }
        let mut turned = vec![0.0; numbers.len()];
        self.pairs(numbers.len(), ours, |here, there| turned[there] = numbers[here]);
        turned
    }

    /// Calls `visit` with the place of each element here and its place there.
    fn pairs(self, count: usize, ours: &[usize], mut visit: impl FnMut(usize, usize)) {
        match (self, ours) {
            (Self::Hwio, &[out, input, height, width]) => {
                let area = height * width;
                for at in 0..count {
                    let (out_at, input_at, cell) = (at / (input * area), at / area % input, at % area);
                    visit(at, (cell * input + input_at) * out + out_at);
                }
            }
            (Self::Depthwise { .. }, &[out, _, height, width]) => {
                // Channel and multiplier are one axis in both, in the same order.
                let area = height * width;
                (0..count).for_each(|at| visit(at, at % area * out + at / area));
            }
            (Self::Transposed, &[out, input]) => (0..count).for_each(|at| visit(at, at % input * out + at / input)),
            (Self::ChannelsFirst { height, width, channels }, _) => {
                let (area, row) = (height * width, height * width * channels);
                for at in 0..count {
                    let (first, column) = (at / row * row, at % row);
                    visit(at, first + column % channels * area + column / channels);
                }
            }
            _ => (0..count).for_each(|at| visit(at, at)),
        }
    }
}

fn trimmed(shape: &[usize]) -> &[usize] {
    let end = shape.iter().rposition(|&side| side != 1).map_or(0, |last| last + 1);
    &shape[..end]
}

/// The map whose flattened values the layer reads, if nothing in between mixes them.
fn flattened(arch: &Arch, layer: usize) -> Option<Shape> {
    let mut at = layer;
    loop {
        let Source::Layer(read) = *arch.layers()[at].inputs.first()? else { return None };
        match arch.layers()[read].op {
            Op::Flatten => return arch.input_shapes(read).first().copied(),
            Op::Dropout { .. } | Op::Activation(_) | Op::BatchNorm { .. } | Op::Rescaling { .. } => at = read,
            _ => return None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What `numpy.arange(n).reshape(theirs).transpose(axes)` gives, worked out by the definition of a transposition.
    fn counted(count: usize) -> Vec<f32> {
        (0..count as u16).map(f32::from).collect()
    }

    #[test]
    fn keras_convolutions_are_turned() {
        // np.arange(12).reshape(1, 2, 3, 2).transpose(3, 2, 0, 1).ravel()
        let ours = [2, 3, 1, 2];
        assert!(Layout::Hwio.fits(&[1, 2, 3, 2], &ours) && !Layout::Hwio.fits(&[1, 2, 2, 3], &ours));
        let turned = Layout::Hwio.convert(counted(12), &ours);
        assert_eq!(turned, [0., 6., 2., 8., 4., 10., 1., 7., 3., 9., 5., 11.]);
    }

    #[test]
    fn keras_depthwise_kernels_are_turned_channel_by_channel() {
        // np.arange(12).reshape(1, 2, 3, 2): the kernel of channel c and multiple m is a[:, :, c, m].
        let layout = Layout::Depthwise { multiplier: 2 };
        let ours = [6, 1, 1, 2];
        assert!(layout.fits(&[1, 2, 3, 2], &ours));
        assert_eq!(layout.convert(counted(12), &ours), [0., 6., 1., 7., 2., 8., 3., 9., 4., 10., 5., 11.]);
    }

    #[test]
    fn keras_dense_layers_are_transposed() {
        // np.arange(6).reshape(3, 2).T.ravel()
        assert!(Layout::Transposed.fits(&[3, 2], &[2, 3]) && Layout::Transposed.fits(&[1, 1, 3, 2], &[2, 3]));
        assert_eq!(Layout::Transposed.convert(counted(6), &[2, 3]), [0., 2., 4., 1., 3., 5.]);
    }

    #[test]
    fn columns_behind_a_flattened_map_change_their_order() {
        // np.arange(24).reshape(2, 3, 2, 2).transpose(0, 2, 3, 1).reshape(2, 12)
        let layout = Layout::ChannelsFirst { height: 2, width: 2, channels: 3 };
        let turned = layout.convert(counted(24), &[2, 12]);
        assert_eq!(turned[..12], [0., 4., 8., 1., 5., 9., 2., 6., 10., 3., 7., 11.]);
        assert_eq!(turned[12..15], [12., 16., 20.]);
    }

    /// `timm.create_model("vgg16").pre_logits.fc1.weight.shape` is (4096, 512, 7, 7).
    #[test]
    fn timms_first_dense_layer_is_a_convolution_over_all_of_the_map() {
        let layout = Layout::ChannelsFirst { height: 7, width: 7, channels: 512 };
        assert!(layout.fits(&[4096, 512, 7, 7], &[4096, 25088]) && layout.fits(&[4096, 25088], &[4096, 25088]));
        assert!(!layout.fits(&[4096, 7, 7, 512], &[4096, 25088]));
    }

    #[test]
    fn what_was_turned_is_turned_back() {
        let layouts = [
            (Layout::Same, &[2, 12][..]),
            (Layout::Hwio, &[2, 3, 2, 2]),
            (Layout::Depthwise { multiplier: 2 }, &[6, 1, 2, 2]),
            (Layout::Transposed, &[4, 6]),
            (Layout::ChannelsFirst { height: 2, width: 2, channels: 3 }, &[2, 12]),
        ];
        for (layout, ours) in layouts {
            assert_eq!(layout.convert(layout.restore(counted(24), ours), ours), counted(24), "{layout:?}");
            assert!(layout.fits(&layout.shape(ours).unwrap(), ours), "{layout:?}");
        }
    }

    #[test]
    fn a_linear_layer_is_a_convolution_of_one_pixel() {
        assert!(Layout::Same.fits(&[10, 4], &[10, 4, 1, 1]));
        assert!(Layout::Same.fits(&[10, 4, 1, 1], &[10, 4]));
        assert!(!Layout::Same.fits(&[10, 4], &[4, 10, 1, 1]));
        assert!(!Layout::Same.fits(&[], &[4]));
    }
}
