//! The pixel passes, named after the stages: `cargo bench -p impasto-models --bench pixels`.

use std::hint::black_box;

use criterion::{Criterion, criterion_group, criterion_main};
use impasto_models::numbers::{Finish, Numbers, NumbersMut, Region, Window, read, write};
use impasto_models::temporal::{CutDetector, FlickerFilter};
use impasto_models::{Colorimetry, Matrix, PictureInfo, PixelFormat, Range};

const COLORIMETRY: Colorimetry = Colorimetry { matrix: Matrix::Bt709, range: Range::Limited };

fn info(format: PixelFormat) -> PictureInfo {
    PictureInfo { format, width: 1280, height: 720, colorimetry: COLORIMETRY }
}

fn bytes(info: &PictureInfo) -> Vec<u8> {
    (0..info.packed_size()).map(|at| (at as u32).wrapping_mul(2_654_435_761) as u8).collect()
}

fn name(stage: &str, info: &PictureInfo) -> String {
    let format = info.format.name().to_lowercase();
    format!("{stage}_{format}_{}x{}", info.width, info.height)
}

fn passes(bench: &mut Criterion) {
    for format in PixelFormat::ALL {
        let info = info(format);
        let (bytes, window) = (bytes(&info), Window::whole(&info));
        let source = info.packed_view(&bytes).expect("packed");
        let mut numbers = vec![0.0; window.len()];
        bench.bench_function(&name("read", &info), |b| {
            b.iter(|| read(black_box(&source), window, &mut numbers));
        });
        let mut target = bytes.clone();
        let mut output = info.packed_view_mut(&mut target).expect("packed");
        let painted = Numbers::new(window, &numbers);
        let whole = Region::whole(&info);
        bench.bench_function(&name("write", &info), |b| {
            b.iter(|| write(painted, painted, Finish::PAINTING, &source, &mut output, whole));
        });
    }
}

fn mixed(bench: &mut Criterion) {
    let info = info(PixelFormat::Nv12);
    let (bytes, window) = (bytes(&info), Window::whole(&info));
    let source = info.packed_view(&bytes).expect("packed");
    let mut original = vec![0.0; window.len()];
    read(&source, window, &mut original);
    let painted: Vec<f32> = original.iter().map(|number| 1.0 - number).collect();
    let (painted, original) = (Numbers::new(window, &painted), Numbers::new(window, &original));
    let mut target = bytes.clone();
    let mut output = info.packed_view_mut(&mut target).expect("packed");
    let finish = Finish { strength: 0.7, keep_colors: 0.5 };
    let whole = Region::whole(&info);
    bench.bench_function(&name("write_mixed", &info), |b| {
        b.iter(|| write(painted, original, finish, &source, &mut output, whole));
    });
}

fn temporal(bench: &mut Criterion) {
    let info = info(PixelFormat::Nv12);
    let (bytes, window, whole) = (bytes(&info), Window::whole(&info), Region::whole(&info));
    let source = info.packed_view(&bytes).expect("packed");
    let mut input = vec![0.0; window.len()];
    read(&source, window, &mut input);
    let mut painted = input.clone();
    let mut filter = FlickerFilter::new(info.width, info.height);
    bench.bench_function(&name("temporal", &info), |b| {
        b.iter(|| {
            filter.begin(&source, 1.0);
            let input = Numbers::new(window, &input);
            filter.apply(input, NumbersMut::new(window, &mut painted), whole);
        });
    });
    let mut cuts = CutDetector::new();
    bench.bench_function(&name("cut", &info), |b| b.iter(|| cuts.is_cut(&source)));
}

criterion_group!(benches, passes, mixed, temporal);
criterion_main!(benches);
