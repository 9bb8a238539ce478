//! From the layers that a user lists to those of a network: Keras's defaults filled in, keys of other types refused.

use super::PlanError;
use crate::{
    arch::{LayerSpec, Op, Padding, Window},
    config::{Layer, LayerKind, Pair, Scale, Sides},
};

pub(super) fn lower(layers: &[Layer]) -> Result<Vec<LayerSpec>, PlanError> {
    layers.iter().enumerate().map(|(index, layer)| lower_one(index, layer)).collect()
}

fn lower_one(index: usize, layer: &Layer) -> Result<LayerSpec, PlanError> {
    let kind = layer.kind.word();
    if let Some(key) = given(layer).into_iter().find(|key| !allowed(layer.kind).contains(&key.as_str())) {
        return Err(PlanError::LayerKeyAlien { index, kind, key });
    }
    let missing = |key| move || PlanError::LayerKeyMissing { index, kind, key };
    let bias = layer.use_bias.unwrap_or(true);
    let activation = layer.activation.unwrap_or_default();
    let multiplier = layer.depth_multiplier.unwrap_or(1);
    let kernel =
        || layer.kernel_size.ok_or_else(missing("kernel_size")).map(|size| window(layer, size, Pair::Square(1)));
    let filters = || layer.filters.ok_or_else(missing("filters"));
    // A pool moves by its own size unless told otherwise.
    let pool = || {
        let size = layer.pool_size.unwrap_or(Pair::Square(2));
        window(layer, size, size)
    };
    let op = match layer.kind {
        LayerKind::Conv2d => {
            Op::Conv2d { filters: filters()?, window: kernel()?, groups: layer.groups.unwrap_or(1), bias, activation }
        }
        LayerKind::DepthwiseConv2d => Op::DepthwiseConv2d { window: kernel()?, multiplier, bias, activation },
        LayerKind::SeparableConv2d => {
            Op::SeparableConv2d { filters: filters()?, window: kernel()?, multiplier, bias, activation }
        }
        LayerKind::Dense => Op::Dense { units: layer.units.ok_or_else(missing("units"))?, bias, activation },
        LayerKind::BatchNormalization => Op::BatchNorm {
            momentum: layer.momentum.unwrap_or(0.99),
            epsilon: layer.epsilon.unwrap_or(1e-3),
            center: layer.center.unwrap_or(true),
            scale: match layer.scale {
                None => true,
                Some(Scale::Learned(learned)) => learned,
                Some(Scale::Factor(_)) => {
                    return Err(PlanError::LayerKeyAlien { index, kind, key: "a number as scale".into() });
                }
            },
        },
        LayerKind::MaxPooling2d => Op::MaxPool2d { window: pool() },
        LayerKind::AveragePooling2d => Op::AveragePool2d { window: pool() },
        LayerKind::GlobalMaxPooling2d => Op::GlobalMaxPool2d,
        LayerKind::GlobalAveragePooling2d => Op::GlobalAveragePool2d,
        LayerKind::Flatten => Op::Flatten,
        LayerKind::Dropout => Op::Dropout { rate: layer.rate.ok_or_else(missing("rate"))? },
        LayerKind::Activation => Op::Activation(layer.activation.ok_or_else(missing("activation"))?),
        LayerKind::Add => Op::Add,
        LayerKind::Concatenate => Op::Concatenate,
        LayerKind::ZeroPadding2d => {
            let [top, bottom, left, right] = match layer.amount.unwrap_or(Sides::All(1)) {
                Sides::All(amount) => [amount; 4],
                Sides::Each(amounts) => amounts,
            };
            Op::ZeroPadding2d { top, bottom, left, right }
        }
        LayerKind::Rescaling => match layer.scale.ok_or_else(missing("scale"))? {
            Scale::Factor(scale) => Op::Rescaling { scale, offset: layer.offset.unwrap_or(0.0) },
            Scale::Learned(_) => {
                return Err(PlanError::LayerKeyAlien { index, kind, key: "true or false as scale".into() });
            }
        },
    };
    Ok(LayerSpec { name: layer.name.clone(), op, inputs: layer.inputs.clone() })
}

fn window(layer: &Layer, size: Pair, strides: Pair) -> Window {
    Window {
        size: size.sides(),
        strides: layer.strides.unwrap_or(strides).sides(),
        padding: layer.padding.unwrap_or(Padding::Valid),
        dilation: layer.dilation_rate.unwrap_or(Pair::Square(1)).sides(),
    }
}

/// The keys that were written, other than those that every layer may have.
fn given(layer: &Layer) -> Vec<String> {
    let table = toml::Table::try_from(layer).expect("a layer that was read can be written");
    table.into_iter().map(|(key, _)| key).filter(|key| !matches!(key.as_str(), "type" | "name" | "inputs")).collect()
}

fn allowed(kind: LayerKind) -> &'static [&'static str] {
    match kind {
        LayerKind::Conv2d => {
            &["filters", "kernel_size", "strides", "padding", "dilation_rate", "groups", "use_bias", "activation"]
        }
        LayerKind::DepthwiseConv2d => {
            &["kernel_size", "strides", "padding", "dilation_rate", "depth_multiplier", "use_bias", "activation"]
        }
        LayerKind::SeparableConv2d => &[
            "filters",
            "kernel_size",
            "strides",
            "padding",
            "dilation_rate",
            "depth_multiplier",
            "use_bias",
            "activation",
        ],
        LayerKind::Dense => &["units", "use_bias", "activation"],
        LayerKind::BatchNormalization => &["momentum", "epsilon", "center", "scale"],
        LayerKind::MaxPooling2d | LayerKind::AveragePooling2d => &["pool_size", "strides", "padding"],
        LayerKind::Dropout => &["rate"],
        LayerKind::Activation => &["activation"],
        LayerKind::ZeroPadding2d => &["amount"],
        LayerKind::Rescaling => &["scale", "offset"],
        LayerKind::GlobalMaxPooling2d
        | LayerKind::GlobalAveragePooling2d
        | LayerKind::Flatten
        | LayerKind::Add
        | LayerKind::Concatenate => &[],
    }
}
