//! `frostline data`: split, check, preview and fetch as a user meets them, with pictures that the test draws and a server that
//! the test plays.

use std::{
    fs::{self, File},
    io::{BufRead as _, BufReader, Cursor, Write as _},
    net::{TcpListener, TcpStream},
    path::Path,
    process::{Command, Stdio},
    thread,
};

use frostline::{
    data::{self, CacheKind, Loader, LoaderSpec},
    plan::Plan,
};
use image::{ImageFormat, RgbImage};

use crate::acting::{Said, said};

fn frostline(folder: &Path, arguments: &[&str]) -> Said {
    let mut command = Command::new(env!("CARGO_BIN_EXE_frostline"));
    command.args(arguments).current_dir(folder).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    said(&mut command)
}

/// Large squares in random tones: for each number a picture that looks like no other.
fn drawn(number: u32) -> RgbImage {
    let tone = |x: u32, y: u32, channel: u32| {
        let mut value =
            number.wrapping_mul(0x9e37_79b9) ^ (y / 8 * 31 + x / 8 * 7 + channel * 3 + 1).wrapping_mul(0x85eb_ca6b);
        value = (value ^ value >> 15).wrapping_mul(0x2c1b_3c6d);
        (value ^ value >> 12).wrapping_mul(0x297a_2d39) as u8
    };
    RgbImage::from_fn(64, 48, |x, y| image::Rgb([0, 1, 2].map(|channel| tone(x, y, channel))))
}

fn png(number: u32) -> Vec<u8> {
    let mut bytes = Cursor::new(Vec::new());
    drawn(number).write_to(&mut bytes, ImageFormat::Png).unwrap();
    bytes.into_inner()
}

/// A folder as Kaggle's competition leaves it: `count` of each kind.
fn raw(folder: &Path, count: u32) {
    fs::create_dir_all(folder).unwrap();
    for (kind, first) in [("cat", 0), ("dog", 1000)] {
        for number in 0..count {
            fs::write(folder.join(format!("{kind}.{number}.png")), png(first + number)).unwrap();
        }
    }
}

#[test]
fn a_small_data_set_is_made_of_raw_images_and_is_clean() {
    let folder = tempfile::tempdir().unwrap();
    let here = folder.path();
    raw(&here.join("raw"), 12);
    fs::write(here.join("raw/cat.3.png"), &png(3)[..300]).unwrap();
    fs::copy(here.join("raw/dog.0.png"), here.join("raw/dog.6.png")).unwrap();
    drawn(1001).save(here.join("raw/dog.7.jpg")).unwrap();
    fs::remove_file(here.join("raw/dog.7.png")).unwrap();

    let split = ["data", "split", "--from", "raw", "--into", "data/small", "--per-class", "6,2,2"];
    let made = frostline(here, &split);
    assert_eq!(
        made.out,
        "data/small: 20 images copied from raw\n\n       train  validation  test\ncats       6           2     2\ndogs       \
         6           2     2\ntotal     12           4     4\n"
    );
    assert_eq!(
        made.err,
        "warning: 1 image cannot be read and is left out:\n  raw/cat.3.png: the png is cut off\nwarning: 2 images look like one \
         in another split and are left out:\n  raw/dog.6.png: the same file as raw/dog.0.png in train\n  raw/dog.7.jpg: looks \
         like raw/dog.1.png in train\n"
    );
    assert_eq!(made.code, Some(0));
    let cats = |split: &str| {
        let names = fs::read_dir(here.join("data/small").join(split).join("cats")).unwrap();
        let mut names: Vec<_> = names.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    };
    assert_eq!(cats("train"), ["cat.0.png", "cat.1.png", "cat.2.png", "cat.4.png", "cat.5.png", "cat.6.png"]);
    assert_eq!(
        (cats("validation"), cats("test")),
        (vec!["cat.7.png".into(), "cat.8.png".into()], vec!["cat.10.png".into(), "cat.9.png".into()])
    );
    assert_eq!(fs::read_dir(here.join("data")).unwrap().count(), 1, "nothing temporary is left");

    let clean = frostline(here, &["data", "check", "data/small"]);
    assert_eq!((clean.err.as_str(), clean.code), ("", Some(0)));
    assert!(
        clean.out.starts_with("data/small: 20 images in 2 classes, ")
            && clean.out.ends_with("\n\nnothing wrong was found\n")
    );

    let again = frostline(here, &split);
    let expected =
        "error: data/small: is there already\n  hint: nothing is overwritten: remove it first, or give another name\n";
    assert_eq!((again.out.as_str(), again.err.as_str(), again.code), ("", expected, Some(2)));
}

#[test]
fn links_lead_to_the_raw_images_and_json_says_what_was_chosen() {
    let folder = tempfile::tempdir().unwrap();
    let here = folder.path();
    raw(&here.join("raw"), 8);
    for link in ["hard", "symbolic"] {
        let made = frostline(
            here,
            &[
                "data",
                "split",
                "--from",
                "raw",
                "--into",
                link,
                "--per-class",
                "3,1",
                "--link",
                link,
                "--seed",
                "5",
                "--json",
            ],
        );
        let made: serde_json::Value = serde_json::from_str(&made.out).unwrap();
        assert_eq!(
            made["splits"],
            serde_json::json!({"train": {"cats": 3, "dogs": 3}, "validation": {"cats": 1, "dogs": 1}})
        );
        let one = fs::read_dir(here.join(link).join("train/dogs")).unwrap().next().unwrap().unwrap();
        assert_eq!(fs::read(one.path()).unwrap(), fs::read(here.join("raw").join(one.file_name())).unwrap());
        assert_eq!(one.path().is_symlink(), link == "symbolic");
    }
    let names = |link: &str| {
        let mut names: Vec<_> =
            fs::read_dir(here.join(link).join("train/cats")).unwrap().map(|e| e.unwrap().file_name()).collect();
        names.sort();
        names
    };
    assert_eq!(names("hard"), names("symbolic"), "the seed alone decides");
}

#[test]
fn what_cannot_be_split_is_told_with_its_reason() {
    let folder = tempfile::tempdir().unwrap();
    let here = folder.path();
    raw(&here.join("raw"), 3);
    raw(&here.join("zip/train"), 1);
    fs::create_dir_all(here.join("empty")).unwrap();
    fs::create_dir_all(here.join("numbers")).unwrap();
    fs::write(here.join("numbers/1.png"), png(1)).unwrap();
    fs::create_dir_all(here.join("begun.partial")).unwrap();
    let mut told = String::new();
    for (from, into, per_class) in [
        ("raw", "small", "1000,500,500"),
        ("raw", "small", "0,5"),
        ("zip", "small", "1"),
        ("zip/train", "zip/train/small", "1"),
        ("empty", "small", "1"),
        ("numbers", "small", "1"),
        ("nowhere", "small", "1"),
        ("raw", "begun", "1"),
    ] {
        let said = frostline(here, &["data", "split", "--from", from, "--into", into, "--per-class", per_class]);
        assert_eq!((said.out.as_str(), said.code), ("", Some(2)), "{from}: {}", said.err);
        told += &said.err.replace(&here.display().to_string(), "HERE");
    }
    insta::assert_snapshot!(told);
    assert!(!here.join("small").exists());
}

#[test]
fn a_check_finds_what_is_wrong() {
    let folder = tempfile::tempdir().unwrap();
    let here = folder.path();
    for (place, number) in [
        ("train/cats/1.png", 1),
        ("train/cats/2.png", 2),
        ("train/cats/again.png", 2),
        ("train/dogs/3.png", 3),
        ("train/dogs/cat.png", 1),
        ("train/notes.txt", 4),
        ("test/cats/4.png", 4),
        ("test/dogs/3.png", 3),
    ] {
        let path = here.join("mine").join(place);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, png(number)).unwrap();
    }
    drawn(5).save(here.join("mine/test/cats/5.jpg")).unwrap();
    image::GrayImage::from_pixel(9, 9, image::Luma([7])).save(here.join("mine/test/cats/grey.png")).unwrap();
    fs::write(here.join("mine/train/dogs/words.jpg"), "no picture").unwrap();
    fs::write(here.join("mine/test/dogs/half.png"), &png(8)[..300]).unwrap();
    let found = frostline(here, &["data", "check", "mine"]);
    assert_eq!((found.err.as_str(), found.code), ("", Some(1)));
    insta::assert_snapshot!(found.out);

    let json = frostline(here, &["data", "check", "mine", "--json"]);
    let json: serde_json::Value = serde_json::from_str(&json.out).unwrap();
    assert_eq!((&json["images"], &json["findings"][0]["unreadable"]["files"]), (&9.into(), &2.into()));
    let nowhere = frostline(here, &["data", "check", "nowhere"]);
    assert_eq!((nowhere.err.lines().next(), nowhere.code), (Some("error: nowhere: no such folder"), Some(2)));
}

const AUGMENTED: &str = r#"
[data]
source = "critters"
train = 8
validation = 2
test = 2
augment = { horizontal_flip = true, width_shift_range = 0.2, height_shift_range = 0.2 }
[model]
input = [120, 130, 3]
layers = [{ type = "flatten" }, { type = "dense", units = 1, activation = "sigmoid" }]
[train]
epochs = 1
batch_size = 3
"#;

#[test]
fn a_preview_shows_what_training_sees() {
    let folder = tempfile::tempdir().unwrap();
    let here = folder.path();
    fs::write(here.join("mine.toml"), AUGMENTED).unwrap();
    let shown = frostline(here, &["data", "preview", "mine.toml", "--augment", "--count", "2", "--epochs", "3"]);
    assert_eq!((shown.err.as_str(), shown.code), ("", Some(0)));
    let lines: Vec<&str> = shown.out.lines().collect();
    assert!(
        lines[0].ends_with("cat, then in epochs 1 to 3") && lines[1].ends_with("dog, then in epochs 1 to 3"),
        "{}",
        shown.out
    );
    assert_eq!(lines[2], "mine-preview.png: a contact sheet of 2 images");
    let sheet = image::open(here.join("mine-preview.png")).unwrap().into_rgb8();

    // The same samples through the loader that training uses.
    let plan = Plan::load(&here.join("mine.toml"), &[]).unwrap();
    let data = data::open(&plan.data).unwrap();
    let cats = (0..data.train.len()).filter(|&at| data.train.label(at) == 0);
    let position = cats.min().unwrap();
    let spec = LoaderSpec {
        batch_size: 1,
        shuffle: false,
        seed: plan.seed,
        workers: 0,
        prefetch: 1,
        augment: Some(plan.data.augment),
        cache: CacheKind::Memory,
        cache_bytes: 0,
    };
    let loader = Loader::new(data.train, plan.data.size, spec);
    for epoch in 1..=3_u32 {
        let batch = loader.epoch(epoch.into(), position).next().unwrap().unwrap();
        let seen = RgbImage::from_raw(130, 120, batch.images).unwrap();
        // Six pixels around each picture; the first is the original.
        let tile = image::imageops::crop_imm(&sheet, 6 + 136 * epoch, 6, 130, 120).to_image();
        assert!(seen == tile, "epoch {epoch}");
    }
    assert!(sheet.width() == 6 + 4 * 136);
}

#[test]
fn a_preview_of_one_s_own_picture_needs_no_data() {
    let folder = tempfile::tempdir().unwrap();
    let here = folder.path();
    fs::write(
        here.join("mine.toml"),
        AUGMENTED.replace("\"critters\"\ntrain = 8\nvalidation = 2\ntest = 2", "\"folder\"\npath = \"gone\""),
    )
    .unwrap();
    fs::write(here.join("a.png"), png(1)).unwrap();
    let shown = frostline(here, &["data", "preview", "mine.toml", "--image", "a.png", "-o", "sheet.png"]);
    assert_eq!((shown.out.as_str(), shown.err.as_str()), ("a.png\nsheet.png: a contact sheet of 1 image\n", ""));
    let missing = frostline(here, &["data", "preview", "mine.toml"]);
    assert!(missing.err.starts_with("error: data.path: nothing found at "), "{}", missing.err);
    let text = frostline(here, &["data", "preview", "mine.toml", "--image", "mine.toml"]);
    assert_eq!(
        (text.err.as_str(), text.code),
        ("error: mine.toml: not a png, jpeg, bmp, gif or webp image\n", Some(2))
    );
}

/// Serves these files for ever and 404 for all others.
fn serve(files: Vec<(&'static str, Vec<u8>)>) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("http://{}/sets", listener.local_addr().unwrap());
    let answer = move |stream: &mut TcpStream| {
        let mut lines = BufReader::new(stream.try_clone().unwrap()).lines().map(Result::unwrap);
        let asked = lines.next().unwrap_or_default();
        lines.find(String::is_empty);
        let file = files.iter().find(|(name, _)| asked.starts_with(&format!("GET /sets/{name} ")));
        let (status, body) = file.map_or(("404 Not Found", &[][..]), |(_, body)| ("200 OK", body));
        let head = format!("HTTP/1.1 {status}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n", body.len());
        let _ = stream.write_all(head.as_bytes()).and_then(|()| stream.write_all(body));
    };
    thread::spawn(move || listener.incoming().for_each(|stream| answer(&mut stream.unwrap())));
    address
}

fn idx(images: u32) -> (Vec<u8>, Vec<u8>) {
    let header = [0x803, images, 28, 28].map(u32::to_be_bytes).concat();
    let pixels = (0..images * 784).map(|at| (at % 251) as u8).collect();
    let labels = (0..images).map(|label| (label % 10) as u8).collect();
    ([header, pixels].concat(), [[0x801, images].map(u32::to_be_bytes).concat(), labels].concat())
}

#[test]
fn mnist_is_fetched_to_where_its_configuration_looks() {
    let ((train, train_labels), (test, test_labels)) = (idx(30), idx(10));
    let url = serve(vec![
        ("train-images-idx3-ubyte.gz", train),
        ("train-labels-idx1-ubyte.gz", train_labels),
        ("t10k-images-idx3-ubyte.gz", test),
        ("t10k-labels-idx1-ubyte.gz", test_labels),
    ]);
    let folder = tempfile::tempdir().unwrap();
    let here = folder.path();
    let fetched = frostline(here, &["data", "fetch", "mnist", "--from", &url, "--unchecked"]);
    assert_eq!((fetched.err.as_str(), fetched.code), ("", Some(0)));
    let lines: Vec<&str> = fetched.out.lines().collect();
    assert!(lines[0].starts_with("data/mnist/train-images-idx3-ubyte.gz: 23.5 kB from 127.0.0.1:"), "{}", fetched.out);
    assert_eq!(
        lines[4..],
        ["data/mnist: 30 training and 10 test images in 10 classes", "next: frostline train config/mnist.toml"]
    );
    fs::create_dir(here.join("config")).unwrap();
    fs::copy(concat!(env!("CARGO_MANIFEST_DIR"), "/config/mnist.toml"), here.join("config/mnist.toml")).unwrap();
    let checked = frostline(here, &["data", "check", "config/mnist.toml"]);
    assert!(checked.out.starts_with("config/mnist.toml: 40 images in 10 classes"), "{}", checked.out);
    let again = frostline(here, &["data", "fetch", "mnist", "--from", &url, "--unchecked"]);
    assert!(again.out.starts_with("data/mnist/train-images-idx3-ubyte.gz: is there already\n"), "{}", again.out);
    let strict = frostline(here, &["data", "fetch", "mnist", "--from", &url]);
    assert_eq!(
        (strict.err.as_str(), strict.code),
        (
            "error: data/mnist/train-images-idx3-ubyte.gz: is there already, but is not the file that is wanted: 23536 bytes \
             instead of 9912422\n  hint: nothing is overwritten: move it away; or, if it is another edition that you want, use \
             --unchecked\n",
            Some(2)
        )
    );
}

#[test]
fn what_cannot_be_fetched_says_how_to_go_on_by_hand() {
    let folder = tempfile::tempdir().unwrap();
    let url = serve(vec![("train-images-idx3-ubyte.gz", b"sign in to this network".to_vec())]);
    let mut told = String::new();
    for set in ["mnist", "fashion-mnist", "cats-vs-dogs"] {
        let said = frostline(folder.path(), &["data", "fetch", set, "--from", &url]);
        assert_eq!((said.out.as_str(), said.code), ("", Some(3)), "{set}");
        told += &said.err.replace(&url, "URL");
    }
    insta::assert_snapshot!(told);
    let unknown = frostline(folder.path(), &["data", "fetch", "imagenet"]);
    assert_eq!(unknown.code, Some(2));
    assert!(unknown.err.contains("[possible values: mnist, fashion-mnist, cats-vs-dogs]"), "{}", unknown.err);
}

#[test]
fn the_photographs_come_out_of_their_archive_ready_for_a_split() {
    let folder = tempfile::tempdir().unwrap();
    let here = folder.path();
    let archive = here.join("served.zip");
    let mut zip = zip::ZipWriter::new(File::create(&archive).unwrap());
    for number in 0..8 {
        for (class, first) in [("Cat", 0), ("Dog", 100)] {
            zip.start_file(format!("PetImages/{class}/{number}.jpg"), zip::write::SimpleFileOptions::default())
                .unwrap();
            let broken = (class, number) == ("Cat", 2);
            zip.write_all(&if broken { b"broken".to_vec() } else { png(first + number) }).unwrap();
        }
    }
    zip.finish().unwrap();
    let url = serve(vec![("kagglecatsanddogs_5340.zip", fs::read(&archive).unwrap())]);
    let fetched = frostline(here, &["data", "fetch", "cats-vs-dogs", "--from", &url, "--unchecked"]);
    assert_eq!(fetched.code, Some(0), "{}", fetched.err);
    let lines: Vec<&str> = fetched.out.lines().skip(1).collect();
    assert_eq!(
        lines,
        [
            "data/cats-vs-dogs: 15 images: 7 cats, 8 dogs",
            "next: frostline data split --from data/cats-vs-dogs --into data/cats-and-dogs-small --per-class 1000,500,500",
            "the archive data/kagglecatsanddogs_5340.zip is no longer needed",
        ]
    );
    assert_eq!(
        fetched.err,
        "warning: 1 image cannot be read and is left out:\n  PetImages/Cat/2.jpg: not a png, jpeg, bmp, gif or webp image\n"
    );
    let split = ["data", "split", "--from", "data/cats-vs-dogs", "--into", "data/small", "--per-class", "4,2,1"];
    assert_eq!(frostline(here, &split).code, Some(0));
    assert!(here.join("data/small/train/cats/cat.3.jpg").exists());
}
