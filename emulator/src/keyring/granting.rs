//! Makes, lists and ends grants.
//!
//! Who may make one by a grant alone gives what that grant gives, or less. To retire one is for whom the grant names, and
//! for the account that made it; to revoke one is for whom the key's policy lets.
//!
//! Source: <https://docs.aws.amazon.com/kms/latest/developerguide/grant-manage.html>,
//! <https://docs.aws.amazon.com/kms/latest/developerguide/grant-delete.html>

use crate::keyring::asker::Asker;
use crate::keyring::authorize::refused;
use crate::keyring::condition_keys;
use crate::keyring::error::KeyringError;
use crate::keyring::grants::{Home, allows, decide_at_home, names};
use crate::keyring::handle::Keyring;
use crate::keyring::lists::Listed;
use crate::keyring::refusal::Refusal;
use crate::keyring::states::Need;
use crate::model::context::EncryptionContext;
use crate::model::kms_grant::{
    GrantConstraints, GrantId, GrantOperation, GrantPrincipal, GrantTerms, KmsGrant,
};
use crate::model::kms_key::KmsKey;
use crate::policy::decision::{Denial, Layer};
use crate::policy::keys::ContextKeys;
use crate::store::kms_grants::{Granting, place_of};

/// The most grants on a key.
const MOST_GRANTS: usize = 50_000;

/// Which grants on a key are listed.
#[derive(Clone, Debug, Default)]
pub(crate) struct GrantFilter {
    /// That of this id; `None` for all.
    pub(crate) id: Option<GrantId>,
    /// Those of this grantee; `None` for all.
    pub(crate) grantee: Option<GrantPrincipal>,
}

/// The name of a grant.
#[derive(Clone, Copy, Debug)]
pub(crate) enum GrantName<'g> {
    /// A token of it.
    Token(&'g [u8]),
    /// Its id, behind the name of its key.
    Id(&'g str, GrantId),
}

impl Keyring {
    /// Makes a grant on a key that the asker may grant; or finds the one of the same name and terms.
    ///
    /// # Errors
    ///
    /// As [`Keyring::check_new_grant`]; [`Refusal::TooManyGrants`].
    pub(crate) async fn create_grant(
        &self,
        (asker, key): (&Asker, &KmsKey),
        terms: &GrantTerms,
    ) -> Result<KmsGrant, KeyringError> {
        self.check_new_grant((asker, key), terms)?;
        let (id, now) = (GrantId(self.entropy.bytes()), self.clock.now());
        let decide = |granting: &Granting| -> Result<KmsGrant, Refusal> {
            let missing = || Refusal::NoSuchKey(key.arn());
            self.grant_need()
                .check(granting.key.as_ref().ok_or_else(missing)?)?;
            let mut namesakes = granting.namesakes.iter();
            let is_same =
                |grant: &&KmsGrant| grant.terms.are_same(terms) && grant.issuer == asker.account;
            if let Some(same) = namesakes.find(is_same) {
                return Ok(same.clone());
            }
            if granting.count >= MOST_GRANTS {
                return Err(Refusal::TooManyGrants);
            }
            Ok(KmsGrant {
                id,
                region: key.region.clone(),
                key: key.id.clone(),
                terms: terms.clone(),
                issuer: asker.account.clone(),
                created: now,
            })
        };
        let place = (key.region.as_str(), &key.id);
        let name = terms.name.as_deref();
        let granted = self.store.create_kms_grant(place, name, decide).await?;
        Ok(granted?)
    }

    /// Refuses a grant that the key's state does not allow, or whose asker may grant but less.
    ///
    /// # Errors
    ///
    /// [`Refusal`] for the key's state; [`Refusal::NotAllowed`]; [`KeyringError::Store`].
    pub(crate) fn check_new_grant(
        &self,
        (asker, key): (&Asker, &KmsKey),
        terms: &GrantTerms,
    ) -> Result<(), KeyringError> {
        self.grant_need().check(key)?;
        if self.do_policies_allow(asker, key)? {
            return Ok(());
        }
        let held = self.grants_to(asker, key)?;
        let may_give = |grant: &KmsGrant| {
            allows(&grant.terms, GrantOperation::CreateGrant, asker) && grant.terms.cover(terms)
        };
        if held.iter().any(may_give) {
            return Ok(());
        }
        let denial = Denial::Silent(Layer::Resource);
        Err(refused(asker, key, denial).into())
    }

    /// What a key's state has to allow; the server is told what its keys have, and not when they work.
    fn grant_need(&self) -> Need {
        if self.is_unguarded {
            Need::Anything
        } else {
            Need::Cryptography
        }
    }

    /// Some of the grants on a key; `after` is the place behind which they come.
    ///
    /// # Errors
    ///
    /// [`KeyringError::Store`].
    pub(crate) fn list_grants(
        &self,
        key: &KmsKey,
        filter: &GrantFilter,
        after: Option<&str>,
        limit: usize,
    ) -> Result<Listed<KmsGrant>, KeyringError> {
        let grantee = filter.grantee.as_ref().map(GrantPrincipal::filed);
        let is_wanted = |grant: &KmsGrant| {
            let is_his = |name: &String| grant.terms.grantee.filed() == *name;
            filter.id.is_none_or(|id| grant.id == id) && grantee.as_ref().is_none_or(is_his)
        };
        let place = (key.region.as_str(), Some(&key.id));
        let page = self.store.list_kms_grants(place, after, limit, is_wanted)?;
        let last = page.rows.last().map(place_of);
        Ok(Listed {
            next: last.filter(|_| page.is_truncated),
            rows: page.rows,
        })
    }

    /// Some of the grants in the asker's region that somebody may retire, each with the account of its key; `after` is the place behind which they come.
    ///
    /// # Errors
    ///
    /// [`KeyringError::Store`].
    pub(crate) async fn list_retirable_grants(
        &self,
        asker: &Asker,
        retiring: &GrantPrincipal,
        after: Option<&str>,
        limit: usize,
    ) -> Result<Listed<(String, KmsGrant)>, KeyringError> {
        let name = retiring.filed();
        let is_wanted = |grant: &KmsGrant| {
            let retiring = grant.terms.retiring.as_ref();
            retiring.is_some_and(|retiring| retiring.filed() == name)
        };
        let place = (asker.region.as_str(), None);
        let page = self.store.list_kms_grants(place, after, limit, is_wanted)?;
        let last = page.rows.last().map(place_of);
        let mut rows = Vec::new();
        for grant in page.rows {
            if let Some(key) = self.settled(&grant.region, &grant.key).await? {
                rows.push((key.account, grant));
            }
        }
        Ok(Listed {
            rows,
            next: last.filter(|_| page.is_truncated),
        })
    }

    /// Finds a grant that the asker may retire, and its key.
    ///
    /// # Errors
    ///
    /// [`Refusal::InvalidGrantToken`]; [`Refusal::NoSuchGrant`]; as [`Keyring::find_key_by_id`]; [`KeyringError::Store`].
    pub(crate) async fn find_retirable_grant(
        &self,
        asker: &Asker,
        name: GrantName<'_>,
    ) -> Result<(KmsKey, KmsGrant), KeyringError> {
        let (key, id) = match name {
            GrantName::Id(key, id) => (self.key_by_id(asker, key).await?, id),
            GrantName::Token(token) => {
                let named = self.grant_of_token(token)?;
                if named.region != asker.region {
                    return Err(Refusal::InvalidGrantToken.into());
                }
                let key = self.settled(&named.region, &named.key).await?;
                let missing = || Refusal::NoSuchGrant(named.id.to_string());
                (key.ok_or_else(missing)?, named.id)
            }
        };
        let grant = self.grant_on(&key, id)?;
        self.check_may_retire(asker, &key, &grant)?;
        Ok((key, grant))
    }

    /// The grant of an id on a key.
    ///
    /// # Errors
    ///
    /// [`Refusal::NoSuchGrant`]; [`KeyringError::Store`].
    pub(crate) fn grant_on(&self, key: &KmsKey, id: GrantId) -> Result<KmsGrant, KeyringError> {
        let found = self.store.kms_grant((&key.region, &key.id), id)?;
        Ok(found.ok_or_else(|| Refusal::NoSuchGrant(id.to_string()))?)
    }

    /// Ends a grant.
    ///
    /// # Errors
    ///
    /// [`Refusal::NoSuchGrant`] for one that somebody else has ended; [`KeyringError::Store`].
    pub(crate) async fn end_grant(&self, grant: &KmsGrant) -> Result<(), KeyringError> {
        let place = (grant.region.as_str(), &grant.key);
        let ended = self.store.delete_kms_grant(place, grant.id).await?;
        let missing = || Refusal::NoSuchGrant(grant.id.to_string());
        Ok(ended.map(drop).ok_or_else(missing)?)
    }

    /// The key's policy has no say: but for the grant's own people, it is a matter of the account that made it.
    fn check_may_retire(
        &self,
        asker: &Asker,
        key: &KmsKey,
        grant: &KmsGrant,
    ) -> Result<(), KeyringError> {
        let terms = &grant.terms;
        let retires = |one: &GrantPrincipal| names(one, &asker.who);
        let is_grantee = names(&terms.grantee, &asker.who)
            && terms.operations.contains(&GrantOperation::RetireGrant);
        let context = context_of(&terms.constraints);
        let asking = Asker {
            facts: of_constraints(&terms.constraints, asker.facts.clone()),
            ..asker.under(&context)
        };
        let home = Home {
            account: &grant.issuer,
            resource: &key.arn(),
            keys: &condition_keys::of_key(key, &asking, self.clock.now()),
            is_granted: is_grantee || terms.retiring.as_ref().is_some_and(retires),
        };
        decide_at_home(asker, home)
            .map(drop)
            .map_err(|denial| refused(asker, key, denial).into())
    }
}

/// The pairs that a grant's constraints name: what conditions take for the context of a call that makes or retires it.
// AWS: unverified. That it is those of the constraints; that there is such a key is documented.
pub(crate) fn context_of(constraints: &GrantConstraints) -> EncryptionContext {
    let pairs = constraints.equals.iter().chain(&constraints.subset);
    EncryptionContext::new(
        pairs
            .flatten()
            .map(|(n, v)| (n.clone(), v.clone()))
            .collect(),
    )
}

/// With what conditions may look at of a grant that is to be made.
///
/// Source: <https://docs.aws.amazon.com/kms/latest/developerguide/conditions-kms.html>
pub(crate) fn facts_of(terms: &GrantTerms, facts: ContextKeys) -> ContextKeys {
    let operations = terms.operations.iter().map(|operation| operation.name());
    let mut facts = facts.with_set("kms:GrantOperations", operations);
    let named = [
        (Some(&terms.grantee), "Grantee"),
        (terms.retiring.as_ref(), "Retiring"),
    ];
    for (principal, role) in named {
        facts = match principal {
            Some(GrantPrincipal::Arn(arn)) => facts.with(&format!("kms:{role}Principal"), arn),
            Some(GrantPrincipal::Service(name)) => {
                facts.with(&format!("kms:{role}ServicePrincipal"), name)
            }
            None => facts,
        };
    }
    if let Some(arn) = &terms.constraints.source_arn {
        facts = facts.with("kms:GrantConstraintSourceArn", arn);
    }
    of_constraints(&terms.constraints, facts)
}

// AWS: unverified. Which of both it is where a grant has both.
fn of_constraints(constraints: &GrantConstraints, facts: ContextKeys) -> ContextKeys {
    let kind = match constraints {
        GrantConstraints {
            equals: Some(_), ..
        } => "EncryptionContextEquals",
        GrantConstraints {
            subset: Some(_), ..
        } => "EncryptionContextSubset",
        _ => return facts,
    };
    facts.with("kms:GrantConstraintType", kind)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::keyring::fixtures::{asker, key, keyring};
    use crate::policy::caller::Caller;
    use crate::policy::document::{Document, Kind};
    use crate::policy::permissions::Permissions;

    const ANN: &str = "arn:aws:iam::000000000000:user/ann";

    /// A user whose own policies are these.
    fn user(name: &str, policies: &[&str]) -> Asker {
        let read = |text: &&str| Document::parse(text, Kind::Identity).unwrap();
        let caller = format!("arn:aws:iam::000000000000:user/{name}");
        Asker {
            who: Caller::parse(&caller).unwrap(),
            caller,
            permissions: Arc::new(Permissions {
                identity: Some(policies.iter().map(read).collect()),
                ..Permissions::default()
            }),
            ..asker("RetireGrant")
        }
    }

    #[tokio::test]
    async fn a_grant_is_retired_by_its_own_people_and_by_whom_the_account_lets() {
        let keyring = keyring(1);
        let key = key(&keyring).await;
        let terms = |grantee: &str, operation| GrantTerms {
            name: None,
            grantee: GrantPrincipal::Arn(grantee.to_owned()),
            retiring: Some(GrantPrincipal::Arn(ANN.to_owned())),
            operations: vec![operation],
            constraints: GrantConstraints::default(),
        };
        let bob = "arn:aws:iam::000000000000:user/bob";
        let root = asker("CreateGrant");
        let made = async |terms: &GrantTerms| {
            let made = keyring.create_grant((&root, &key), terms).await;
            made.unwrap()
        };
        let reads = made(&terms(bob, GrantOperation::Decrypt)).await;
        let retires = made(&terms(bob, GrantOperation::RetireGrant)).await;
        let allow = r#"{"Statement":{"Effect":"Allow","Action":"kms:RetireGrant","Resource":"*"}}"#;
        let deny = r#"{"Statement":{"Effect":"Deny","Action":"kms:RetireGrant","Resource":"*"}}"#;
        let elsewhere = Asker {
            who: Caller::parse("arn:aws:iam::111122223333:root").unwrap(),
            caller: "arn:aws:iam::111122223333:root".to_owned(),
            account: "111122223333".to_owned(),
            ..asker("RetireGrant")
        };

        for (asker, grant, may) in [
            (user("ann", &[]), &reads, true),
            (user("ann", &[deny]), &reads, false),
            (user("bob", &[]), &reads, false),
            (user("bob", &[]), &retires, true),
            (user("bob", &[deny]), &retires, false),
            (user("eve", &[]), &reads, false),
            (user("eve", &[allow]), &reads, true),
            (asker("RetireGrant"), &reads, true),
            (elsewhere, &reads, false),
        ] {
            let token = keyring.grant_token(grant);

            let name = GrantName::Token(&token);
            let found = keyring.find_retirable_grant(&asker, name).await;

            assert_eq!(found.is_ok(), may, "{asker:?}");
        }
    }
}
