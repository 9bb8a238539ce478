//! `frostline import` and `frostline export` as a user meets them: Keras's models in, files for other programs out.

use std::{
    fs,
    path::{Path, PathBuf},
};

use crate::hub::frostline;

fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/models").join(name)
}

#[test]
fn a_model_that_is_not_understood_leaves_no_run() {
    let here = tempfile::tempdir().unwrap();
    let refused = frostline(here.path(), "", &["import", fixture("upsampling.keras").to_str().unwrap()]);
    assert_eq!(refused.code, Some(2), "{}", refused.out);
    assert!(refused.err.contains("layer \"up\" (UpSampling2D): there is no such layer here"), "{}", refused.err);
    assert!(refused.err.contains("these layers are understood: Conv2D"), "{}", refused.err);
    let classes = ["import", fixture("chapter3.keras").to_str().unwrap(), "--classes", "a,b,c"].map(str::to_owned);
    let wrong = frostline(here.path(), "", &classes.each_ref().map(String::as_str));
    assert_eq!(wrong.code, Some(2), "{}", wrong.out);
    let weights = fixture("../weights/keras3.weights.h5");
    let no_model = frostline(here.path(), "", &["import", weights.to_str().unwrap()]);
    assert!(no_model.err.contains("has no description of a model in it"), "{}", no_model.err);
    assert!(!here.path().join("runs").exists());
}

#[test]
fn an_imported_model_is_a_run_that_others_can_have() {
    let here = tempfile::tempdir().unwrap();
    let file = fixture("on_a_base2.h5");
    let imported = frostline(
        here.path(),
        "",
        &["import", file.to_str().unwrap(), "--as", "cats and dogs", "--classes", "cat,dog"],
    );
    assert_eq!((imported.err.as_str(), imported.code), ("", Some(0)), "{}", imported.out);
    assert!(imported.out.contains("-cats-and-dogs: "), "{}", imported.out);
    assert!(imported.out.contains("frostline predict "), "{}", imported.out);
    let run = frostline::run::list(&here.path().join("runs")).unwrap().remove(0);
    let config = fs::read_to_string(run.config()).unwrap();
    assert!(config.contains("freeze = [\"conv\", \"norm\", \"dense_conv\"]"), "{config}");
    let listed = frostline(here.path(), "", &["runs"]);
    assert!(listed.out.contains("stopped"), "{}", listed.out);
    let summary = frostline(here.path(), "", &["summary", run.config().to_str().unwrap()]);
    assert!(summary.out.contains("dense_conv (SeparableConv2D)"), "{}", summary.out);

    let export = |out: &str| frostline(here.path(), "", &["export", "last", "-o", out]);
    for out in ["a.safetensors", "a.weights.h5", "a.onnx"] {
        let written = export(out);
        assert_eq!((written.err.as_str(), written.code), ("", Some(0)), "{}", written.out);
        assert!(written.out.starts_with(&format!("{out}: ")), "{}", written.out);
    }
    assert_eq!(export("a.txt").code, Some(2));
    let inspected = frostline(here.path(), "", &["weights", "inspect", "a.safetensors"]);
    assert!(inspected.out.contains("dense_conv.pointwise.weight"), "{}", inspected.out);
    assert!(inspected.out.contains("classes: [\"cat\",\"dog\"]"), "{}", inspected.out);
    // Keras's own file is a model of the same layers in a model; here they stand in one list.
    let names = frostline(here.path(), "", &["weights", "inspect", "a.weights.h5"]);
    assert!(names.out.contains("layers/separable_conv2d/vars/2"), "{}", names.out);
}

/// What Keras predicts, the engine predicts; and it can be measured, explained and trained on.
#[cfg(feature = "engine")]
#[test]
fn imported_models_predict_what_keras_predicts() {
    let here = tempfile::tempdir().unwrap();
    let answers: std::collections::BTreeMap<String, Vec<f64>> =
        serde_json::from_slice(&fs::read(fixture("predictions.json")).unwrap()).unwrap();
    for (name, answer) in &answers {
        let run = name.replace('.', "-");
        let imported = frostline(here.path(), "", &["import", fixture(name).to_str().unwrap(), "--as", &run]);
        assert_eq!(imported.code, Some(0), "{name}: {}", imported.err);
        let told = frostline(here.path(), "", &["predict", &run, fixture("picture.png").to_str().unwrap(), "--json"]);
        assert_eq!(told.code, Some(0), "{name}: {}", told.err);
        let told: serde_json::Value = serde_json::from_str(&told.out).unwrap();
        // One number of a sigmoid is the probability of the second class.
        let binary = [1.0 - answer[0], answer[0]];
        let wanted = if answer.len() == 1 { &binary[..] } else { answer };
        for class in told["top"].as_array().unwrap() {
            let place: usize = class["class"].as_str().unwrap().parse().unwrap();
            let off = (class["probability"].as_f64().unwrap() - wanted[place]).abs();
            assert!(off < 2e-6, "{name}: {told} instead of {wanted:?}");
        }
    }
}

#[cfg(feature = "engine")]
#[test]
fn an_imported_model_is_measured_explained_and_trained_on() {
    let here = tempfile::tempdir().unwrap();
    for split in ["train", "validation", "test"] {
        for class in ["cat", "dog"] {
            let folder = here.path().join("images").join(split).join(class);
            fs::create_dir_all(&folder).unwrap();
            for number in 0..2 {
                fs::copy(fixture("picture.png"), folder.join(format!("{class}{number}.png"))).unwrap();
            }
        }
    }
    let ask = |arguments: &[&str]| {
        let told = frostline(here.path(), "", arguments);
        assert_eq!(told.code, Some(0), "{arguments:?}: {}{}", told.out, told.err);
        told.out
    };
    let file = fixture("on_a_base3.keras");
    ask(&[
        "import",
        file.to_str().unwrap(),
        "--data",
        "images",
        "--set",
        "engine.device=cpu",
        "--set",
        "train.epochs=1",
    ]);
    let measured = ask(&["eval", "last"]);
    assert!(measured.contains("on 4 images") && measured.contains("dog"), "{measured}");
    ask(&["explain", "cam", "last", "--image", "images/test/cat/cat0.png", "-o", "heat.png"]);
    assert!(here.path().join("heat.png").exists());
    let trained = ask(&["train", "--resume", "last", "--headless"]);
    assert!(!trained.contains("not bit by bit"), "{trained}");
    let run = frostline::run::list(&here.path().join("runs")).unwrap().remove(0);
    let read = |path: PathBuf| frostline::run::checkpoint::read::<serde_json::Value>(&path).unwrap();
    let (tensors, progress) = read(run.checkpoint(frostline::event::CheckpointKind::Last));
    assert_eq!(progress["frozen"], serde_json::json!(["conv", "norm", "dense_conv"]));
    let slot = |name: &str| name.starts_with("optimizer/dense") && !name.ends_with("/step");
    assert!(tensors.iter().any(|(name, _)| slot(name)), "what learns was trained");
    // Its configuration makes another run, which begins with the same weights.
    let config = run.config();
    let weights = format!("model.weights={}", run.checkpoint(frostline::event::CheckpointKind::Best).display());
    ask(&["train", config.to_str().unwrap(), "--set", &weights, "--name", "anew", "--headless"]);
    let anew = frostline::run::find(&here.path().join("runs"), "anew").unwrap();
    let (begun, _) = read(anew.checkpoint(frostline::event::CheckpointKind::Last));
    let kernel = |tensors: &[(String, frostline::run::checkpoint::TensorData)]| {
        tensors.iter().find(|(name, _)| name == "conv/kernel").unwrap().1.clone()
    };
    assert_eq!(kernel(&begun), kernel(&tensors), "what is frozen is what was imported");
}

/// Of a set of names, as `tests/reference/zoo_weights.py` has it.
#[cfg(feature = "engine")]
fn digest(mut names: Vec<&str>) -> String {
    names.sort_unstable();
    let add = |hash: u64, byte: u8| (hash ^ u64::from(byte)).wrapping_mul(0x100_0000_01B3);
    format!("{:016x}", names.join("\n").bytes().fold(0xCBF2_9CE4_8422_2325, add))
}

#[cfg(feature = "engine")]
#[test]
fn a_published_network_goes_out_under_the_names_of_timm_and_comes_back() {
    use frostline::{
        arch::{
            Preprocessing,
            zoo::{Architecture, Wiring},
        },
        run::checkpoint,
        weights::{Pretrained, Provenance, Record, Wanted, WeightsFile},
    };
    let here = tempfile::tempdir().unwrap();
    let architecture = Architecture::Mobilenet;
    let tensors = crate::weights::made_up(architecture, true);
    let weights = Provenance {
        architecture,
        wiring: Wiring::Torch,
        top: true,
        naming: "timm".into(),
        preprocessing: Preprocessing::Tf,
        source: "made up".into(),
        sha256: String::new(),
    };
    checkpoint::write(&here.path().join("in.safetensors"), &tensors, &Record { weights }).unwrap();
    let export = |from: &str, to: &str| {
        let arguments = ["export", "--model", "mobilenet", "--weights", from, "-o", to];
        let told = frostline(here.path(), "", &arguments);
        assert_eq!(told.code, Some(0), "{}", told.err);
        told.out
    };
    let told = export("in.safetensors", "out.safetensors");
    assert!(told.contains("mobilenet: names of timm's mobilenetv1_100"), "{told}");
    // timm's own names, as they were counted there.
    let fixture: serde_json::Value = serde_json::from_str(include_str!("../fixtures/zoo/torch.json")).unwrap();
    let whole = fixture["whole"].as_array().unwrap().iter();
    let theirs = whole.into_iter().find(|whole| whole["architecture"] == "mobilenet" && whole["naming"] == "timm");
    let out = here.path().join("out.safetensors");
    let file = WeightsFile::open(&out).unwrap();
    let names = file.tensors().iter().map(|tensor| tensor.name.as_str());
    assert_eq!(theirs.unwrap()["names"], digest(names.filter(|name| !name.ends_with("num_batches_tracked")).collect()));
    let arch = architecture.network(Wiring::Torch, true, architecture.default_input(), None).unwrap();
    let back = Pretrained::open(&out, &Wanted::whole(&arch, Some((architecture, Wiring::Torch)))).unwrap();
    for (values, (name, data)) in back.values(&arch).zip(&tensors) {
        let numbers: Vec<u8> = values.unwrap().numbers.iter().flat_map(|number| number.to_le_bytes()).collect();
        assert!(numbers == data.bytes, "{name}");
    }
    // A file of Keras's own names is wired as Keras is.
    export("in.safetensors", "keras.weights.h5");
    let told = export("keras.weights.h5", "own.safetensors");
    assert!(told.contains("no library of PyTorch computes mobilenet as Keras does"), "{told}");
}
