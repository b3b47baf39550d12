//! Makes the KMS keys of a seed, and their aliases.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::keyring::planted::Planted;
use crate::seed::client::{Home, InProcess};
use crate::seed::document::{KeyItem, Rotations};
use crate::seed::grants;
use crate::seed::words::{Checked, Material};

/// Makes a key where it is not there yet, and gives it those of its names that it has not.
///
/// # Errors
///
/// One line: where what is there is another key, and where KMS refuses.
pub(super) async fn make(client: InProcess<'_>, item: &KeyItem) -> Result<(), String> {
    let mut home = client.home();
    if let Some(account) = &item.account {
        home.account.clone_from(&account.0.0);
    }
    if let Some(region) = &item.region {
        home.region.clone_from(&region.0.0);
    }
    let key = match find(client, &home, item).await? {
        Some(key) => check(client, &home, item, key).await?,
        None => create(client, &home, item).await?,
    };
    for alias in &item.aliases {
        name(client, &home, &key, &alias.0.0).await?;
    }
    grants::make(client, &home, &key["KeyId"], &item.grants).await
}

/// The key that is meant, as KMS describes it: that of the id, else the one that has any of the names.
async fn find(client: InProcess<'_>, home: &Home, item: &KeyItem) -> Result<Option<Value>, String> {
    if let Some(id) = &item.id {
        return client.describe_key(home, id.0.as_str()).await;
    }
    let mut found = None;
    let mut ids = BTreeSet::new();
    for alias in &item.aliases {
        if let Some(key) = client.describe_key(home, &alias.0.0).await? {
            ids.insert(key["KeyId"].to_string());
            found = Some(key);
        }
    }
    if ids.len() > 1 {
        return Err("its aliases stand for different keys already".to_owned());
    }
    Ok(found)
}

/// Refuses a key that is there and is not what the seed says.
async fn check(
    client: InProcess<'_>,
    home: &Home,
    item: &KeyItem,
    key: Value,
) -> Result<Value, String> {
    let told = &key["KeyId"];
    let spec = item.spec().name();
    if key["KeySpec"] != spec {
        return Err(format!(
            "the key {told} is there already, of the spec {} and not {spec}",
            key["KeySpec"]
        ));
    }
    let usage = item.usage().name();
    if key["KeyUsage"] != usage {
        return Err(format!(
            "the key {told} is there already, of the usage {} and not {usage}",
            key["KeyUsage"]
        ));
    }
    let origin = item.origin.name();
    if key["Origin"] != origin {
        return Err(format!(
            "the key {told} is there already, of the origin {} and not {origin}",
            key["Origin"]
        ));
    }
    if let Some(id) = &item.id
        && !client.has_materials(home, &id.0, &item.materials()).await?
    {
        return Err(format!(
            "the key {told} is there already, of other material"
        ));
    }
    Ok(key)
}

async fn create(client: InProcess<'_>, home: &Home, item: &KeyItem) -> Result<Value, String> {
    let spec = item.spec();
    let tag = |(key, value)| json!({ "TagKey": key, "TagValue": value });
    let mut body = json!({
        "KeySpec": spec.name(),
        "KeyUsage": item.usage().name(),
        "Origin": item.origin.name(),
        "Description": item.description,
        "Tags": item.tags.iter().map(tag).collect::<Vec<_>>(),
    });
    let planted = Planted {
        id: item.id.as_ref().map(|id| id.0.clone()),
        material: item.material.as_ref().map(|material| material.0.0.clone()),
        valid_to: item.valid_to.as_ref().map(|valid_to| valid_to.0),
        rotations: match &item.rotations {
            None => Vec::new(),
            Some(Rotations::Count(count)) => vec![None; *count],
            Some(Rotations::Materials(materials)) => {
                let fixed = |material: &Checked<Material>| Some(material.0.0.clone());
                materials.iter().map(fixed).collect()
            }
        },
        rotation_period_days: item.rotation_period_days,
        is_disabled: !item.enabled,
    };
    if let Some(policy) = &item.policy {
        body["Policy"] = json!(policy_text(policy.get()));
        // The server lets itself in, and so has nothing to lose.
        body["BypassPolicyLockoutSafetyCheck"] = json!(true);
    }
    client.plant_key(home, &body, planted).await
}

/// The text of a policy: that of a JSON string, else the JSON as it stands.
fn policy_text(raw: &str) -> String {
    serde_json::from_str(raw).unwrap_or_else(|_| raw.to_owned())
}

/// Gives the key a name, unless it has it.
async fn name(client: InProcess<'_>, home: &Home, key: &Value, alias: &str) -> Result<(), String> {
    let id = &key["KeyId"];
    match client.describe_key(home, alias).await? {
        Some(other) if other["KeyId"] == *id => Ok(()),
        Some(other) => Err(format!(
            "the alias `{alias}` stands for the key {} already, and not for {id}",
            other["KeyId"]
        )),
        None => {
            let body = json!({ "AliasName": alias, "TargetKeyId": id });
            client.kms(home, "CreateAlias", &body).await.map(drop)
        }
    }
}
