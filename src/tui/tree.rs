//! The layers as a tree that folds: which rows there are, and where the cursor goes. A folded block stands for all its layers; the cursor then
//! is on its first.

use std::{collections::HashSet, ops::Range};

use super::{
    model::{Model, Tone},
    page::Page,
    update::Effect,
};
use crate::state::Block;

/// Of networks with more layers, blocks are folded to begin with.
const MANY: usize = 40;

/// Names of blocks that a person has folded or unfolded.
#[derive(Clone, Debug, Default)]
pub struct Folds(HashSet<String>);

/// A row of the tree.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Row {
    Block {
        block: Block,
        folded: bool,
    },
    Layer {
        at: usize,
        /// Blocks around it.
        depth: usize,
    },
    /// What is above it is frozen.
    FrostLine,
}

impl Model {
    /// Whether a step went wrong in it, and not long ago.
    pub fn suspects_row(&self, row: &Row) -> bool {
        let layer = match row {
            Row::Layer { at, .. } => self.run.layers.get(*at),
            _ => None,
        };
        layer.is_some_and(|layer| self.suspects(&layer.info.name))
    }

    fn is_folded(&self, block: &Block) -> bool {
        (self.run.layers.len() > MANY) != self.view.folds.0.contains(&block.name)
    }

    /// From the top.
    pub fn tree(&self) -> Vec<Row> {
        let line = self.run.frost_line();
        let mut rows = Vec::new();
        let mut open: Vec<Block> = Vec::new();
        let mut blocks = self.run.blocks().into_iter().peekable();
        let mut at = 0;
        while at < self.run.layers.len() {
            open.retain(|block| block.layers.contains(&at));
            let begun = at;
            while let Some(block) = blocks.next_if(|block| block.layers.start <= at) {
                // What lies in a folded block has no row.
                if block.layers.start < at {
                    continue;
                }
                let folded = self.is_folded(&block);
                rows.push(Row::Block { block: block.clone(), folded });
                if folded {
                    at = block.layers.end;
                    break;
                }
                open.push(block);
            }
            if at == begun {
                rows.push(Row::Layer { at, depth: open.len() });
                at += 1;
            }
            if line > 0 && (begun + 1..=at).contains(&line) {
                rows.push(Row::FrostLine);
            }
        }
        rows
    }

    /// The row that the cursor is on.
    pub fn tree_cursor(&self, rows: &[Row]) -> usize {
        let cursor = self.view.cursor;
        let has = |row: &Row| match row {
            Row::Block { block, folded: true } => block.layers.contains(&cursor),
            Row::Layer { at, .. } => *at == cursor,
            _ => false,
        };
        rows.iter().position(has).unwrap_or(0)
    }

    /// The layers that a key speaks of: the one under the cursor, or all of a folded block.
    pub fn chosen_layers(&self) -> Range<usize> {
        let one = self.view.cursor..(self.view.cursor + 1).min(self.run.layers.len());
        if self.view.page != Page::Layers {
            return one;
        }
        let rows = self.tree();
        match rows.get(self.tree_cursor(&rows)) {
            Some(Row::Block { block, .. }) => block.layers.clone(),
            _ => one,
        }
    }
}

/// So many rows down, past those that are no layers.
pub fn step(model: &mut Model, by: isize) {
    let rows = model.tree();
    let stops: Vec<usize> = rows
        .iter()
        .filter_map(|row| match row {
            Row::Block { block, folded: true } => Some(block.layers.start),
            Row::Layer { at, .. } => Some(*at),
            _ => None,
        })
        .collect();
    let Some(last) = stops.len().checked_sub(1) else { return };
    let now = stops.partition_point(|stop| *stop <= model.view.cursor).saturating_sub(1) as isize;
    model.view.cursor = stops[now.saturating_add(by).clamp(0, last as isize) as usize];
}

/// Folds the innermost block around the cursor, or unfolds the one that it is on.
pub fn fold(model: &mut Model) -> Vec<Effect> {
    let cursor = model.view.cursor;
    let around: Vec<Block> = model.run.blocks().into_iter().filter(|block| block.layers.contains(&cursor)).collect();
    let folded = around.iter().find(|block| model.is_folded(block));
    match folded.or(around.last()).cloned() {
        Some(block) => toggle(model, &block),
        None => model.notify(Tone::Plain, "this layer is in no block"),
    }
    Vec::new()
}

pub fn toggle(model: &mut Model, block: &Block) {
    let toggled = &mut model.view.folds.0;
    if !toggled.remove(&block.name) {
        toggled.insert(block.name.clone());
    }
    if model.is_folded(block) && block.layers.contains(&model.view.cursor) {
        model.view.cursor = block.layers.start;
    }
}

/// All of them, or none.
pub fn fold_all(model: &mut Model) -> Vec<Effect> {
    let blocks = model.run.blocks();
    let any_open = blocks.iter().any(|block| !model.is_folded(block));
    for block in blocks {
        if model.is_folded(&block) != any_open {
            toggle(model, &block);
        }
    }
    step(model, 0);
    Vec::new()
}
