//! Puts the version, commit and date that `gst-inspect-1.0` prints into the environment of the build.

fn main() {
    gst_plugin_version_helper::info()
}
