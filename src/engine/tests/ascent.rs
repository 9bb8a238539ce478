//! Filters' pictures: the book's ascent against PyTorch, step by step (`tests/reference/explain_chapter.py`), and that a grid is what
//! its pictures are alone.

use serde::Deserialize;
use tch::Tensor;

use super::formula::floats;
use super::*;
use crate::explain::ascent::{Goal, climb, deprocessed};
use crate::explain::fourier::{Settings, dream};
use crate::explain::paint;
use crate::shards::Shards;
use frostline::error::Explain as _;
use frostline::trainer::Painting;

#[derive(Deserialize)]
struct Figures {
    ascents: Vec<Ascent>,
}

#[derive(Deserialize)]
struct Ascent {
    filter: usize,
    means: Vec<f32>,
    deviations: Vec<f32>,
    picture: Vec<u8>,
}

const SIDE: usize = 20;
const PLAIN: Preprocess = Preprocess { scale: 1.0, offset: 0.0 };

fn network() -> Network {
    // How many threads share a sum is in its last bits.
    crate::device::set_threads(1).unwrap();
    let layers = [
        conv(6, Activation::Relu),
        pool(),
        conv(8, Activation::Relu),
        norm(),
        layer(Op::Flatten),
        dense(1, Activation::Sigmoid),
    ];
    let input = Shape::Map { height: 16, width: 16, channels: 3 };
    let network = Network::new(&Arch::new("ascent", input, &layers).unwrap(), 0, Device::Cpu, Kind::Float).unwrap();
    let _no_grad = tch::no_grad_guard();
    for weight in network.weights().all() {
        let name = weight.name.replace("kernel", "weight");
        if name.starts_with("conv2d") {
            let values = floats(&format!("ascent/{name}"), weight.tensor.numel(), 0.5);
            weight.tensor.shallow_clone().copy_(&Tensor::from_slice(&values).reshape(weight.tensor.size()));
        }
    }
    network
}

fn start(filter: usize) -> Tensor {
    let noise = floats(&format!("noise {filter}"), SIDE * SIDE * 3, 10.0);
    (Tensor::from_slice(&noise) + 138.0).reshape([1, SIDE as i64, SIDE as i64, 3]).permute([0, 3, 1, 2])
}

fn flat(tensor: &Tensor) -> Vec<f32> {
    Vec::try_from(tensor.to_kind(Kind::Float).contiguous().reshape([-1])).unwrap()
}

#[test]
fn the_ascent_is_the_books_step_by_step() {
    let figures: Figures = serde_json::from_str(include_str!("../../../tests/fixtures/explain/chapter.json")).unwrap();
    let network = network();
    let layer = network.arch().position("conv2d_1").unwrap();
    let filters: Vec<usize> = figures.ascents.iter().map(|ascent| ascent.filter).collect();
    let starts: Vec<Tensor> = filters.iter().map(|&filter| start(filter)).collect();
    let goal = Goal { network: &network, shards: None, preprocess: PLAIN, layer, filters: &filters };
    let mut steps = 0;
    let pictures = climb(&goal, Tensor::cat(&starts, 0), 40, 1.0, &mut |done, pictures, means| {
        steps += 1;
        assert_eq!(done, steps);
        for ((ascent, mean), row) in figures.ascents.iter().zip(means).zip(0..) {
            let near = |what: &str, ours: f32, theirs: f32| {
                let off = (ours - theirs).abs();
                assert!(
                    off <= 2e-4 * theirs.abs() + 1e-6,
                    "{what} of filter {} after {done}: {ours}, {theirs}",
                    ascent.filter
                );
            };
            near("mean", *mean, ascent.means[done - 1]);
            let deviation = pictures.get(row).std(false).double_value(&[]) as f32;
            near("deviation", deviation, ascent.deviations[done - 1]);
        }
        Ok(())
    });
    let bytes = deprocessed(&pictures.unwrap()).unwrap();
    for (ascent, row) in figures.ascents.iter().zip(0..) {
        let ours: Vec<u8> = flat(&bytes.get(row)).into_iter().map(|value| value as u8).collect();
        // A value on the edge between two bytes may fall on either side.
        let off = ours.iter().zip(&ascent.picture).filter(|(a, b)| a != b).count();
        assert!(ours.iter().zip(&ascent.picture).all(|(a, b)| a.abs_diff(*b) <= 1), "filter {}", ascent.filter);
        assert!(off * 100 <= ours.len(), "filter {}: {off} of {} bytes differ", ascent.filter, ours.len());
    }
}

#[test]
fn a_grid_in_shards_is_its_pictures_one_by_one() {
    let network = network();
    let shards = Shards::new(2);
    for name in ["conv2d", "conv2d_1", "batch_normalization", "max_pooling2d"] {
        let layer = network.arch().position(name).unwrap();
        let all = [0, 1, 3, 4, 5];
        let run = |filters: &[usize], shards: Option<&Shards>| {
            let goal = Goal { network: &network, shards, preprocess: Preprocess::default(), layer, filters };
            let noise = goal.noise(7, [SIDE, SIDE]).unwrap();
            climb(&goal, noise, 5, 1.0, &mut |_, _, _| Ok(())).unwrap()
        };
        let grid = run(&all, Some(&shards));
        for (&filter, row) in all.iter().zip(0..) {
            let worst = (run(&[filter], None) - grid.narrow(0, row, 1)).abs().max().double_value(&[]);
            assert!(worst < 0.02, "{name}, filter {filter}: {worst} grey levels off");
        }
    }
}

#[test]
fn waves_raise_what_filters_put_out_and_stay_pictures() {
    let network = network();
    let layer = network.arch().position("conv2d_1").unwrap();
    let filters = [0, 3, 5];
    let goal = Goal { network: &network, shards: None, preprocess: Preprocess::default(), layer, filters: &filters };
    let settings = Settings { steps: 40, ..Settings::default() };
    let mut means = Vec::new();
    let pictures = dream(&goal, [24, 32], 3, settings, &mut |_, _, now| {
        means.push(now.to_vec());
        Ok(())
    });
    let pictures = pictures.unwrap();
    assert_eq!(pictures.size(), [3, 3, 24, 32]);
    let (least, most) = (pictures.min().double_value(&[]), pictures.max().double_value(&[]));
    assert!(least >= 0.0 && most <= 255.0 && most - least > 40.0, "{least} to {most}");
    let (first, last) = (&means[0], means.last().unwrap());
    let raised = first.iter().zip(last).filter(|(first, last)| last > first).count();
    assert!(raised >= 2, "{first:?} became {last:?}");
    let again = dream(&goal, [24, 32], 3, settings, &mut |_, _, _| Ok(())).unwrap();
    assert_eq!(flat(&pictures), flat(&again), "the seed decides");
}

#[test]
fn a_filter_that_is_not_there_is_refused_by_name() {
    let network = network();
    let layer = network.arch().position("conv2d").unwrap();
    let goal = Goal { network: &network, shards: None, preprocess: PLAIN, layer, filters: &[2, 6] };
    let refused = goal.check().unwrap_err();
    assert_eq!(refused.to_string(), "layer \"conv2d\" has no filter 6: it has 6, counted from 0");
    assert!(refused.hint().is_some());
}

#[test]
fn a_painting_that_is_taken_up_again_is_the_ascent_in_one_go() {
    let network = network();
    let layer = network.arch().position("conv2d_1").unwrap();
    let mut painting = Painting { filters: 3, ..Painting::default() };
    for _ in 0..4 {
        assert_eq!(paint(&network, None, PLAIN, layer, &mut painting).unwrap(), None);
    }
    assert_eq!((painting.done, painting.height, painting.width, painting.channels), (4, 64, 64, 3));
    let goal = Goal { network: &network, shards: None, preprocess: PLAIN, layer, filters: &[0, 1, 2] };
    let whole = climb(&goal, goal.noise(0, [64, 64]).unwrap(), 4, 1.0, &mut |_, _, _| Ok(())).unwrap();
    assert_eq!(painting.levels, flat(&whole));
    assert_eq!(painting.bytes.len(), 3 * 64 * 64 * 3);
}
