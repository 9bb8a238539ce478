//! The cheapest way to cut a directed graph in two between a source and a sink, by shortest augmenting paths (Edmonds and Karp 1972).
//! Pure: numbers in, a side for each node out.

use std::collections::VecDeque;

/// The capacity of what must not be cut. Sums of finite ones stay below.
pub const UNCUT: u64 = u64::MAX / 4;

#[derive(Default)]
pub struct Graph {
    /// Of each node, the positions in `edges` of those that leave it.
    leaving: Vec<Vec<usize>>,
    /// In pairs: an edge, and its reverse.
    edges: Vec<Edge>,
}

struct Edge {
    to: usize,
    /// What may still flow.
    left: u64,
}

impl Graph {
    pub fn node(&mut self) -> usize {
        self.leaving.push(Vec::new());
        self.leaving.len() - 1
    }

    /// `cost` is paid if `from` comes to lie on the source's side and `to` on the sink's.
    pub fn edge(&mut self, from: usize, to: usize, cost: u64) {
        self.leaving[from].push(self.edges.len());
        self.edges.push(Edge { to, left: cost.min(UNCUT) });
        self.leaving[to].push(self.edges.len());
        self.edges.push(Edge { to: from, left: 0 });
    }

    /// For each node whether it lies on the source's side in the cheapest cut; of several cuts that cost the same, in the one
    /// nearest to the sink.
    pub fn cut(mut self, source: usize, sink: usize) -> Vec<bool> {
        while let Some(path) = self.path(source, sink) {
            let flow = path.iter().map(|&edge| self.edges[edge].left).min().unwrap_or(0);
            for edge in path {
                self.edges[edge].left -= flow;
                self.edges[edge ^ 1].left = self.edges[edge ^ 1].left.saturating_add(flow);
            }
        }
        // Whatever can still reach the sink lies on its side.
        let mut on_source_side = vec![true; self.leaving.len()];
        on_source_side[sink] = false;
        let mut next = vec![sink];
        while let Some(node) = next.pop() {
            for &edge in &self.leaving[node] {
                let from = self.edges[edge].to;
                if self.edges[edge ^ 1].left > 0 && on_source_side[from] {
                    on_source_side[from] = false;
                    next.push(from);
                }
            }
        }
        on_source_side
    }

    /// The edges of a shortest path on which something may flow.
    fn path(&self, source: usize, sink: usize) -> Option<Vec<usize>> {
        let mut by: Vec<Option<usize>> = vec![None; self.leaving.len()];
        let mut queue = VecDeque::from([source]);
        while let Some(node) = queue.pop_front() {
            for &edge in &self.leaving[node] {
                let Edge { to, left } = self.edges[edge];
                if left > 0 && to != source && by[to].is_none() {
                    by[to] = Some(edge);
                    queue.push_back(to);
                }
            }
        }
        let mut path = vec![by[sink]?];
        while let Some(edge) = path.last().and_then(|&edge| by[self.edges[edge ^ 1].to]) {
            path.push(edge);
        }
        Some(path)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sides(nodes: usize, edges: &[(usize, usize, u64)]) -> Vec<bool> {
        let mut graph = Graph::default();
        for _ in 0..nodes {
            graph.node();
        }
        for &(from, to, cost) in edges {
            graph.edge(from, to, cost);
        }
        graph.cut(0, nodes - 1)
    }

    /// Cormen, Leiserson, Rivest and Stein, "Introduction to Algorithms", 3rd edition, figure 26.6: the cut is {s, v1, v2, v4}.
    #[test]
    fn a_textbooks_network_is_cut_where_the_textbook_says() {
        let edges =
            [(0, 1, 16), (0, 2, 13), (1, 3, 12), (2, 1, 4), (2, 4, 14), (3, 2, 9), (3, 5, 20), (4, 3, 7), (4, 5, 4)];
        assert_eq!(sides(6, &edges), [true, true, true, false, true, false]);
    }

    #[test]
    fn of_two_cheapest_cuts_the_one_nearer_to_the_sink_is_taken() {
        assert_eq!(sides(4, &[(0, 1, 5), (1, 2, 5), (2, 3, 5)]), [true, true, true, false]);
        assert_eq!(sides(4, &[(0, 1, 5), (1, 2, 4), (2, 3, 5)]), [true, true, false, false]);
    }

    #[test]
    fn what_must_not_be_cut_is_not() {
        assert_eq!(sides(3, &[(0, 1, 7), (1, 2, UNCUT)]), [true, false, false]);
        assert_eq!(sides(3, &[(0, 1, UNCUT), (1, 2, 1 << 40)]), [true, true, false]);
    }
}
