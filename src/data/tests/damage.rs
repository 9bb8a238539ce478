//! Bytes that nobody chose: no length and no damage may end in anything but an error or a picture.

use proptest::prelude::*;

use super::*;

#[test]
fn an_idx_file_cut_off_anywhere_is_refused() {
    let files = Files::new();
    files.idx(3);
    for name in [IMAGES, LABELS] {
        let whole = std::fs::read(files.path(name)).unwrap();
        for bytes in [whole.clone(), gzip(&whole)] {
            for length in 0..bytes.len() {
                files.write(name, &bytes[..length]);
                assert!(open(&idx_spec(&files)).is_err(), "{name}: {length} of {} bytes", bytes.len());
            }
            files.write(name, &bytes);
            assert!(open(&idx_spec(&files)).is_ok(), "{name}");
        }
        files.write(name, &whole);
    }
}

const PICTURES: [&str; 5] = ["rgb.png", "palette.gif", "lossless.webp", "rgb.bmp", "smooth.jpg"];

fn picture(name: &str) -> Vec<u8> {
    std::fs::read(Path::new("tests/fixtures/data/pillow").join(name)).unwrap()
}

#[test]
fn a_picture_cut_off_anywhere_is_refused_or_whole() {
    for name in PICTURES {
        let bytes = picture(name);
        let whole = decode::decode(&bytes, SIZE, Interpolation::Nearest).unwrap();
        for length in 0..bytes.len() {
            // A trailer that holds no pixels may be missing.
            if let Ok(cut) = decode::decode(&bytes[..length], SIZE, Interpolation::Nearest) {
                assert_eq!(cut, whole, "{name}: {length} of {} bytes", bytes.len());
            }
        }
    }
}

proptest! {
    #[test]
    fn a_damaged_picture_is_refused_or_shown_but_never_panics(
        name in prop::sample::select(&PICTURES[..]),
        damage in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..6),
    ) {
        let mut bytes = picture(name);
        for (at, value) in damage {
            let at = at.index(bytes.len());
            bytes[at] = value;
        }
        if decode::decode(&bytes, SIZE, Interpolation::Nearest).is_ok() {
            prop_assert!(decode::dimensions(&bytes).is_ok());
        }
    }
}
