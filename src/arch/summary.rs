//! The table that Keras's `model.summary()` prints, with FLOPs beside it.

use std::fmt::Write as _;

use super::{Arch, Source};

/// Layer, type, output shape, parameters and FLOPs, then the totals. A column "connected to" appears where the graph is not a chain.
pub fn summary(arch: &Arch) -> String {
    let chain = arch
        .layers()
        .iter()
        .enumerate()
        .all(|(index, layer)| layer.inputs == [index.checked_sub(1).map_or(Source::Input, Source::Layer)]);
    let mut header = vec!["Layer (type)", "Output Shape", "Param #", "FLOPs"];
    if !chain {
        header.push("Connected to");
    }
    let mut rows: Vec<Vec<String>> = vec![header.into_iter().map(str::to_owned).collect()];
    for layer in arch.layers() {
        let mut row = vec![
            format!("{} ({})", layer.name, layer.op.kind()),
            layer.output.to_string(),
            grouped(layer.parameter_count()),
            if layer.flops == 0 { "-".to_owned() } else { metric(layer.flops) },
        ];
        if !chain {
            let name = |source: &Source| match *source {
                Source::Input => super::INPUT.to_owned(),
                Source::Layer(index) => arch.layers()[index].name.clone(),
            };
            row.push(layer.inputs.iter().map(name).collect::<Vec<_>>().join(", "));
        }
        rows.push(row);
    }
    let fixed: u64 = arch
        .layers()
        .iter()
        .flat_map(|layer| &layer.parameters)
        .filter(|p| !p.learned)
        .map(super::Parameter::count)
        .sum();
    let total = arch.parameter_count();
    let mut text = format!("Model: \"{}\", input {}\n", arch.name(), arch.input());
    text.push_str(&table(&rows));
    let _ = write!(
        text,
        "Total params: {}\nTrainable params: {}\nNon-trainable params: {}\nForward FLOPs: {} an image (2 a multiply-add)\n",
        grouped(total),
        grouped(total - fixed),
        grouped(fixed),
        metric(arch.flops()),
    );
    text
}

/// Left-aligned words, right-aligned numbers.
fn table(rows: &[Vec<String>]) -> String {
    let widths: Vec<usize> = (0..rows[0].len())
        .map(|column| rows.iter().map(|row| row[column].chars().count()).max().unwrap_or(0))
        .collect();
    let rule = "─".repeat(widths.iter().sum::<usize>() + 2 * (widths.len() - 1));
    let mut text = format!("{rule}\n");
    for (index, row) in rows.iter().enumerate() {
        let cells: Vec<String> = row
            .iter()
            .zip(&widths)
            .enumerate()
            .map(
                |(column, (cell, &width))| {
                    if matches!(column, 2 | 3) { format!("{cell:>width$}") } else { format!("{cell:<width$}") }
                },
            )
            .collect();
        let _ = writeln!(text, "{}", cells.join("  ").trim_end());
        if index == 0 {
            let _ = writeln!(text, "{rule}");
        }
    }
    text.push_str(&rule);
    text.push('\n');
    text
}

/// 3453121 as `3,453,121`.
fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// 471859200 as `471.9 M`.
fn metric(number: u64) -> String {
    const UNITS: [(f64, &str); 4] = [(1e12, "T"), (1e9, "G"), (1e6, "M"), (1e3, "k")];
    let value = number as f64;
    match UNITS.iter().find(|(size, _)| value >= *size) {
        Some((size, unit)) => format!("{:.1} {unit}", value / size),
        None => number.to_string(),
    }
}
