//! Compiles the few lines of C++ between the program and OpenCV (feature `flow`).

use std::env;
use std::path::Path;

/// Where Debian and Ubuntu keep OpenCV's headers; their small packages have no `opencv4.pc`, only the whole of OpenCV has.
const HEADERS: &str = "/usr/include/opencv4";

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    if env::var_os("CARGO_FEATURE_FLOW").is_none() {
        return;
    }
    println!("cargo::rerun-if-changed=src/flow/dis.cpp");
    let mut headers = vec![HEADERS.into()];
    // Only the paths: of OpenCV's dozens of libraries two are used.
    if let Ok(found) = pkg_config::Config::new().cargo_metadata(false).probe("opencv4") {
        headers = found.include_paths;
        for folder in found.link_paths {
            println!("cargo::rustc-link-search=native={}", folder.display());
        }
    }
    if !headers.iter().any(|folder: &std::path::PathBuf| folder.join("opencv2/video/tracking.hpp").exists()) {
        let looked: Vec<_> = headers.iter().map(|folder| folder.display().to_string()).collect();
        println!(
            "cargo::error=no OpenCV headers in {}: apt install libopencv-video-dev, or build with --no-default-features",
            looked.join(", ")
        );
        return;
    }
    cc::Build::new()
        .cpp(true)
        .std("c++17")
        .file(Path::new("src/flow/dis.cpp"))
        .includes(headers)
        .opt_level(1)
        .compile("impasto_dis");
    println!("cargo::rustc-link-lib=opencv_video");
    println!("cargo::rustc-link-lib=opencv_core");
}
