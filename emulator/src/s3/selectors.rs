//! Sub-resources: which query names select one, and what AWS calls it in a 405.
//!
//! The presence of the name counts, not its value; case matters; names that are not listed are ignored.
//!
//! Source: `ResourceType` names and dispatch rules measured on AWS.

/// A query name that selects a sub-resource.
#[derive(Debug)]
pub(crate) struct Selector {
    /// The query name.
    pub(crate) query: &'static str,
    /// `ResourceType` at a bucket's path; `None` where a bucket has no such sub-resource.
    pub(crate) of_bucket: Option<&'static str>,
    /// `ResourceType` at a key's path.
    pub(crate) of_object: Option<&'static str>,
    /// What the name means at a key's path if a key has no such sub-resource.
    pub(crate) at_key: AtKey,
}

/// What a bucket's sub-resource means at the path of a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum AtKey {
    /// The name is ignored.
    Ignored,
    /// The bucket answers.
    Bucket,
    /// 400, in these words.
    Refused(&'static str),
}

const LOGGING: &str = "There is no such thing as the ?logging sub-resource for a key";
const VERSIONS: &str = "There is no such thing as the ?versions sub-resource for a key";

/// All selectors, in alphabetical order: the order in which a conflict names them.
pub(crate) const SELECTORS: &[Selector] = &[
    bucket("abac", "BUCKET_ABAC", AtKey::Ignored),
    bucket("accelerate", "ACCELERATE", AtKey::Bucket),
    both("acl", "ACL", "ACL"),
    bucket("analytics", "ANALYTICS", AtKey::Ignored),
    object("annotation", "OBJECT_ANNOTATIONS"),
    object("attributes", "OBJECT_ATTRIBUTES"),
    bucket("cors", "CORS", AtKey::Bucket),
    bucket("delete", "MULTI_OBJECT_DELETE", AtKey::Ignored),
    both("encryption", "ENCRYPTION", "OBJECT_ENCRYPTION"),
    bucket("intelligent-tiering", "INTELLIGENT_TIERING", AtKey::Ignored),
    bucket("inventory", "INVENTORY", AtKey::Bucket),
    object("legal-hold", "OBJECT_LOCK_LEGALHOLD"),
    bucket("lifecycle", "LIFECYCLE", AtKey::Bucket),
    bucket("location", "LOCATION", AtKey::Bucket),
    bucket("logging", "LOGGING_STATUS", AtKey::Refused(LOGGING)),
    bucket(
        "metadataAnnotationTable",
        "BUCKET_METADATA_ANNOTATION_TABLE_CONFIGURATION",
        AtKey::Ignored,
    ),
    bucket(
        "metadataConfiguration",
        "BUCKET_METADATA_CONFIGURATION",
        AtKey::Ignored,
    ),
    bucket(
        "metadataInventoryTable",
        "BUCKET_METADATA_INVENTORY_TABLE_CONFIGURATION",
        AtKey::Ignored,
    ),
    bucket(
        "metadataJournalTable",
        "BUCKET_METADATA_JOURNAL_TABLE_CONFIGURATION",
        AtKey::Ignored,
    ),
    bucket(
        "metadataTable",
        "BUCKET_METADATA_TABLE_CONFIGURATION",
        AtKey::Ignored,
    ),
    bucket("metrics", "METRICS", AtKey::Ignored),
    bucket("notification", "NOTIFICATION", AtKey::Bucket),
    bucket("object-lock", "OBJECT_LOCK_CONFIGURATION", AtKey::Ignored),
    bucket("ownershipControls", "OWNERSHIP_CONTROLS", AtKey::Ignored),
    bucket("policy", "BUCKETPOLICY", AtKey::Bucket),
    bucket("policyStatus", "POLICY_STATUS", AtKey::Ignored),
    bucket("publicAccessBlock", "PUBLIC_ACCESS_BLOCK", AtKey::Ignored),
    object("renameObject", "OBJECT"),
    bucket("replication", "REPLICATION", AtKey::Bucket),
    bucket("requestPayment", "REQUEST_PAYMENT", AtKey::Bucket),
    object("restore", "RESTORE"),
    object("retention", "OBJECT_LOCK_RETENTION"),
    object("select", "SELECT"),
    both("tagging", "TAGGING", "OBJECT_TAGGING"),
    object("torrent", "TORRENT"),
    both("uploads", "UPLOADS", "UPLOADS"),
    bucket("versioning", "VERSIONING", AtKey::Bucket),
    bucket("versions", "BUCKETVERSIONS", AtKey::Refused(VERSIONS)),
    bucket("website", "WEBSITE", AtKey::Bucket),
];

const fn bucket(query: &'static str, resource: &'static str, at_key: AtKey) -> Selector {
    Selector {
        query,
        of_bucket: Some(resource),
        of_object: None,
        at_key,
    }
}

const fn object(query: &'static str, resource: &'static str) -> Selector {
    Selector {
        query,
        of_bucket: None,
        of_object: Some(resource),
        at_key: AtKey::Ignored,
    }
}

const fn both(query: &'static str, of_bucket: &'static str, of_object: &'static str) -> Selector {
    Selector {
        query,
        of_bucket: Some(of_bucket),
        of_object: Some(of_object),
        at_key: AtKey::Ignored,
    }
}
