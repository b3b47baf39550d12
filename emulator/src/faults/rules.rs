//! Rules: which requests are refused that would have been answered, with what, and how often.

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// A rule. Requests to which it applies are refused once their caller is known, and do nothing else; their bodies are not
/// kept.
///
/// ```
/// use strongroom::{Fault, FaultAnswer};
///
/// let twice = Fault::on("PutObject").bucket("photos").answer(FaultAnswer::SlowDown).times(2);
/// assert_eq!(twice.to_string(), "PutObject in photos: SlowDown, 2 times");
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    pub(crate) operation: String,
    pub(crate) bucket: Option<String>,
    pub(crate) key: Option<String>,
    pub(crate) answer: FaultAnswer,
    pub(crate) times: Option<u64>,
}

/// How a request is refused.
///
/// ```
/// use strongroom::{Fault, FaultAnswer};
///
/// let always = Fault::on("Decrypt").answer(FaultAnswer::AccessDenied);
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum FaultAnswer {
    /// S3: 503 `SlowDown`. KMS: 400 `ThrottlingException`. Clients send it again.
    SlowDown,
    /// S3: 500 `InternalError`. KMS: 500 `KMSInternalException`. Clients send it again.
    #[default]
    InternalError,
    /// 503 `ServiceUnavailable`. Clients send it again.
    ServiceUnavailable,
    /// S3: 400 `RequestTimeout`. KMS: 500 `DependencyTimeoutException`. Clients send it again.
    RequestTimeout,
    /// S3: 403 `AccessDenied`. KMS: 400 `AccessDeniedException`. Clients give up.
    AccessDenied,
}

/// Each answer by its name.
const ANSWERS: [(&str, FaultAnswer); 5] = [
    ("SlowDown", FaultAnswer::SlowDown),
    ("InternalError", FaultAnswer::InternalError),
    ("ServiceUnavailable", FaultAnswer::ServiceUnavailable),
    ("RequestTimeout", FaultAnswer::RequestTimeout),
    ("AccessDenied", FaultAnswer::AccessDenied),
];

/// What a request is about.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Asked<'a> {
    /// AWS's name of the operation.
    pub(crate) operation: &'a str,
    /// The bucket that it names.
    pub(crate) bucket: Option<&'a str>,
    /// And the key in it.
    pub(crate) key: Option<&'a str>,
}

/// The rules that stand: clones share them.
#[derive(Clone, Debug, Default)]
pub(crate) struct Faults(Arc<Mutex<Vec<Fault>>>);

impl Fault {
    /// Refuses every request of an operation, which is named as AWS names it, with `InternalError`.
    ///
    /// ```
    /// let broken = strongroom::Fault::on("GetObject");
    /// ```
    pub fn on(operation: impl Into<String>) -> Self {
        Self {
            operation: operation.into(),
            bucket: None,
            key: None,
            answer: FaultAnswer::default(),
            times: None,
        }
    }

    /// Only those to this bucket.
    ///
    /// ```
    /// let broken = strongroom::Fault::on("ListObjectsV2").bucket("photos");
    /// ```
    #[must_use]
    pub fn bucket(self, name: impl Into<String>) -> Self {
        Self {
            bucket: Some(name.into()),
            ..self
        }
    }

    /// Only those that name this key.
    ///
    /// ```
    /// let broken = strongroom::Fault::on("GetObject").bucket("photos").key("cat");
    /// ```
    #[must_use]
    pub fn key(self, key: impl Into<String>) -> Self {
        Self {
            key: Some(key.into()),
            ..self
        }
    }

    /// How they are refused.
    ///
    /// ```
    /// use strongroom::{Fault, FaultAnswer};
    ///
    /// let slow = Fault::on("GenerateDataKey").answer(FaultAnswer::SlowDown);
    /// ```
    #[must_use]
    pub fn answer(self, answer: FaultAnswer) -> Self {
        Self { answer, ..self }
    }

    /// So often, and then no more.
    ///
    /// ```
    /// let once = strongroom::Fault::on("GetObject").times(1);
    /// ```
    #[must_use]
    pub fn times(self, times: u64) -> Self {
        Self {
            times: Some(times),
            ..self
        }
    }

    fn applies(&self, asked: &Asked<'_>) -> bool {
        let fits = |wanted: &Option<String>, given: Option<&str>| {
            wanted.is_none() || wanted.as_deref() == given
        };
        self.operation == asked.operation
            && fits(&self.bucket, asked.bucket)
            && fits(&self.key, asked.key)
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.operation)?;
        if let Some(bucket) = &self.bucket {
            write!(f, " in {bucket}")?;
        }
        if let Some(key) = &self.key {
            write!(f, " of {key}")?;
        }
        write!(f, ": {}", self.answer.name())?;
        match self.times {
            Some(times) => write!(f, ", {times} times"),
            None => Ok(()),
        }
    }
}

impl FaultAnswer {
    /// The answer of a name; `None` for none.
    pub(crate) fn parse(name: &str) -> Option<Self> {
        let found = ANSWERS.iter().find(|(known, _)| *known == name);
        found.map(|(_, answer)| *answer)
    }

    /// Its name, which is S3's.
    pub(crate) fn name(self) -> &'static str {
        let found = ANSWERS.iter().find(|(_, answer)| *answer == self);
        found.map_or("", |(name, _)| name)
    }

    /// The exception that it is to callers of KMS.
    pub(crate) fn exception(self) -> &'static str {
        match self {
            Self::SlowDown => "ThrottlingException",
            Self::InternalError => "KMSInternalException",
            Self::ServiceUnavailable => "ServiceUnavailable",
            Self::RequestTimeout => "DependencyTimeoutException",
            Self::AccessDenied => "AccessDeniedException",
        }
    }

    /// All names.
    pub(crate) fn names() -> impl Iterator<Item = &'static str> {
        ANSWERS.iter().map(|(name, _)| *name)
    }
}

impl Faults {
    /// Adds a rule; those that stand already come first.
    pub(crate) fn set(&self, fault: Fault) {
        let mut rules = self.rules();
        if fault.times != Some(0) {
            rules.push(fault);
        }
    }

    /// The rules that still apply to something, with the times that are left.
    pub(crate) fn all(&self) -> Vec<Fault> {
        self.rules().clone()
    }

    /// Forgets all of them.
    pub(crate) fn clear(&self) {
        self.rules().clear();
    }

    /// How a request is refused, by the first rule that applies; one of its times is spent then.
    pub(crate) fn plan(&self, asked: &Asked<'_>) -> Option<FaultAnswer> {
        let mut rules = self.rules();
        let index = rules.iter().position(|fault| fault.applies(asked))?;
        let answer = rules[index].answer;
        match &mut rules[index].times {
            Some(1) => drop(rules.remove(index)),
            Some(times) => *times -= 1,
            None => {}
        }
        Some(answer)
    }

    fn rules(&self) -> MutexGuard<'_, Vec<Fault>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked<'a>(operation: &'a str, bucket: &'a str, key: &'a str) -> Asked<'a> {
        Asked {
            operation,
            bucket: Some(bucket),
            key: Some(key),
        }
    }

    #[test]
    fn a_rule_applies_to_what_it_names_and_as_often_as_it_says() {
        let faults = Faults::default();
        let slow = Fault::on("PutObject").bucket("photos").key("cat").times(2);
        faults.set(slow.answer(FaultAnswer::SlowDown));

        for other in [
            asked("GetObject", "photos", "cat"),
            asked("PutObject", "films", "cat"),
            asked("PutObject", "photos", "dog"),
            Asked {
                operation: "PutObject",
                ..Asked::default()
            },
        ] {
            assert_eq!(faults.plan(&other), None, "{other:?}");
        }
        let same = asked("PutObject", "photos", "cat");
        assert_eq!(faults.plan(&same), Some(FaultAnswer::SlowDown));
        assert_eq!(faults.all()[0].times, Some(1));
        assert_eq!(faults.plan(&same), Some(FaultAnswer::SlowDown));
        assert_eq!(faults.plan(&same), None);
        assert!(faults.all().is_empty());
    }

    #[test]
    fn the_first_rule_goes_first_and_the_next_one_after_it() {
        let faults = Faults::default();
        faults.set(Fault::on("Decrypt").times(1));
        faults.set(Fault::on("Decrypt").answer(FaultAnswer::AccessDenied));
        faults.set(Fault::on("Decrypt").times(0));
        let decrypt = Asked {
            operation: "Decrypt",
            ..Asked::default()
        };

        let answers = [(); 3].map(|()| faults.plan(&decrypt));

        let denied = Some(FaultAnswer::AccessDenied);
        assert_eq!(answers, [Some(FaultAnswer::InternalError), denied, denied]);
        assert_eq!(faults.all().len(), 1);
    }

    #[test]
    fn answers_are_found_by_their_names() {
        for (name, answer) in ANSWERS {
            assert_eq!(FaultAnswer::parse(name), Some(answer));
            assert_eq!(answer.name(), name);
        }
        assert_eq!(FaultAnswer::parse("Teapot"), None);
    }
}
