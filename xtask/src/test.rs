//! `cargo xtask test`: all tests, with whatever they need installed first.

use anyhow::Result;
use clap::{Args, ValueEnum};

use crate::leftovers::Run;
use crate::shell::Steps;
use crate::{suite, tools, web};

#[derive(Args)]
pub struct Options {
    /// Which tests
    #[arg(value_enum, default_value = "all")]
    which: Which,
    /// Only tests whose name contains this
    #[arg(long)]
    filter: Option<String>,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Which {
    /// Everything: the Rust tests, on both databases, and the journeys of real clients
    All,
    /// What plain `cargo test` runs; what is not installed is skipped
    Rust,
    /// The journeys of real Rocket.Chat clients
    Clients,
    /// The tests that need PostgreSQL
    Postgres,
    /// The web app: types, lints, units, sizes, and its journeys in Chromium
    Web,
}

/// Runs the chosen tests and prints one summary.
pub fn test(options: &Options) -> Result<()> {
    let mut steps = Steps::default();
    let required = install(&mut steps, options.which);
    play(&mut steps, options, &required);
    steps.finish()
}

/// What tests need that a machine may lack: a test fails where one of these is missing, instead of stepping aside.
pub struct Required(Vec<&'static str>);

/// Installs what all tests need and builds the web app, which the server's programs hold: as steps of a larger run,
/// before anything of the workspace is compiled.
pub fn install_all(steps: &mut Steps) -> Required {
    install(steps, Which::All)
}

/// All tests, as steps of a larger run.
pub fn play_all(steps: &mut Steps, required: &Required) {
    play(steps, &Options { which: Which::All, filter: None }, required);
}

fn install(steps: &mut Steps, which: Which) -> Required {
    let mut required = Vec::new();
    if matches!(which, Which::All | Which::Postgres) {
        steps.step("install PostgreSQL", tools::postgres);
        required.push("postgres");
    }
    if which == Which::All {
        steps.step("install an S3-compatible store", tools::s3_store);
        required.push("s3");
        steps.step("install Redis", tools::redis);
        required.push("redis");
        steps.step("install a clock that can be moved", tools::faketime);
        required.push("faketime");
        steps.step("install a virus scanner", tools::clamav);
        required.push("clamav");
    }
    if which == Which::All {
        steps.step("install a directory", tools::slapd);
        required.push("slapd");
        steps.step("install an authority for certificates", tools::pebble);
        required.push("pebble");
    }
    if matches!(which, Which::All | Which::Clients) {
        steps.step("install the Node clients", tools::node_clients);
        steps.step("install the Python clients", tools::python_clients);
        required.push("clients");
    }
    if matches!(which, Which::All | Which::Web) {
        steps.step("the web app", || web::web(&web::Options { force: false, check: true }));
    }
    Required(required)
}

fn play(steps: &mut Steps, options: &Options, required: &Required) {
    let which = options.which;
    if which == Which::Web {
        steps.step("journeys in the browser", || web::e2e(&web::Journeys::all()));
        return;
    }
    let run = Run::begin();
    let what: &[&str] = match which {
        Which::All | Which::Rust | Which::Web => &["--workspace"],
        Which::Clients => &["--package", "parlor-server", "--test", "clients"],
        Which::Postgres => &["--workspace", "postgres"],
    };
    let name = match which {
        Which::All => "all tests",
        Which::Rust => "Rust tests",
        Which::Clients => "client journeys",
        Which::Postgres => "PostgreSQL tests",
        Which::Web => "the web app",
    };
    steps.step(name, || {
        let mut arguments = what.to_vec();
        arguments.extend(options.filter.as_deref());
        suite::run(&arguments, |cargo| {
            cargo.env("PARLOR_REQUIRE", required.0.join(","));
            run.mark(cargo);
        })
    });
    if which == Which::All {
        steps.step("journeys in the browser", || web::e2e(&web::Journeys::after_tests()));
    }
    steps.step("nothing left running", || run.end());
}
