//! The graph of a model that Keras saved, models inside of it included, as one list of layers in an order in which they can be computed;
//! and for each layer where the file keeps its weights.

use std::collections::{BTreeSet, HashMap, HashSet};

use serde_json::Value;

use super::{
    Problem,
    layer::{Meaning, translate},
    settings::{Reason, Settings},
};
use crate::config::Layer;

/// Models in models in models are rare.
const DEEPEST: usize = 16;

/// A layer on its way.
pub(super) struct Draft {
    /// With its name, and without its inputs.
    pub(super) layer: Layer,
    pub(super) reads: Vec<Source>,
    pub(super) axis: i64,
    pub(super) place: Place,
    /// Neither the layer nor a model around it was frozen.
    pub(super) trainable: bool,
    /// The settings that only training would know.
    pub(super) penalties: bool,
}

/// What a layer reads: the image, or another layer by its position in the list.
pub(super) type Source = Option<usize>;

/// Where a layer's weights are.
#[derive(Clone, Debug)]
pub(super) struct Place {
    /// As Keras 3 counts: `functional/conv2d_1`.
    pub(super) counted: String,
    /// The names of the models around it, the outermost first, and its own.
    pub(super) path: Vec<String>,
}

#[derive(Default)]
pub(super) struct Walk {
    pub(super) layers: Vec<Draft>,
    /// What was left out, as `name (Class)`.
    pub(super) left_out: Vec<String>,
    taken: HashSet<String>,
}

/// What is around the layers of one model.
struct Around {
    counted: String,
    path: Vec<String>,
    trainable: bool,
}

/// One entry in a model's list of layers.
struct Entry<'a> {
    class: &'a str,
    name: &'a str,
    config: &'a Value,
    counted: String,
    value: &'a Value,
}

impl Walk {
    /// Adds a whole model's layers.
    pub(super) fn of(model: &Value) -> Result<Self, Problem> {
        let mut walk = Self::default();
        let class = Settings(model).text("class_name").unwrap_or_default();
        let around = Around { counted: String::new(), path: Vec::new(), trainable: true };
        let config = model.get("config").unwrap_or(&Value::Null);
        if !matches!(translate(class, &Value::Null), Ok(Meaning::Model)) {
            let text = format!("it is of the class {class:?}, whose layers are in a program and not in the file");
            return Err(Problem::Model(text));
        }
        let output = walk.model(class, config, None, &around)?;
        match output {
            Some(last) if last + 1 == walk.layers.len() => Ok(walk),
            Some(last) => {
                let name = walk.layers[last].layer.name.clone().unwrap_or_default();
                Err(Problem::Model(format!("layers read its output, \"{name}\"")))
            }
            None => Err(Problem::Model("it has no layers that compute anything".into())),
        }
    }

    fn model(&mut self, class: &str, config: &Value, input: Source, around: &Around) -> Result<Source, Problem> {
        if around.path.len() > DEEPEST {
            return Err(Problem::Model("its models are nested too deep".into()));
        }
        if class == "Sequential" {
            return self.sequential(&entries(config, around)?, input, around);
        }
        self.functional(config, &entries(config, around)?, input, around)
    }

    fn sequential(&mut self, entries: &[Entry<'_>], input: Source, around: &Around) -> Result<Source, Problem> {
        entries.iter().try_fold(input, |reads, entry| self.layer(entry, vec![reads], around))
    }

    fn functional(
        &mut self,
        config: &Value,
        entries: &[Entry<'_>],
        input: Source,
        around: &Around,
    ) -> Result<Source, Problem> {
        single(config, "input_layers", "takes")?;
        let output = single(config, "output_layers", "gives")?;
        let positions: HashMap<&str, usize> = entries.iter().enumerate().map(|(at, entry)| (entry.name, at)).collect();
        let mut reads: Vec<Vec<usize>> = Vec::with_capacity(entries.len());
        for entry in entries {
            let fail = |reason| entry.problem(reason);
            let names = inbound(entry.value).map_err(fail)?;
            let find = |name: String| {
                positions
                    .get(name.as_str())
                    .copied()
                    .ok_or_else(|| fail(format!("it reads \"{name}\", which is not there")))
            };
            reads.push(names.into_iter().map(find).collect::<Result<_, _>>()?);
        }
        let mut values: Vec<Source> = vec![None; entries.len()];
        for at in in_order(&reads)? {
            let entry = &entries[at];
            values[at] = if entry.class == "InputLayer" {
                input
            } else {
                self.layer(entry, reads[at].iter().map(|&read| values[read]).collect(), around)?
            };
        }
        let known = || Problem::Model(format!("its output is \"{output}\", which is none of its layers"));
        positions.get(output.as_str()).map(|&at| values[at]).ok_or_else(known)
    }

    /// Adds one layer, or all of those of a model that stands as one; the output comes back.
    fn layer(&mut self, entry: &Entry<'_>, reads: Vec<Source>, around: &Around) -> Result<Source, Problem> {
        let trainable = around.trainable && entry.config.get("trainable").and_then(Value::as_bool).unwrap_or(true);
        let meaning = translate(entry.class, entry.config).map_err(|reason| entry.problem(reason))?;
        let (mut layer, axis) = match (meaning, &reads[..]) {
            (Meaning::Layer { layer, axis }, _) => (layer, axis),
            (Meaning::Input, &[read]) => return Ok(read),
            (Meaning::Nothing, &[read]) => {
                self.left_out.push(format!("{} ({})", entry.name, entry.class));
                return Ok(read);
            }
            (Meaning::Model, &[read]) => {
                let path = around.path.iter().cloned().chain([entry.name.to_owned()]).collect();
                let around = Around { counted: format!("{}/", entry.counted), path, trainable };
                return self.model(entry.class, entry.config, read, &around);
            }
            _ => return Err(entry.problem(format!("it reads {} layers", reads.len()))),
        };
        if matches!(entry.class, "Add" | "Concatenate") && reads.len() < 2 {
            return Err(entry.problem("it reads one layer and something that is not a layer".into()));
        }
        layer.name = Some(self.settle(entry.name, &around.path));
        let path = around.path.iter().cloned().chain([entry.name.to_owned()]).collect();
        let place = Place { counted: entry.counted.clone(), path };
        let penalties = entry.config.as_object().is_some_and(|config| {
            let named = |key: &str| key.ends_with("_regularizer") || key.ends_with("_constraint");
            config.iter().any(|(key, value)| named(key) && !value.is_null())
        });
        self.layers.push(Draft { layer: *layer, reads, axis, place, trainable, penalties });
        Ok(Some(self.layers.len() - 1))
    }

    /// A name that a configuration may have: Keras's own, behind those of the models around it where another layer has it.
    fn settle(&mut self, name: &str, path: &[String]) -> String {
        let clean = |name: &str| -> String {
            name.chars().map(|c| if c.is_whitespace() || c.is_control() { '_' } else { c }).collect()
        };
        let mut settled = clean(name);
        for outer in path.iter().rev() {
            if self.is_free(&settled) {
                break;
            }
            settled = format!("{}_{settled}", clean(outer));
        }
        while !self.is_free(&settled) {
            settled.push('_');
        }
        self.taken.insert(settled.clone());
        settled
    }

    fn is_free(&self, name: &str) -> bool {
        !name.is_empty() && name != crate::arch::INPUT && !self.taken.contains(name)
    }
}

impl Entry<'_> {
    fn problem(&self, reason: Reason) -> Problem {
        Problem::Layer { layer: self.name.to_owned(), class: self.class.to_owned(), reason }
    }
}

/// The layers of a model, which old versions list without a name around them.
fn entries<'a>(config: &'a Value, around: &Around) -> Result<Vec<Entry<'a>>, Problem> {
    let list = config.get("layers").unwrap_or(config);
    let list = list.as_array().ok_or_else(|| Problem::Model("its description has no list of layers".into()))?;
    let mut counts: HashMap<String, usize> = HashMap::new();
    let mut names = HashSet::new();
    list.iter()
        .map(|value| {
            let config = value.get("config").unwrap_or(&Value::Null);
            let class = Settings(value).text("class_name").unwrap_or_default();
            let name = Settings(value).text("name").or(Settings(config).text("name")).unwrap_or_default();
            if class.is_empty() || !names.insert(name) {
                return Err(Problem::Model(format!(
                    "its description has no class or no name of its own for \"{name}\""
                )));
            }
            let stem = snake(class);
            let count = counts.entry(stem.clone()).or_insert(0);
            let counted = if *count == 0 { stem } else { format!("{stem}_{count}") };
            *count += 1;
            Ok(Entry { class, name, config, counted: format!("{}{counted}", around.counted), value })
        })
        .collect()
}

/// `naming.to_snake_case`: a low line before a capital that small letters follow, and between a small letter and a capital.
fn snake(class: &str) -> String {
    let letters: Vec<char> = class.chars().filter(|c| c.is_alphanumeric() || *c == '_').collect();
    let mut snake = String::new();
    for (at, &letter) in letters.iter().enumerate() {
        let next_is_small = letters.get(at + 1).is_some_and(char::is_ascii_lowercase);
        let after_small = at > 0 && letters[at - 1].is_ascii_lowercase();
        if letter.is_ascii_uppercase() && at > 0 && (next_is_small || after_small) {
            snake.push('_');
        }
        snake.extend(letter.to_lowercase());
    }
    snake
}

/// The one name under `key`: `[["dense", 0, 0]]`, or `["dense", 0, 0]`.
fn single(config: &Value, key: &str, verb: &str) -> Result<String, Problem> {
    let mut names = Vec::new();
    let found = config.get(key).map_or(Ok(()), |value| histories(value, &mut names));
    found.map_err(|reason| Problem::Model(format!("{key}: {reason}")))?;
    match names.len() {
        1 => Ok(names.swap_remove(0)),
        count => Err(Problem::Model(format!("it {verb} {count} tensors; one is understood"))),
    }
}

/// The names of the layers that an entry's one call reads.
fn inbound(entry: &Value) -> Result<Vec<String>, Reason> {
    let calls = entry.get("inbound_nodes").and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
    let mut names = Vec::new();
    match calls {
        [] => {}
        [call] => histories(call, &mut names)?,
        calls => return Err(format!("it is used {} times with the same weights", calls.len())),
    }
    Ok(names)
}

/// The layers in what Keras keeps of a call: `["conv2d", 0, 0, {}]` of version 2, `"keras_history": ["conv2d", 0, 0]` of version 3.
fn histories(value: &Value, names: &mut Vec<String>) -> Result<(), Reason> {
    match value {
        Value::Array(items) => match &items[..] {
            [Value::String(name), Value::Number(_), Value::Number(tensor), ..] => {
                if tensor.as_u64() != Some(0) {
                    return Err(format!("of the tensors of \"{name}\" not the first is read"));
                }
                names.push(name.clone());
                Ok(())
            }
            items => items.iter().try_for_each(|item| histories(item, names)),
        },
        Value::Object(fields) => fields.values().try_for_each(|field| histories(field, names)),
        _ => Ok(()),
    }
}

/// Positions in an order in which everything is there before it is read, the file's own as far as that goes.
fn in_order(reads: &[Vec<usize>]) -> Result<Vec<usize>, Problem> {
    let mut waits: Vec<usize> = reads.iter().map(Vec::len).collect();
    let mut readers = vec![Vec::new(); reads.len()];
    for (at, read) in reads.iter().enumerate() {
        for &read in read {
            readers[read].push(at);
        }
    }
    let mut ready: BTreeSet<usize> = (0..reads.len()).filter(|&at| waits[at] == 0).collect();
    let mut order = Vec::with_capacity(reads.len());
    while let Some(at) = ready.pop_first() {
        order.push(at);
        for &reader in &readers[at] {
            waits[reader] -= 1;
            if waits[reader] == 0 {
                ready.insert(reader);
            }
        }
    }
    if order.len() == reads.len() {
        Ok(order)
    } else {
        Err(Problem::Model("its layers read each other in a circle".into()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `keras.src.utils.naming.to_snake_case`.
    #[test]
    fn classes_are_counted_under_keras_words() {
        let words =
            ["Conv2D", "SeparableConv2D", "BatchNormalization", "ReLU", "MaxPooling2D", "Functional", "ZeroPadding2D"];
        let wanted = [
            "conv2d",
            "separable_conv2d",
            "batch_normalization",
            "re_lu",
            "max_pooling2d",
            "functional",
            "zero_padding2d",
        ];
        assert_eq!(words.map(snake), wanted.map(str::to_owned));
    }

    #[test]
    fn layers_come_after_what_they_read() {
        assert_eq!(in_order(&[vec![2], vec![], vec![1]]).ok(), Some(vec![1, 2, 0]));
        assert!(in_order(&[vec![1], vec![0]]).is_err());
    }
}
