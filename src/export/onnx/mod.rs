//! A whole network as ONNX, operator set 17: from the bytes of pictures to probabilities, in batches of any size. What prepares the pixels
//! and the last activation are part of the graph; layers that only training knows are not.

mod graph;
mod layers;
pub(super) mod proto;

use std::path::Path;

use prost::Message as _;

use self::{
    graph::Graph,
    proto::{
        Dimension, FLOAT, ModelProto, OperatorSetIdProto, Side, StringStringEntryProto, TensorShapeProto, TensorType,
        TypeProto, UINT8, ValueInfoProto,
    },
};
use super::{ExportError, Subject, Written, whole};
use crate::{
    arch::{Activation, Shape, Source},
    plan::Head,
};

/// With the operators of which all that is written here was checked.
const OPERATORS: i64 = 17;
/// That goes with these operators.
const IR: i64 = 8;
/// The names of the graph's ends.
pub(super) const IMAGE: &str = "image";
pub(super) const PROBABILITIES: &str = "probabilities";

pub(super) fn write(subject: &Subject<'_>, path: &Path) -> Result<Written, ExportError> {
    let (model, tensors) = model(subject)?;
    // Protocol buffers count in 32 bits with a sign.
    if model.encoded_len() > i32::MAX as usize {
        return Err(ExportError::write(path, &"it would have more than the 2 GiB that an ONNX file can have"));
    }
    let content = model.encode_to_vec();
    drop(model);
    let bytes = whole::write(path, |partial| {
        std::fs::write(partial, &content).map_err(|error| ExportError::write(path, &error))
    })?;
    let Shape::Map { height, width, channels } = subject.arch.input() else {
        return Err(ExportError::Head { layer: subject.arch.output().name.clone() });
    };
    let notes = vec![
        format!("takes `{IMAGE}`: bytes, [batch, {height}, {width}, {channels}]"),
        format!("gives `{PROBABILITIES}`: [batch, {}]", subject.classes.len()),
    ];
    Ok(Written { tensors, bytes, notes })
}

/// The model, and how many of its constants are parameters.
pub(super) fn model(subject: &Subject<'_>) -> Result<(ModelProto, usize), ExportError> {
    let arch = subject.arch;
    let failed = || ExportError::Head { layer: arch.output().name.clone() };
    let head = Head::of(arch).ok_or_else(failed)?;
    let Shape::Map { height, width, channels } = arch.input() else { return Err(failed()) };
    let mut graph = Graph::new(&[IMAGE, PROBABILITIES]);
    let mut tensors = 0;
    for values in subject.weights.values(arch) {
        let values = values?;
        let layer = &arch.layers()[values.layer];
        let parameter = &layer.parameters[values.parameter];
        graph.parameter(values.layer, &layer.name, parameter, &values.numbers);
        tensors += 1;
    }
    let pixels = pixels(&mut graph);
    let mut outputs: Vec<String> = Vec::with_capacity(arch.layers().len());
    for (index, layer) in arch.layers().iter().enumerate() {
        let read = |source: &Source| match *source {
            Source::Input => pixels.clone(),
            Source::Layer(read) => outputs[read].clone(),
        };
        let inputs: Vec<String> = layer.inputs.iter().map(read).collect();
        let output = layers::add(&mut graph, arch, index, inputs);
        outputs.push(output);
    }
    probabilities(&mut graph, head, arch.output().op.activation(), outputs.pop().unwrap_or(pixels));
    let size = format!("{width}x{height}");
    let image = format!("the bytes of pictures of {size} pixels: rows, columns, {}", colours(channels));
    let classes =
        format!("of the classes in the metadata's `classes`, in their order; {} of them", subject.classes.len());
    let whole = |side: usize| Side::DimValue(side as i64);
    let batch = || Side::DimParam("batch".into());
    let input = value(IMAGE, UINT8, vec![batch(), whole(height), whole(width), whole(channels)], &image);
    let output = value(PROBABILITIES, FLOAT, vec![batch(), whole(head.classes())], &classes);
    let property = |key: &str, value: String| StringStringEntryProto { key: key.to_owned(), value };
    let names = serde_json::to_string(subject.classes).unwrap_or_default();
    Ok((
        ModelProto {
            ir_version: IR,
            producer_name: "frostline".into(),
            producer_version: env!("CARGO_PKG_VERSION").into(),
            doc_string: String::new(),
            graph: Some(graph.finish(subject.name, input, output)),
            opset_import: vec![OperatorSetIdProto { domain: String::new(), version: OPERATORS }],
            metadata_props: vec![property("classes", names), property("image", image)],
        },
        tensors,
    ))
}

fn colours(channels: usize) -> &'static str {
    if channels == 1 { "grey" } else { "red, green, blue" }
}

/// Bytes `[n, h, w, c]` to values in 0–1, `[n, c, h, w]`, as the engine makes them.
fn pixels(graph: &mut Graph) -> String {
    let floats = graph.node("Cast", vec![IMAGE.into()], "pixels/float", vec![Graph::int("to", i64::from(FLOAT))]);
    let turned =
        graph.node("Transpose", vec![floats], "pixels/channels_first", vec![Graph::ints("perm", [0, 3, 1, 2])]);
    let scale = graph.scalar("pixels/scale", 1.0 / 255.0);
    graph.node("Mul", vec![turned, scale], "pixels", vec![])
}

/// One probability a class; a binary head's one number is that of the second class.
fn probabilities(graph: &mut Graph, head: Head, applied: Activation, output: String) {
    match head {
        Head::Binary => {
            let second = if applied == Activation::Sigmoid {
                output
            } else {
                graph.node("Sigmoid", vec![output], "probabilities/second", vec![])
            };
            let one = graph.scalar("probabilities/one", 1.0);
            let first = graph.node("Sub", vec![one, second.clone()], "probabilities/first", vec![]);
            graph.last("Concat", vec![first, second], PROBABILITIES, vec![Graph::int("axis", 1)]);
        }
        Head::Categorical { .. } if applied == Activation::Softmax => {
            graph.last("Identity", vec![output], PROBABILITIES, vec![]);
        }
        Head::Categorical { .. } => graph.last("Softmax", vec![output], PROBABILITIES, vec![Graph::int("axis", 1)]),
    }
}

fn value(name: &str, kind: i32, sides: Vec<Side>, about: &str) -> ValueInfoProto {
    let dim = sides.into_iter().map(|side| Dimension { value: Some(side) }).collect();
    let tensor_type = Some(TensorType { elem_type: kind, shape: Some(TensorShapeProto { dim }) });
    ValueInfoProto { name: name.into(), r#type: Some(TypeProto { tensor_type }), doc_string: about.into() }
}
