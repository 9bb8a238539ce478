//! One layer in Keras's words to one in a configuration's. What a configuration cannot say is refused with the reason.

use serde_json::Value;

use super::settings::{Reason, Settings};
use crate::{
    arch::Activation,
    config::{Layer, LayerKind, Scale},
};

/// What a layer of Keras's is here.
pub(super) enum Meaning {
    Layer {
        layer: Box<Layer>,
        /// Along which it works, counted with the batch's; it has to be that of the channels, which is the last.
        axis: i64,
    },
    /// The image itself.
    Input,
    /// Nothing, when a network predicts: augmentation and noise.
    Nothing,
    /// A model inside of the model.
    Model,
}

/// The layers that are understood, for errors.
pub(in crate::weights) const KNOWN: &str = "Conv2D, SeparableConv2D, DepthwiseConv2D, Dense, MaxPooling2D, AveragePooling2D, \
     GlobalMaxPooling2D, GlobalAveragePooling2D, Flatten, Dropout, Activation, ReLU, LeakyReLU, ELU, Softmax, \
     BatchNormalization, ZeroPadding2D, Add, Concatenate, Rescaling, and models of these";

pub(super) fn translate(class: &str, config: &Value) -> Result<Meaning, Reason> {
    let settings = Settings(config);
    settings.check_format()?;
    let kind = match class {
        "InputLayer" => return Ok(Meaning::Input),
        "Sequential" | "Functional" | "Model" => return Ok(Meaning::Model),
        "RandomFlip"
        | "RandomRotation"
        | "RandomZoom"
        | "RandomTranslation"
        | "RandomContrast"
        | "RandomBrightness"
        | "GaussianNoise"
        | "GaussianDropout"
        | "AlphaDropout"
        | "SpatialDropout2D"
        | "ActivityRegularization" => {
            return Ok(Meaning::Nothing);
        }
        "Conv2D" => LayerKind::Conv2d,
        "DepthwiseConv2D" => LayerKind::DepthwiseConv2d,
        "SeparableConv2D" => LayerKind::SeparableConv2d,
        "Dense" => LayerKind::Dense,
        "BatchNormalization" | "BatchNormalizationV1" | "BatchNormalizationV2" => LayerKind::BatchNormalization,
        "MaxPooling2D" => LayerKind::MaxPooling2d,
        "AveragePooling2D" => LayerKind::AveragePooling2d,
        "GlobalMaxPooling2D" => LayerKind::GlobalMaxPooling2d,
        "GlobalAveragePooling2D" => LayerKind::GlobalAveragePooling2d,
        "Flatten" => LayerKind::Flatten,
        "Dropout" => LayerKind::Dropout,
        "Activation" | "ReLU" | "LeakyReLU" | "ELU" | "Softmax" => LayerKind::Activation,
        "Add" => LayerKind::Add,
        "Concatenate" => LayerKind::Concatenate,
        "ZeroPadding2D" => LayerKind::ZeroPadding2d,
        "Rescaling" => LayerKind::Rescaling,
        _ => return Err("there is no such layer here".into()),
    };
    let mut layer = Layer::new(kind);
    let mut axis = -1;
    match kind {
        LayerKind::Conv2d | LayerKind::DepthwiseConv2d | LayerKind::SeparableConv2d => {
            convolution(settings, &mut layer)?;
        }
        LayerKind::Dense => {
            layer.units = Some(settings.needed_count("units")?);
            layer.use_bias = settings.flag("use_bias")?;
            layer.activation = settings.activation("activation")?;
            settings.refuse("quantization_config", Value::is_null)?;
            settings.refuse("lora_rank", Value::is_null)?;
        }
        LayerKind::BatchNormalization => {
            axis = settings.axis()?;
            settings.refuse("renorm", |value| value == false)?;
            layer.momentum = settings.number("momentum")?;
            layer.epsilon = settings.number("epsilon")?;
            layer.center = settings.flag("center")?;
            layer.scale = settings.flag("scale")?.map(Scale::Learned);
        }
        LayerKind::MaxPooling2d | LayerKind::AveragePooling2d => {
            layer.pool_size = settings.pair("pool_size")?;
            layer.strides = settings.pair("strides")?;
            layer.padding = settings.padding()?;
        }
        LayerKind::GlobalMaxPooling2d | LayerKind::GlobalAveragePooling2d => {
            settings.refuse("keepdims", |value| value == false)?;
        }
        LayerKind::Dropout => {
            settings.refuse("noise_shape", Value::is_null)?;
            let rate = settings.number("rate")?.or(settings.number("p")?);
            layer.rate = Some(rate.ok_or("it has no rate")?);
        }
        LayerKind::Activation => {
            layer.activation = Some(activation(class, settings)?);
            axis = if class == "Softmax" { settings.axis()? } else { -1 };
        }
        LayerKind::Concatenate => axis = settings.axis()?,
        LayerKind::ZeroPadding2d => layer.amount = settings.sides("padding")?,
        LayerKind::Rescaling => {
            layer.scale = Some(Scale::Factor(settings.number("scale")?.ok_or("it has no scale")?));
            layer.offset = settings.number("offset")?;
        }
        LayerKind::Flatten | LayerKind::Add => {}
    }
    Ok(Meaning::Layer { layer: Box::new(layer), axis })
}

fn convolution(settings: Settings<'_>, layer: &mut Layer) -> Result<(), Reason> {
    if layer.kind != LayerKind::DepthwiseConv2d {
        layer.filters = Some(settings.needed_count("filters")?);
    }
    layer.kernel_size = Some(settings.pair("kernel_size")?.ok_or("it has no kernel_size")?);
    layer.strides = settings.pair("strides")?;
    layer.padding = settings.padding()?;
    layer.dilation_rate = settings.pair("dilation_rate")?;
    layer.use_bias = settings.flag("use_bias")?;
    layer.activation = settings.activation("activation")?;
    match layer.kind {
        LayerKind::Conv2d => layer.groups = settings.count("groups")?,
        _ => layer.depth_multiplier = settings.count("depth_multiplier")?,
    }
    Ok(())
}

/// Of the layers that are nothing but an activation.
fn activation(class: &str, settings: Settings<'_>) -> Result<Activation, Reason> {
    let slope = |usual: f64| -> Result<f64, Reason> {
        let slope = settings.number("negative_slope")?.or(settings.number("alpha")?);
        Ok(slope.unwrap_or(usual))
    };
    match class {
        "ReLU" => {
            settings.refuse("threshold", |value| value.as_f64() == Some(0.0))?;
            match (settings.number("max_value")?, slope(0.0)?) {
                (None, 0.0) => Ok(Activation::Relu),
                (Some(6.0), 0.0) => Ok(Activation::Relu6),
                (None, slope) => leaky(slope),
                (Some(most), _) => Err(format!("max_value = {most}")),
            }
        }
        "LeakyReLU" => leaky(slope(0.3)?),
        "ELU" => {
            settings.refuse("alpha", |value| value.as_f64() == Some(1.0))?;
            Ok(Activation::Elu)
        }
        "Softmax" => Ok(Activation::Softmax),
        _ => settings.activation("activation")?.ok_or_else(|| "it has no activation".into()),
    }
}

fn leaky(slope: f64) -> Result<Activation, Reason> {
    // Stored in single precision by some versions.
    if (slope - 0.2).abs() < 1e-6 { Ok(Activation::LeakyRelu) } else { Err(format!("negative_slope = {slope}")) }
}
