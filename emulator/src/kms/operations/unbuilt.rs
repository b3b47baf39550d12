//! Operations that KMS has and this server does not yet: each is known, signed for, journalled, and refused.

use crate::kms::operation::Entry;

pub(crate) const OPERATIONS: &[Entry] = &[
    Entry::unbuilt("ConnectCustomKeyStore"),
    Entry::unbuilt("CreateCustomKeyStore"),
    Entry::unbuilt("CreateGrant"),
    Entry::unbuilt("Decapsulate"),
    Entry::unbuilt("DeleteCustomKeyStore"),
    Entry::unbuilt("DeleteImportedKeyMaterial"),
    Entry::unbuilt("DeriveSharedSecret"),
    Entry::unbuilt("DescribeCustomKeyStores"),
    Entry::unbuilt("DisconnectCustomKeyStore"),
    Entry::unbuilt("Encapsulate"),
    Entry::unbuilt("GetKeyLastUsage"),
    Entry::unbuilt("GetParametersForImport"),
    Entry::unbuilt("ImportKeyMaterial"),
    Entry::unbuilt("ListGrants"),
    Entry::unbuilt("ListRetirableGrants"),
    Entry::unbuilt("ReplicateKey"),
    Entry::unbuilt("RetireGrant"),
    Entry::unbuilt("RevokeGrant"),
    Entry::unbuilt("UpdateCustomKeyStore"),
    Entry::unbuilt("UpdatePrimaryRegion"),
];
