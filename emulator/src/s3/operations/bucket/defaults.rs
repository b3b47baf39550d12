//! Configurations that can be read but not set yet: each answers as a fresh bucket's does on AWS.
//!
//! A family that learns to set its configuration takes its row out of here. Source: every sub-resource of a fresh bucket,
//! read from AWS in September 2026.

use crate::s3::code::Code;
use crate::s3::fresh::FreshAnswer;
use crate::s3::operation::{Entry, Route, Scope};

pub(crate) const OPERATIONS: &[Entry] = &[
    row(
        "GetBucketAbac",
        "abac",
        &FreshAnswer::Untyped(
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<AbacStatus xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\"><Status>Disabled</Status></AbacStatus>",
        ),
    ),
    row(
        "GetBucketAccelerateConfiguration",
        "accelerate",
        &FreshAnswer::Untyped(
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<AccelerateConfiguration xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\"/>",
        ),
    ),
    row(
        "GetBucketAcl",
        "acl",
        &FreshAnswer::OfOwner(
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<AccessControlPolicy xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\"><Owner><ID>{owner}</ID></Owner><AccessControlList><Grant><Grantee xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\" xsi:type=\"CanonicalUser\"><ID>{owner}</ID></Grantee><Permission>FULL_CONTROL</Permission></Grant></AccessControlList></AccessControlPolicy>",
        ),
    ),
    row(
        "ListBucketAnalyticsConfigurations",
        "analytics",
        &FreshAnswer::List(
            "<ListBucketAnalyticsConfigurationsResult xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\"><IsTruncated>false</IsTruncated></ListBucketAnalyticsConfigurationsResult>",
        ),
    ),
    row(
        "ListBucketIntelligentTieringConfigurations",
        "intelligent-tiering",
        &FreshAnswer::List(
            "<ListIntelligentTieringConfigurationsResult xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\"><IsTruncated>false</IsTruncated></ListIntelligentTieringConfigurationsResult>",
        ),
    ),
    row(
        "ListBucketInventoryConfigurations",
        "inventory",
        &FreshAnswer::List(
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?><ListInventoryConfigurationsResult xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\"><IsTruncated>false</IsTruncated></ListInventoryConfigurationsResult>",
        ),
    ),
    row(
        "ListBucketMetricsConfigurations",
        "metrics",
        &FreshAnswer::List(
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?><ListMetricsConfigurationsResult xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\"><IsTruncated>false</IsTruncated></ListMetricsConfigurationsResult>",
        ),
    ),
    row(
        "GetBucketCors",
        "cors",
        &FreshAnswer::Missing(Code::NoSuchCORSConfiguration),
    ),
    row(
        "GetBucketLifecycleConfiguration",
        "lifecycle",
        &FreshAnswer::BareMissing(Code::NoSuchLifecycleConfiguration),
    ),
    row(
        "GetBucketLogging",
        "logging",
        &FreshAnswer::Typed(
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<BucketLoggingStatus xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\"/>",
        ),
    ),
    row(
        "GetBucketMetadataConfiguration",
        "metadataConfiguration",
        &FreshAnswer::BareMissing(Code::MetadataConfigurationNotFound),
    ),
    row(
        "GetBucketMetadataTableConfiguration",
        "metadataTable",
        &FreshAnswer::Refused(Code::V1APIsNotAllowed),
    ),
    row(
        "GetBucketNotificationConfiguration",
        "notification",
        &FreshAnswer::Untyped(
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<NotificationConfiguration xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\"/>",
        ),
    ),
    row(
        "GetObjectLockConfiguration",
        "object-lock",
        &FreshAnswer::Missing(Code::ObjectLockConfigurationNotFoundError),
    ),
    row(
        "GetBucketOwnershipControls",
        "ownershipControls",
        &FreshAnswer::Untyped(
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<OwnershipControls xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\"><Rule><ObjectOwnership>BucketOwnerEnforced</ObjectOwnership></Rule></OwnershipControls>",
        ),
    ),
    row(
        "GetBucketPolicy",
        "policy",
        &FreshAnswer::Missing(Code::NoSuchBucketPolicy),
    ),
    row(
        "GetBucketPolicyStatus",
        "policyStatus",
        &FreshAnswer::Missing(Code::NoSuchBucketPolicy),
    ),
    row(
        "GetPublicAccessBlock",
        "publicAccessBlock",
        &FreshAnswer::Untyped(
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<PublicAccessBlockConfiguration xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\"><BlockPublicAcls>true</BlockPublicAcls><IgnorePublicAcls>true</IgnorePublicAcls><BlockPublicPolicy>true</BlockPublicPolicy><RestrictPublicBuckets>true</RestrictPublicBuckets></PublicAccessBlockConfiguration>",
        ),
    ),
    row(
        "GetBucketReplication",
        "replication",
        &FreshAnswer::Missing(Code::ReplicationConfigurationNotFoundError),
    ),
    row(
        "GetBucketRequestPayment",
        "requestPayment",
        &FreshAnswer::Untyped(
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<RequestPaymentConfiguration xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\"><Payer>BucketOwner</Payer></RequestPaymentConfiguration>",
        ),
    ),
    row(
        "GetBucketWebsite",
        "website",
        &FreshAnswer::Missing(Code::NoSuchWebsiteConfiguration),
    ),
];

const fn row(name: &'static str, selector: &'static str, answer: &'static FreshAnswer) -> Entry {
    Entry::fresh(name, Route::get(Scope::Bucket).query(selector), answer)
}
