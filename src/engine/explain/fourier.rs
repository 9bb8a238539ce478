//! The modern way to show a filter what it likes (Olah, Mordvintsev, Schubert 2017, "Feature Visualization"): the picture is a sum of
//! waves in colours that do not correlate, seen each time a little moved, turned and scaled. Where the plain ascent gives noise on
//! deep layers, this gives shapes. Constants are Lucid's (lucid/optvis/param, lucid/optvis/transform).

use tch::{Kind, Tensor};

use super::ascent::{Goal, Watching, means};
use crate::error::Result;
use crate::shim::{self, Adam, Updated};
use frostline::data::random::{self, Purpose};

/// How hard it is tried.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Settings {
    pub steps: usize,
    /// Adam's.
    pub rate: f64,
    /// Pixels by which the picture is moved, either way.
    pub jitter: f64,
    /// Degrees by which it is turned, either way.
    pub rotate: f64,
    /// Share by which it is scaled, either way.
    pub scale: f64,
    /// Weight of the total variation, in units of what the filter puts out.
    pub total_variation: f64,
}

impl Default for Settings {
    fn default() -> Self {
        Self { steps: 256, rate: 0.05, jitter: 8.0, rotate: 10.0, scale: 0.1, total_variation: 1.0 }
    }
}

/// Square root of the colours' covariance in `ImageNet`, a row for each of red, green and blue, and by what it is divided: the
/// largest norm of a column.
const COLOURS: [[f32; 3]; 3] = [[0.26, 0.09, 0.02], [0.27, 0.00, -0.05], [0.27, -0.09, 0.03]];
const COLOUR_NORM: f32 = 0.461_952;
/// Standard deviation of the first spectrum, and the divisor that keeps its picture from saturating.
const FIRST_SPREAD: f64 = 0.01;
const CALM: f64 = 4.0;

/// Pictures in grey levels, `[filters, c, h, w]`.
pub fn dream(
    goal: &Goal<'_>,
    sides: [usize; 2],
    seed: u64,
    settings: Settings,
    watching: Watching<'_>,
) -> Result<Tensor> {
    goal.check()?;
    let waves = Waves::new(goal, sides)?;
    let spectrum = waves.first(goal, seed)?;
    let slots = [spectrum.f_zeros_like()?, spectrum.f_zeros_like()?];
    let (layer, preprocess) = (goal.layer, goal.preprocess);
    let mut picture = {
        let _no_grad = tch::no_grad_guard();
        painted(&spectrum, &waves.scales, waves.colours.as_ref(), sides)?.f_mul_scalar(255.0)?
    };
    for step in 1..=settings.steps {
        let moves = moves(goal, sides, seed, step as u64, settings)?;
        let parts: Vec<&Tensor> = [&spectrum, &moves, &waves.scales].into_iter().chain(&waves.colours).collect();
        let found = goal.in_shards(&parts, |network, filters, rows| {
            let leaf = rows[0].f_detach()?.f_set_requires_grad(true)?;
            let picture = painted(&leaf, &rows[2], rows.get(3), sides)?;
            let seen = moved(&picture, &rows[1])?;
            let means = means(network, preprocess, layer, filters, &seen.f_mul_scalar(255.0)?)?;
            // In units of the activation, so that one weight fits filters that are loud and filters that are quiet.
            let price =
                variation(&picture)?.f_mul(&means.f_detach()?.f_abs()?)?.f_mul_scalar(settings.total_variation)?;
            let loss = price.f_sub(&means)?.f_sum(Kind::Float)?;
            let gradient = super::view::gradient(&loss, &leaf)?;
            Ok(vec![gradient, means.f_detach()?])
        })?;
        let update = Updated { weight: &spectrum, gradient: &found[0].f_contiguous()?, slots: &slots };
        shim::adam(
            &[update],
            Adam {
                decoupled: false,
                step: step as i64,
                rate: settings.rate,
                beta_1: 0.9,
                beta_2: 0.999,
                decay: 0.0,
                epsilon: 1e-8,
            },
        )?;
        let _no_grad = tch::no_grad_guard();
        picture = painted(&spectrum, &waves.scales, waves.colours.as_ref(), sides)?.f_mul_scalar(255.0)?;
        watching(step, &picture, &super::numbers(&found[1])?)?;
    }
    Ok(picture)
}

/// What turns a spectrum into a picture.
struct Waves {
    /// `[filters, h, w / 2 + 1]`, the same for each: long waves are stronger, as in photographs.
    scales: Tensor,
    /// `[filters, 3, 3]`, the same for each; none for grey pictures.
    colours: Option<Tensor>,
}

impl Waves {
    fn new(goal: &Goal<'_>, [height, width]: [usize; 2]) -> Result<Self> {
        let frequency = |at: usize, side: usize| {
            let turned = if at * 2 > side { side - at } else { at };
            turned as f64 / side as f64
        };
        let columns = width / 2 + 1;
        let least = 1.0 / height.max(width) as f64;
        let loudness = ((height * width) as f64).sqrt();
        let scales: Vec<f32> = (0..height * columns)
            .map(|at| {
                let size = frequency(at / columns, height).hypot(frequency(at % columns, width));
                (loudness / size.max(least)) as f32
            })
            .collect();
        let (count, device) = (goal.filters.len() as i64, goal.network.device());
        let scales = Tensor::f_from_slice(&scales)?.f_reshape([1, height as i64, columns as i64])?;
        let mut colours = None;
        if goal.colours() == 3 {
            let rows = Tensor::f_from_slice(&COLOURS.concat())?.f_reshape([1, 3, 3])?;
            let rows = rows.f_div_scalar(f64::from(COLOUR_NORM))?.f_to_device(device)?;
            colours = Some(rows.f_expand([count, -1, -1], false)?);
        }
        Ok(Self { scales: scales.f_to_device(device)?.f_expand([count, -1, -1], false)?, colours })
    }

    /// `[filters, c, h, w / 2 + 1, 2]`, real and imaginary.
    fn first(&self, goal: &Goal<'_>, seed: u64) -> Result<Tensor> {
        let size = self.scales.size();
        let shape = [goal.filters.len() as i64, goal.colours() as i64, size[1], size[2], 2];
        let each = shape[1..].iter().product::<i64>();
        let mut values = Vec::with_capacity(goal.filters.len() * each as usize);
        for &filter in goal.filters {
            let mut stream = random::stream(seed, Purpose::Explain, filter as u64, 0);
            values.extend((0..each).map(|_| (random::normal(&mut stream) * FIRST_SPREAD) as f32));
        }
        Ok(Tensor::f_from_slice(&values)?.f_reshape(shape)?.f_to_device(goal.network.device())?)
    }
}

/// The waves of a spectrum summed up, in true colours, 0–1, `[n, c, h, w]`.
fn painted(
    spectrum: &Tensor,
    scales: &Tensor,
    colours: Option<&Tensor>,
    [height, width]: [usize; 2],
) -> Result<Tensor> {
    let waves = spectrum.f_mul(&scales.f_unsqueeze(1)?.f_unsqueeze(-1)?)?.f_contiguous()?.f_view_as_complex()?;
    let sides = [height as i64, width as i64];
    let plain = waves.f_fft_irfft2(sides.as_slice(), [-2_i64, -1], "backward")?.f_div_scalar(CALM)?;
    let coloured = match colours {
        // `[n, 3, 3]` by `[n, 3, h w]`.
        Some(colours) => colours.f_matmul(&plain.f_flatten(2, 3)?)?.f_reshape(plain.size())?,
        None => plain,
    };
    Ok(coloured.f_sigmoid()?)
}

/// Pictures through their affine maps, `[n, 2, 3]`; beyond the edge they are mirrored.
fn moved(pictures: &Tensor, maps: &Tensor) -> Result<Tensor> {
    const BILINEAR: i64 = 0;
    const REFLECTION: i64 = 2;
    let grid = Tensor::f_affine_grid_generator(maps, pictures.size(), false)?;
    Ok(pictures.f_grid_sampler(&grid, BILINEAR, REFLECTION, false)?)
}

/// How each filter's picture is moved in this step, `[filters, 2, 3]`, in `affine_grid`'s coordinates.
fn moves(goal: &Goal<'_>, [height, width]: [usize; 2], seed: u64, step: u64, settings: Settings) -> Result<Tensor> {
    let mut values = Vec::with_capacity(goal.filters.len() * 6);
    for &filter in goal.filters {
        let mut stream = random::stream(seed, Purpose::Explain, filter as u64, step);
        let mut either_way = |most: f64| random::between(&mut stream, -most, most);
        let (right, down) = (either_way(settings.jitter), either_way(settings.jitter));
        let turn = either_way(settings.rotate).to_radians();
        let scale = 1.0 + either_way(settings.scale);
        let (sin, cos) = turn.sin_cos();
        // Coordinates run from −1 to 1 along both sides, whatever their lengths.
        let aspect = height as f64 / width as f64;
        let row = [cos * scale, -sin * scale * aspect, 2.0 * right / width as f64];
        let next = [sin * scale / aspect, cos * scale, 2.0 * down / height as f64];
        values.extend(row.into_iter().chain(next).map(|value| value as f32));
    }
    let maps = Tensor::f_from_slice(&values)?.f_reshape([goal.filters.len() as i64, 2, 3])?;
    Ok(maps.f_to_device(goal.network.device())?)
}

/// Mean absolute difference of neighbours, `[n]`.
fn variation(pictures: &Tensor) -> Result<Tensor> {
    let along = |axis: i64| -> Result<Tensor> {
        let length = pictures.size()[axis as usize] - 1;
        let difference = pictures.f_narrow(axis, 1, length)?.f_sub(&pictures.f_narrow(axis, 0, length)?)?;
        Ok(difference.f_abs()?.f_mean_dim([1_i64, 2, 3].as_slice(), false, Kind::Float)?)
    };
    Ok(along(2)?.f_add(&along(3)?)?)
}
