//! Data sets that are in order.

use super::*;

#[test]
fn idx_is_read_plain_and_gzipped_whatever_its_name() {
    let files = Files::new();
    let images = files.idx(7);
    let plain = open(&idx_spec(&files)).unwrap();
    assert_eq!(plain.classes, ["0", "1", "2"]);
    assert_eq!((plain.train.len(), plain.train.label(5), plain.train.name(5)), (7, 2, "train #5".to_owned()));

    // What it is, is told by the content: gzip without `.gz` is gzip all the same.
    std::fs::write(&images, gzip(&std::fs::read(&images).unwrap())).unwrap();
    let zipped = open(&idx_spec(&files)).unwrap();
    for position in 0..7 {
        assert_eq!(zipped.train.load(position, SIZE).unwrap(), plain.train.load(position, SIZE).unwrap());
    }
}

#[test]
fn idx_pictures_are_resized_and_coloured_as_asked() {
    let files = Files::new();
    files.idx(7);
    let train = open(&idx_spec(&files)).unwrap().train;
    let stored = Size { height: 2, width: 3, channels: 1 };
    assert_eq!(train.load(6, stored).unwrap(), Pixels { size: stored, bytes: vec![6; 6] });
    assert_eq!(train.load(6, SIZE).unwrap(), Pixels { size: SIZE, bytes: vec![6; 72] });
}

/// Debian's dataset-fashion-mnist, where it is installed. Counts and classes from its README.
#[test]
fn fashion_mnist_has_sixty_thousand_and_ten_thousand_images() {
    let at = |name: &str| Path::new("/usr/share/datasets/fashion-mnist").join(name);
    if !at("").exists() {
        return;
    }
    let source = SourceSpec::Idx { places: vec!["/nowhere".into(), at("")], classes: Vec::new() };
    let size = Size { height: 28, width: 28, channels: 1 };
    let spec = DataSpec { size, validation_fraction: Some(1.0 / 6.0), ..spec(source) };
    let dataset = open(&spec).unwrap();
    let (validation, test) = (dataset.validation.unwrap(), dataset.test.unwrap());
    assert_eq!((dataset.train.len(), validation.len(), test.len()), (50_000, 10_000, 10_000));
    for class in 0..10 {
        let count = |split: &Split| (0..split.len()).filter(|&position| split.label(position) == class).count();
        assert_eq!([count(&dataset.train), count(&validation), count(&test)], [5_000, 1_000, 1_000], "class {class}");
    }

    let inspected = inspect(&spec).unwrap();
    assert_eq!(inspected, Inspection { classes: dataset.classes, train: 50_000, validation: 10_000, test: 10_000 });
}

#[test]
fn folder_is_read_like_flow_from_directory() {
    let files = Files::new();
    for name in
        ["b/2.PNG", "b/10.png", "b/sub/1.jpeg", "B/1.png", "a/x.webp", "a/.hidden.png", "a/readme.md", ".git/1.png"]
    {
        files.picture(&format!("train/{name}"), 1);
    }
    for name in ["a", "b", "B"] {
        files.picture(&format!("test/{name}/1.png"), 1);
    }
    let dataset = open(&folder_spec(files.0.path())).unwrap();
    // Python's sorted() puts capitals first; files of a folder come before those of its subfolders.
    assert_eq!(dataset.classes, ["B", "a", "b"]);
    let train = dataset.train;
    let names: Vec<_> = (0..train.len()).map(|i| (train.name(i), train.label(i))).collect();
    let path = |name: &str| files.path("train").join(name).display().to_string();
    let expected = [(path("B/1.png"), 0), (path("a/x.webp"), 1), (path("b/10.png"), 2), (path("b/2.PNG"), 2)];
    assert_eq!(names[..4], expected);
    assert_eq!(names[4], (path("b/sub/1.jpeg"), 2));
    assert!(dataset.validation.is_none());
    assert_eq!(dataset.test.unwrap().len(), 3);
    let inspected = inspect(&folder_spec(files.0.path())).unwrap();
    assert_eq!((inspected.train, inspected.validation, inspected.test), (5, 0, 3));
}

#[cfg(unix)]
#[test]
fn a_class_folder_may_be_a_link_and_a_loop_of_links_ends() {
    let files = Files::new();
    files.picture("elsewhere/1.png", 1);
    std::fs::create_dir_all(files.path("train")).unwrap();
    std::os::unix::fs::symlink(files.path("elsewhere"), files.path("train/cat")).unwrap();
    std::os::unix::fs::symlink(files.path("elsewhere"), files.path("elsewhere/again")).unwrap();
    assert_eq!(open(&folder_spec(files.0.path())).unwrap().train.len(), 1);
}

#[test]
fn validation_and_limit_come_from_the_training_samples() {
    let critters = spec(SourceSpec::Critters { train: 100, validation: 0, test: 10 });
    let spec = DataSpec { validation_fraction: Some(0.2), limit: Some(30), ..critters };
    let dataset = open(&spec).unwrap();
    let validation = dataset.validation.unwrap();
    assert_eq!((dataset.train.len(), validation.len(), dataset.test.unwrap().len()), (30, 20, 10));
    assert!(validation.indices.iter().all(|index| !dataset.train.indices.contains(index)));
    let inspected = inspect(&spec).unwrap();
    assert_eq!((inspected.train, inspected.validation, inspected.test), (30, 20, 10));
}

#[test]
fn a_split_of_critters_is_the_same_however_large_the_others_are() {
    let of = |train| open(&spec(SourceSpec::Critters { train, validation: 3, test: 3 })).unwrap();
    let (few, many) = (of(2), of(50));
    for position in 0..3 {
        let pair = [few.validation.as_ref().unwrap(), many.validation.as_ref().unwrap()];
        assert_eq!(pair[0].load(position, SIZE).unwrap(), pair[1].load(position, SIZE).unwrap());
        assert_ne!(many.train.load(position, SIZE).unwrap(), pair[1].load(position, SIZE).unwrap());
    }
}
