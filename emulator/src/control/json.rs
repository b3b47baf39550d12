//! How an object is stored, in JSON: bytes in base64, digests and names of blobs in hex.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::control::layout::{LayerLayout, Segment};
use crate::control::look::Wanted;
use crate::control::stored::{Layer, Stored, StoredBlob, Surroundings};
use crate::crypto::data_key::DataKey;
use crate::wire::encoding::base64;

/// Spells an object. `revealed` are the data keys of its layers: they are written in the clear.
pub(super) fn render(
    wanted: &Wanted<'_>,
    (stored, around): (&Stored, &Surroundings),
    revealed: &[DataKey],
) -> Value {
    let mut keys = revealed.iter();
    let layers = stored
        .layers
        .iter()
        .map(|layer| of_layer(layer, keys.next()));
    let default = &around.bucket_default;
    json!({
        "bucket": wanted.bucket,
        "key": wanted.key,
        "version_id": stored.version_id,
        "mode": stored.mode.to_string(),
        "algorithm": stored.algorithm,
        "layers": layers.collect::<Vec<_>>(),
        "kms_key_arn": stored.kms_key_arn,
        "kms_key_aliases": around.kms_key_aliases,
        "kms_material": around.kms_material.as_ref().map(|material| json!({
            "id": material.id,
            "wrapped_key": base64(&material.wrapped),
            "context": material.context,
        })),
        "context": stored.context,
        "bucket_key": stored.bucket_key.as_deref().map(base64),
        "customer_key_md5": stored.customer_key_md5.map(|md5| base64(&md5)),
        "client_side": stored.client_side.map(|format| format.to_string()),
        "bucket_default": {
            "algorithm": default.algorithm,
            "kms_key_id": default.kms_key_id,
            "bucket_key_enabled": default.bucket_key_enabled,
        },
        "metadata": stored.metadata.iter().cloned().collect::<BTreeMap<_, _>>(),
        "size_bytes": stored.size_bytes,
        "sealed_bytes": stored.blobs.iter().map(|blob| blob.sealed_bytes).sum::<u64>(),
        "blobs": stored.blobs.iter().map(of_blob).collect::<Vec<_>>(),
    })
}

fn of_layer(layer: &Layer, revealed: Option<&DataKey>) -> Value {
    let mut value = json!({
        "under": layer.under.to_string(),
        "wrapped_key": layer.wrapped_key.as_deref().map(base64),
        "context": layer.context,
    });
    if let Some(key) = revealed {
        value["data_key"] = hex::encode(key.bytes()).into();
    }
    value
}

fn of_blob(blob: &StoredBlob) -> Value {
    let place = if blob.is_file {
        format!("blobs/{}/{}", &blob.id[..2], blob.id)
    } else {
        "catalogue".to_owned()
    };
    let mut value = json!({
        "id": blob.id,
        "place": place,
        "part_number": blob.part_number,
        "size_bytes": blob.size_bytes,
        "sealed_bytes": blob.sealed_bytes,
        "layers": blob.layout.iter().map(of_layout).collect::<Vec<_>>(),
    });
    if !blob.raw.is_empty() {
        value["raw"] = base64(&blob.raw).into();
    }
    value
}

fn of_layout(layout: &LayerLayout) -> Value {
    let segment = |segment: Segment| {
        json!({
            "offset": segment.offset,
            "sealed_bytes": segment.sealed_bytes,
            "plaintext_bytes": segment.plaintext_bytes,
        })
    };
    json!({
        "header_bytes": layout.header_bytes,
        "tag_bytes": layout.tag_bytes,
        "segment_bytes": layout.segment_bytes,
        "sealed_bytes": layout.sealed_bytes,
        "plaintext_bytes": layout.plaintext_bytes,
        "segments": layout.segments().map(segment).collect::<Vec<_>>(),
    })
}
