//! An ONNX graph that grows node by node. Values are known by unique names, which are the layers' where that is possible.

use std::collections::{HashMap, HashSet};

use super::proto::{
    AttributeProto, FLOAT, FLOAT_ATTRIBUTE, GraphProto, INT_ATTRIBUTE, INT64, INTS_ATTRIBUTE, NodeProto, TensorProto,
    ValueInfoProto,
};
use crate::arch::Parameter;

pub(super) struct Graph {
    nodes: Vec<NodeProto>,
    constants: Vec<TensorProto>,
    taken: HashSet<String>,
    /// The constants that are parameters, by layer and name.
    parameters: HashMap<(usize, &'static str), String>,
}

impl Graph {
    /// `ends` are names that only the graph's input and output have.
    pub(super) fn new(ends: &[&str]) -> Self {
        Self {
            nodes: Vec::new(),
            constants: Vec::new(),
            taken: ends.iter().map(|&end| end.to_owned()).collect(),
            parameters: HashMap::new(),
        }
    }

    /// Adds a node with one output, whose name comes back: `name`, or one like it that is free.
    pub(super) fn node(
        &mut self,
        op: &str,
        inputs: Vec<String>,
        name: &str,
        attributes: Vec<AttributeProto>,
    ) -> String {
        let output = self.unique(name);
        self.last(op, inputs, &output, attributes);
        output
    }

    /// Adds the node that gives the graph's output.
    pub(super) fn last(&mut self, op: &str, inputs: Vec<String>, output: &str, attributes: Vec<AttributeProto>) {
        self.nodes.push(NodeProto {
            input: inputs,
            output: vec![output.to_owned()],
            name: output.to_owned(),
            op_type: op.to_owned(),
            attribute: attributes,
        });
    }

    pub(super) fn parameter(&mut self, layer: usize, name: &str, parameter: &Parameter, numbers: &[f32]) {
        let name = self.floats(&format!("{name}/{}", parameter.name), &parameter.shape, numbers);
        self.parameters.insert((layer, parameter.name), name);
    }

    /// The constant that is a layer's parameter, if it has it.
    pub(super) fn of(&self, layer: usize, parameter: &'static str) -> Option<String> {
        self.parameters.get(&(layer, parameter)).cloned()
    }

    pub(super) fn scalar(&mut self, name: &str, value: f64) -> String {
        self.floats(name, &[], &[value as f32])
    }

    pub(super) fn floats(&mut self, name: &str, shape: &[usize], numbers: &[f32]) -> String {
        let bytes = numbers.iter().flat_map(|number| number.to_le_bytes()).collect();
        self.constant(name, shape, FLOAT, bytes)
    }

    /// Whole numbers in a row.
    pub(super) fn whole(&mut self, name: &str, numbers: &[i64]) -> String {
        let bytes = numbers.iter().flat_map(|number| number.to_le_bytes()).collect();
        self.constant(name, &[numbers.len()], INT64, bytes)
    }

    pub(super) fn finish(self, name: &str, input: ValueInfoProto, output: ValueInfoProto) -> GraphProto {
        GraphProto {
            node: self.nodes,
            name: name.to_owned(),
            initializer: self.constants,
            input: vec![input],
            output: vec![output],
        }
    }

    pub(super) fn int(name: &str, value: i64) -> AttributeProto {
        AttributeProto { i: Some(value), ..attribute(name, INT_ATTRIBUTE) }
    }

    pub(super) fn float(name: &str, value: f64) -> AttributeProto {
        AttributeProto { f: Some(value as f32), ..attribute(name, FLOAT_ATTRIBUTE) }
    }

    pub(super) fn ints(name: &str, values: impl IntoIterator<Item = i64>) -> AttributeProto {
        AttributeProto { ints: values.into_iter().collect(), ..attribute(name, INTS_ATTRIBUTE) }
    }

    fn constant(&mut self, name: &str, shape: &[usize], kind: i32, bytes: Vec<u8>) -> String {
        let name = self.unique(name);
        let dims = shape.iter().map(|&side| side as i64).collect();
        self.constants.push(TensorProto { dims, data_type: kind, name: name.clone(), raw_data: bytes });
        name
    }

    fn unique(&mut self, wanted: &str) -> String {
        let mut name = wanted.to_owned();
        while !self.taken.insert(name.clone()) {
            name.push('_');
        }
        name
    }
}

fn attribute(name: &str, kind: i32) -> AttributeProto {
    AttributeProto { name: name.to_owned(), f: None, i: None, ints: Vec::new(), r#type: kind }
}
