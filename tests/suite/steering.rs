//! A run is steered through real engines: undone, branched, and repeated to the same bits by nobody's hand.

use std::{fs, path::Path, process::Command};

use frostline::{
    event::{CheckpointKind, Event, Outcome},
    run::{RunDir, Tail, list},
    trainer::read_checkpoint,
};

use crate::acting::{Said, eventually, frostline};

/// With dropout, momentum, batch statistics and augmentation; far longer than a test waits.
const CONFIG: &str = r#"
[data]
source = "critters"
train = 96
validation = 16
test = 16
augment = { horizontal_flip = true, width_shift_range = 0.2 }
[model]
input = [24, 24, 3]
layers = [
  { type = "conv2d", filters = 4, kernel_size = 3, use_bias = false },
  { type = "batch_normalization" },
  { type = "activation", activation = "relu" },
  { type = "max_pooling2d" },
  { type = "flatten" },
  { type = "dropout", rate = 0.3 },
  { type = "dense", units = 1, activation = "sigmoid" },
]
[train]
epochs = 5000
batch_size = 8
optimizer = { kind = "sgd", momentum = 0.9 }
schedule = { kind = "cosine" }
[engine]
device = "cpu"
threads = 1
loader_threads = 3
"#;

fn events(run: &RunDir) -> Vec<Event> {
    let Ok(tail) = Tail::open(&run.journal()) else { return Vec::new() };
    tail.events().map(|stamped| stamped.unwrap().event).collect()
}

fn run_called(folder: &Path, name: &str) -> RunDir {
    eventually("the run's directory", || {
        list(&folder.join("runs")).unwrap().into_iter().find(|run| run.name().ends_with(name))
    })
}

fn ctl(folder: &Path, words: &str) -> Said {
    let arguments: Vec<&str> = ["ctl", "steered"].into_iter().chain(words.split(' ')).collect();
    let said = frostline(folder, &arguments);
    assert_eq!(said.code, Some(0), "{words}: {}{}", said.out, said.err);
    said
}

#[test]
fn a_steered_run_is_repeated_to_the_bit_and_branched_and_knows_what_has_changed() {
    let folder = tempfile::tempdir().unwrap();
    let here = folder.path();
    fs::write(here.join("mine.toml"), CONFIG).unwrap();
    let mut trained = Command::new(env!("CARGO_BIN_EXE_frostline"))
        .args(["train", "mine.toml", "--headless", "--name", "steered"])
        .current_dir(here)
        .env_remove("FROSTLINE_RUNS")
        .stdout(std::process::Stdio::null())
        .spawn()
        .unwrap();
    let run = run_called(here, "steered");
    let begun = |event: &Event| matches!(event, Event::EpochStarted { epoch: 2.., .. });
    eventually("the second epoch", || events(&run).iter().any(begun).then_some(()));
    for words in ["freeze conv*", "scale-rate 0.5", "undo", "batch-size 16", "augmentation 0.5"] {
        ctl(here, words);
    }
    // While an epoch is being validated the answer is no.
    let measured = eventually("a step between two validations", || {
        let said = frostline(here, &["ctl", "steered", "evaluate", "test"]);
        (said.code == Some(0)).then_some(said)
    });
    assert!(measured.out.contains("on 16 images"), "{}", measured.out);
    for words in
        ["learning-rate 0.05 --layers dense", "micro-batch 5", "freeze batch_normalization", "weight-decay 0.01"]
    {
        ctl(here, words);
    }
    ctl(here, "note it goes well");
    ctl(here, "dropout 0.1");
    ctl(here, "stop --wait");
    trained.wait().unwrap();
    let undone = |event: &Event| matches!(event, Event::Undone(_));
    assert_eq!(events(&run).iter().filter(|event| undone(event)).count(), 1);
    let applied = |event: &&Event| matches!(event, Event::Answered(answer) if answer.outcome == Outcome::Applied);
    assert_eq!(events(&run).iter().filter(applied).count(), 13);

    let replayed = frostline(here, &["replay", "steered", "--name", "again"]);
    assert!(replayed.out.contains("the same weights and optimiser slots"), "{}{}", replayed.out, replayed.err);

    let (_, progress) = read_checkpoint(&run, CheckpointKind::Last).unwrap().unwrap();
    let missing = frostline(here, &["branch", "steered", "--at", "1"]);
    assert_eq!(missing.code, Some(2));
    assert!(missing.err.contains(&progress.step.to_string()), "{}", missing.err);
    let (at, epochs) = (progress.step.to_string(), format!("train.epochs={}", progress.epoch));
    let branched =
        frostline(here, &["branch", "steered", "--at", &at, "--set", &epochs, "--name", "twig", "--headless"]);
    assert_eq!(branched.code, Some(0), "{}{}", branched.out, branched.err);
    let twig = run_called(here, "twig");
    let told = events(&twig);
    let leaves =
        told.iter().position(|event| matches!(event, Event::Branched(_))).expect("where it leaves the other run");
    let (taken_over, own) = told.split_at(leaves);
    let ended = |events: &[Event]| -> Vec<u32> {
        events
            .iter()
            .filter_map(|event| if let Event::EpochEnded(it) = event { Some(it.epoch) } else { None })
            .collect()
    };
    assert!(ended(taken_over).starts_with(&[1]) && ended(own).len() == 1, "{:?} {:?}", ended(taken_over), ended(own));
    let table = fs::read_to_string(twig.history()).unwrap();
    assert_eq!(table.lines().count() as u32, 1 + progress.epoch, "every epoch has its line");
    let from = own.iter().find_map(|event| match event {
        Event::RunStarted(started) => started.resumed,
        _ => None,
    });
    assert_eq!(from.map(|from| (from.step, from.interventions)), Some((progress.step, progress.interventions)));

    // Another number of threads was not asked for; the epochs were.
    let config = fs::read_to_string(run.config()).unwrap().replace("\nthreads = 1\n", "\nthreads = 2\n");
    fs::write(run.config(), config).unwrap();
    let refused = frostline(here, &["train", "--resume", "steered", "--headless", "--set", &epochs]);
    assert_eq!(refused.code, Some(2), "{}", refused.out);
    assert!(refused.err.contains("it was made with 1 threads, these are 2"), "{}", refused.err);
    let accepted = frostline(here, &["train", "--resume", "steered", "--headless", "--accept-changes"]);
    assert_eq!(accepted.code, Some(0), "{}{}", accepted.out, accepted.err);
}

#[test]
fn a_run_that_ended_by_the_clock_and_went_on_with_another_configuration_is_repeated_to_the_bit() {
    let folder = tempfile::tempdir().unwrap();
    let here = folder.path();
    fs::write(here.join("mine.toml"), CONFIG.replace("epochs = 5000\n", "epochs = 5000\nmax_time = \"600ms\"\n"))
        .unwrap();
    let trained = frostline(here, &["train", "mine.toml", "--headless", "--name", "steered"]);
    assert_eq!(trained.code, Some(75), "{}", trained.err);
    for set in ["train.batch_size=6", "train.learning_rate=0.003"] {
        let resumed = frostline(here, &["train", "--resume", "steered", "--headless", "--set", set]);
        assert_eq!(resumed.code, Some(75), "{}", resumed.err);
    }
    let run = run_called(here, "steered");
    let (_, progress) = read_checkpoint(&run, CheckpointKind::Last).unwrap().unwrap();
    let replayed = frostline(here, &["replay", "steered", "--name", "again"]);
    assert!(replayed.out.contains("the same weights and optimiser slots"), "{}{}", replayed.out, replayed.err);
    let again = run_called(here, "again");
    let starts = events(&again).iter().filter(|event| matches!(event, Event::RunStarted(_))).count();
    let stood = read_checkpoint(&again, CheckpointKind::Last).unwrap().unwrap().1;
    assert_eq!((starts, stood.step), (3, progress.step));
}
