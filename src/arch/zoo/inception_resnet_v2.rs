//! `InceptionResNetV2` (arXiv:1602.07261, figure 15): forty Inception blocks whose results are scaled down and added to what they
//! read. Convolutions are numbered as in `InceptionV3`; those that end a block have names.
//! timm's has gammas in its normalisations, and is the same otherwise.

use super::{
    Wiring,
    graph::{conv, square},
    inception_v3::{Builder, numbered},
};
use crate::arch::{LayerSpec, Op, Padding};

struct Kind {
    name: &'static str,
    count: usize,
    /// Channels of the trunk.
    channels: usize,
    /// What the block's result is multiplied with before it is added.
    scale: f64,
    branches: &'static [&'static [(usize, [usize; 2])]],
}

const BLOCK35: Kind = Kind {
    name: "block35",
    count: 10,
    channels: 320,
    scale: 0.17,
    branches: &[&[(32, [1, 1])], &[(32, [1, 1]), (32, [3, 3])], &[(32, [1, 1]), (48, [3, 3]), (64, [3, 3])]],
};

const BLOCK17: Kind = Kind {
    name: "block17",
    count: 20,
    channels: 1088,
    scale: 0.1,
    branches: &[&[(192, [1, 1])], &[(128, [1, 1]), (160, [1, 7]), (192, [7, 1])]],
};

const BLOCK8: Kind = Kind {
    name: "block8",
    count: 10,
    channels: 2080,
    scale: 0.2,
    branches: &[&[(192, [1, 1])], &[(192, [1, 1]), (224, [1, 3]), (256, [3, 1])]],
};

pub(super) fn layers(wiring: Wiring, top: bool) -> Vec<LayerSpec> {
    let mut net = Builder::new(wiring);
    let x = net.stem();
    let mut x = mixed_5b(&mut net, &x);
    for block in 1..=BLOCK35.count {
        x = residual(&mut net, &x, &BLOCK35, block);
    }
    x = mixed_6a(&mut net, &x);
    for block in 1..=BLOCK17.count {
        x = residual(&mut net, &x, &BLOCK17, block);
    }
    x = mixed_7a(&mut net, &x);
    for block in 1..=BLOCK8.count {
        x = residual(&mut net, &x, &BLOCK8, block);
    }
    net.graph.push(&x, "conv_7b", conv(1536, square(1, 1, Padding::Same), false));
    net.graph.norm("", "conv_7b_bn", net.norm);
    let x = net.graph.relu("", "conv_7b_ac");
    if top {
        net.graph.classify(&x);
    }
    net.graph.into_layers()
}

fn mixed_5b(net: &mut Builder, x: &str) -> String {
    let one = net.same(x, 96, [1, 1]);
    let five = net.chain(x, &[(48, [1, 1]), (64, [5, 5])]);
    let double = net.chain(x, &[(64, [1, 1]), (96, [3, 3]), (96, [3, 3])]);
    let pool = net.average_pool(x);
    let pool = net.same(&pool, 64, [1, 1]);
    net.concatenate(&[&one, &five, &double, &pool], "mixed_5b")
}

fn mixed_6a(net: &mut Builder, x: &str) -> String {
    let three = net.halve(x, 384);
    let double = net.chain(x, &[(256, [1, 1]), (256, [3, 3])]);
    let double = net.halve(&double, 384);
    let pool = net.max_pool(x);
    net.concatenate(&[&three, &double, &pool], "mixed_6a")
}

fn mixed_7a(net: &mut Builder, x: &str) -> String {
    let first = net.same(x, 256, [1, 1]);
    let first = net.halve(&first, 384);
    let second = net.same(x, 256, [1, 1]);
    let second = net.halve(&second, 288);
    let third = net.chain(x, &[(256, [1, 1]), (288, [3, 3])]);
    let third = net.halve(&third, 320);
    let pool = net.max_pool(x);
    net.concatenate(&[&first, &second, &third, &pool], "mixed_7a")
}

fn residual(net: &mut Builder, x: &str, kind: &Kind, block: usize) -> String {
    let name = format!("{}_{block}", kind.name);
    let branches: Vec<String> = kind.branches.iter().map(|units| net.chain(x, units)).collect();
    let branches: Vec<&str> = branches.iter().map(String::as_str).collect();
    net.concatenate(&branches, &format!("{name}_mixed"));
    let mut up = net.graph.push("", format!("{name}_conv"), conv(kind.channels, square(1, 1, Padding::Same), true));
    // The last block of all is neither scaled nor rectified.
    let last = kind.name == BLOCK8.name && block == kind.count;
    if !last {
        up = net.graph.push(&up, format!("{name}_scale"), Op::Rescaling { scale: kind.scale, offset: 0.0 });
    }
    let sum = net.graph.join(&[x, &up], name.clone(), Op::Add);
    if last { sum } else { net.graph.relu(&sum, format!("{name}_ac")) }
}

/// timm's.
pub(super) fn modules() -> Vec<(String, String)> {
    const STEM: [&str; 5] = ["conv2d_1a", "conv2d_2a", "conv2d_2b", "conv2d_3b", "conv2d_4a"];
    const MIXED_5B: [&str; 7] =
        ["branch0", "branch1.0", "branch1.1", "branch2.0", "branch2.1", "branch2.2", "branch3.1"];
    const MIXED_6A: [&str; 4] = ["branch0", "branch1.0", "branch1.1", "branch1.2"];
    const MIXED_7A: [&str; 7] =
        ["branch0.0", "branch0.1", "branch1.0", "branch1.1", "branch2.0", "branch2.1", "branch2.2"];

    let mut units: Vec<String> = STEM.iter().map(|&unit| unit.to_owned()).collect();
    let mut ends = Vec::new();
    let mut stage = |mixed: &str, branches: &[&str], kind: &Kind, repeat: &str| {
        units.extend(branches.iter().map(|branch| format!("{mixed}.{branch}")));
        for block in 1..=kind.count {
            let theirs = if kind.name == BLOCK8.name && block == kind.count {
                "block8".to_owned()
            } else {
                format!("{repeat}.{}", block - 1)
            };
            for (branch, chain) in kind.branches.iter().enumerate() {
                match chain.len() {
                    1 => units.push(format!("{theirs}.branch{branch}")),
                    length => units.extend((0..length).map(|unit| format!("{theirs}.branch{branch}.{unit}"))),
                }
            }
            ends.push((format!("{}_{block}_conv", kind.name), format!("{theirs}.conv2d")));
        }
    };
    stage("mixed_5b", &MIXED_5B, &BLOCK35, "repeat");
    stage("mixed_6a", &MIXED_6A, &BLOCK17, "repeat_1");
    stage("mixed_7a", &MIXED_7A, &BLOCK8, "repeat_2");

    let mut modules = numbered(units);
    modules.extend(ends);
    modules.push(("conv_7b".into(), "conv2d_7b.conv".into()));
    modules.push(("conv_7b_bn".into(), "conv2d_7b.bn".into()));
    modules.push(("predictions".into(), "classif".into()));
    modules
}
