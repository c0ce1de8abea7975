//! `cargo xtask run`: a Parlor to look at, with nothing to set up.

use std::os::unix::process::CommandExt;

use anyhow::{Context, Result};
use clap::Args;

use crate::{shell, web};

#[derive(Args)]
pub struct Options {
    /// Where to listen
    #[arg(long, default_value = "127.0.0.1:3000")]
    listen: String,
    /// Where the database and the uploaded files live
    #[arg(long, default_value = "data")]
    data: String,
    /// Build with optimisation: slower to build, as fast as in production
    #[arg(long)]
    release: bool,
    /// Further arguments for `parlor serve`
    #[arg(last = true)]
    rest: Vec<String>,
}

/// Builds the server and becomes it.
pub fn run(options: &Options) -> Result<()> {
    web::if_node_is_there()?;
    let mut build = shell::cargo();
    build.args(["build", "--package", "parlor-server", "--bin", "parlor"]);
    if options.release {
        build.arg("--release");
    }
    shell::must(&mut build)?;
    welcome(options);
    let profile = if options.release { "release" } else { "debug" };
    let mut server = shell::command(shell::target().join(profile).join("parlor"));
    server.args(["serve", "--listen", &options.listen, "--data", &options.data]).args(&options.rest);
    // Becoming the server hands it the terminal's signals: Ctrl-C is its own orderly shutdown.
    Err(server.exec()).context("can't start the server that was just built")
}

fn welcome(options: &Options) {
    println!();
    println!("  Parlor      http://{} (open it in a browser)", options.listen);
    println!("  Data        {} (SQLite and files; delete it to start afresh)", options.data);
    println!();
    println!("  The first account registered on an empty server becomes its administrator. To set one from");
    println!("  outside, start with ADMIN_USERNAME, ADMIN_PASS and ADMIN_EMAIL in the environment.");
    println!("  Rocket.Chat clients connect to the same address. Ctrl-C stops the server.");
    println!();
}
