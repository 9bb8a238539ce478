//! Which part of a network gives the same for a picture in every epoch, and where to cut it off so that keeping its outputs costs
//! least. Pure: an [`Arch`], a freeze mask and prices.

use frostline::arch::{Activation, Arch, Layer, Op, Source};

use super::mincut::{Graph, UNCUT};

/// What lies below the cut, and what crosses it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Prefix {
    /// Of each layer whether it lies below.
    below: Vec<bool>,
    /// The layers below that are read from above, in order.
    crossing: Vec<usize>,
    /// Whether the picture itself is read from above.
    needs_pictures: bool,
}

/// Prices in floating-point operations. With 500 a byte, at 250 GFLOP/s, a kept byte costs what takes two nanoseconds: it is read from
/// the disk or the page cache, checked once, and copied twice.
#[derive(Clone, Copy, Debug)]
pub struct Prices {
    pub byte: u64,
    /// Of a layer's output, written and read again.
    pub element: u64,
}

/// A 32-bit number. In bfloat16 it is half of that, which changes no decision worth having.
const ELEMENT_BYTES: u64 = 4;

impl Prices {
    pub const PROCESSOR: Self = Self { byte: 500, element: 50 };
    /// Twenty times the arithmetic, and the bytes have to get there.
    pub const GRAPHICS_CARD: Self = Self { byte: 20_000, element: 100 };
}

impl Prefix {
    /// The cut at which computing what is left of the still layers and reading what crosses cost least together; `None` where nothing
    /// is still, or computing all of it is as cheap as reading any of it. `still` says which layers are.
    pub fn find(arch: &Arch, still: &[bool], prices: Prices) -> Option<Self> {
        let below = cheapest(arch, still, prices);
        let layers = arch.layers();
        let last = layers.len() - 1;
        let read_above = |source: Source| {
            let reads = |layer: &Layer| layer.inputs.contains(&source);
            layers.iter().zip(&below).any(|(layer, &below)| !below && reads(layer))
        };
        let crosses = |&layer: &usize| below[layer] && (layer == last || read_above(Source::Layer(layer)));
        let crossing: Vec<usize> = (0..layers.len()).filter(crosses).collect();
        let needs_pictures = read_above(Source::Input);
        (!crossing.is_empty()).then_some(Self { below, crossing, needs_pictures })
    }

    pub fn is_below(&self, layer: usize) -> bool {
        self.below[layer]
    }

    /// In order.
    pub fn layers(&self) -> Vec<usize> {
        (0..self.below.len()).filter(|&layer| self.below[layer]).collect()
    }

    pub fn crossing(&self) -> &[usize] {
        &self.crossing
    }

    pub fn needs_pictures(&self) -> bool {
        self.needs_pictures
    }
}

/// Which layers give the same bits for a picture whenever they are asked, whatever else is in its batch, as long as nothing is thawed.
/// `training`: for steps. Dropout is random then. A product of the whole batch, as a dense layer is, and functions that libtorch
/// computes eight or sixteen elements at a time and the rest otherwise give a picture other last bits in another batch.
pub fn still(arch: &Arch, is_frozen: impl Fn(usize) -> bool, training: bool) -> Vec<bool> {
    let mut still: Vec<bool> = Vec::with_capacity(arch.layers().len());
    for (index, layer) in arch.layers().iter().enumerate() {
        let keeps = layer.parameters.is_empty() || is_frozen(index);
        let by_itself = match layer.op {
            Op::Dense { .. } => false,
            Op::Dropout { rate } => !training || rate == 0.0,
            _ => matches!(
                layer.op.activation(),
                Activation::Linear | Activation::Relu | Activation::Relu6 | Activation::LeakyRelu
            ),
        };
        let inputs = layer.inputs.iter().all(|&source| match source {
            Source::Input => true,
            Source::Layer(read) => still[read],
        });
        still.push(keeps && by_itself && inputs);
    }
    still
}

/// As a minimum cut: the source's side is what lies below. A still layer above costs its arithmetic; an output that is read from
/// above costs its bytes, once, however many read it; and no layer lies below one of its inputs.
fn cheapest(arch: &Arch, still: &[bool], prices: Prices) -> Vec<bool> {
    let layers = arch.layers();
    let mut graph = Graph::default();
    let (source, sink) = (graph.node(), graph.node());
    let nodes: Vec<Option<usize>> = still.iter().map(|&still| still.then(|| graph.node())).collect();
    // One more for each output: above as soon as one of its readers is.
    let outputs: Vec<Option<usize>> = still.iter().map(|&still| still.then(|| graph.node())).collect();
    let picture = graph.node();
    graph.edge(source, picture, arch.input().elements() as u64 * prices.byte);
    for (index, layer) in layers.iter().enumerate() {
        let reader = nodes[index].unwrap_or(sink);
        if let (Some(node), Some(output)) = (nodes[index], outputs[index]) {
            let elements = layer.output.elements() as u64;
            graph.edge(source, node, layer.flops + elements * prices.element);
            graph.edge(node, output, elements * ELEMENT_BYTES * prices.byte);
            if index + 1 == layers.len() {
                graph.edge(output, sink, UNCUT);
            }
        }
        for &input in &layer.inputs {
            match input {
                Source::Input => graph.edge(picture, reader, UNCUT),
                Source::Layer(read) => {
                    let (Some(input), Some(output)) = (nodes[read], outputs[read]) else { continue };
                    graph.edge(output, reader, UNCUT);
                    if reader != sink {
                        graph.edge(reader, input, UNCUT);
                    }
                }
            }
        }
    }
    let sides = graph.cut(source, sink);
    nodes.into_iter().map(|node| node.is_some_and(|node| sides[node])).collect()
}

#[cfg(test)]
mod tests;
