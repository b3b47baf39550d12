//! The JSON of a seed, read whole and checked before anything of it is made; every item knows its line.

use std::collections::BTreeSet;

use serde::Deserialize;
use serde_json::value::RawValue;

use crate::config::Secret;
use crate::seed::document::{BucketItem, Document, KeyItem};
use crate::seed::error::{Place, SeedError};
use crate::wire::json_lines;

/// What a seed's JSON says.
#[derive(Debug, Default)]
pub(super) struct SeedFile {
    /// KMS keys, each with its place.
    pub(super) keys: Vec<(Place, KeyItem)>,
    /// Buckets, each with its place.
    pub(super) buckets: Vec<(Place, BucketItem)>,
    /// What `--identities` reads, behind as many blank lines as stand before it, and its place.
    pub(super) identities: Option<(Place, Secret)>,
}

impl SeedFile {
    /// Reads it; `place` is the file.
    ///
    /// # Errors
    ///
    /// [`SeedError`] with the line: for what is no JSON, an unknown member, a word that cannot be, a name that occurs twice.
    pub(super) fn parse(place: &Place, text: &str) -> Result<Self, SeedError> {
        let document: Document<'_> =
            json_lines::parse_object(text).map_err(|finding| place.found(finding))?;
        let lines = Lines { place, text };
        let file = Self {
            keys: lines.items(&document.kms_keys)?,
            buckets: lines.items(&document.buckets)?,
            identities: document.identities.map(|raw| lines.padded(raw)),
        };
        file.check_keys()?;
        file.check_buckets()?;
        Ok(file)
    }

    fn check_keys(&self) -> Result<(), SeedError> {
        let (mut ids, mut aliases) = (BTreeSet::new(), BTreeSet::new());
        for (place, key) in &self.keys {
            key.check().map_err(|message| place.error(message))?;
            let home = (&key.account, &key.region);
            if let Some(id) = &key.id
                && !ids.insert((&key.region, id))
            {
                return Err(place.error(format!("two keys have the id `{}`", id.0)));
            }
            for alias in &key.aliases {
                if !aliases.insert((home, alias)) {
                    let name = &alias.0.0;
                    return Err(place.error(format!("the alias `{name}` is given twice")));
                }
            }
        }
        Ok(())
    }

    fn check_buckets(&self) -> Result<(), SeedError> {
        let mut names = BTreeSet::new();
        for (place, bucket) in &self.buckets {
            let name = &bucket.name.0;
            if !names.insert(name) {
                return Err(place.error(format!("two buckets have the name `{name}`")));
            }
        }
        Ok(())
    }
}

/// A text and where it comes from.
struct Lines<'a> {
    place: &'a Place,
    text: &'a str,
}

impl Lines<'_> {
    fn items<T: for<'de> Deserialize<'de>>(
        &self,
        raw: &[&RawValue],
    ) -> Result<Vec<(Place, T)>, SeedError> {
        let read = |raw: &&RawValue| {
            let read = json_lines::parse_item(self.text, raw);
            let (line, item) = read.map_err(|finding| self.place.found(finding))?;
            Ok((self.place.at(line), item))
        };
        raw.iter().map(read).collect()
    }

    fn padded(&self, raw: &RawValue) -> (Place, Secret) {
        let line = json_lines::line_of(self.text, raw);
        let text = "\n".repeat(line - 1) + raw.get();
        (self.place.at(line), Secret::new(text))
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    const ID: &str = "134f2428-cec1-4b25-a1ae-9048164dba47";

    fn refusal(text: &str) -> String {
        let place = Place::of_path(Path::new("seed.json"));
        SeedFile::parse(&place, text).unwrap_err().to_string()
    }

    /// Asserts what is told of a seed that is none, and of which line.
    fn assert_told(text: &str, line: usize, message: &str) {
        let told = refusal(text);

        let place = format!("in the seed `seed.json`, line {line}: ");
        assert!(told.starts_with(&place), "{told}");
        assert!(told.contains(message), "{told}");
    }

    #[test]
    fn an_empty_seed_is_one() {
        let file = SeedFile::parse(&Place::default(), "{}").unwrap();

        assert!(file.keys.is_empty() && file.buckets.is_empty() && file.identities.is_none());
    }

    #[test]
    fn what_is_no_json_is_told_with_its_line() {
        assert_eq!(
            refusal("{\n\"buckets\": [\n}"),
            "in the seed `seed.json`, line 3: expected value"
        );
    }

    #[test]
    fn what_nobody_knows_is_told_with_its_line() {
        let on_top = refusal("{\n\"bucket\": []}");
        let within =
            refusal("{\"buckets\": [\n{\"name\": \"photos\"},\n{\n\"nam\": \"films\"\n}]}");

        assert!(on_top.starts_with("in the seed `seed.json`, line 2: unknown field `bucket`"));
        assert!(within.starts_with("in the seed `seed.json`, line 4: unknown field `nam`"));
    }

    #[test]
    fn each_bad_word_is_told_with_its_own_line() {
        let cases = [
            (
                "buckets",
                "\"name\":\n\"Photos\"",
                "not a valid bucket name",
            ),
            (
                "buckets",
                "\"name\": \"photos\", \"versioning\":\n\"On\"",
                "versioning is Enabled or Suspended, not `On`",
            ),
            (
                "buckets",
                "\"name\": \"photos\", \"encryption\": {\"algorithm\":\n\"aes256\"}",
                "the algorithm `aes256` is none of AES256, aws:kms, aws:kms:dsse",
            ),
            (
                "buckets",
                "\"name\": \"photos\", \"encryption\": {\"algorithm\": \"AES256\", \"blocked\": [\n\"SSE-S3\"]}",
                "a bucket can block SSE-C, not `SSE-S3`",
            ),
            ("kms_keys", "\"id\":\n\"1234\"", "the key id `1234` is not"),
            (
                "kms_keys",
                "\"aliases\": [\n\"app\"]",
                "Alias must start with the prefix \"alias/\"",
            ),
            ("kms_keys", "\"spec\":\n\"SM2\"", "the key spec `SM2`"),
            (
                "kms_keys",
                "\"material\":\n\"?\"",
                "the material is no base64",
            ),
            (
                "kms_keys",
                "\"valid_to\":\n\"tomorrow\"",
                "`tomorrow` is not a time like 2027-01-15T00:00:00Z",
            ),
            (
                "kms_keys",
                "\"account\":\n\"12\"",
                "the account `12` is not",
            ),
        ];
        for (list, member, message) in cases {
            assert_told(
                &format!("{{\n\"{list}\": [\n{{ {member}\n\n}}]}}"),
                4,
                message,
            );
        }
    }

    #[test]
    fn what_only_the_whole_shows_is_told_with_the_line_of_its_item() {
        let material = |bytes: usize| crate::wire::encoding::base64(&vec![7; bytes]);
        let cases = [
            (
                "{\"kms_keys\": [\n{\"description\": \"\"\n}]}".to_owned(),
                "needs an id or an alias",
            ),
            (
                format!(
                    "{{\"kms_keys\": [\n{{\"aliases\": [\"alias/a\"],\n\"material\": \"{}\"}}]}}",
                    material(32)
                ),
                "fixed material needs a fixed id",
            ),
            (
                format!(
                    "{{\"kms_keys\": [\n{{\"id\": \"{ID}\",\n\"material\": \"{}\"}}]}}",
                    material(31)
                ),
                "the material has 31 bytes, and a key of the spec SYMMETRIC_DEFAULT has 32",
            ),
            (
                format!("{{\"kms_keys\": [\n{{\"id\": \"{ID}\",\n\"spec\": \"RSA_2048\"}}]}}"),
                "a key of the spec RSA_2048 needs a usage, ENCRYPT_DECRYPT or SIGN_VERIFY",
            ),
            (
                format!(
                    "{{\"kms_keys\": [\n{{\"id\": \"{ID}\", \"usage\": \"ENCRYPT_DECRYPT\",\n\"spec\": \"ECC_NIST_P256\"}}]}}"
                ),
                "a key of the spec ECC_NIST_P256 has another usage",
            ),
            (
                format!(
                    "{{\"kms_keys\": [\n{{\"id\": \"{ID}\", \"spec\": \"ECC_NIST_P256\",\n\"material\": \"{}\"}}]}}",
                    material(32)
                ),
                "the material is no PKCS#8 of a key of the spec ECC_NIST_P256",
            ),
            (
                format!("{{\"kms_keys\": [{{\"id\": \"{ID}\"}},\n{{\"id\": \"{ID}\"\n}}]}}"),
                "two keys have the id",
            ),
            (
                "{\"kms_keys\": [{\"aliases\": [\"alias/a\"]},\n{\"aliases\": [\"alias/a\"]\n}]}"
                    .to_owned(),
                "the alias `alias/a` is given twice",
            ),
            (
                "{\"buckets\": [{\"name\": \"photos\"},\n{\"name\": \"photos\"\n}]}".to_owned(),
                "two buckets have the name `photos`",
            ),
        ];
        for (text, message) in cases {
            assert_told(&text, 2, message);
        }
    }

    #[test]
    fn only_material_that_was_brought_can_expire() {
        let material = crate::wire::encoding::base64(&[7; 32]);
        for members in [
            format!("\"material\": \"{material}\""),
            "\"origin\": \"EXTERNAL\"".to_owned(),
        ] {
            let told = refusal(&format!(
                "{{\"kms_keys\": [\n{{\"id\": \"{ID}\", \"valid_to\": \"2027-01-15T00:00:00Z\", {members}}}]}}"
            ));

            assert!(
                told.contains(
                    "line 2: only the material of a key of the origin EXTERNAL can expire"
                ),
                "{told}"
            );
        }
    }

    #[test]
    fn each_bad_word_about_rotations_and_grants_is_told_with_its_own_line() {
        let cases = [
            (
                "kms_keys",
                "\"rotations\": [\n\"?\"]",
                "the material is no base64",
            ),
            (
                "kms_keys",
                "\"rotations\":\ntrue",
                "expected a number of rotations, or a list of materials",
            ),
            (
                "kms_keys",
                "\"grants\": [{\n\"nam\": \"app\"}]",
                "unknown field `nam`",
            ),
        ];
        for (list, member, message) in cases {
            assert_told(
                &format!("{{\n\"{list}\": [\n{{ {member}\n\n}}]}}"),
                4,
                message,
            );
        }
    }

    #[test]
    fn rotations_and_grants_that_cannot_be_are_told_with_the_line_of_their_key() {
        let material = |bytes: usize| crate::wire::encoding::base64(&vec![7; bytes]);
        let cases = [
            (
                format!(
                    "{{\"kms_keys\": [\n{{\"id\": \"{ID}\",\n\"rotations\": [\"{}\"]}}]}}",
                    material(32)
                ),
                "fixed rotations need a fixed material",
            ),
            (
                format!(
                    "{{\"kms_keys\": [\n{{\"id\": \"{ID}\", \"material\": \"{0}\",\n\"rotations\": [\"{0}\"]}}]}}",
                    material(32)
                ),
                "never turns to a material that it had before",
            ),
            (
                format!("{{\"kms_keys\": [\n{{\"id\": \"{ID}\",\n\"rotations\": 26}}]}}"),
                "turned on demand 25 times at most, not 26",
            ),
            (
                format!(
                    "{{\"kms_keys\": [\n{{\"id\": \"{ID}\",\n\"rotation_period_days\": 89}}]}}"
                ),
                "a rotation period has 90 to 2560 days, not 89",
            ),
            (
                format!(
                    "{{\"kms_keys\": [\n{{\"id\": \"{ID}\", \"spec\": \"HMAC_256\",\n\"rotations\": 1}}]}}"
                ),
                "a key of the spec HMAC_256 never turns",
            ),
            (
                format!(
                    "{{\"kms_keys\": [\n{{\"id\": \"{ID}\",\n\"grants\": [{{\"name\": \"a\", \"grantee\": \"x\", \"operations\": []}}, {{\"name\": \"a\", \"grantee\": \"x\", \"operations\": []}}]}}]}}"
                ),
                "two grants have the name `a`",
            ),
        ];
        for (text, message) in cases {
            assert_told(&text, 2, message);
        }
    }

    #[test]
    fn one_id_may_stand_in_two_regions() {
        let text = format!(
            "{{\"kms_keys\": [{{\"id\": \"{ID}\"}}, {{\"id\": \"{ID}\", \"region\": \"eu-west-1\"}}]}}"
        );

        assert_eq!(
            SeedFile::parse(&Place::default(), &text)
                .unwrap()
                .keys
                .len(),
            2
        );
    }
}
