//! Keras 3's `.weights.h5`, which `model.load_weights` takes into a model of the same layers: `layers/conv2d_1/vars/0`, where the
//! number counts the layers of a class in the order of `model.layers` (`keras/src/saving/saving_lib.py`).

use std::{collections::HashMap, path::Path};

use hdf5_pure::{AttrValue, FileBuilder};

use super::{ExportError, Subject, Written, whole};
use crate::{
    arch::Op,
    weights::{Layout, keras_names},
};

pub(super) fn write(subject: &Subject<'_>, path: &Path) -> Result<Written, ExportError> {
    if !path.to_string_lossy().ends_with(".weights.h5") {
        return Err(ExportError::KerasName { path: path.to_owned() });
    }
    let arch = subject.arch;
    let architecture = subject.base.as_ref().map(|(architecture, ..)| *architecture);
    let mut places: HashMap<usize, String> = HashMap::new();
    let mut counts: HashMap<&str, usize> = HashMap::new();
    for position in keras_names::order(arch) {
        if let Some(class) = keras_names::class_of(&arch.layers()[position], architecture) {
            let count = counts.entry(class).or_insert(0);
            places.insert(position, if *count == 0 { class.to_owned() } else { format!("{class}_{count}") });
            *count += 1;
        }
    }
    let mut file = FileBuilder::new();
    let mut layers = file.create_group("layers");
    let mut tensors = 0;
    let mut values = subject.weights.values(arch).peekable();
    while let Some(first) = values.next() {
        let first = first?;
        let position = first.layer;
        let layer = &arch.layers()[position];
        let Some(place) = places.get(&position) else { continue };
        let mut group = layers.create_group(place);
        let mut vars = group.create_group("vars");
        vars.set_attr("name", AttrValue::String(layer.name.clone()));
        let mut next = Some(first);
        while let Some(of_layer) = next {
            let parameter = &layer.parameters[of_layer.parameter];
            let layout = Layout::keras(&layer.op, parameter);
            let mut shape = layout.shape(&parameter.shape).unwrap_or_else(|| parameter.shape.clone());
            if parameter.name == "kernel" && keras_names::is_convolution(layer, architecture) {
                shape.splice(0..0, [1, 1]);
            }
            let sides: Vec<u64> = shape.iter().map(|&side| side as u64).collect();
            let numbers = layout.restore(of_layer.numbers, &parameter.shape);
            vars.create_dataset(&of_layer.parameter.to_string()).with_f32_data(&numbers).with_shape(&sides);
            tensors += 1;
            let more = values.next_if(|values| values.as_ref().is_ok_and(|values| values.layer == position));
            next = more.transpose()?;
        }
        group.add_group(vars.finish());
        layers.add_group(group.finish());
    }
    file.add_group(layers.finish());
    let bytes = whole::write(path, |partial| file.write(partial).map_err(|error| ExportError::write(path, &error)))?;
    let mut notes = vec![format!(
        "for a model in Keras of the same layers in the same order (frostline summary prints them): \
         model.load_weights(\"{}\")",
        path.display()
    )];
    if let Op::Preprocessing(preprocessing) = &arch.layers()[0].op {
        notes.push(format!("the model gets pixels after preprocessing = {}", preprocessing.to_toml()));
    }
    Ok(Written { tensors, bytes, notes })
}
