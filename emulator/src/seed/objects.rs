//! Puts the files of a seed's folder as objects. One that is there already stays as it is.

use std::error::Error;
use std::fs::File;
use std::io::{self, Read, Take};
use std::path::Path;

use bytes::Bytes;
use http::header::CONTENT_TYPE;
use http::{HeaderMap, HeaderValue, Method};

use crate::model::bucket::Bucket;
use crate::seed::client::{Home, InProcess};
use crate::wire::body::{Body, BodyError};
use crate::wire::encoding::uri_encode_path;
use crate::wire::request::Request;

/// What an object is where the name of its file says nothing, as the aws CLI has it.
const UNKNOWN: &str = "binary/octet-stream";
/// How much of a file is read at once.
const BUFFER_BYTES: usize = 524_288;
/// Up to here a file is read at once, in bytes.
const INLINE_BYTES: u64 = 65_536;

/// An object that is to be put.
#[derive(Debug)]
pub(super) struct NewObject<'a> {
    pub(super) key: &'a str,
    /// The file of its bytes.
    pub(super) path: &'a Path,
    pub(super) headers: HeaderMap,
}

/// Puts an object, and tells whether it is new: one that is there stays.
///
/// # Errors
///
/// One line: where the file cannot be read, and where S3 refuses.
pub(super) async fn put(
    client: InProcess<'_>,
    bucket: &Bucket,
    object: NewObject<'_>,
) -> Result<bool, String> {
    if client.s3.has_object(&bucket.name, object.key) {
        return Ok(false);
    }
    let read = File::open(object.path).and_then(|file| {
        let length = file.metadata()?.len();
        body(file, length)
    });
    let path = format!("/{}/{}", bucket.name, uri_encode_path(object.key));
    let mut request = Request::new(Method::PUT, &path, "");
    request.headers = object.headers;
    request.body = read.map_err(|error| error.to_string())?;
    client.send(&Home::of(bucket), request).await?;
    Ok(true)
}

/// What is known of an object by its name alone: its content type.
pub(super) fn typed(key: &str) -> HeaderMap {
    let kind = mime_guess::from_path(key).first_raw().unwrap_or(UNKNOWN);
    HeaderMap::from_iter([(CONTENT_TYPE, HeaderValue::from_static(kind))])
}

/// A file as a body: a small one read whole, a large one while it is sent, a buffer at a time.
fn body(file: File, length_bytes: u64) -> io::Result<Body> {
    let mut file = file.take(length_bytes);
    if length_bytes <= INLINE_BYTES {
        let mut whole = Vec::new();
        file.read_to_end(&mut whole)?;
        return Ok(Bytes::from(whole).into());
    }
    let stream = futures_util::stream::unfold(Some(file), advance);
    Ok(Body::stream(Box::pin(stream), Some(length_bytes)))
}

type Piece = Result<Bytes, BodyError>;

async fn advance(file: Option<Take<File>>) -> Option<(Piece, Option<Take<File>>)> {
    let mut file = file?;
    let reading = tokio::task::spawn_blocking(move || {
        let mut buffer = Vec::with_capacity(BUFFER_BYTES);
        let most = u64::try_from(BUFFER_BYTES).unwrap_or(u64::MAX);
        (&mut file).take(most).read_to_end(&mut buffer)?;
        Ok::<_, io::Error>((Bytes::from(buffer), file))
    });
    let failed = |error: Box<dyn Error + Send + Sync>| Some((Err(BodyError::Failed(error)), None));
    match reading.await {
        Ok(Ok((bytes, _))) if bytes.is_empty() => None,
        Ok(Ok((bytes, file))) => Some((Ok(bytes), Some(file))),
        Ok(Err(error)) => failed(error.into()),
        Err(panic) => failed(panic.into()),
    }
}
