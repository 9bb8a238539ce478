//! A network as data: a directed acyclic graph of named layers, without tensors.
//! Shapes, parameters, FLOPs, the summary, freezing and explanations are all read off it, so each works for every model.
//! Layer names and kinds are Keras's; weights have PyTorch's layouts; a feature map is flattened in Keras's order (h, w, c).

mod blocks;
mod error;
mod op;
mod parameters;
mod preprocessing;
mod shape;
mod summary;
mod work;
pub mod zoo;

use std::collections::{HashMap, HashSet};

pub use error::{ArchError, Problem};
pub use op::{Activation, Op, Padding, Window};
pub use parameters::{Initializer, Parameter};
pub use preprocessing::{Affine, Preprocessing};
pub use shape::{Shape, same_padding};
pub use summary::summary;

/// A checked network: names are unique, every input stands before its reader, every shape is known.
#[derive(Clone, Debug, PartialEq)]
pub struct Arch {
    name: String,
    input: Shape,
    layers: Vec<Layer>,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Layer {
    pub name: String,
    pub op: Op,
    pub inputs: Vec<Source>,
    pub output: Shape,
    /// In the order in which Keras lists a layer's weights.
    pub parameters: Vec<Parameter>,
    /// Floating-point operations for one image: two a multiply-add of convolutions and dense layers, nothing else counted
    /// (as `torch.utils.flop_counter` does).
    pub flops: u64,
}

/// Where a layer reads from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Source {
    /// The image.
    Input,
    /// Position in [`Arch::layers`].
    Layer(usize),
}

/// A layer as it is asked for, before names and shapes are settled.
#[derive(Clone, Debug, PartialEq)]
pub struct LayerSpec {
    /// `None` takes Keras's name: `conv2d`, `conv2d_1`, …
    pub name: Option<String>,
    pub op: Op,
    /// Names of earlier layers, or `input`; empty means the layer before.
    pub inputs: Vec<String>,
}

/// The name by which a layer reads the image itself.
pub const INPUT: &str = "input";

impl Arch {
    /// Settles names, inputs and shapes in the order given.
    pub fn new(name: impl Into<String>, input: Shape, specs: &[LayerSpec]) -> Result<Self, ArchError> {
        if specs.is_empty() {
            return Err(ArchError::Empty);
        }
        let mut names = Names::default();
        let mut layers: Vec<Layer> = Vec::with_capacity(specs.len());
        for spec in specs {
            let name = names.settle(spec.name.as_deref(), &spec.op)?;
            let fail = |problem| ArchError::Layer { layer: name.clone(), kind: spec.op.kind(), problem };
            let inputs = if spec.inputs.is_empty() {
                vec![layers.len().checked_sub(1).map_or(Source::Input, Source::Layer)]
            } else {
                let find =
                    |wanted: &String| find(&layers, wanted).ok_or_else(|| fail(Problem::UnknownInput(wanted.clone())));
                spec.inputs.iter().map(find).collect::<Result<_, _>>()?
            };
            let shapes: Vec<Shape> = inputs.iter().map(|&source| shape_of(&layers, input, source)).collect();
            let output = shape::infer(&spec.op, &shapes).map_err(fail)?;
            let parameters = parameters::of(&spec.op, shapes[0]);
            let flops = parameters::flops(&spec.op, &parameters, output);
            layers.push(Layer { name, op: spec.op.clone(), inputs, output, parameters, flops });
        }
        let arch = Self { name: name.into(), input, layers };
        match arch.unread().first() {
            Some(&dangling) => Err(ArchError::Dangling { layer: arch.layers[dangling].name.clone() }),
            None => Ok(arch),
        }
    }

    pub fn name(&self) -> &str {
        &self.name
    }

    pub fn input(&self) -> Shape {
        self.input
    }

    /// In order of execution; the last one is the output.
    pub fn layers(&self) -> &[Layer] {
        &self.layers
    }

    pub fn output(&self) -> &Layer {
        self.layers.last().expect("a network has at least one layer")
    }

    pub fn position(&self, layer: &str) -> Option<usize> {
        self.layers.iter().position(|candidate| candidate.name == layer)
    }

    /// The shapes that a layer reads, one an input.
    pub fn input_shapes(&self, layer: usize) -> Vec<Shape> {
        self.layers[layer].inputs.iter().map(|&source| shape_of(&self.layers, self.input, source)).collect()
    }

    /// What a layer would put out for an image of another size.
    pub fn output_for(&self, layer: usize, image: Shape) -> Result<Shape, ArchError> {
        let mut outputs: Vec<Shape> = Vec::with_capacity(layer + 1);
        for each in &self.layers[..=layer] {
            let seen = |&source: &Source| match source {
                Source::Input => image,
                Source::Layer(read) => outputs[read],
            };
            let inputs: Vec<Shape> = each.inputs.iter().map(seen).collect();
            let fail = |problem| ArchError::Layer { layer: each.name.clone(), kind: each.op.kind(), problem };
            outputs.push(shape::infer(&each.op, &inputs).map_err(fail)?);
        }
        Ok(outputs[layer])
    }

    /// Has a dropout layer drop another share of its input; another layer stays as it is.
    pub fn set_dropout(&mut self, layer: usize, share: f64) {
        if let Op::Dropout { rate } = &mut self.layers[layer].op {
            *rate = share;
        }
    }

    pub fn parameter_count(&self) -> u64 {
        self.layers.iter().map(Layer::parameter_count).sum()
    }

    pub fn flops(&self) -> u64 {
        self.layers.iter().map(|layer| layer.flops).sum()
    }

    /// The last layer with a feature map, where Grad-CAM looks by default: the deepest one with weights, as in the paper
    /// (arXiv:1610.02391, section 3), or the deepest feature map at all.
    pub fn last_feature_map(&self) -> Option<usize> {
        let maps = |layer: &Layer| matches!(layer.output, Shape::Map { .. });
        let weighty = self.layers.iter().rposition(|layer| maps(layer) && layer.op.has_kernel());
        weighty.or_else(|| self.layers.iter().rposition(maps))
    }

    /// Layers that nobody reads, other than the output.
    fn unread(&self) -> Vec<usize> {
        let mut read = vec![false; self.layers.len()];
        read[self.layers.len() - 1] = true;
        for source in self.layers.iter().flat_map(|layer| &layer.inputs) {
            if let Source::Layer(index) = *source {
                read[index] = true;
            }
        }
        (0..read.len()).filter(|&index| !read[index]).collect()
    }
}

impl Layer {
    /// Elements of all parameters, moving statistics included, as Keras counts.
    pub fn parameter_count(&self) -> u64 {
        self.parameters.iter().map(Parameter::count).sum()
    }
}

fn find(layers: &[Layer], wanted: &str) -> Option<Source> {
    if wanted == INPUT {
        return Some(Source::Input);
    }
    layers.iter().position(|layer| layer.name == wanted).map(Source::Layer)
}

fn shape_of(layers: &[Layer], input: Shape, source: Source) -> Shape {
    match source {
        Source::Input => input,
        Source::Layer(index) => layers[index].output,
    }
}

/// Gives layers Keras's names and keeps them unique.
#[derive(Default)]
struct Names {
    taken: HashSet<String>,
    next: HashMap<&'static str, usize>,
}

impl Names {
    fn settle(&mut self, given: Option<&str>, op: &Op) -> Result<String, ArchError> {
        let name = match given {
            Some(name)
                if name == INPUT || name.is_empty() || name.contains(|c: char| c.is_control() || c.is_whitespace()) =>
            {
                return Err(ArchError::BadName { name: name.to_owned() });
            }
            Some(name) => name.to_owned(),
            None => self.keras_name(op.stem()),
        };
        if self.taken.insert(name.clone()) { Ok(name) } else { Err(ArchError::DuplicateName { name }) }
    }

    fn keras_name(&mut self, stem: &'static str) -> String {
        loop {
            let count = self.next.entry(stem).or_insert(0);
            let name = if *count == 0 { stem.to_owned() } else { format!("{stem}_{count}") };
            *count += 1;
            if !self.taken.contains(&name) {
                return name;
            }
        }
    }
}

#[cfg(test)]
mod tests;
