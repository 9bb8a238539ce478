//! What one varied picture of 150 x 150 x 3 costs, on one core: the chapter's full set of variations, each fill mode, plain arithmetic
//! beside vectors, and colours. `cargo bench --no-default-features --bench augment`.

use std::hint::black_box;
use std::sync::Arc;

use criterion::{Criterion, Throughput};
use frostline::data::{
    Augment, DataError, Draw, Fill, Jitter, Loader, LoaderSpec, Mixing, Pixels, ResizedCrop, Shift, Size, Source,
    Split, Workspace,
};

const SIZE: Size = Size { height: 150, width: 150, channels: 3 };

/// Listing 5.11 of the book.
fn chapter() -> Augment {
    Augment {
        rotation: 40.0,
        width_shift: Shift::fraction(0.2),
        height_shift: Shift::fraction(0.2),
        shear: 0.2,
        zoom: [0.8, 1.2],
        horizontal_flip: true,
        ..Augment::default()
    }
}

fn main() {
    let mut criterion = Criterion::default().configure_from_args();
    let pixels: Vec<u8> = (0..SIZE.bytes() as u32).map(|i| (i.wrapping_mul(2_654_435_761) >> 24) as u8).collect();
    let mut out = vec![0; SIZE.bytes()];
    let jitter = [Some([0.6, 1.4]); 3];
    let [brightness, contrast, saturation] = jitter;
    let colours = Jitter { brightness, contrast, saturation, hue: None };
    let cases = [
        ("chapter", chapter(), Workspace::default()),
        ("chapter, plain", chapter(), Workspace::plain()),
        ("constant", Augment { fill: Fill::Constant(0), ..chapter() }, Workspace::default()),
        ("reflect", Augment { fill: Fill::Reflect, ..chapter() }, Workspace::default()),
        ("wrap", Augment { fill: Fill::Wrap, ..chapter() }, Workspace::default()),
        ("flip alone", Augment { horizontal_flip: true, ..Augment::default() }, Workspace::default()),
        (
            "chapter, resized crop",
            Augment { crop: Some(ResizedCrop { scale: [0.08, 1.0], ratio: [0.75, 4.0 / 3.0] }), ..chapter() },
            Workspace::default(),
        ),
        ("chapter, brightness", Augment { brightness: Some([0.5, 1.5]), ..chapter() }, Workspace::default()),
        (
            "chapter, brightness, contrast, saturation",
            Augment { jitter: Some(colours), ..chapter() },
            Workspace::default(),
        ),
        (
            "chapter, hue",
            Augment { jitter: Some(Jitter { hue: Some([-0.1, 0.1]), ..Jitter::default() }), ..chapter() },
            Workspace::default(),
        ),
    ];
    let mut group = criterion.benchmark_group("augment");
    group.throughput(Throughput::Elements(1));
    for (name, augment, mut workspace) in cases {
        let mut sample = 0;
        group.bench_function(name, |bencher| {
            bencher.iter(|| {
                sample += 1;
                let draw = Draw { seed: 1, epoch: 1, sample };
                augment.vary(black_box(&pixels), SIZE, draw, &mut workspace, &mut out);
                black_box(&mut out);
            });
        });
    }
    group.finish();
    mixing(&mut criterion);
    loading(&mut criterion);
    criterion.final_summary();
}

/// A batch of 32.
fn mixing(criterion: &mut Criterion) {
    let mut images = vec![9; 32 * SIZE.bytes()];
    let mut labels = vec![0; 32];
    for (name, mixing) in
        [("mixup", Mixing { mixup: 0.2, cutmix: 0.0 }), ("cutmix", Mixing { mixup: 0.0, cutmix: 1.0 })]
    {
        let mut batch = 0;
        criterion.bench_function(&format!("{name}, batch of 32"), |bencher| {
            bencher.iter(|| {
                batch += 1;
                black_box(mixing.apply([1, 1, batch], SIZE, &mut images, &mut labels))
            });
        });
    }
}

/// Pictures that a loader caches after the first pass.
struct Noise;

impl Source for Noise {
    fn len(&self) -> usize {
        1024
    }

    fn label(&self, i: usize) -> u32 {
        i as u32 % 2
    }

    fn name(&self, i: usize) -> String {
        format!("noise {i}")
    }

    fn load(&self, i: usize, size: Size) -> Result<Pixels, DataError> {
        Ok(Pixels { size, bytes: (0..size.bytes()).map(|at| (at * 7 + i) as u8).collect() })
    }
}

/// A later pass over 1,024 pictures in batches of 32, by the caller's own thread and by two others.
fn loading(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("loader, later pass");
    group.throughput(Throughput::Elements(1024)).sample_size(20);
    for workers in [0, 1, 2] {
        let spec = LoaderSpec {
            batch_size: 32,
            shuffle: true,
            seed: 1,
            workers,
            prefetch: 4,
            augment: Some(chapter()),
            cache: frostline::data::CacheKind::Memory,
            cache_bytes: 1 << 30,
        };
        let loader = Loader::new(Split::whole(Arc::new(Noise)), SIZE, spec);
        loader.epoch(0, 0).for_each(drop);
        let mut epoch = 0;
        group.bench_function(format!("{workers} workers"), |bencher| {
            bencher.iter(|| {
                epoch += 1;
                loader.epoch(epoch, 0).for_each(drop);
            });
        });
    }
    group.finish();
}
