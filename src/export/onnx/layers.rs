//! What each kind of layer is in ONNX's operators, which lay maps and kernels out as the engine does: `[n, c, h, w]`,
//! `[out, in / groups, kh, kw]`.

use super::graph::Graph;
use crate::arch::{Activation, Arch, Op, Padding, Preprocessing, Shape, Window, same_padding};

/// Adds the nodes of a layer; the name of its output comes back.
pub(super) fn add(graph: &mut Graph, arch: &Arch, index: usize, mut inputs: Vec<String>) -> String {
    let layer = &arch.layers()[index];
    let name = layer.name.as_str();
    let shapes = arch.input_shapes(index);
    let shape = shapes[0];
    let channels = shape.channels();
    let bias = graph.of(index, "bias");
    let with = |inputs: Vec<String>, more: Option<String>| inputs.into_iter().chain(more).collect::<Vec<_>>();
    match &layer.op {
        &Op::Conv2d { window, groups, activation, .. } => {
            inputs.extend(graph.of(index, "kernel"));
            let attributes = convolution(window, groups, shape);
            activated(graph, "Conv", with(inputs, bias), name, attributes, activation)
        }
        &Op::DepthwiseConv2d { window, activation, .. } => {
            inputs.extend(graph.of(index, "kernel"));
            let attributes = convolution(window, channels, shape);
            activated(graph, "Conv", with(inputs, bias), name, attributes, activation)
        }
        &Op::SeparableConv2d { window, activation, .. } => {
            inputs.extend(graph.of(index, "depthwise_kernel"));
            let attributes = convolution(window, channels, shape);
            let spread = graph.node("Conv", inputs, &format!("{name}/depthwise"), attributes);
            let inputs = with(vec![spread], graph.of(index, "pointwise_kernel"));
            let attributes = vec![Graph::ints("kernel_shape", [1, 1])];
            activated(graph, "Conv", with(inputs, bias), name, attributes, activation)
        }
        &Op::Dense { activation, .. } => {
            inputs.extend(graph.of(index, "kernel"));
            activated(graph, "Gemm", with(inputs, bias), name, vec![Graph::int("transB", 1)], activation)
        }
        &Op::BatchNorm { epsilon, .. } => {
            let mut filled = |parameter, value: f32| {
                graph.of(index, parameter).unwrap_or_else(|| {
                    graph.floats(&format!("{name}/{parameter}"), &[channels], &vec![value; channels])
                })
            };
            let learned = [filled("gamma", 1.0), filled("beta", 0.0)];
            inputs.extend(learned);
            inputs.extend(graph.of(index, "moving_mean"));
            inputs.extend(graph.of(index, "moving_variance"));
            graph.node("BatchNormalization", inputs, name, vec![Graph::float("epsilon", epsilon)])
        }
        &Op::MaxPool2d { window } => {
            let mut attributes = moved(window, shape);
            attributes.push(Graph::ints("dilations", whole(window.dilation)));
            graph.node("MaxPool", inputs, name, attributes)
        }
        &Op::AveragePool2d { window } => {
            let mut attributes = moved(window, shape);
            attributes.push(Graph::int("count_include_pad", 0));
            graph.node("AveragePool", inputs, name, attributes)
        }
        Op::GlobalMaxPool2d => global(graph, "GlobalMaxPool", inputs, name),
        Op::GlobalAveragePool2d => global(graph, "GlobalAveragePool", inputs, name),
        Op::Flatten => match shape {
            Shape::Map { .. } => {
                // In Keras's order (h, w, c).
                let perm = vec![Graph::ints("perm", [0, 2, 3, 1])];
                let turned = graph.node("Transpose", inputs, &format!("{name}/channels_last"), perm);
                graph.node("Flatten", vec![turned], name, vec![Graph::int("axis", 1)])
            }
            Shape::Vector(_) => inputs.swap_remove(0),
        },
        Op::Dropout { .. } => inputs.swap_remove(0),
        &Op::Activation(activation) => activate(graph, activation, inputs.swap_remove(0), name),
        Op::Add => graph.node(if inputs.len() == 2 { "Add" } else { "Sum" }, inputs, name, vec![]),
        Op::Concatenate => graph.node("Concat", inputs, name, vec![Graph::int("axis", 1)]),
        &Op::ZeroPadding2d { top, bottom, left, right } => {
            let ends = [0, 0, top, left, 0, 0, bottom, right].map(|side| side as i64);
            inputs.push(graph.whole(&format!("{name}/pads"), &ends));
            graph.node("Pad", inputs, name, vec![])
        }
        &Op::Rescaling { scale, offset } => {
            let factor = graph.scalar(&format!("{name}/scale"), scale);
            let term = graph.scalar(&format!("{name}/offset"), offset);
            let scaled = graph.node("Mul", vec![inputs.swap_remove(0), factor], &format!("{name}/scaled"), vec![]);
            graph.node("Add", vec![scaled, term], name, vec![])
        }
        Op::Preprocessing(by) => preprocess(graph, by, channels, inputs.swap_remove(0), name),
    }
}

fn preprocess(graph: &mut Graph, by: &Preprocessing, channels: usize, mut input: String, name: &str) -> String {
    let affine = by.affine(channels).expect("arch has checked that the numbers fit the channels");
    if affine.reversed {
        let order = graph.whole(&format!("{name}/order"), &[2, 1, 0]);
        let axis = vec![Graph::int("axis", 1)];
        input = graph.node("Gather", vec![input, order], &format!("{name}/reversed"), axis);
    }
    let mut spread = |what: &str, values: &[f64]| {
        let values: Vec<f32> = values.iter().map(|&value| value as f32).collect();
        graph.floats(&format!("{name}/{what}"), &[1, channels, 1, 1], &values)
    };
    let (factors, offsets) = (spread("factors", &affine.factors), spread("offsets", &affine.offsets));
    let scaled = graph.node("Mul", vec![input, factors], &format!("{name}/scaled"), vec![]);
    graph.node("Add", vec![scaled, offsets], name, vec![])
}

type Attributes = Vec<super::proto::AttributeProto>;

/// A node and the activation behind it; the latter's output has the layer's name.
fn activated(
    graph: &mut Graph,
    op: &str,
    inputs: Vec<String>,
    name: &str,
    attributes: Attributes,
    activation: Activation,
) -> String {
    if activation == Activation::Linear {
        return graph.node(op, inputs, name, attributes);
    }
    let linear = graph.node(op, inputs, &format!("{name}/linear"), attributes);
    activate(graph, activation, linear, name)
}

fn activate(graph: &mut Graph, activation: Activation, x: String, name: &str) -> String {
    let part = |what: &str| format!("{name}/{what}");
    match activation {
        Activation::Linear => x,
        Activation::Relu => graph.node("Relu", vec![x], name, vec![]),
        Activation::Relu6 => {
            let (least, most) = (graph.scalar(&part("least"), 0.0), graph.scalar(&part("most"), 6.0));
            graph.node("Clip", vec![x, least, most], name, vec![])
        }
        Activation::LeakyRelu => graph.node("LeakyRelu", vec![x], name, vec![Graph::float("alpha", 0.2)]),
        Activation::Elu => graph.node("Elu", vec![x], name, vec![Graph::float("alpha", 1.0)]),
        Activation::Silu => {
            let gate = graph.node("Sigmoid", vec![x.clone()], &part("gate"), vec![]);
            graph.node("Mul", vec![x, gate], name, vec![])
        }
        Activation::Gelu => {
            // x / 2 · (1 + erf(x / √2)); an operator of its own only since set 20.
            let root = graph.scalar(&part("root"), std::f64::consts::FRAC_1_SQRT_2);
            let (one, half) = (graph.scalar(&part("one"), 1.0), graph.scalar(&part("half"), 0.5));
            let scaled = graph.node("Mul", vec![x.clone(), root], &part("scaled"), vec![]);
            let erf = graph.node("Erf", vec![scaled], &part("erf"), vec![]);
            let gate = graph.node("Add", vec![erf, one], &part("gate"), vec![]);
            let double = graph.node("Mul", vec![x, gate], &part("double"), vec![]);
            graph.node("Mul", vec![double, half], name, vec![])
        }
        Activation::Tanh => graph.node("Tanh", vec![x], name, vec![]),
        Activation::Sigmoid => graph.node("Sigmoid", vec![x], name, vec![]),
        Activation::Softmax => graph.node("Softmax", vec![x], name, vec![Graph::int("axis", 1)]),
    }
}

fn global(graph: &mut Graph, op: &str, inputs: Vec<String>, name: &str) -> String {
    let pooled = graph.node(op, inputs, &format!("{name}/map"), vec![]);
    graph.node("Flatten", vec![pooled], name, vec![Graph::int("axis", 1)])
}

fn convolution(window: Window, groups: usize, input: Shape) -> Attributes {
    let mut attributes = moved(window, input);
    attributes.push(Graph::ints("dilations", whole(window.dilation)));
    attributes.push(Graph::int("group", groups as i64));
    attributes
}

/// How a window moves; `pads` are before rows, before columns, behind rows, behind columns.
fn moved(window: Window, input: Shape) -> Attributes {
    let extent = window.extent();
    let sides = match input {
        Shape::Map { height, width, .. } => [height, width],
        Shape::Vector(_) => extent,
    };
    let [rows, columns] = [0, 1].map(|axis| match window.padding {
        Padding::Valid => (0, 0),
        Padding::Same => same_padding(sides[axis], extent[axis], window.strides[axis]),
        Padding::Symmetric(both) => (both[axis], both[axis]),
    });
    vec![
        Graph::ints("kernel_shape", whole(window.size)),
        Graph::ints("strides", whole(window.strides)),
        Graph::ints("pads", [rows.0, columns.0, rows.1, columns.1].map(|side| side as i64)),
    ]
}

fn whole(pair: [usize; 2]) -> [i64; 2] {
    pair.map(|side| side as i64)
}
