//! What a hostile peer may send, each kind handed to whatever reads it. Fuzzers look for bytes that break it; tests run
//! the ones that are kept in `fixtures/fuzz`.
//!
//! Beyond "no panic" each kind has a law: how bytes are cut changes nothing, no answer is a failure of ours, and whatever
//! opens under a key is what was sealed under it.

mod bodies;
mod house;
mod sealed;
mod wires;

/// A kind of input.
#[doc(hidden)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FuzzTarget {
    /// The XML documents of S3's operations: a byte that picks the operation, then the document.
    Xml,
    /// A body of chunks: a byte that tells how it is cut, then the body.
    AwsChunked,
    /// A request with a signature: `METHOD TARGET`, lines of headers, an empty line, the body.
    Signature,
    /// A browser's form: its content type in a line, then the form.
    PostForm,
    /// A policy: that of a browser's form, of a KMS key, a bucket, a user, a role.
    Policy,
    /// A call of KMS: its name in a line, then its JSON.
    KmsCall,
    /// A ciphertext of KMS: edits of one that is good, or bytes of its own.
    KmsBlob,
    /// A sealed body: edits of one that is good.
    SealedBody,
    /// A connection, from its first byte to its last.
    Connection,
}

impl FuzzTarget {
    /// Each with the name of its corpus.
    pub const ALL: [(Self, &'static str); 9] = [
        (Self::Xml, "xml"),
        (Self::AwsChunked, "aws_chunked"),
        (Self::Signature, "signature"),
        (Self::PostForm, "post_form"),
        (Self::Policy, "policy"),
        (Self::KmsCall, "kms_call"),
        (Self::KmsBlob, "kms_blob"),
        (Self::SealedBody, "sealed_body"),
        (Self::Connection, "connection"),
    ];

    /// Hands it over.
    ///
    /// # Panics
    ///
    /// When a law does not hold.
    pub fn meet(self, bytes: &[u8]) {
        match self {
            Self::Xml => bodies::xml(bytes),
            Self::AwsChunked => wires::aws_chunked(bytes),
            Self::Signature => wires::signature(bytes),
            Self::PostForm => bodies::post_form(bytes),
            Self::Policy => bodies::policy(bytes),
            Self::KmsCall => bodies::kms_call(bytes),
            Self::KmsBlob => sealed::kms_blob(bytes),
            Self::SealedBody => sealed::body(bytes),
            Self::Connection => wires::connection(bytes),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::Path;

    use super::*;

    #[test]
    fn everything_in_the_corpora_keeps_its_law() {
        let corpora = Path::new(env!("CARGO_MANIFEST_DIR")).join("../fixtures/fuzz");
        for (target, name) in FuzzTarget::ALL {
            let files: Vec<_> = fs::read_dir(corpora.join(name)).expect(name).collect();
            assert!(files.len() > 4, "{name} has a corpus");
            for file in files {
                target.meet(&fs::read(file.unwrap().path()).unwrap());
            }
        }
    }
}
