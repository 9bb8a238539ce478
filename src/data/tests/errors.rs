//! Every way in which a data set can be wrong, and what a person then reads.

use super::*;

/// What opening and inspecting say; they must agree, except where only opening looks into the files.
fn complaint(files: &Files, spec: &DataSpec) -> String {
    let text = refusal(files, open(spec).map(|_| ()));
    if let Err(inspected) = inspect(spec) {
        assert_eq!(text, refusal(files, Err(inspected)));
    }
    text
}

fn refusal(files: &Files, outcome: Result<(), DataError>) -> String {
    let error = crate::error::Error::from(outcome.expect_err("a refusal"));
    format!("{error:?}").replace(&files.0.path().display().to_string(), "DIR")
}

fn idx_complaint(images: &[u8], labels: &[u8]) -> String {
    let files = Files::new();
    files.write(IMAGES, images);
    files.write(LABELS, labels);
    complaint(&files, &idx_spec(&files))
}

macro_rules! check {
    ($text:expr) => {
        insta::with_settings!({ omit_expression => true, prepend_module_to_snapshot => false, snapshot_path => "snapshots" }, {
            insta::assert_snapshot!($text);
        })
    };
}

fn good_labels() -> Vec<u8> {
    idx(0x0801, &[2], &[0, 1])
}

fn good_images() -> Vec<u8> {
    idx(0x0803, &[2, 2, 2], &[7; 8])
}

#[test]
fn idx_file_missing() {
    let files = Files::new();
    files.write(LABELS, &good_labels());
    check!(complaint(&files, &idx_spec(&files)));
}

#[test]
fn idx_wrong_magic() {
    check!(idx_complaint(b"P6 640 480 255 and so on", &good_labels()));
}

#[test]
fn idx_images_and_labels_swapped() {
    check!(idx_complaint(&good_labels(), &good_images()));
}

#[test]
fn idx_of_floats() {
    check!(idx_complaint(&idx(0x0d03, &[1, 1, 1], &[0; 4]), &good_labels()));
}

#[test]
fn idx_too_short() {
    check!(idx_complaint(&good_images()[..20], &good_labels()));
}

#[test]
fn idx_too_long() {
    check!(idx_complaint(&[good_images(), vec![1]].concat(), &good_labels()));
}

#[test]
fn idx_header_cut_off() {
    check!(idx_complaint(&good_images()[..10], &good_labels()));
}

#[test]
fn idx_gzip_cut_off() {
    let noise: Vec<u8> = (0..2000_u32).map(|i| (i.wrapping_mul(2_654_435_761) >> 13) as u8).collect();
    let zipped = gzip(&idx(0x0803, &[2, 25, 40], &noise));
    let text = idx_complaint(&zipped[..zipped.len() / 2], &good_labels());
    // How far the decompressor came is its own affair.
    let found = text.split(" bytes after").next().unwrap().rsplit(' ').next().unwrap().to_owned();
    assert!(found.parse::<usize>().unwrap() < 2000);
    check!(text.replacen(&found, "FOUND", 1));
}

#[test]
fn idx_gzip_without_its_checksum() {
    let zipped = gzip(&good_images());
    check!(idx_complaint(&zipped[..zipped.len() - 5], &good_labels()));
}

#[test]
fn idx_gzip_damaged() {
    let mut zipped = gzip(&good_images());
    let checksum = zipped.len() - 8;
    zipped[checksum] ^= 1;
    check!(idx_complaint(&zipped, &good_labels()));
}

#[test]
fn idx_without_samples() {
    check!(idx_complaint(&idx(0x0803, &[0, 28, 28], &[]), &good_labels()));
}

#[test]
fn idx_lying_about_an_absurd_size() {
    check!(idx_complaint(&idx(0x0803, &[2, u32::MAX, u32::MAX], &[1, 2, 3]), &good_labels()));
}

#[test]
fn idx_counts_differ() {
    check!(idx_complaint(&good_images(), &idx(0x0801, &[3], &[0, 1, 1])));
}

#[test]
fn idx_label_out_of_range() {
    let files = Files::new();
    files.write(IMAGES, &good_images());
    files.write(LABELS, &good_labels());
    let classes = vec!["only".to_owned()];
    let source = SourceSpec::Idx { places: vec![files.path("")], classes };
    check!(complaint(&files, &spec(source)));
}

#[test]
fn idx_test_images_without_labels() {
    let files = Files::new();
    files.idx(3);
    files.write("t10k-images-idx3-ubyte.gz", &good_images());
    check!(complaint(&files, &idx_spec(&files)));
}

#[test]
fn nothing_in_any_place() {
    let files = Files::new();
    let places = vec![files.path("here"), files.path("there")];
    check!(complaint(&files, &spec(SourceSpec::Folder { places })));
}

#[test]
fn folder_missing() {
    let files = Files::new();
    check!(complaint(&files, &folder_spec(&files.path("cats-and-dogs"))));
}

#[test]
fn folder_without_train() {
    let files = Files::new();
    files.picture("cat/1.png", 1);
    check!(complaint(&files, &folder_spec(files.0.path())));
}

#[test]
fn folder_without_classes() {
    let files = Files::new();
    files.picture("train/1.png", 1);
    check!(complaint(&files, &folder_spec(files.0.path())));
}

#[test]
fn folder_with_an_empty_class() {
    let files = Files::new();
    files.picture("train/cat/1.png", 1);
    files.write("train/dog/notes.txt", b"none yet");
    files.picture("train/dog/.hidden.png", 1);
    check!(complaint(&files, &folder_spec(files.0.path())));
}

#[test]
fn folder_whose_class_is_unreadable() {
    let files = Files::new();
    files.picture("train/cat/1.png", 1);
    files.write("train/cat/2.png", b"");
    files.write("train/dog/deep/1.png", b"<html>");
    files.write("train/dog/deep/2.png", b"<html>");
    check!(complaint(&files, &folder_spec(files.0.path())));
}

#[test]
fn folder_whose_test_classes_differ() {
    let files = Files::new();
    for name in ["train/cat", "train/dog", "test/cats", "test/dog", "test/fox"] {
        files.picture(&format!("{name}/1.png"), 1);
    }
    check!(complaint(&files, &folder_spec(files.0.path())));
}

#[test]
fn validation_given_twice() {
    let files = Files::new();
    files.picture("train/cat/1.png", 1);
    files.picture("validation/cat/1.png", 1);
    check!(complaint(&files, &DataSpec { validation_fraction: Some(0.2), ..folder_spec(files.0.path()) }));
}

#[test]
fn validation_fraction_out_of_range() {
    let critters = spec(SourceSpec::Critters { train: 10, validation: 0, test: 0 });
    check!(complaint(&Files::new(), &DataSpec { validation_fraction: Some(20.0), ..critters }));
}

#[test]
fn validation_fraction_too_small() {
    let critters = spec(SourceSpec::Critters { train: 10, validation: 0, test: 0 });
    check!(complaint(&Files::new(), &DataSpec { validation_fraction: Some(0.01), ..critters }));
}

#[test]
fn no_training_samples() {
    check!(complaint(&Files::new(), &spec(SourceSpec::Critters { train: 0, validation: 2, test: 2 })));
}

#[test]
fn size_of_no_picture() {
    let critters = spec(SourceSpec::Critters { train: 2, validation: 2, test: 2 });
    check!(complaint(&Files::new(), &DataSpec { size: Size { height: 0, width: 64, channels: 4 }, ..critters }));
}

#[test]
fn picture_to_predict_missing() {
    let files = Files::new();
    check!(refusal(&files, decode_file(&files.path("cat.jpg"), SIZE, Interpolation::Nearest).map(|_| ())));
}

#[test]
fn picture_to_predict_of_another_kind() {
    let files = Files::new();
    check!(refusal(
        &files,
        decode_file(&files.write("cat.jpg", b"%PDF-1.4"), SIZE, Interpolation::Nearest).map(|_| ())
    ));
}

#[test]
fn unreadable_pictures_are_listed_with_their_reasons() {
    let files = Files::new();
    let fixture = |name: &str| std::fs::read(Path::new("tests/fixtures/data/pillow").join(name)).unwrap();
    let jpeg = fixture("smooth.jpg");
    let mut broken = png(9);
    broken[44] ^= 0xff; // inside the compressed pixels
    let mut bomb = png(9);
    bomb[16..24].copy_from_slice(&[0, 1, 0, 0, 0, 1, 0, 0]); // 65,536 pixels a side, says the header
    let crc = crc32(&bomb[12..29]);
    bomb[29..33].copy_from_slice(&crc.to_be_bytes());
    for (name, bytes) in [
        ("bomb.png", bomb),
        ("broken.jpg", [&jpeg[..170], &[0; 40], &jpeg[210..]].concat()),
        ("broken.png", broken),
        ("cut.gif", fixture("palette.gif")[..60].to_vec()),
        ("cut.jpg", jpeg[..jpeg.len() - 20].to_vec()),
        ("cut.png", png(9)[..45].to_vec()),
        ("cut.webp", fixture("lossless.webp")[..100].to_vec()),
        ("cut_in_header.jpg", jpeg[..30].to_vec()),
        ("empty.png", Vec::new()),
        ("text.jpg", b"404 not found".to_vec()),
    ] {
        files.write(&format!("train/cat/{name}"), &bytes);
    }
    files.picture("train/cat/whole.png", 5);
    let dataset = open(&folder_spec(files.0.path())).unwrap();
    let spec = LoaderSpec {
        batch_size: 100,
        shuffle: false,
        seed: 0,
        workers: 0,
        prefetch: 1,
        augment: None,
        cache: CacheKind::Memory,
        cache_bytes: 1 << 20,
    };
    let batch = Loader::new(dataset.train, SIZE, spec).epoch(0, 0).next().unwrap().unwrap();
    assert_eq!((batch.count, batch.images.len(), &batch.labels[..]), (1, SIZE.bytes(), &[0][..]));

    let lines = |title: &str, skipped: &[Skipped]| {
        let lines = skipped
            .iter()
            .map(|Skipped { path, reason }| format!("  {}: {reason}\n", path.rsplit('/').next().unwrap()));
        format!("{title}\n{}", lines.collect::<String>())
    };
    check!(lines("when opening", &dataset.skipped.train) + &lines("when loading", &batch.skipped));
}

/// Of a png chunk (ISO 3309).
fn crc32(bytes: &[u8]) -> u32 {
    let mut crc = flate2::Crc::new();
    crc.update(bytes);
    crc.sum()
}
