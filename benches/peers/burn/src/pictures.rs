//! From JPEGs to augmented batches. burn ships no augmentation: one bilinear warp of our own after the `image` crate's decoder and
//! resizer, edges repeated.

use burn::data::dataloader::batcher::Batcher;
use burn::tensor::{Device, Tensor, TensorData};
use rand::Rng;

use crate::network::Batch;

const SIDE: usize = 150;
const PIXELS: usize = SIDE * SIDE;

/// A path and its class.
#[derive(Clone, Debug)]
pub struct File(pub String, pub i32);

#[derive(Clone)]
pub struct Jpegs;

impl Batcher<File, Batch> for Jpegs {
    fn batch(&self, files: Vec<File>, device: &Device) -> Batch {
        let mut planes = vec![0.0_f32; files.len() * 3 * PIXELS];
        for (file, out) in files.iter().zip(planes.chunks_mut(3 * PIXELS)) {
            load(&file.0, out);
        }
        let labels: Vec<i32> = files.iter().map(|file| file.1).collect();
        let x = TensorData::new(planes, [files.len(), 3, SIDE, SIDE]);
        let y = TensorData::new(labels, [files.len()]);
        Batch { x: Tensor::from_data(x, device), y: Tensor::from_data(y, device) }
    }
}

/// Files of one split in `root`, cats first.
pub fn files(root: &str, split: &str) -> Vec<File> {
    let mut files = Vec::new();
    for (class, name) in ["cats", "dogs"].iter().enumerate() {
        let folder = std::fs::read_dir(format!("{root}/{split}/{name}")).expect("the folder of a class");
        files.extend(folder.flatten().map(|file| File(file.path().display().to_string(), class as i32)));
    }
    files
}

/// Fills `[3, 150, 150]` floats from 0 to 1.
fn load(path: &str, out: &mut [f32]) {
    let image = image::open(path).expect("a JPEG").into_rgb8();
    let image = image::imageops::resize(&image, SIDE as u32, SIDE as u32, image::imageops::FilterType::Triangle);
    let bytes = image.as_raw();
    let mut random = rand::rng();
    let (sin, cos) = random.random_range(-40.0_f32..40.0).to_radians().sin_cos();
    let mut draw = |least: f32, most: f32| random.random_range(least..most);
    let (wide, high) = (draw(0.8, 1.2), draw(0.8, 1.2));
    let (right, down) = (draw(-30.0, 30.0), draw(-30.0, 30.0));
    let wide = if draw(-1.0, 1.0) < 0.0 { -wide } else { wide };
    let (middle, edge) = ((SIDE as f32 - 1.0) / 2.0, SIDE as f32 - 1.0);
    for y in 0..SIDE {
        for x in 0..SIDE {
            let (across, along) = ((x as f32 - middle) * wide, (y as f32 - middle) * high);
            let from_x = (cos * across - sin * along + right + middle).clamp(0.0, edge);
            let from_y = (sin * across + cos * along + down + middle).clamp(0.0, edge);
            let (left, top) = (from_x as usize, from_y as usize);
            let (next, below) = ((left + 1).min(SIDE - 1), (top + 1).min(SIDE - 1));
            let (part_x, part_y) = (from_x - left as f32, from_y - top as f32);
            for channel in 0..3 {
                let at = |row: usize, column: usize| f32::from(bytes[(row * SIDE + column) * 3 + channel]);
                let upper = at(top, left) * (1.0 - part_x) + at(top, next) * part_x;
                let lower = at(below, left) * (1.0 - part_x) + at(below, next) * part_x;
                out[channel * PIXELS + y * SIDE + x] = (upper * (1.0 - part_y) + lower * part_y) / 255.0;
            }
        }
    }
}
