//! The folder `config/`: every file loads, and the reference names every key with its default.

use std::{collections::BTreeSet, fs, path::PathBuf};

use frostline::{config::Config, plan::Plan};

fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("config")
}

fn reference() -> String {
    fs::read_to_string(folder().join("reference.toml")).unwrap()
}

fn parse(text: &str) -> Result<Config, frostline::config::ConfigError> {
    Config::parse(text, "reference.toml".as_ref(), &[])
}

/// The first part is what has no default.
fn without_defaults(reference: &str) -> String {
    let model = &reference[reference.find("[model]").unwrap()..reference.find("[train]").unwrap()];
    format!(
        "name = \"reference\"\n[data]\nsource = \"critters\"\ntrain = 2000\nvalidation = 1000\ntest = 1000\n{model}"
    )
}

#[test]
fn every_file_in_config_is_a_plan() {
    let mut seen = 0;
    for entry in fs::read_dir(folder()).unwrap() {
        let path = entry.unwrap().path();
        // That one is the dashboard's.
        if path.extension().is_none_or(|ending| ending != "toml") || path.ends_with("ui.toml") {
            continue;
        }
        seen += 1;
        Plan::load(&path, &[]).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    }
    assert!(seen >= 12, "only {seen} configurations");
}

#[test]
fn the_reference_stands_for_the_defaults() {
    assert_eq!(parse(&reference()).unwrap(), parse(&without_defaults(&reference())).unwrap());
}

/// The keys that serde expects are taken from its own complaint about one that it does not know.
#[test]
fn the_reference_names_every_key() {
    let text = reference();
    let words: BTreeSet<&str> = text.split(|c: char| !(c.is_ascii_alphanumeric() || c == '_')).collect();
    let schedule = |kind: &str| text.replace("kind = \"constant\"\n", &format!("kind = \"{kind}\"\nalien = 1\n"));
    let optimizer = |kind: &str| {
        let optimizer = &text[text.find("[train.optimizer]").unwrap()..text.find("[train.schedule]").unwrap()];
        text.replace(optimizer, &format!("[train.optimizer]\nkind = \"{kind}\"\nalien = 1\n"))
    };
    let mut broken = vec![format!("alien = 1\n{text}")];
    for table in ["[data]", "[data.augment]", "[model]", "[train]", "[notify]", "[engine]"] {
        broken.push(text.replace(&format!("\n{table}"), &format!("\n{table}\nalien = 1\n#")));
    }
    broken.push(text.replace("\n[train]", "\n[model.base]\narchitecture = \"vgg16\"\nalien = 1\n[train]"));
    broken.push(text.replace("\n[engine]", "\n[train.early_stopping]\nalien = 1\n[engine]"));
    for phase in ["alien = 1", "groups = [{ layers = \"all\", alien = 1 }]"] {
        broken.push(text.replace("\n[engine]", &format!("\n[[phase]]\n{phase}\n[engine]")));
    }
    broken.push(text.replace("rate = 0.5 }", "alien = 0.5 }"));
    broken.extend(["constant", "step", "cosine", "reduce_on_plateau"].map(schedule));
    broken.extend(["sgd", "rmsprop", "adam", "adamw"].map(optimizer));
    for text in broken {
        let message = parse(&text).unwrap_err().to_string();
        let complaint = message.lines().next().unwrap();
        let (_, expected) =
            complaint.split_once("unknown field `alien`, expected ").unwrap_or_else(|| panic!("{message}"));
        for key in expected.split('`').skip(1).step_by(2) {
            assert!(words.contains(key), "config/reference.toml does not mention `{key}` ({complaint})");
        }
    }
}
