//! `InceptionV3` (arXiv:1512.00567, table 1): eleven blocks of parallel branches, joined along the channels. Keras leaves its
//! convolutions without names, so they are numbered in the order in which Keras builds them.
//! torchvision and timm keep a gamma in each normalisation, and let the zeros around a map count into the averages of a branch.

use super::{
    Wiring,
    graph::{Graph, Norm, conv, norm_op, square, window},
};
use crate::arch::{Activation, LayerSpec, Op, Padding};

/// What the two Inception networks share: convolution, normalisation, `ReLU`, all three numbered as Keras does.
pub(super) struct Builder {
    pub graph: Graph,
    pub norm: Norm,
}

impl Builder {
    /// A convolution whose normalisation has gammas where PyTorch's libraries keep them.
    pub fn new(wiring: Wiring) -> Self {
        let norm = match wiring {
            Wiring::Keras => Norm { scale: false, ..Norm::KERAS },
            // torchvision's own, with TensorFlow's epsilon.
            Wiring::Torch => Norm { epsilon: 1e-3, ..Norm::TORCH },
        };
        Self { graph: Graph::default(), norm }
    }

    pub fn unit(&mut self, from: &str, filters: usize, size: [usize; 2], stride: usize, padding: Padding) -> String {
        self.graph.push_numbered(from, conv(filters, window(size, stride, padding), false));
        self.graph.push_numbered("", norm_op(self.norm));
        self.graph.push_numbered("", Op::Activation(Activation::Relu))
    }

    /// That keeps the map's size.
    pub fn same(&mut self, from: &str, filters: usize, size: [usize; 2]) -> String {
        self.unit(from, filters, size, 1, Padding::Same)
    }

    /// Several of them, one after another.
    pub fn chain(&mut self, from: &str, units: &[(usize, [usize; 2])]) -> String {
        units.iter().fold(from.to_owned(), |from, &(filters, size)| self.same(&from, filters, size))
    }

    /// 3x3, to half the size.
    pub fn halve(&mut self, from: &str, filters: usize) -> String {
        self.unit(from, filters, [3, 3], 2, Padding::Valid)
    }

    pub fn max_pool(&mut self, from: &str) -> String {
        self.graph.push_numbered(from, Op::MaxPool2d { window: square(3, 2, Padding::Valid) })
    }

    pub fn average_pool(&mut self, from: &str) -> String {
        self.graph.push_numbered(from, Op::AveragePool2d { window: square(3, 1, Padding::Same) })
    }

    pub fn concatenate(&mut self, inputs: &[&str], name: &str) -> String {
        self.graph.join(inputs, name, Op::Concatenate)
    }

    /// Up to the first block: 150x150 to 16x16.
    pub fn stem(&mut self) -> String {
        self.unit("", 32, [3, 3], 2, Padding::Valid);
        self.unit("", 32, [3, 3], 1, Padding::Valid);
        let x = self.same("", 64, [3, 3]);
        self.max_pool(&x);
        self.unit("", 80, [1, 1], 1, Padding::Valid);
        let x = self.unit("", 192, [3, 3], 1, Padding::Valid);
        self.max_pool(&x)
    }
}

struct Inception {
    builder: Builder,
    zeros_count: bool,
}

pub(super) fn layers(wiring: Wiring, top: bool) -> Vec<LayerSpec> {
    let mut net = Inception { builder: Builder::new(wiring), zeros_count: wiring == Wiring::Torch };
    let mut x = net.builder.stem();
    for (block, pooled) in [32, 64, 64].into_iter().enumerate() {
        x = net.a(&x, pooled, &format!("mixed{block}"));
    }
    x = net.b(&x);
    for (block, width) in (4..).zip([128, 160, 160, 192]) {
        x = net.c(&x, width, &format!("mixed{block}"));
    }
    x = net.d(&x);
    for block in 0..2 {
        x = net.e(&x, block);
    }
    if top {
        net.builder.graph.classify(&x);
    }
    net.builder.graph.into_layers()
}

impl Inception {
    /// The branch that every block but the halving ones ends with.
    fn pooled(&mut self, from: &str, filters: usize) -> String {
        let pooled = if self.zeros_count {
            let pool = Op::AveragePool2d { window: square(3, 1, Padding::Valid) };
            let name = self.builder.graph.number(&pool);
            let margin = Op::ZeroPadding2d { top: 1, bottom: 1, left: 1, right: 1 };
            self.builder.graph.push(from, format!("{name}_pad"), margin);
            self.builder.graph.push("", name, pool)
        } else {
            self.builder.average_pool(from)
        };
        self.builder.same(&pooled, filters, [1, 1])
    }

    /// The paper's figure 5.
    fn a(&mut self, x: &str, pooled: usize, name: &str) -> String {
        let one = self.builder.same(x, 64, [1, 1]);
        let five = self.builder.chain(x, &[(48, [1, 1]), (64, [5, 5])]);
        let double = self.builder.chain(x, &[(64, [1, 1]), (96, [3, 3]), (96, [3, 3])]);
        let pool = self.pooled(x, pooled);
        self.builder.concatenate(&[&one, &five, &double, &pool], name)
    }

    fn b(&mut self, x: &str) -> String {
        let three = self.builder.halve(x, 384);
        let double = self.builder.chain(x, &[(64, [1, 1]), (96, [3, 3])]);
        let double = self.builder.halve(&double, 96);
        let pool = self.builder.max_pool(x);
        self.builder.concatenate(&[&three, &double, &pool], "mixed3")
    }

    /// Figure 6 with n = 7.
    fn c(&mut self, x: &str, width: usize, name: &str) -> String {
        let one = self.builder.same(x, 192, [1, 1]);
        let seven = self.builder.chain(x, &[(width, [1, 1]), (width, [1, 7]), (192, [7, 1])]);
        let double = [(width, [1, 1]), (width, [7, 1]), (width, [1, 7]), (width, [7, 1]), (192, [1, 7])];
        let double = self.builder.chain(x, &double);
        let pool = self.pooled(x, 192);
        self.builder.concatenate(&[&one, &seven, &double, &pool], name)
    }

    fn d(&mut self, x: &str) -> String {
        let three = self.builder.same(x, 192, [1, 1]);
        let three = self.builder.halve(&three, 320);
        let seven = self.builder.chain(x, &[(192, [1, 1]), (192, [1, 7]), (192, [7, 1])]);
        let seven = self.builder.halve(&seven, 192);
        let pool = self.builder.max_pool(x);
        self.builder.concatenate(&[&three, &seven, &pool], "mixed8")
    }

    /// Figure 7.
    fn e(&mut self, x: &str, block: usize) -> String {
        let one = self.builder.same(x, 320, [1, 1]);
        let three = self.builder.same(x, 384, [1, 1]);
        let (wide, high) = (self.builder.same(&three, 384, [1, 3]), self.builder.same(&three, 384, [3, 1]));
        let three = self.builder.concatenate(&[&wide, &high], &format!("mixed9_{block}"));
        let double = self.builder.chain(x, &[(448, [1, 1]), (384, [3, 3])]);
        let (wide, high) = (self.builder.same(&double, 384, [1, 3]), self.builder.same(&double, 384, [3, 1]));
        let name = self.builder.graph.number(&Op::Concatenate);
        let double = self.builder.concatenate(&[&wide, &high], &name);
        let pool = self.pooled(x, 192);
        self.builder.concatenate(&[&one, &three, &double, &pool], &format!("mixed{}", 9 + block))
    }
}

/// The convolution, and the normalisation behind it, of each unit in the order of their numbers.
pub(super) fn numbered(units: impl IntoIterator<Item = String>) -> Vec<(String, String)> {
    let number = |stem: &str, at: usize| if at == 0 { stem.to_owned() } else { format!("{stem}_{at}") };
    let both = |(at, unit): (usize, String)| {
        [(number("conv2d", at), format!("{unit}.conv")), (number("batch_normalization", at), format!("{unit}.bn"))]
    };
    units.into_iter().enumerate().flat_map(both).collect()
}

pub(super) fn modules() -> Vec<(String, String)> {
    const STEM: [&str; 5] = ["Conv2d_1a_3x3", "Conv2d_2a_3x3", "Conv2d_2b_3x3", "Conv2d_3b_1x1", "Conv2d_4a_3x3"];
    const A: &[&str] = &[
        "branch1x1",
        "branch5x5_1",
        "branch5x5_2",
        "branch3x3dbl_1",
        "branch3x3dbl_2",
        "branch3x3dbl_3",
        "branch_pool",
    ];
    const B: &[&str] = &["branch3x3", "branch3x3dbl_1", "branch3x3dbl_2", "branch3x3dbl_3"];
    const C: &[&str] = &[
        "branch1x1",
        "branch7x7_1",
        "branch7x7_2",
        "branch7x7_3",
        "branch7x7dbl_1",
        "branch7x7dbl_2",
        "branch7x7dbl_3",
        "branch7x7dbl_4",
        "branch7x7dbl_5",
        "branch_pool",
    ];
    const D: &[&str] =
        &["branch3x3_1", "branch3x3_2", "branch7x7x3_1", "branch7x7x3_2", "branch7x7x3_3", "branch7x7x3_4"];
    const E: &[&str] = &[
        "branch1x1",
        "branch3x3_1",
        "branch3x3_2a",
        "branch3x3_2b",
        "branch3x3dbl_1",
        "branch3x3dbl_2",
        "branch3x3dbl_3a",
        "branch3x3dbl_3b",
        "branch_pool",
    ];
    const BLOCKS: [(&str, &[&str]); 11] = [
        ("Mixed_5b", A),
        ("Mixed_5c", A),
        ("Mixed_5d", A),
        ("Mixed_6a", B),
        ("Mixed_6b", C),
        ("Mixed_6c", C),
        ("Mixed_6d", C),
        ("Mixed_6e", C),
        ("Mixed_7a", D),
        ("Mixed_7b", E),
        ("Mixed_7c", E),
    ];
    let blocks = BLOCKS.iter().flat_map(|(block, units)| units.iter().map(move |unit| format!("{block}.{unit}")));
    let mut modules = numbered(STEM.iter().map(|&unit| unit.to_owned()).chain(blocks));
    modules.push(("predictions".into(), "fc".into()));
    modules
}
