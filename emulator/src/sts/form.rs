//! What is asked, in the query protocol: a form, or the query of the URL.

use bytes::BytesMut;

use crate::sts::error::StsError;
use crate::wire::query::Query;
use crate::wire::request::Request;

/// A form is small.
const MAX_FORM_BYTES: usize = 65_536;

/// Names and values.
#[derive(Debug)]
pub(super) struct Form {
    body: Query,
    url: Query,
}

impl Form {
    /// Reads it, and leaves the body where the signature's check looks for the payload.
    ///
    /// # Errors
    ///
    /// `ValidationError` for what is too long or no text.
    pub(super) async fn read(request: &mut Request) -> Result<Self, StsError> {
        let refuse = |message: &str| StsError::validation(message);
        let mut form = BytesMut::new();
        let mut body = std::mem::take(&mut request.body);
        while let Some(piece) = body.next().await {
            form.extend_from_slice(&piece.map_err(|error| refuse(&error.to_string()))?);
            if form.len() > MAX_FORM_BYTES {
                return Err(refuse("The request is too long."));
            }
        }
        request.document = form.freeze();
        let text = std::str::from_utf8(&request.document)
            .map_err(|_| refuse("The request is not UTF-8."))?;
        Ok(Self {
            body: Query::parse(text),
            url: request.query.clone(),
        })
    }

    /// The value of a name.
    pub(super) fn find(&self, name: &str) -> Option<&str> {
        self.body.find(name).or_else(|| self.url.find(name))
    }

    /// How many items a list has: `Tags.member.1.Key` is of the first of `Tags`.
    pub(super) fn count(&self, list: &str) -> usize {
        let prefix = format!("{list}.member.");
        let pairs = self.body.pairs().chain(self.url.pairs());
        let numbers = pairs.filter_map(|(name, _)| {
            let rest = name.strip_prefix(&prefix)?;
            let number = rest.split('.').next()?;
            // More than can be in a form is no number of an item.
            number
                .parse()
                .ok()
                .filter(|number| *number < MAX_FORM_BYTES)
        });
        numbers.max().unwrap_or(0)
    }
}

#[cfg(test)]
mod tests {
    use http::Method;

    use super::*;
    use crate::wire::body::Body;

    #[tokio::test]
    async fn the_form_counts_before_the_url() {
        let mut request = Request::new(Method::POST, "/", "Action=A&Version=V");
        request.body = Body::from("Action=B&Tags.member.2.Key=k&Tags.member.x=y".to_owned());

        let form = Form::read(&mut request).await.unwrap();

        assert_eq!(form.find("Action"), Some("B"));
        assert_eq!(form.find("Version"), Some("V"));
        assert_eq!((form.count("Tags"), form.count("PolicyArns")), (2, 0));
        assert!(request.document.starts_with(b"Action=B"));
    }
}
