//! `impasto image`, run as a user runs it.

mod program;

use std::fs;
use std::path::Path;

use image::{ImageBuffer, Luma, Rgb, RgbImage, Rgba, RgbaImage};
use program::{refusal, run, stderr, test_model};

/// A picture without symmetry.
fn gradient(width: u32, height: u32) -> RgbImage {
    ImageBuffer::from_fn(width, height, |x, y| Rgb([(x * 4) as u8, (y * 5) as u8, (x + y) as u8]))
}

fn studio() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    test_model(folder.path());
    folder
}

fn size(path: &Path) -> (u32, u32) {
    image::image_dimensions(path).unwrap()
}

#[test]
fn every_format_is_read_and_written_at_its_size() {
    let studio = studio();
    for (input, output) in
        [("a.png", "o.jpg"), ("b.jpg", "o.webp"), ("c.webp", "o.tiff"), ("d.tiff", "o.png")]
    {
        gradient(37, 29).save(studio.path().join(input)).unwrap();
        let done = run(studio.path(), &format!("image {input} -o {output} --model test"));
        assert!(done.status.success(), "{input}: {}", stderr(&done));
        assert_eq!(size(&studio.path().join(output)), (37, 29), "{input} to {output}");
    }
}

#[test]
fn a_folder_goes_to_a_folder_and_other_files_are_named() {
    let studio = studio();
    let photos = studio.path().join("photos");
    fs::create_dir(&photos).unwrap();
    gradient(20, 20).save(photos.join("a.png")).unwrap();
    gradient(24, 18).save(photos.join("b.jpg")).unwrap();
    fs::write(photos.join("notes.txt"), "hello").unwrap();
    let done = run(studio.path(), "image photos -o painted --model test");
    assert!(done.status.success() && stderr(&done).contains("notes.txt"), "{}", stderr(&done));
    assert_eq!(size(&studio.path().join("painted/b.jpg")), (24, 18));
    assert_eq!(fs::read_dir(studio.path().join("painted")).unwrap().count(), 2);
}

#[test]
fn one_bad_picture_does_not_stop_the_others() {
    let studio = studio();
    fs::write(studio.path().join("bad.png"), "no picture").unwrap();
    gradient(20, 20).save(studio.path().join("good.png")).unwrap();
    let done = run(studio.path(), "image bad.png good.png -o painted --model test");
    assert!(!done.status.success() && stderr(&done).contains("bad.png"), "{}", stderr(&done));
    assert!(studio.path().join("painted/good.png").exists());
    assert_eq!(fs::read_dir(studio.path().join("painted")).unwrap().count(), 1);
}

#[test]
fn a_cut_off_jpeg_is_refused() {
    let studio = studio();
    gradient(64, 64).save(studio.path().join("a.jpg")).unwrap();
    let bytes = fs::read(studio.path().join("a.jpg")).unwrap();
    for length in [bytes.len() / 2, bytes.len() - 2] {
        fs::write(studio.path().join("cut.jpg"), &bytes[..length]).unwrap();
        let message = refusal(&run(studio.path(), "image cut.jpg -o o.png --model test"));
        assert!(message.contains("cut.jpg") && message.contains("cut off"), "{message}");
    }
}

#[test]
fn alpha_goes_through_untouched() {
    let studio = studio();
    let source: RgbaImage = ImageBuffer::from_fn(32, 16, |x, y| Rgba([200, 10, 30, (x * 7 + y) as u8]));
    source.save(studio.path().join("a.png")).unwrap();
    assert!(run(studio.path(), "image a.png -o b.png --model test").status.success());
    let painted = image::open(studio.path().join("b.png")).unwrap().into_rgba8();
    assert!(painted.pixels().zip(source.pixels()).all(|(a, b)| a[3] == b[3]));
}

#[test]
fn sixteen_bits_become_eight_and_it_is_said() {
    let studio = studio();
    let source: ImageBuffer<Luma<u16>, Vec<u16>> =
        ImageBuffer::from_fn(18, 18, |x, _| Luma([x as u16 * 3000]));
    source.save(studio.path().join("deep.png")).unwrap();
    let done = run(studio.path(), "image deep.png -o flat.png --model test");
    assert!(stderr(&done).contains("8 bits"), "{}", stderr(&done));
}

#[test]
fn the_camera_s_orientation_is_baked_in() {
    let studio = studio();
    gradient(40, 24).save(studio.path().join("plain.jpg")).unwrap();
    let mut bytes = fs::read(studio.path().join("plain.jpg")).unwrap();
    // An APP1 segment behind the start marker: TIFF, one entry, orientation 6 (turn right by a quarter).
    let exif = b"Exif\0\0MM\0\x2a\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0\x06\0\0\0\0\0\0";
    let mut segment = vec![0xff, 0xe1];
    segment.extend(((exif.len() + 2) as u16).to_be_bytes());
    segment.extend(exif);
    bytes.splice(2..2, segment);
    fs::write(studio.path().join("turned.jpg"), bytes).unwrap();
    assert!(run(studio.path(), "image turned.jpg -o upright.png --model test").status.success());
    assert_eq!(size(&studio.path().join("upright.png")), (24, 40));
}

#[test]
fn an_existing_picture_is_kept_unless_told_otherwise() {
    let studio = studio();
    gradient(20, 20).save(studio.path().join("a.png")).unwrap();
    fs::write(studio.path().join("b.png"), "precious").unwrap();
    let message = refusal(&run(studio.path(), "image a.png -o b.png --model test"));
    assert!(message.contains("b.png exists already"), "{message}");
    assert_eq!(fs::read(studio.path().join("b.png")).unwrap(), b"precious");
    assert!(run(studio.path(), "image a.png -o b.png --model test --overwrite").status.success());
    assert_eq!(size(&studio.path().join("b.png")), (20, 20));
}

#[test]
fn pictures_that_cannot_be_are_refused_and_leave_nothing() {
    let studio = studio();
    gradient(8, 8).save(studio.path().join("tiny.png")).unwrap();
    gradient(20, 20).save(studio.path().join("a.png")).unwrap();
    for (arguments, expected) in [
        ("image tiny.png -o o.png --model test", "8x8"),
        ("image none.png -o o.png --model test", "none.png"),
        ("image a.png -o o.gif --model test", "o.gif"),
        ("image a.png -o a.png --model test --overwrite", "a.png is the input itself"),
        ("image a.png -o o.png --model nowhere", "'nowhere'"),
    ] {
        let message = refusal(&run(studio.path(), arguments));
        assert!(message.contains(expected), "{arguments}: {message}");
    }
    let left: Vec<_> =
        fs::read_dir(studio.path()).unwrap().flatten().map(|entry| entry.file_name()).collect();
    assert!(left.iter().all(|name| !name.to_string_lossy().starts_with("o.")), "{left:?}");
}

#[test]
fn a_texture_that_tiles_tiles_when_it_is_painted() {
    let studio = studio();
    // Moved within itself by multiples of the network's grid, it is the same texture.
    let texture = |left: u32, top: u32| -> RgbImage {
        ImageBuffer::from_fn(96, 64, |x, y| {
            let [x, y] = [((x + left) % 96) as f32 / 96.0, ((y + top) % 64) as f32 / 64.0];
            let wave = |phase: f32| (127.0 + 120.0 * (std::f32::consts::TAU * phase).sin()) as u8;
            Rgb([wave(3.0 * x + y), wave(2.0 * y - x), wave(x + 4.0 * y * (1.0 - y))])
        })
    };
    texture(0, 0).save(studio.path().join("a.png")).unwrap();
    texture(48, 24).save(studio.path().join("moved.png")).unwrap();
    let farthest = |options: &str| {
        let painted = |name: &str| {
            let done = run(
                studio.path(),
                format!("image {name} -o o-{name} --model scream --overwrite {options}").trim_end(),
            );
            assert!(done.status.success(), "{}", stderr(&done));
            image::open(studio.path().join(format!("o-{name}"))).unwrap().into_rgb8()
        };
        let (still, moved) = (painted("a.png"), painted("moved.png"));
        let apart = moved.enumerate_pixels().flat_map(|(x, y, pixel)| {
            let other = still.get_pixel((x + 48) % 96, (y + 24) % 64);
            [0, 1, 2].map(|c| pixel.0[c].abs_diff(other.0[c]))
        });
        apart.max().unwrap()
    };
    assert!(farthest("") > 30, "else this test says nothing: {}", farthest(""));
    assert!(farthest("--wrap") <= 1, "{}", farthest("--wrap"));
    // At another size a texture is no whole number of pixels wide.
    let (alone, wrapped) = (farthest("--stroke 4"), farthest("--wrap --stroke 4"));
    assert!(2 * wrapped < alone, "{wrapped}, and {alone} alone");
    let refused = run(studio.path(), "image a.png -o o.png --wrap --edit warmer");
    assert!(!refused.status.success() && stderr(&refused).contains("'--wrap' cannot be used with '--edit"));
}

#[test]
fn a_picture_is_adapted_by_itself_whatever_was_painted_before() {
    let folder = tempfile::tempdir().unwrap();
    let flat = |offset: u8| {
        ImageBuffer::from_fn(64, 48, |x, y| {
            Rgb([offset + (x / 2) as u8, offset + y as u8, offset + (x + y) as u8 / 3])
        })
    };
    fs::create_dir(folder.path().join("photos")).unwrap();
    for (name, offset) in [("a.png", 150), ("b.png", 145)] {
        flat(offset).save(folder.path().join("photos").join(name)).unwrap();
    }
    let adapted = "--model any --adapt 1";
    for arguments in ["image photos -o both", "image photos/b.png -o alone.png"] {
        let done = run(folder.path(), &format!("{arguments} {adapted}"));
        assert!(done.status.success(), "{}", stderr(&done));
    }
    let plain = run(folder.path(), "image photos/b.png -o plain.png --model any");
    assert!(plain.status.success(), "{}", stderr(&plain));
    let picture = |name: &str| image::open(folder.path().join(name)).unwrap().into_rgb8();
    assert!(picture("both/b.png") == picture("alone.png") && picture("alone.png") != picture("plain.png"));
    let message = refusal(&run(folder.path(), "image photos/b.png -o c.png --model scream --adapt 0.5"));
    assert!(message.contains("--adapt: the model 'scream' paints scenes in their own light"), "{message}");
}

#[test]
fn a_style_is_kept_in_a_file_and_painted_in_from_it() {
    let studio = studio();
    gradient(90, 70).save(studio.path().join("a.png")).unwrap();
    let ran = |line: &str| {
        let done = run(studio.path(), line);
        assert!(done.status.success(), "{line}: {}", stderr(&done));
        done
    };
    let kept = ran("style save a.png:0.4,scream:0.6 --model any -o kept.style");
    assert!(program::stdout(&kept).contains("--model any --style kept.style"));
    ran("image a.png -o mixed.png --model any --style a.png:0.4,scream:0.6");
    ran("image a.png -o kept.png --model any --style kept.style");
    ran("image a.png -o first.png --model any");
    let bytes = |name: &str| image::open(studio.path().join(name)).unwrap().into_rgb8().into_raw();
    assert!(bytes("mixed.png") == bytes("kept.png") && bytes("mixed.png") != bytes("first.png"));
    let message = refusal(&run(studio.path(), "style save a.png --model any -o kept.style"));
    assert!(message.contains("kept.style"), "{message}");
    let message = refusal(&run(studio.path(), "style save great-wave --model great-wave -o wave.style"));
    assert!(message.contains("'great-wave' has one style"), "{message}");
}
