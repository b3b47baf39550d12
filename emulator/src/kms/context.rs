//! What an operation may reach, and what is written down of its call.

use std::sync::Arc;

use crate::clock::Clock;
use crate::entropy::Entropy;
use crate::keyring::asker::Asker;
use crate::keyring::error::KeyringError;
use crate::keyring::handle::Keyring;
use crate::keyring::planted::Planted;
use crate::keyring::refusal::Refusal;
use crate::kms::error::KmsError;
use crate::model::context::EncryptionContext;
use crate::model::kms_key::KmsKey;
use crate::wire::encoding::parse_base64;

/// The world of one request.
#[derive(Debug)]
pub(crate) struct Context {
    /// Keys.
    pub(crate) keyring: Arc<Keyring>,
    /// Time.
    pub(crate) clock: Clock,
    /// Randomness.
    pub(crate) entropy: Entropy,
    /// Who asks, and for what.
    pub(crate) asker: Asker,
    /// What the journal will say of it.
    pub(crate) noted: Noted,
    /// What a seed fixes of the key that is to be made; nothing for clients.
    pub(crate) planted: Planted,
}

/// What a call was about.
#[derive(Clone, Debug, Default)]
pub(crate) struct Noted {
    /// The key's ARN.
    pub(crate) key_arn: Option<String>,
    /// The encryption context.
    pub(crate) context: EncryptionContext,
    /// The ARN of the key that a ciphertext was under, where it comes under another.
    pub(crate) source_key_arn: Option<String>,
    /// The encryption context of that.
    pub(crate) source_context: EncryptionContext,
    /// The ARNs of all keys that it is about: the one of above, and another where two are needed.
    pub(crate) touched: Vec<String>,
}

impl Context {
    /// Tells what conditions may look at of the request: before a key is looked up, since that is when it is decided.
    pub(crate) fn tell(&mut self, key: &str, value: impl Into<String>) {
        self.asker.tell(key, value);
    }

    /// Tells what the request says of tags.
    pub(crate) fn tell_tags(&mut self, tags: &[(String, String)]) {
        for (name, value) in tags {
            self.tell(&format!("aws:RequestTag/{name}"), value);
        }
        self.tell_tag_keys(tags.iter().map(|(name, _)| name));
    }

    /// Tells which tags the request names.
    pub(crate) fn tell_tag_keys<'n>(&mut self, names: impl IntoIterator<Item = &'n String>) {
        self.asker.tell_set("aws:TagKeys", names);
    }

    /// Refuses whoever's own policies do not let him do what no key's policy decides: `resource` is `*`, or the ARN of an
    /// alias.
    ///
    /// # Errors
    ///
    /// As [`Keyring::authorize_without_key`].
    pub(crate) fn authorize(&self, resource: &str) -> Result<(), KmsError> {
        let asker = &self.asker;
        Ok(self.keyring.authorize_without_key(asker, resource)?)
    }

    /// A key by any of the four forms of its name.
    ///
    /// # Errors
    ///
    /// As [`Keyring::find_key`].
    pub(crate) async fn key(&mut self, name: &str) -> Result<KmsKey, KeyringError> {
        let found = self.keyring.find_key(&self.asker, name).await;
        self.note_found(found)
    }

    /// A key by its id or ARN, where aliases are not taken.
    ///
    /// # Errors
    ///
    /// As [`Keyring::find_key_by_id`].
    pub(crate) async fn key_by_id(&mut self, name: &str) -> Result<KmsKey, KeyringError> {
        let found = self.keyring.find_key_by_id(&self.asker, name).await;
        self.note_found(found)
    }

    /// The key that a ciphertext names.
    ///
    /// # Errors
    ///
    /// As [`Keyring::key_of_ciphertext`].
    pub(crate) async fn key_of_ciphertext(
        &mut self,
        ciphertext: &[u8],
    ) -> Result<KmsKey, KeyringError> {
        let found = self.keyring.key_of_ciphertext(&self.asker, ciphertext);
        let found = found.await;
        self.note_found(found)
    }

    /// Refuses tokens of grants that are none.
    ///
    /// # Errors
    ///
    /// [`Refusal::InvalidGrantToken`].
    // AWS: unverified. That it comes before all that is wrong with the key.
    pub(crate) fn check_grant_tokens(&self, tokens: &[String]) -> Result<(), Refusal> {
        for token in tokens {
            let token = parse_base64(token).ok_or(Refusal::InvalidGrantToken)?;
            self.keyring.check_grant_token(&token)?;
        }
        Ok(())
    }

    /// Writes down which key was found, or is not for the caller.
    fn note_found(&mut self, found: Result<KmsKey, KeyringError>) -> Result<KmsKey, KeyringError> {
        match &found {
            Ok(key) => self.note(key),
            Err(error) => {
                if let Some(arn) = error.denied_key() {
                    self.noted.key_arn = Some(arn.to_owned());
                }
            }
        }
        found
    }

    /// Writes down which key it is about.
    pub(crate) fn note(&mut self, key: &KmsKey) {
        let arn = key.arn();
        self.noted.touched.push(arn.clone());
        self.noted.key_arn = Some(arn);
    }

    /// What was written down is of the ciphertext that is to come under another key.
    pub(crate) fn note_source(&mut self) {
        self.noted.source_key_arn = self.noted.key_arn.take();
        self.noted.source_context = std::mem::take(&mut self.noted.context);
    }

    /// Writes down under which context, which the key's policy may look at too.
    pub(crate) fn note_context(&mut self, context: &EncryptionContext) {
        self.asker.context = context.clone();
        self.noted.context = context.clone();
    }
}
