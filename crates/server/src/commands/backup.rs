//! `parlor backup` and `parlor restore`.

use std::path::Path;

use anyhow::{Context, Result};
use parlor_store::{
    Location,
    backup::{self, Place as Stored},
    s3::S3Place,
};

use crate::{
    cli::{Place, ServeFlags},
    config::{Config, environment},
};

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
    if let Some(place) = bucket()? {
        println!(
            "Files lie in the bucket {} and are not part of it: keep them there by the bucket's own versions or copies, at \
             least as long as this backup. {} of the files that the database names were not in the data directory.",
            place.bucket, report.missing
        );
    } else if report.missing > 0 {
        println!("{} stored files that the database names were not there", report.missing);
    }
    Ok(())
}

/// The bucket that the environment, or the configuration file it names, speaks of.
fn bucket() -> Result<Option<S3Place>> {
    Ok(Config::load(&ServeFlags::default(), &environment()).context("the configuration is wrong")?.s3)
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
    if let Some(place) = bucket()? {
        println!("Files in the bucket {} are used as they are there.", place.bucket);
    }
    Ok(())
}
