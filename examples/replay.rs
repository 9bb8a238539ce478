//! Shows a journal in the dashboard, at once or as it happened: `cargo run --no-default-features --example replay -- JOURNAL [--speed N] [--live]
//! [--glyphs NAME] [--light]`. Pictures come from `blobs/` beside the journal; where there are none, drawn ones stand in.

use std::{path::PathBuf, time::Duration};

use anyhow::Context;
use frostline::{
    event::{Event, PictureKind, Stamped},
    picture::{Colormap, Glyphs, columns_for, grid, overlay},
    tui::{Appearance, Connection, Incoming, Outgoing, Session, Settings, run},
};
use image::{ImageFormat, Rgb, RgbImage};
use tokio::sync::mpsc;

#[tokio::main(flavor = "current_thread")]
async fn main() -> anyhow::Result<()> {
    let mut arguments = std::env::args().skip(1);
    let mut journal = None;
    let (mut speed, mut live) = (0.0, false);
    let mut appearance = Appearance::detect(|name| std::env::var(name).ok());
    while let Some(argument) = arguments.next() {
        match argument.as_str() {
            "--speed" => speed = arguments.next().context("--speed needs a number")?.parse()?,
            "--live" => live = true,
            "--light" => appearance.light = true,
            "--glyphs" => {
                let name = arguments.next().context("--glyphs needs a name")?;
                appearance = appearance.with_glyphs(Glyphs::from_name(&name).context("no such glyphs")?);
            }
            _ => journal = Some(PathBuf::from(argument)),
        }
    }
    let journal = journal.context("which journal?")?;
    let events: Vec<Stamped> =
        std::fs::read_to_string(&journal)?.lines().map(serde_json::from_str).collect::<Result<_, _>>()?;
    let (tell, incoming) = mpsc::channel(1024);
    let (outgoing, asked) = mpsc::unbounded_channel();
    let blobs = journal.with_file_name("blobs");
    tokio::spawn(answer(events.clone(), blobs, asked, tell.clone()));
    tokio::spawn(play(events, speed, live, tell));
    let connection = Connection::Connecting { what: "reading the journal".into() };
    let left = run(Session { appearance, settings: Settings::default(), connection, host: None, incoming, outgoing })
        .await
        .map_err(frostline::error::Error::from);
    let left = left.map_err(|error| anyhow::anyhow!("{error}"))?;
    anyhow::ensure!(left.run.run.is_some(), "the journal was empty");
    Ok(())
}

async fn play(events: Vec<Stamped>, speed: f64, live: bool, tell: mpsc::Sender<Incoming>) {
    let stands = if live { Connection::Live } else { Connection::Replay };
    if speed > 0.0 {
        let _ = tell.send(Incoming::Connection(stands.clone())).await;
    }
    let mut before = events.first().map_or(0, |e| e.at_ms);
    for event in events {
        if speed > 0.0 {
            tokio::time::sleep(Duration::from_millis(((event.at_ms - before) as f64 / speed) as u64)).await;
            before = event.at_ms;
        }
        if tell.send(Incoming::Event(event)).await.is_err() {
            return;
        }
    }
    let _ = tell.send(Incoming::Connection(stands)).await;
    // The channel stays open: a closed one would be a lost connection.
    tell.closed().await;
}

async fn answer(
    events: Vec<Stamped>,
    blobs: PathBuf,
    mut asked: mpsc::UnboundedReceiver<Outgoing>,
    tell: mpsc::Sender<Incoming>,
) {
    let pictures: Vec<_> = events
        .into_iter()
        .filter_map(|e| if let Event::Explained(explained) = e.event { Some(explained.pictures) } else { None })
        .flatten()
        .collect();
    while let Some(outgoing) = asked.recv().await {
        let Outgoing::Blob(hash) = outgoing else { continue };
        let png = std::fs::read(blobs.join(format!("{hash}.png"))).unwrap_or_else(|_| {
            let kind = pictures.iter().find(|p| p.blob == hash).map_or(&PictureKind::Sample, |p| &p.kind);
            encode(&drawn(kind))
        });
        let _ = tell.send(Incoming::Blob { hash, png }).await;
    }
}

fn encode(image: &RgbImage) -> Vec<u8> {
    let mut out = std::io::Cursor::new(Vec::new());
    image.write_to(&mut out, ImageFormat::Png).expect("memory takes every picture");
    out.into_inner()
}

/// A face with two pointed ears on a meadow, and what a network might see of it.
fn drawn(kind: &PictureKind) -> RgbImage {
    let luma = |x: f32, y: f32| -> [f32; 3] {
        let face = ((x - 0.5) / 0.30).powi(2) + ((y - 0.56) / 0.28).powi(2) < 1.0;
        let ear = |left: f32| (0.12..0.42).contains(&y) && (x - left).abs() < (y - 0.12) * 0.38;
        let eye = |left: f32| ((x - left) / 0.05).powi(2) + ((y - 0.50) / 0.07).powi(2) < 1.0;
        let nose = ((x - 0.5) / 0.05).powi(2) + ((y - 0.64) / 0.035).powi(2) < 1.0;
        match () {
            () if eye(0.39) || eye(0.61) => [40.0, 90.0, 40.0],
            () if nose => [200.0, 110.0, 110.0],
            () if face || ear(0.32) || ear(0.68) => {
                let stripe = 18.0 * (x * 40.0 + (y * 9.0).sin() * 2.0).sin();
                [206.0 + stripe, 142.0 + stripe, 74.0 + stripe * 0.6]
            }
            () => [70.0 + 60.0 * y, 120.0 + 50.0 * (1.0 - y), 170.0 - 110.0 * y],
        }
    };
    let at = |x: u32, y: u32, side: u32| luma((x as f32 + 0.5) / side as f32, (y as f32 + 0.5) / side as f32);
    let sample = RgbImage::from_fn(150, 150, |x, y| Rgb(at(x, y, 150).map(|v| v.clamp(0.0, 255.0) as u8)));
    match kind {
        PictureKind::Sample => sample,
        PictureKind::Activations { .. } => {
            let (channels, side) = (32, 17u32);
            let mut values = Vec::new();
            for channel in 0..channels {
                let (dx, dy) = ((channel % 6) as f32 - 2.5, (channel / 6) as f32 - 2.5);
                for i in 0..side * side {
                    let (x, y) = (i % side, i / side);
                    let (here, there) = (at(x, y, side), at((x + 1).min(side - 1), (y + 1).min(side - 1), side));
                    let edge = dx * (there[0] - here[0]) + dy * (there[2] - here[2]) + 0.4 * here[channel % 3];
                    values.push(if channel == 13 { 0.0 } else { edge.max(0.0) });
                }
            }
            grid(&values, [channels, side as usize, side as usize], columns_for(channels, 1, 1, 1.0), Colormap::Viridis)
        }
        PictureKind::Heat { .. } | PictureKind::GradCam { .. } => {
            let heat: Vec<f32> = (0..64)
                .map(|i| {
                    let (x, y) = ((i % 8) as f32 / 7.0, (i / 8) as f32 / 7.0);
                    let spot = |cx: f32, cy: f32| (-((x - cx).powi(2) + (y - cy).powi(2)) / 0.025).exp();
                    spot(0.32, 0.28).max(0.9 * spot(0.68, 0.28)).max(0.5 * spot(0.5, 0.66))
                })
                .collect();
            if matches!(kind, PictureKind::GradCam { .. }) {
                return overlay(&sample, &heat, [8, 8], 0.4, Colormap::Jet);
            }
            RgbImage::from_fn(8, 8, |x, y| Rgb([(heat[(y * 8 + x) as usize] * 255.0) as u8; 3]))
        }
    }
}
