//! The way of material to a key: a wrapping key of KMS's, and what is wrapped under it by another implementation's reading
//! of its public half.

use std::convert::Infallible;

use base64::prelude::{BASE64_STANDARD, Engine};
use rand_core::{TryCryptoRng, TryRng};
use rsa::PublicKey;
use rsa::pkcs8::DecodePublicKey;
use serde_json::{Value, json};
use sha2::Sha256;
use strongroom_testkit::Strongroom;

use crate::table::{outcome, told};

/// A key, and what its material is wrapped with by `RSAES_OAEP_SHA_256`.
pub(crate) struct Way {
    pub(crate) key: String,
    pub(crate) token: String,
    public: PublicKey,
}

impl Way {
    /// Makes a key whose material is brought; `members` are further ones of `CreateKey`.
    pub(crate) async fn make(server: &Strongroom, members: &Value) -> Self {
        let mut body = members.clone();
        body["Origin"] = json!("EXTERNAL");
        let made = told(server, "CreateKey", &body).await;
        Self::to(server, made["KeyMetadata"]["Arn"].as_str().unwrap()).await
    }

    /// The way to a key.
    pub(crate) async fn to(server: &Strongroom, key: &str) -> Self {
        let body = json!({
            "KeyId": key,
            "WrappingAlgorithm": "RSAES_OAEP_SHA_256",
            "WrappingKeySpec": "RSA_2048",
        });
        let parameters = told(server, "GetParametersForImport", &body).await;
        let public = parameters["PublicKey"].as_str().unwrap();
        let public = BASE64_STANDARD.decode(public).unwrap();
        Self {
            key: key.to_owned(),
            token: parameters["ImportToken"].as_str().unwrap().to_owned(),
            public: PublicKey::from_public_key_der(&public).unwrap(),
        }
    }

    /// Wraps material, in base64.
    pub(crate) fn wrap(&self, material: &[u8]) -> String {
        let wrapped = self
            .public
            .oaep_encrypt_with_rng::<Sha256, _>(&mut Counter(1), material);
        BASE64_STANDARD.encode(wrapped.unwrap())
    }

    /// The body of an import that never expires; `members` come on top.
    pub(crate) fn body(&self, material: &[u8], members: &Value) -> Value {
        let mut body = json!({
            "KeyId": self.key,
            "ImportToken": self.token,
            "EncryptedKeyMaterial": self.wrap(material),
            "ExpirationModel": "KEY_MATERIAL_DOES_NOT_EXPIRE",
        });
        let members = members.as_object().unwrap().clone();
        body.as_object_mut().unwrap().extend(members);
        body
    }

    /// Imports material, and tells its id.
    pub(crate) async fn import(
        &self,
        server: &Strongroom,
        material: &[u8],
        members: &Value,
    ) -> String {
        let body = self.body(material, members);
        let answer = told(server, "ImportKeyMaterial", &body).await;
        assert_eq!(answer["KeyId"], json!(self.key));
        let id = answer["KeyMaterialId"].as_str().unwrap_or_default();
        id.to_owned()
    }

    /// How an import ends.
    pub(crate) async fn outcome(
        &self,
        server: &Strongroom,
        material: &[u8],
        members: &Value,
    ) -> String {
        outcome(server, "ImportKeyMaterial", &self.body(material, members)).await
    }
}

/// Numbers that are random enough for a test's padding.
struct Counter(u64);

impl TryRng for Counter {
    type Error = Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Infallible> {
        Ok(u32::try_from(self.try_next_u64()? >> 32).unwrap())
    }

    fn try_next_u64(&mut self) -> Result<u64, Infallible> {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005);
        self.0 = self.0.wrapping_add(1_442_695_040_888_963_407);
        Ok(self.0)
    }

    fn try_fill_bytes(&mut self, buffer: &mut [u8]) -> Result<(), Infallible> {
        for chunk in buffer.chunks_mut(8) {
            let bytes = self.try_next_u64()?.to_be_bytes();
            chunk.copy_from_slice(&bytes[..chunk.len()]);
        }
        Ok(())
    }
}

impl TryCryptoRng for Counter {}
