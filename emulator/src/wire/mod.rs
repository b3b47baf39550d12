//! Messages, and the forms their bytes take: requests, responses, bodies, queries, encodings. It imports nothing.

pub(crate) mod aws_chunked;
pub(crate) mod body;
pub(crate) mod encoded_word;
pub(crate) mod encoding;
pub(crate) mod forms;
pub(crate) mod json_lines;
pub(crate) mod query;
pub(crate) mod ranges;
pub(crate) mod request;
pub(crate) mod response;
pub(crate) mod xml;
