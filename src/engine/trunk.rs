//! Where a network can be cut so that its first part treats every picture by itself: no batch statistics, no mask drawn over the
//! batch, no large matrix that all pictures share. That part may run on a few pictures at a time. Pure: an [`Arch`] and numbers.

use frostline::arch::{Arch, Layer, Op, Source};

/// The last layer of the trunk, whose output alone the layers behind it read. `None` where cutting would gain nothing.
///
/// `gathers` tells of a layer whether it takes its batch normalisation from the batch at hand.
pub fn end(arch: &Arch, gathers: impl Fn(usize) -> bool, drops: bool) -> Option<usize> {
    let layers = arch.layers();
    let shared = layers.iter().enumerate().position(|(index, layer)| match layer.op {
        Op::Dense { .. } => true,
        Op::BatchNorm { .. } => gathers(index),
        Op::Dropout { rate } => drops && rate > 0.0,
        _ => false,
    });
    let behind = shared.unwrap_or(layers.len());
    let end = (0..behind).rev().find(|&end| is_cut(arch, end))?;
    let convolves = layers[..=end].iter().any(|layer| layer.op.has_kernel());
    convolves.then_some(end)
}

/// Whether the layers behind `end` read no other layer up to it, nor the input; and none of them writes over what it reads.
fn is_cut(arch: &Arch, end: usize) -> bool {
    let overwrites =
        |layer: &Layer| matches!(layer.op, Op::Activation(_)) && layer.inputs.contains(&Source::Layer(end));
    is_bridge(arch, end) && !arch.layers()[end + 1..].iter().any(overwrites)
}

/// Whether all that the layers behind `end` learn of the picture comes through it.
pub fn is_bridge(arch: &Arch, end: usize) -> bool {
    let behind = |&source: &Source| matches!(source, Source::Layer(read) if read >= end);
    arch.layers()[end + 1..].iter().all(|layer| layer.inputs.iter().all(behind))
}

/// What one picture costs in some layers, and how many parameters they have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cost {
    /// Forward.
    pub flops: u64,
    pub parameters: u64,
}

impl Cost {
    pub fn of(arch: &Arch, layers: impl Iterator<Item = usize> + Clone) -> Self {
        let layers = layers.map(|index| &arch.layers()[index]);
        Self {
            flops: layers.clone().map(|layer| layer.flops).sum(),
            parameters: layers.map(Layer::parameter_count).sum(),
        }
    }
}

/// Each convolution of each shard lays its kernels out anew, at about a nanosecond a parameter, and computes 250 FLOPs a
/// nanosecond: with so many FLOPs a parameter the former is 3 % of the latter.
const FLOPS_A_PARAMETER: u64 = 6_700;
/// A shard's operations cost some 0.1 ms of administration.
const LEAST_FLOPS: u64 = 800_000_000;

/// How many pictures go through the trunk together, shard by shard: as few as pay, since small maps stay in the processor's cache
/// and a thread that is held up leaves more to the others, and as many shards on each thread.
pub fn shards(pictures: usize, cost: Cost, threads: usize) -> Vec<usize> {
    let worthwhile = LEAST_FLOPS.max(cost.parameters * FLOPS_A_PARAMETER).div_ceil(cost.flops.max(1)) as usize;
    let threads = threads.max(1);
    let wanted = ((pictures / worthwhile.max(1) / threads).max(1) * threads).min(pictures.max(1));
    let (each, larger) = (pictures / wanted, pictures % wanted);
    (0..wanted).map(|shard| each + usize::from(shard < larger)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tests::{conv, dense, layer, norm, pool, small};
    use frostline::arch::{Activation, LayerSpec, Shape};

    fn arch(layers: &[LayerSpec]) -> Arch {
        Arch::new("net", Shape::Map { height: 12, width: 12, channels: 3 }, layers).unwrap()
    }

    fn name_of_end(arch: &Arch, gathers: bool, drops: bool) -> Option<&str> {
        end(arch, |_| gathers, drops).map(|end| &*arch.layers()[end].name)
    }

    #[test]
    fn the_trunk_ends_before_what_pictures_share() {
        let net = small(10);
        assert_eq!(name_of_end(&net, true, true), Some("conv2d_1"), "the batch's statistics");
        assert_eq!(
            name_of_end(&net, false, true),
            Some("flatten"),
            "a frozen normalisation is each picture's own affair"
        );
        let dropping = arch(&[
            conv(4, Activation::Relu),
            layer(Op::Dropout { rate: 0.2 }),
            conv(4, Activation::Relu),
            layer(Op::Flatten),
            dense(10, Activation::Softmax),
        ]);
        assert_eq!(name_of_end(&dropping, true, true), Some("conv2d"), "a mask over the batch");
        assert_eq!(name_of_end(&dropping, true, false), Some("flatten"), "nothing drops in inference");
    }

    #[test]
    fn a_network_without_convolutions_before_the_first_matrix_has_no_trunk() {
        let net = arch(&[layer(Op::Flatten), dense(10, Activation::Softmax)]);
        assert_eq!(end(&net, |_| true, true), None);
        let net = arch(&[norm(), conv(4, Activation::Relu), layer(Op::Flatten), dense(10, Activation::Softmax)]);
        assert_eq!(end(&net, |_| true, true), None);
    }

    #[test]
    fn a_cut_crosses_one_edge_only() {
        let named = |name: &str, spec: LayerSpec| LayerSpec { name: Some(name.into()), ..spec };
        let reading = |inputs: &[&str], spec: LayerSpec| LayerSpec {
            inputs: inputs.iter().map(|&name| name.to_owned()).collect(),
            ..spec
        };
        // A shortcut goes round the normalisation, from before it to behind it.
        let net = arch(&[
            named(
                "stem",
                layer(Op::Conv2d {
                    filters: 3,
                    window: crate::tests::window(1),
                    groups: 1,
                    bias: true,
                    activation: Activation::Relu,
                }),
            ),
            named("left", reading(&["stem"], pool())),
            named("right", reading(&["stem"], pool())),
            named("norm", reading(&["right"], norm())),
            named("sum", reading(&["left", "norm"], layer(Op::Add))),
            layer(Op::GlobalAveragePool2d),
            dense(10, Activation::Softmax),
        ]);
        assert_eq!(name_of_end(&net, true, true), Some("stem"));
    }

    #[test]
    fn shards_are_even_whole_and_as_many_on_each_thread() {
        let cats_and_dogs = Cost { flops: 460_000_000, parameters: 241_000 };
        assert_eq!(shards(32, cats_and_dogs, 2), [4; 8]);
        assert_eq!(shards(32, cats_and_dogs, 3), [6, 6, 5, 5, 5, 5]);
        let mnist = Cost { flops: 5_400_000, parameters: 55_744 };
        assert_eq!(shards(64, mnist, 2), [32, 32]);
        let vgg16 = Cost { flops: 13_200_000_000, parameters: 14_714_688 };
        assert_eq!(shards(20, vgg16, 2), [10, 10]);
        assert_eq!(shards(40, vgg16, 2), [10; 4]);
        assert_eq!(shards(1, vgg16, 2), [1]);
        assert_eq!(shards(3, mnist, 8), [1, 1, 1], "never an empty one");
        for (pictures, threads) in [(1, 1), (7, 2), (31, 4), (128, 16)] {
            let sizes = shards(pictures, cats_and_dogs, threads);
            assert_eq!(sizes.iter().sum::<usize>(), pictures);
            assert!(sizes.iter().max().unwrap() - sizes.iter().min().unwrap() <= 1);
        }
    }
}
