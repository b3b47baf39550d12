//! Makes the grants of a seed's KMS key that are not there yet.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::seed::client::{Home, InProcess};
use crate::seed::document::GrantItem;

/// Makes those of whose name there is none on the key.
///
/// # Errors
///
/// One line, where KMS refuses.
pub(super) async fn make(
    client: InProcess<'_>,
    home: &Home,
    key: &Value,
    items: &[GrantItem],
) -> Result<(), String> {
    if items.is_empty() {
        return Ok(());
    }
    let known = names(client, home, key).await?;
    for item in items.iter().filter(|item| !known.contains(&item.name)) {
        let made = client.kms(home, "CreateGrant", &body(key, item)).await;
        made.map_err(|error| format!("the grant `{}`: {error}", item.name))?;
    }
    Ok(())
}

/// The names of all grants on a key.
async fn names(
    client: InProcess<'_>,
    home: &Home,
    key: &Value,
) -> Result<BTreeSet<String>, String> {
    let mut names = BTreeSet::new();
    let mut asked = json!({ "KeyId": key, "Limit": 1_000 });
    loop {
        let page = client.kms(home, "ListGrants", &asked).await?;
        let grants = page["Grants"].as_array().into_iter().flatten();
        let told = grants.filter_map(|grant| grant["Name"].as_str());
        names.extend(told.map(str::to_owned));
        match page.get("NextMarker") {
            Some(marker) => asked["Marker"] = marker.clone(),
            None => return Ok(names),
        }
    }
}

fn body(key: &Value, item: &GrantItem) -> Value {
    let mut body = json!({
        "KeyId": key,
        "Name": item.name,
        "Operations": item.operations,
        "Constraints": {
            "EncryptionContextEquals": item.constraints.encryption_context_equals,
            "EncryptionContextSubset": item.constraints.encryption_context_subset,
            "SourceArn": item.constraints.source_arn,
        },
    });
    let named = [
        (Some(&item.grantee), "Grantee"),
        (item.retiring.as_ref(), "Retiring"),
    ];
    for (name, role) in named {
        let Some(name) = name else { continue };
        let kind = if name.starts_with("arn:") {
            ""
        } else {
            "Service"
        };
        body[format!("{role}{kind}Principal")] = json!(name);
    }
    body
}
