//! Chooses the folder that is embedded: a packaged `web-dist`, else what was built into `web/dist`, else a page that
//! says how to build the app. It never runs npm: `cargo build` needs no Node and no network.

use std::{
    env, fs,
    path::{Path, PathBuf},
};

fn main() {
    let here = PathBuf::from(env::var_os("CARGO_MANIFEST_DIR").expect("Cargo sets it"));
    let packaged = here.join("web-dist");
    let built = here.join("../../web/dist");
    if built.exists() {
        println!("cargo:rerun-if-changed={}", built.display());
    }
    println!("cargo:rerun-if-changed=build.rs");
    println!("cargo:rerun-if-changed=src/placeholder.html");
    let found = [packaged, built].into_iter().find(|folder| folder.join("index.html").exists());
    let folder = found.unwrap_or_else(|| placeholder(&here));
    println!("cargo:rustc-env=PARLOR_WEB_FOLDER={}", folder.display());
}

/// A folder with one page.
fn placeholder(here: &Path) -> PathBuf {
    let folder = PathBuf::from(env::var_os("OUT_DIR").expect("Cargo sets it")).join("placeholder");
    fs::create_dir_all(&folder).expect("the output folder is writable");
    fs::copy(here.join("src/placeholder.html"), folder.join("index.html"))
        .expect("the output folder is writable");
    folder
}
