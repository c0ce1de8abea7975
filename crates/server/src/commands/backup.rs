//! `parlor backup` and `parlor restore`.

use std::path::Path;

use anyhow::{Context, Result};
use parlor_store::{
    Location,
    backup::{self, Place as Stored},
};

use crate::cli::Place;

fn stored(place: &Place) -> Stored {
    let location = match &place.database {
        Some(url) => Location::Postgres(url.clone()),
        None => Location::Sqlite(place.data.join("parlor.sqlite")),
    };
    Stored { location, blobs: Some(place.data.join("files")), files: vec![place.data.join("secret.key")] }
}

pub(super) fn backup(place: &Place, target: &Path) -> Result<()> {
    let report = backup::create(&stored(place), target).context("the backup was not made")?;
    println!("{}: {} bytes, {} stored files", target.display(), report.bytes, report.uploads);
    if report.missing > 0 {
        println!("{} stored files that the database names were not there", report.missing);
    }
    Ok(())
}

pub(super) fn restore(place: &Place, source: &Path) -> Result<()> {
    std::fs::create_dir_all(&place.data)
        .with_context(|| format!("can't make the data directory {}", place.data.display()))?;
    let report = backup::restore(source, &stored(place)).context("nothing was restored")?;
    println!(
        "restored {} bytes and {} stored files to {}",
        report.bytes,
        report.uploads,
        place.data.display()
    );
    Ok(())
}
