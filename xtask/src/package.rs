//! `cargo xtask package`: a Debian package of the server, put together with Debian's own `dpkg-deb`.

use std::{
    fs,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context, Result, ensure};
use clap::Args;

use crate::shell;

/// How the package is made.
#[derive(Args)]
pub struct Options {
    /// Take this binary instead of building one for release
    #[arg(long)]
    binary: Option<PathBuf>,
    /// Put the package into this folder
    #[arg(long, default_value = "target/package")]
    to: PathBuf,
}

/// What lies in the package beside the binary: from where, to where.
const FILES: [(&str, &str); 16] = [
    ("parlor.example.toml", "etc/parlor/parlor.toml"),
    ("parlor.example.toml", "usr/share/doc/parlor/examples/parlor.example.toml"),
    ("README.md", "usr/share/doc/parlor/README.md"),
    ("docs/running.md", "usr/share/doc/parlor/running.md"),
    ("docs/moving-in.md", "usr/share/doc/parlor/moving-in.md"),
    ("docs/nodes.md", "usr/share/doc/parlor/nodes.md"),
    ("docs/fr/plusieurs-noeuds.md", "usr/share/doc/parlor/fr/plusieurs-noeuds.md"),
    ("docs/sign-in.md", "usr/share/doc/parlor/sign-in.md"),
    ("docs/notifications.md", "usr/share/doc/parlor/notifications.md"),
    ("docs/webhooks.md", "usr/share/doc/parlor/webhooks.md"),
    ("docs/performance.md", "usr/share/doc/parlor/performance.md"),
    ("docs/fr/notifications.md", "usr/share/doc/parlor/fr/notifications.md"),
    ("docs/fr/webhooks.md", "usr/share/doc/parlor/fr/webhooks.md"),
    ("docs/fr/connexion.md", "usr/share/doc/parlor/fr/connexion.md"),
    ("docs/fr/exploitation.md", "usr/share/doc/parlor/fr/exploitation.md"),
    ("docs/fr/emmenager.md", "usr/share/doc/parlor/fr/emmenager.md"),
];

/// Told to systemd after the files are there. Nothing is started: the configuration comes first.
const AFTER: &str = "#!/bin/sh
set -e
if [ -d /run/systemd/system ]; then
    systemctl daemon-reload || true
    # An upgrade takes effect on a server that runs; one that does not is left alone.
    if [ \"$1\" = configure ] && [ -n \"$2\" ]; then
        systemctl try-restart parlor.service || true
    fi
fi
";
const BEFORE_REMOVAL: &str = "#!/bin/sh
set -e
if [ \"$1\" = remove ] && [ -d /run/systemd/system ]; then
    systemctl disable --now parlor.service || true
fi
";
/// The data stays when the package goes: removing people's messages is not a package manager's decision.
const AFTER_REMOVAL: &str = "#!/bin/sh
set -e
if [ -d /run/systemd/system ]; then
    systemctl daemon-reload || true
fi
";

/// Builds the package and says where it is.
pub fn package(options: &Options) -> Result<()> {
    let root = shell::root();
    let binary = match &options.binary {
        Some(binary) => binary.clone(),
        None => {
            shell::must(shell::cargo().args([
                "build",
                "--release",
                "--locked",
                "--package",
                "parlor-server",
            ]))?;
            shell::target().join("release/parlor")
        }
    };
    ensure!(binary.is_file(), "{} is not there", binary.display());
    let version = version(&binary)?;
    let architecture = shell::output(Command::new("dpkg").arg("--print-architecture"))
        .context("this needs dpkg, Debian's package manager")?;
    let name = format!("parlor_{version}_{}", architecture.trim());
    let to = if options.to.is_absolute() { options.to.clone() } else { root.join(&options.to) };
    let tree = to.join(&name);
    if tree.exists() {
        fs::remove_dir_all(&tree)?;
    }
    fill(&root, &tree, &binary)?;
    control(&tree, &version, architecture.trim())?;
    let file = to.join(format!("{name}.deb"));
    // xz takes a minute for what zstd does in two seconds, and saves a fifth. Whatever has the C library that the
    // package needs unpacks either.
    let build = ["--root-owner-group", "-Zzstd", "-z9", "--build"];
    shell::must(Command::new("dpkg-deb").args(build).arg(&tree).arg(&file))?;
    fs::remove_dir_all(&tree)?;
    println!("{}", file.display());
    Ok(())
}

/// The version that the binary says of itself, so that package and program never differ.
fn version(binary: &Path) -> Result<String> {
    let said = shell::output(Command::new(binary).arg("--version"))?;
    if said.contains("web: none") {
        eprintln!("note: this binary has no web app in it; `npm ci && npm run build` in web/ comes first");
    }
    let version = said.split_whitespace().nth(1).context("the binary does not say its version")?;
    // Debian sorts 1.0~rc1 before 1.0, and 1.0-rc1 after it.
    Ok(format!("{}-1", version.replace('-', "~")))
}

fn fill(root: &Path, tree: &Path, binary: &Path) -> Result<()> {
    put(tree, "usr/bin/parlor", 0o755, &fs::read(binary)?)?;
    // A package without symbols is a third of the size; where `strip` is missing it is merely larger.
    let _ = shell::must(Command::new("strip").arg("--strip-unneeded").arg(tree.join("usr/bin/parlor")));
    let unit = fs::read_to_string(root.join("deploy/parlor.service"))?;
    let unit: String =
        unit.lines().filter(|line| !line.starts_with("#   ")).fold(String::new(), |text, line| {
            text + &line.replace("/usr/local/bin/parlor", "/usr/bin/parlor") + "\n"
        });
    put(tree, "lib/systemd/system/parlor.service", 0o644, unit.as_bytes())?;
    for (from, below) in FILES {
        let bytes = fs::read(root.join(from)).with_context(|| format!("{from} can't be read"))?;
        put(tree, below, 0o644, &bytes)?;
    }
    let licences = [
        fs::read_to_string(root.join("LICENSE-MIT"))?,
        String::from("Or, as you choose, the Apache License 2.0: /usr/share/common-licenses/Apache-2.0\n"),
    ];
    put(tree, "usr/share/doc/parlor/copyright", 0o644, licences.join("\n").as_bytes())?;
    put(tree, "usr/share/doc/parlor/changelog", 0o644, &fs::read(root.join("CHANGELOG.md"))?)?;
    shell::must(Command::new("gzip").args(["-9n"]).arg(tree.join("usr/share/doc/parlor/changelog")))?;
    put(tree, "DEBIAN/conffiles", 0o644, b"/etc/parlor/parlor.toml\n")?;
    put(tree, "DEBIAN/postinst", 0o755, AFTER.as_bytes())?;
    put(tree, "DEBIAN/prerm", 0o755, BEFORE_REMOVAL.as_bytes())?;
    put(tree, "DEBIAN/postrm", 0o755, AFTER_REMOVAL.as_bytes())
}

fn control(tree: &Path, version: &str, architecture: &str) -> Result<()> {
    let kilobytes = shell::output(Command::new("du").args(["-sk", "--exclude=DEBIAN"]).arg(tree))?;
    let size = kilobytes.split_whitespace().next().unwrap_or("0").to_owned();
    let text = format!(
        "Package: parlor\n\
         Version: {version}\n\
         Architecture: {architecture}\n\
         Maintainer: The Parlor project <parlor@localhost>\n\
         Installed-Size: {size}\n\
         Depends: libc6 (>= 2.36), libgcc-s1\n\
         Recommends: ca-certificates\n\
         Suggests: postgresql\n\
         Section: net\n\
         Priority: optional\n\
         Description: self-hosted real-time chat server\n \
         One program that speaks to Rocket.Chat's apps and to host applications,\n \
         with its own web app. It keeps everything in one directory, or in\n \
         PostgreSQL and an S3-compatible store.\n"
    );
    put(tree, "DEBIAN/control", 0o644, text.as_bytes())
}

/// One file of the tree, with its folders readable by all.
fn put(tree: &Path, below: &str, mode: u32, bytes: &[u8]) -> Result<()> {
    let path = tree.join(below);
    let parent = path.parent().context("a file lies in a folder")?;
    fs::create_dir_all(parent)?;
    let mut folder = parent;
    while folder.starts_with(tree) {
        fs::set_permissions(folder, fs::Permissions::from_mode(0o755))?;
        let Some(above) = folder.parent() else { break };
        folder = above;
    }
    fs::write(&path, bytes).with_context(|| format!("{} can't be written", path.display()))?;
    fs::set_permissions(&path, fs::Permissions::from_mode(mode))?;
    Ok(())
}
