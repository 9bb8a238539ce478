//! `frostline explain check`: explanations against what is known of the embedded drawings, as a table.

use std::fmt::Write as _;

use clap::{Args, builder::PossibleValuesParser};

use super::{Network, unexpected};
use crate::{
    cli::{Exit, output::Output},
    command::Method,
    error::Result,
    event::explain::{Answer, Scored},
};

#[derive(Args, Debug)]
pub struct CheckArgs {
    #[command(flatten)]
    network: Network,
    /// Drawings of the test split to look at
    #[arg(long, value_name = "N", default_value_t = 100, value_parser = clap::value_parser!(u32).range(1..=100_000))]
    count: u32,
    /// Check these methods only
    #[arg(long = "method", value_name = "METHOD", num_args = 1.., value_delimiter = ',', value_parser = PossibleValuesParser::new(Method::ALL.map(Method::name)))]
    methods: Vec<String>,
    /// Print the figures, one JSON object a method and network
    #[arg(long)]
    json: bool,
}

pub fn run(args: &CheckArgs, out: &mut Output) -> Result<Exit> {
    let mut what = vec!["check".into(), "--count".into(), args.count.to_string().into()];
    what.extend(args.methods.iter().flat_map(|method| ["--method".into(), method.into()]));
    let mut all = Vec::new();
    let exit = args.network.ask(what, |answer| {
        let Answer::Scored(scored) = answer else { return Err(unexpected(&answer)) };
        if args.json {
            out.json(&scored)?;
        }
        all.push(scored);
        Ok(())
    })?;
    if !args.json && !all.is_empty() {
        out.line(table(&all).trim_end())?;
    }
    Ok(exit)
}

/// In Markdown: a row a method, the untrained network's figures in brackets.
fn table(all: &[Scored]) -> String {
    let of = |trained: bool| all.iter().filter(move |scored| scored.trained == trained);
    let mut text = String::new();
    for (word, trained) in [("trained", true), ("untrained", false)] {
        if let Some(any) = of(trained).next() {
            let _ = writeln!(
                text,
                "{} drawings, {word} network: {:.1} % named right; {:.1} % of the pixels tell the species apart; at {}.",
                any.images,
                any.accuracy * 100.0,
                any.chance * 100.0,
                any.layer
            );
        }
    }
    text.push_str("\n| Method | Pointing game % | Energy inside % | Deletion | Insertion | Empty | Likeness |\n|---|---|---|---|---|---|---|\n");
    for trained in of(true) {
        let other = of(false).find(|scored| scored.method == trained.method);
        let both = |figure: &dyn Fn(&Scored) -> String| {
            let before = other.map_or_else(String::new, |other| format!(" ({})", figure(other)));
            format!("{}{before}", figure(trained))
        };
        let share = |value: f64| format!("{:.1}", value * 100.0);
        let _ = writeln!(
            text,
            "| {} | {} | {} | {} | {} | {} | {} |",
            trained.method.title(),
            both(&|scored| share(scored.pointing)),
            both(&|scored| share(scored.energy)),
            both(&|scored| format!("{:.3}", scored.deletion)),
            both(&|scored| format!("{:.3}", scored.insertion)),
            both(&|scored| scored.empty.to_string()),
            trained.likeness.map_or_else(|| "-".to_owned(), |likeness| format!("{likeness:.2}")),
        );
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_untrained_figures_stand_in_brackets() {
        let scored = |trained, pointing| Scored {
            method: Method::GradCam,
            trained,
            layer: "conv2d_3".into(),
            images: 100,
            accuracy: 0.96,
            chance: 0.082,
            pointing,
            energy: 0.5,
            deletion: 0.25,
            insertion: 0.75,
            empty: 1,
            likeness: trained.then_some(0.125),
        };
        let text = table(&[scored(false, 0.1), scored(true, 0.9)]);
        let row = text.lines().last();
        assert_eq!(
            row,
            Some("| Grad-CAM | 90.0 (10.0) | 50.0 (50.0) | 0.250 (0.250) | 0.750 (0.750) | 1 (1) | 0.12 |")
        );
        assert!(text.starts_with("100 drawings, trained network: 96.0 % named right; 8.2 % of the pixels"), "{text}");
    }
}
