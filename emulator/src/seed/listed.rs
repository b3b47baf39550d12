//! Puts the objects that a list tells, line by line: what an export has written.

use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::Path;

use crate::model::bucket::Bucket;
use crate::seed::client::InProcess;
use crate::seed::error::{Place, SeedError};
use crate::seed::folder::SeedFolder;
use crate::seed::objects::{self, NewObject};
use crate::seed::record::ObjectRecord;
use crate::wire::json_lines;

/// Puts them; `count` is told of each whether it is new.
///
/// # Errors
///
/// [`SeedError`] with the line of what is no object, has no file, or is refused by S3.
pub(super) async fn load(
    client: InProcess<'_>,
    bucket: &Bucket,
    (folder, list): (&SeedFolder, &Path),
    count: &mut (dyn FnMut(bool) + Send),
) -> Result<(), SeedError> {
    let place = Place::of_path(list);
    let file = File::open(list).map_err(|error| place.error(error))?;
    for (line, number) in BufReader::new(file).lines().zip(1..) {
        let place = place.at(number);
        let line = line.map_err(|error| place.error(error))?;
        let record: ObjectRecord =
            serde_json::from_str(&line).map_err(|error| place.error(json_lines::told(&error)))?;
        let put = put(client, bucket, folder, &record).await;
        count(put.map_err(|error| place.error(error))?);
    }
    Ok(())
}

async fn put(
    client: InProcess<'_>,
    bucket: &Bucket,
    folder: &SeedFolder,
    record: &ObjectRecord,
) -> Result<bool, String> {
    let path = folder.file_at(&record.file)?;
    let object = NewObject {
        key: &record.key,
        path: &path,
        headers: record.request_headers()?,
    };
    objects::put(client, bucket, object).await
}
