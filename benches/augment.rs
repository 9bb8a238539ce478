//! What one varied picture costs.
fn main() {}
