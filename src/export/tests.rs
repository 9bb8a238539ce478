//! What is written against what the programs for which it is made have taken (`tests/reference/exports.py`), and read back.
#![allow(clippy::unwrap_used)]

use std::path::PathBuf;

use prost::Message as _;

use super::{onnx::proto::ModelProto, *};
use crate::{
    config::{Config, Data, DataSource, Places},
    plan::Plan,
    weights::{KerasModel, Wanted, WeightsFile},
};

fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures").join(name)
}

fn imported(name: &str) -> (Arch, Pretrained) {
    let model = KerasModel::open(&fixture("models").join(name), None).unwrap();
    let data = Data { path: Some(Places::One("nowhere".into())), ..Data::new(DataSource::Folder) };
    let arch = Plan::resolve(Config::new("branches3-keras".into(), data, model.model.clone())).unwrap().arch;
    let weights = model.weights(&arch).unwrap();
    (arch, weights)
}

fn classes() -> Vec<String> {
    ["0", "1", "2"].map(str::to_owned).to_vec()
}

#[test]
fn the_graph_is_the_one_that_onnxruntime_ran() {
    let (arch, weights) = imported("branches3.keras");
    let classes = classes();
    let subject = Subject { name: "branches3-keras", arch: &arch, base: None, classes: &classes, weights: &weights };
    let (model, tensors) = onnx::model(&subject).unwrap();
    let mut checked = ModelProto::decode(&*std::fs::read(fixture("export/branches.onnx")).unwrap()).unwrap();
    checked.producer_version.clone_from(&model.producer_version);
    assert!(model == checked, "check it anew with tests/reference/exports.py, which keeps what it has checked");
    assert_eq!(tensors, arch.layers().iter().map(|layer| layer.parameters.len()).sum::<usize>());
}

#[test]
fn files_for_pytorch_and_keras_are_read_back_as_they_were() {
    let folder = tempfile::tempdir().unwrap();
    let classes = classes();
    for name in ["chapter3.keras", "branches3.keras", "branches2.h5"] {
        let (arch, weights) = imported(name);
        let subject = Subject { name, arch: &arch, base: None, classes: &classes, weights: &weights };
        let numbers = |weights: &Pretrained| weights.values(&arch).collect::<Result<Vec<_>, _>>().unwrap();
        let path = folder.path().join("out.weights.h5");
        let written = write(&subject, Format::of(&path).unwrap(), None, &path).unwrap();
        let back = Pretrained::open(&path, &Wanted::whole(&arch, None)).unwrap();
        assert_eq!(numbers(&back), numbers(&weights), "{name}");
        assert_eq!((back.fit().unexpected.len(), back.fit().found()), (0, written.tensors));
        let path = folder.path().join("out.safetensors");
        write(&subject, Format::Safetensors, None, &path).unwrap();
        let file = WeightsFile::open(&path).unwrap();
        assert_eq!(
            (file.attributes()["format"].as_str(), file.attributes()["classes"].as_str()),
            ("pt", r#"["0","1","2"]"#)
        );
        let names: Vec<&str> = file.tensors().iter().map(|tensor| tensor.name.as_str()).collect();
        let last = arch.layers().iter().rev().find(|layer| !layer.parameters.is_empty()).unwrap();
        assert!(names.contains(&format!("{}.weight", last.name).as_str()), "{names:?}");
    }
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 2, "nothing is left beside the files");
}

#[test]
fn what_cannot_be_written_is_told() {
    let (arch, weights) = imported("chapter3.keras");
    let classes = classes();
    let own = Subject { name: "own", arch: &arch, base: None, classes: &classes, weights: &weights };
    let told = |subject: &Subject<'_>, format, naming, path: &str| {
        write(subject, format, naming, Path::new(path)).unwrap_err().to_string()
    };
    let named = told(&own, Format::Safetensors, Some(Naming::Timm), "out.safetensors");
    assert!(named.contains("timm has no such network"), "{named}");
    let keras = told(&own, Format::KerasWeights, None, "out.h5");
    assert_eq!(keras, "out.h5: Keras reads weights from files whose names end in .weights.h5");
    let folder = told(&own, Format::Onnx, None, "/nowhere/out.onnx");
    assert!(folder.starts_with("/nowhere/out.onnx: cannot be written"), "{folder}");
    let base = Some((Architecture::Resnet50, Wiring::Keras, 0..0));
    let wired = Subject { base, ..own };
    let other = told(&wired, Format::Safetensors, Some(Naming::Torchvision), "out.safetensors");
    assert!(other.contains("torchvision has no resnet50 that computes what this one does"), "{other}");
}
