//! What stands in the configuration that Keras saves of a layer, by key, with the reason where it is not what Frostline can say.

use serde_json::Value;

use crate::{
    arch::{Activation, Padding},
    config::{Pair, Sides},
};

/// What keeps a layer from being taken over.
pub(super) type Reason = String;

#[derive(Clone, Copy)]
pub(super) struct Settings<'a>(pub(super) &'a Value);

impl<'a> Settings<'a> {
    /// `None` where the key is missing or null, which is Keras's default.
    pub(super) fn get(self, key: &str) -> Option<&'a Value> {
        self.0.get(key).filter(|value| !value.is_null())
    }

    pub(super) fn text(self, key: &str) -> Option<&'a str> {
        self.get(key)?.as_str()
    }

    pub(super) fn flag(self, key: &str) -> Result<Option<bool>, Reason> {
        self.read(key, "true or false", Value::as_bool)
    }

    pub(super) fn count(self, key: &str) -> Result<Option<usize>, Reason> {
        self.read(key, "a whole number", whole)
    }

    pub(super) fn needed_count(self, key: &str) -> Result<usize, Reason> {
        self.count(key)?.ok_or_else(|| format!("it has no {key}"))
    }

    pub(super) fn number(self, key: &str) -> Result<Option<f64>, Reason> {
        self.read(key, "a number", Value::as_f64)
    }

    /// One number, or height and width.
    pub(super) fn pair(self, key: &str) -> Result<Option<Pair>, Reason> {
        self.read(key, "one or two whole numbers", |value| match value {
            Value::Array(sides) => match sides.iter().map(whole).collect::<Option<Vec<_>>>()?[..] {
                [height, width] if height == width => Some(Pair::Square(height)),
                [height, width] => Some(Pair::Sides([height, width])),
                _ => None,
            },
            value => Some(Pair::Square(whole(value)?)),
        })
    }

    /// `((top, bottom), (left, right))`.
    pub(super) fn sides(self, key: &str) -> Result<Option<Sides>, Reason> {
        self.read(key, "rows and columns", |value| {
            let axis = |value: &Value| match value {
                Value::Array(ends) => match ends.iter().map(whole).collect::<Option<Vec<_>>>()?[..] {
                    [before, after] => Some([before, after]),
                    _ => None,
                },
                value => whole(value).map(|both| [both; 2]),
            };
            let [rows, columns] = match value {
                Value::Array(axes) => match &axes[..] {
                    [rows, columns] => [axis(rows)?, axis(columns)?],
                    _ => return None,
                },
                value => [axis(value)?; 2],
            };
            let all = [rows[0], rows[1], columns[0], columns[1]];
            Some(if all == [all[0]; 4] { Sides::All(all[0]) } else { Sides::Each(all) })
        })
    }

    pub(super) fn padding(self) -> Result<Option<Padding>, Reason> {
        match self.text("padding") {
            None => Ok(None),
            Some("valid") => Ok(Some(Padding::Valid)),
            Some("same") => Ok(Some(Padding::Same)),
            Some(other) => Err(format!("padding = \"{other}\"")),
        }
    }

    /// `None` is Keras's linear.
    pub(super) fn activation(self, key: &str) -> Result<Option<Activation>, Reason> {
        let Some(value) = self.get(key) else { return Ok(None) };
        // A layer or a function may stand there as an object of its own.
        let name = value.as_str().or_else(|| value.get("config").and_then(Value::as_str));
        let name = name.ok_or_else(|| format!("an {key} that is not one of Keras's functions by name"))?;
        Ok(Some(match name {
            "linear" => Activation::Linear,
            "relu" => Activation::Relu,
            "relu6" => Activation::Relu6,
            "leaky_relu" => Activation::LeakyRelu,
            "elu" => Activation::Elu,
            "silu" | "swish" => Activation::Silu,
            "gelu" => Activation::Gelu,
            "tanh" => Activation::Tanh,
            "sigmoid" => Activation::Sigmoid,
            "softmax" => Activation::Softmax,
            other => return Err(format!("{key} = \"{other}\"")),
        }))
    }

    /// Channels last, as Keras has it unless it is told otherwise.
    pub(super) fn check_format(self) -> Result<(), Reason> {
        match self.text("data_format") {
            None | Some("channels_last") => Ok(()),
            Some(other) => Err(format!("data_format = \"{other}\"")),
        }
    }

    /// A number of an axis, counted with the batch's; −1, the last one, if it is left out.
    pub(super) fn axis(self) -> Result<i64, Reason> {
        self.read("axis", "one axis", |value| match value {
            Value::Array(axes) if axes.len() == 1 => axes[0].as_i64(),
            value => value.as_i64(),
        })
        .map(|axis| axis.unwrap_or(-1))
    }

    /// A key that has to have its default, since nothing here stands for another value.
    pub(super) fn refuse(self, key: &str, is_usual: impl Fn(&Value) -> bool) -> Result<(), Reason> {
        match self.get(key) {
            Some(value) if !is_usual(value) => Err(format!("{key} = {value}")),
            _ => Ok(()),
        }
    }

    fn read<T>(self, key: &str, what: &str, read: impl Fn(&'a Value) -> Option<T>) -> Result<Option<T>, Reason> {
        let Some(value) = self.get(key) else { return Ok(None) };
        read(value).map(Some).ok_or_else(|| format!("{key} = {value}, which is not {what}"))
    }
}

fn whole(value: &Value) -> Option<usize> {
    usize::try_from(value.as_u64()?).ok()
}
