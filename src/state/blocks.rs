//! The layers of a network as a tree of blocks, read off their names, as they are in the published networks, or off the sizes of their maps.
//! Layers keep their order, so a block is a range.

use std::ops::Range;

use super::RunState;
use crate::event::LayerInfo;

/// Layers that belong together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Block {
    pub name: String,
    pub layers: Range<usize>,
    /// 0 for the outermost.
    pub depth: usize,
}

impl RunState {
    /// Of the network that is trained.
    pub fn blocks(&self) -> Vec<Block> {
        blocks(&self.layers.iter().map(|layer| &layer.info).collect::<Vec<_>>())
    }
}

/// In the order in which a tree lists them: a block before those in it. Layers may be in none; of a few, all are.
fn blocks(layers: &[&LayerInfo]) -> Vec<Block> {
    /// So few need no folding.
    const FEW: usize = 14;
    let named = |depth: usize| layers.iter().map(|layer| prefix(&layer.name, depth)).collect::<Vec<_>>();
    let outer = named(0);
    let mut found = if outer.iter().filter(|name| name.is_some()).count() * 2 >= layers.len() {
        [runs(&outer, 0), runs(&named(1), 1)].concat()
    } else if layers.len() > FEW {
        runs(&sizes(layers), 0)
    } else {
        Vec::new()
    };
    // A stage that is one block needs no second line.
    let outer: Vec<Range<usize>> = found.iter().filter(|b| b.depth == 0).map(|b| b.layers.clone()).collect();
    found.retain(|block| block.depth == 0 || !outer.contains(&block.layers));
    found.sort_by_key(|block| (block.layers.start, block.depth));
    found
}

/// Neighbours of one name; a single layer is no block.
fn runs(names: &[Option<String>], depth: usize) -> Vec<Block> {
    let mut found: Vec<Block> = Vec::new();
    for (index, name) in names.iter().enumerate() {
        let Some(name) = name else { continue };
        match found.last_mut() {
            Some(last) if last.name == *name && last.layers.end == index => last.layers.end += 1,
            _ => found.push(Block { name: name.clone(), layers: index..index + 1, depth }),
        }
    }
    found.retain(|block| block.layers.len() > 1);
    found
}

/// `block5` of `block5_conv1`; of `conv2_block1_1_conv` the stage `conv2`, and at depth 1 `conv2_block1`; `block2` of `block2a_dwconv`,
/// and at depth 1 `block2a`; `block_12` of `block_12_expand`.
fn prefix(name: &str, depth: usize) -> Option<String> {
    let mut parts = name.split('_');
    let (first, second) = (parts.next()?, parts.next());
    let number = |part: &str, word: &str| {
        let rest = part.strip_prefix(word)?;
        let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
        (digits > 0).then(|| (rest[..digits].to_owned(), rest[digits..].to_owned()))
    };
    if let (Some((stage, rest)), Some(block)) = (number(first, "conv"), second)
        && rest.is_empty()
        && block.starts_with("block")
    {
        return Some(if depth == 0 { format!("conv{stage}") } else { format!("conv{stage}_{block}") });
    }
    if let Some((stage, rest)) = number(first, "block") {
        second?;
        return match (depth, rest.is_empty()) {
            (0, _) => Some(format!("block{stage}")),
            (1, false) => Some(first.to_owned()),
            // `block35_7_conv`: the seventh of its kind.
            (1, true) => {
                second.filter(|part| part.bytes().all(|b| b.is_ascii_digit())).map(|nth| format!("{first}_{nth}"))
            }
            _ => None,
        };
    }
    let second = second.filter(|part| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit()))?;
    (first == "block" && depth == 0 && parts.next().is_some()).then(|| format!("block_{second}"))
}

/// Of each layer the size of its map, as Keras prints it: `(None, 62, 62, 32)`; the rest is the head.
fn sizes(layers: &[&LayerInfo]) -> Vec<Option<String>> {
    let size = |layer: &LayerInfo| {
        let mut sides = layer.output.trim_matches(['(', ')']).split(", ").skip(1);
        match (sides.next(), sides.next(), sides.next()) {
            (Some(height), Some(width), Some(_)) => format!("{height}×{width}"),
            _ => "head".to_owned(),
        }
    };
    layers.iter().map(|layer| Some(size(layer))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn network(layers: &[(&str, &str)]) -> Vec<LayerInfo> {
        let layer = |(name, output): &(&str, &str)| LayerInfo {
            name: (*name).to_owned(),
            kind: "Conv2D".into(),
            output: (*output).to_owned(),
            parameters: 1,
            feature_map: true,
        };
        layers.iter().map(layer).collect()
    }

    fn told(layers: &[(&str, &str)]) -> Vec<String> {
        let tell = |block: Block| format!("{}{} {:?}", "  ".repeat(block.depth), block.name, block.layers);
        let layers = network(layers);
        blocks(&layers.iter().collect::<Vec<_>>()).into_iter().map(tell).collect()
    }

    fn names<'a>(names: &[&'a str]) -> Vec<(&'a str, &'a str)> {
        names.iter().map(|name| (*name, "(None, 8, 8, 4)")).collect()
    }

    #[test]
    fn vggs_blocks_are_in_their_names() {
        let vgg =
            names(&["block1_conv1", "block1_conv2", "block1_pool", "block2_conv1", "block2_pool", "flatten", "fc1"]);
        assert_eq!(told(&vgg), ["block1 0..3", "block2 3..5"]);
    }

    #[test]
    fn resnets_stages_hold_blocks() {
        let resnet = names(&[
            "conv1_conv",
            "conv2_block1_1_conv",
            "conv2_block1_out",
            "conv2_block2_1_conv",
            "conv2_block2_out",
            "conv3_block1_1_conv",
            "conv3_block1_out",
            "avg_pool",
        ]);
        assert_eq!(
            told(&resnet),
            ["conv2 1..5", "  conv2_block1 1..3", "  conv2_block2 3..5", "conv3 5..7"],
            "a stage of one block is that block"
        );
    }

    #[test]
    fn mobilenets_and_efficientnets_blocks_have_numbers_of_their_own() {
        assert_eq!(
            told(&names(&["block_1_expand", "block_1_add", "block_12_expand", "block_12_add"])),
            ["block_1 0..2", "block_12 2..4"]
        );
        let lite = names(&["block2a_dwconv", "block2a_bn", "block2b_dwconv", "block2b_bn"]);
        assert_eq!(told(&lite), ["block2 0..4", "  block2a 0..2", "  block2b 2..4"]);
        let inception = names(&["block35_1_conv", "block35_1_mixed", "block35_2_conv", "block35_2_mixed"]);
        assert_eq!(told(&inception), ["block35 0..4", "  block35_1 0..2", "  block35_2 2..4"]);
    }

    #[test]
    fn without_names_the_size_of_maps_decides_and_a_few_layers_need_no_blocks() {
        let few = names(&["conv2d", "max_pooling2d", "conv2d_1", "dense"]);
        assert_eq!(told(&few), [""; 0]);
        let mut many: Vec<(&str, &str)> = vec![("conv2d", "(None, 62, 62, 32)"); 9];
        many.extend(vec![("conv2d", "(None, 31, 31, 64)"); 5]);
        many.extend([("flatten", "(None, 512)"), ("dense", "(None, 10)")]);
        assert_eq!(told(&many), ["62×62 0..9", "31×31 9..14", "head 14..16"]);
    }
}
