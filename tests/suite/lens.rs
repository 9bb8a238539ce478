//! The lens on a real run: a small network learns to tell drawn cats from dogs, somebody looks into it meanwhile and goes back through
//! its epochs afterwards, and the heat moves onto what tells the species apart.

use std::{
    fs, thread,
    time::{Duration, Instant},
};

use frostline::{
    command::Method,
    data::critters::{self, Critter, Species},
    event::{Event, Explained, PictureKind},
    picture::upsample,
    run::{RunDir, Tail},
};

use crate::{
    acting::{Stage, eventually, only_run},
    pty::Screen,
};

const SIDE: u32 = 40;
const SEED: u64 = 5;
const EPOCHS: u32 = 12;
/// Pooling over all places keeps the network from learning where in the picture something is, so that it has to learn what.
const CONFIG: &str = r#"
seed = 5
[data]
source = "critters"
train = 1500
validation = 32
test = 16
augment = { horizontal_flip = true }
[model]
input = [40, 40, 3]
layers = [
  { type = "conv2d", filters = 24, kernel_size = 3, activation = "relu" },
  { type = "max_pooling2d" },
  { type = "conv2d", filters = 32, kernel_size = 3, activation = "relu" },
  { type = "max_pooling2d" },
  { type = "conv2d", filters = 32, kernel_size = 3, activation = "relu" },
  { type = "global_max_pooling2d" },
  { type = "dense", units = 1, activation = "sigmoid" },
]
[train]
epochs = 12
batch_size = 16
learning_rate = 2e-3
optimizer = { kind = "adam" }
[explain]
pinned = 16
time_share = 1.0
[engine]
device = "cpu"
threads = 2
"#;

/// The drawing at a position of the validation split: the second quarter of all drawings' numbers.
fn drawn(position: u32) -> Critter {
    critters::draw(SEED, (1 << 30) + position, Species::ALL[(position % 2) as usize], SIDE, SIDE)
}

fn kept(run: &RunDir) -> Vec<Explained> {
    let events = Tail::open(&run.journal()).unwrap().events();
    let of = |event| if let Event::Explained(explained) = event { Some(explained) } else { None };
    events.filter_map(|stamped| of(stamped.unwrap().event)).filter(|explained| explained.kept).collect()
}

/// Share of an image's heat for its own class that lies on what tells the species apart; `None` where there is no heat.
fn energy(run: &RunDir, explained: &Explained) -> Option<f64> {
    let own = |picture: &&frostline::event::Picture| {
        let PictureKind::Heat { method, layer, class, .. } = &picture.kind else { return false };
        (*method, layer.as_str(), *class) == (Method::GradCam, "conv2d_2", explained.label)
    };
    let picture = explained.pictures.iter().find(own)?;
    let blob = image::open(run.blobs().join(format!("{}.png", picture.blob))).unwrap().to_luma8();
    let heat: Vec<f32> = blob.pixels().map(|pixel| f32::from(pixel[0])).collect();
    let side = SIDE as usize;
    let large = upsample(&heat, [blob.height() as usize, blob.width() as usize], [side, side]);
    let total: f32 = large.iter().sum();
    let mask = drawn(explained.sample).mask;
    let inside: f32 = large.iter().zip(&mask).map(|(heat, tells)| heat * f32::from(*tells) / 255.0).sum();
    (total > 0.0).then(|| f64::from(inside / total))
}

fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len() as f64
}

#[test]
fn heat_moves_onto_what_tells_the_species_apart_and_the_lens_shows_it() {
    let stage = Stage::new();
    fs::hard_link(env!("CARGO_BIN_EXE_frostline-engine"), stage.path("frostline-engine")).unwrap();
    fs::write(stage.path("mine.toml"), CONFIG).unwrap();
    let mut screen = Screen::open(&stage, &["train", "mine.toml"]);
    screen.await_text("RUNNING");
    // While it trains: the lens is live, and asks for another method.
    screen.press("v");
    screen.await_text("C predicted");
    screen.press("m");
    screen.await_text("Grad-CAM++ ");
    screen.press("M");
    // Some seconds, or on a machine that is busy a minute.
    let begun = Instant::now();
    while !screen.shows("COMPLETED") {
        assert!(begun.elapsed() < Duration::from_secs(180), "the run never ends");
        thread::sleep(Duration::from_millis(50));
    }

    // And when it is over, from epoch to epoch.
    let heat = |screen: &Screen| screen.colours(4..16, 36..64);
    let plain =
        |colours: &[(vt100::Color, vt100::Color)]| colours.iter().all(|(_, ground)| *ground == vt100::Color::Default);
    screen.press_until(",", "epoch 1 ");
    eventually("the first epoch's heat", || (!plain(&heat(&screen))).then_some(()));
    let first = heat(&screen);
    screen.press(">");
    screen.await_text(", last");
    eventually("another heat", || (!plain(&heat(&screen)) && heat(&screen) != first).then_some(()));
    screen.press("q");
    assert_eq!(screen.exit_code(), 0);

    let run = only_run(&stage.path("runs"));
    let kept = kept(&run);
    assert_eq!(kept.len(), 16 * EPOCHS as usize, "all of the time may go into it");
    let sample = kept[0].pictures.iter().find(|picture| picture.kind == PictureKind::Sample).unwrap();
    let seen = image::open(run.blobs().join(format!("{}.png", sample.blob))).unwrap().to_rgb8();
    assert_eq!(seen.into_raw(), drawn(kept[0].sample).pixels.bytes, "the mask is this drawing's");
    let of = |epoch: u32| -> Vec<f64> {
        kept.iter()
            .filter(|explained| explained.epoch == epoch)
            .filter_map(|explained| energy(&run, explained))
            .collect()
    };
    let (first, last) = (of(1), of(EPOCHS));
    assert!(first.len() >= 8 && last.len() >= 8, "heat for the own class in {} of 16 images", last.len());
    assert!(
        mean(&last) > mean(&first),
        "on what tells: {:.3} in the first epoch, {:.3} in the last",
        mean(&first),
        mean(&last)
    );
}
