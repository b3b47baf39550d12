//! XML in and out.
//!
//! In: a small tree, bounded in size, depth and count; no document type, no entities but XML's own five. Out: elements in
//! the order in which they are written, with AWS's escapes.

use std::fmt::{self, Display, Write};

use bytes::Bytes;
use quick_xml::Reader;
use quick_xml::events::{BytesRef, BytesStart, Event};

/// The namespace of S3's documents.
const NAMESPACE: &str = "http://s3.amazonaws.com/doc/2006-03-01/";
const DECLARATION: &str = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n";
/// How deep elements may nest. S3's deepest document needs seven.
const MAX_DEPTH: usize = 16;
/// How many elements a document may have: `DeleteObjects` has 1,000 objects of up to six.
const MAX_ELEMENTS: usize = 10_000;

/// An element, read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Element {
    /// Its name, without a namespace's prefix.
    pub(crate) name: String,
    /// Its text, white space included; white space between child elements is left out.
    pub(crate) text: String,
    /// Its attributes, names without prefix.
    pub(crate) attributes: Vec<(String, String)>,
    /// Its child elements, in order.
    pub(crate) children: Vec<Element>,
}

/// Bytes that are no document of ours.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct XmlError(String);

impl Element {
    /// The first child of a name.
    pub(crate) fn child(&self, name: &str) -> Option<&Element> {
        self.children.iter().find(|child| child.name == name)
    }

    /// All children of a name.
    pub(crate) fn children_named<'e>(&'e self, name: &'e str) -> impl Iterator<Item = &'e Element> {
        self.children.iter().filter(move |child| child.name == name)
    }

    /// The text of the first child of a name.
    pub(crate) fn text_of(&self, name: &str) -> Option<&str> {
        self.child(name).map(|child| child.text.as_str())
    }
}

/// Reads a document.
///
/// # Errors
///
/// [`XmlError`] for anything that is not one well-formed element within the bounds.
pub(crate) fn parse(document: &[u8]) -> Result<Element, XmlError> {
    let text = std::str::from_utf8(document).map_err(|error| XmlError(error.to_string()))?;
    let mut tree = Tree::default();
    let mut reader = Reader::from_str(text.strip_prefix('\u{feff}').unwrap_or(text));
    loop {
        match reader
            .read_event()
            .map_err(|error| XmlError(error.to_string()))?
        {
            Event::Start(start) => tree.open(&start)?,
            Event::Empty(start) => {
                tree.open(&start)?;
                tree.close();
            }
            Event::End(_) => tree.close(),
            Event::Text(text) => tree.text(&text.xml10_content())?,
            Event::CData(text) => tree.text(&text.xml10_content())?,
            Event::GeneralRef(reference) => tree.text(&resolve(&reference)?)?,
            Event::DocType(_) => return Err(XmlError("a document type".to_owned())),
            Event::Decl(_) | Event::Comment(_) | Event::PI(_) => {}
            Event::Eof => return tree.finish(),
        }
    }
}

/// A character reference, or one of the five entities that XML itself has.
fn resolve(reference: &BytesRef<'_>) -> Result<String, XmlError> {
    let character = reference
        .resolve_char_ref()
        .map_err(|error| XmlError(error.to_string()))?;
    if let Some(character) = character {
        return Ok(character.to_string());
    }
    let name = reference.xml10_content();
    let known = quick_xml::escape::resolve_xml_entity(&name);
    known
        .map(str::to_owned)
        .ok_or_else(|| XmlError(format!("the entity `{name}`")))
}

/// A document on its way in.
#[derive(Default)]
struct Tree {
    root: Option<Element>,
    open: Vec<Element>,
    count: usize,
}

impl Tree {
    fn open(&mut self, start: &BytesStart<'_>) -> Result<(), XmlError> {
        self.count += 1;
        if self.open.len() == MAX_DEPTH || self.count > MAX_ELEMENTS || self.root.is_some() {
            return Err(XmlError(
                "more than one root, or too many elements".to_owned(),
            ));
        }
        let mut element = Element {
            name: start.local_name().as_ref().to_owned(),
            ..Element::default()
        };
        for attribute in start.attributes() {
            let attribute = attribute.map_err(|error| XmlError(error.to_string()))?;
            let value = quick_xml::escape::unescape(&attribute.value)
                .map_err(|error| XmlError(error.to_string()))?;
            element.attributes.push((
                attribute.key.local_name().as_ref().to_owned(),
                value.into_owned(),
            ));
        }
        self.open.push(element);
        Ok(())
    }

    fn close(&mut self) {
        let Some(mut element) = self.open.pop() else {
            return;
        };
        if !element.children.is_empty() && element.text.trim().is_empty() {
            element.text.clear();
        }
        match self.open.last_mut() {
            Some(parent) => parent.children.push(element),
            None => self.root = Some(element),
        }
    }

    fn text(&mut self, text: &str) -> Result<(), XmlError> {
        match self.open.last_mut() {
            Some(element) => element.text.push_str(text),
            None if text.trim().is_empty() => {}
            None => return Err(XmlError("text outside of the root".to_owned())),
        }
        Ok(())
    }

    fn finish(self) -> Result<Element, XmlError> {
        self.root
            .filter(|_| self.open.is_empty())
            .ok_or_else(|| XmlError("no whole root element".to_owned()))
    }
}

/// A document on its way out.
#[derive(Clone, Debug)]
pub(crate) struct XmlWriter {
    out: String,
    root: String,
    /// Where the root's content begins.
    start: usize,
}

impl XmlWriter {
    /// With declaration and S3's namespace.
    pub(crate) fn document(root: &str) -> Self {
        Self::begin(DECLARATION, root, Some(NAMESPACE))
    }

    /// With declaration, without a namespace: errors.
    pub(crate) fn declared(root: &str) -> Self {
        Self::begin(DECLARATION, root, None)
    }

    /// With neither: the errors of some operations.
    pub(crate) fn bare(root: &str) -> Self {
        Self::begin("", root, None)
    }

    /// With a namespace of its own, without a declaration: other protocols.
    pub(crate) fn in_namespace(root: &str, namespace: &str) -> Self {
        Self::begin("", root, Some(namespace))
    }

    fn begin(declaration: &str, root: &str, namespace: Option<&str>) -> Self {
        let namespace = namespace
            .map(|namespace| format!(" xmlns=\"{namespace}\""))
            .unwrap_or_default();
        let out = format!("{declaration}<{root}{namespace}>");
        Self {
            start: out.len(),
            out,
            root: root.to_owned(),
        }
    }

    /// An element with text.
    pub(crate) fn element(&mut self, name: &str, text: impl Display) -> &mut Self {
        self.nest(name, |xml| {
            xml.text(text);
        })
    }

    /// The same, where there is a value.
    pub(crate) fn maybe(&mut self, name: &str, text: Option<impl Display>) -> &mut Self {
        match text {
            Some(text) => self.element(name, text),
            None => self,
        }
    }

    /// An element with what `write` puts into it.
    pub(crate) fn nest(&mut self, name: &str, write: impl FnOnce(&mut Self)) -> &mut Self {
        let _ = write!(self.out, "<{name}>");
        let start = self.out.len();
        write(self);
        self.close(name, start);
        self
    }

    /// Text where the document stands.
    pub(crate) fn text(&mut self, text: impl Display) -> &mut Self {
        let _ = write!(Escaped(&mut self.out), "{text}");
        self
    }

    /// The document.
    pub(crate) fn finish(mut self) -> Bytes {
        let (root, start) = (std::mem::take(&mut self.root), self.start);
        self.close(&root, start);
        self.out.into()
    }

    /// Ends an element that began its content at `start`; an empty one is written `<X/>`, as AWS does.
    fn close(&mut self, name: &str, start: usize) {
        if self.out.len() == start {
            self.out.pop();
            self.out.push_str("/>");
        } else {
            let _ = write!(self.out, "</{name}>");
        }
    }
}

/// Writes text with AWS's escapes: what XML 1.0 cannot carry becomes a character reference all the same.
struct Escaped<'o>(&'o mut String);

impl Write for Escaped<'_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        for character in text.chars() {
            match character {
                '&' => self.0.push_str("&amp;"),
                '<' => self.0.push_str("&lt;"),
                '>' => self.0.push_str("&gt;"),
                '"' => self.0.push_str("&quot;"),
                '\t' | '\n' => self.0.push(character),
                control if control.is_control() || matches!(control, '\u{fffe}' | '\u{ffff}') => {
                    write!(self.0, "&#x{:x};", u32::from(control))?;
                }
                other => self.0.push(other),
            }
        }
        Ok(())
    }
}

impl Display for XmlError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "not a document: {}", self.0)
    }
}

impl std::error::Error for XmlError {}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_document_is_written_as_aws_does() {
        let mut xml = XmlWriter::document("ListBucketResult");
        xml.element("Name", "photos")
            .element("Prefix", "")
            .maybe("Marker", None::<&str>);
        xml.nest("Contents", |xml| {
            xml.element("ETag", "\"a&b\"");
        });

        assert_eq!(
            xml.finish(),
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<ListBucketResult xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\"><Name>photos</Name><Prefix/><Contents><ETag>&quot;a&amp;b&quot;</ETag></Contents></ListBucketResult>"
        );
    }

    #[test]
    fn prefixes_comments_and_white_space_between_elements_do_not_matter() {
        let root = parse(b"\xef\xbb\xbf<?xml version='1.0'?>\n<!-- x --><s:A xmlns:s='n'>\n <s:B t='1'> x </s:B>\n</s:A>\n").unwrap();

        assert_eq!((root.name.as_str(), root.text.as_str()), ("A", ""));
        assert_eq!(root.text_of("B"), Some(" x "));
        assert_eq!(
            root.child("B").unwrap().attributes,
            [("t".to_owned(), "1".to_owned())]
        );
    }

    #[test]
    fn what_is_no_document_of_ours_is_refused() {
        let deep = format!("{}{}", "<a>".repeat(17), "</a>".repeat(17));
        let many = format!("<a>{}</a>", "<b/>".repeat(MAX_ELEMENTS));
        let bad = [
            "",
            "x",
            "<a>",
            "<a></b>",
            "<a/><b/>",
            "<a/>x",
            "<a>&nbsp;</a>",
            "<a>&lt</a>",
            "<!DOCTYPE a><a/>",
            "<!DOCTYPE a [<!ENTITY e 'x'>]><a>&e;</a>",
            &deep,
            &many,
        ];
        for document in bad {
            assert!(parse(document.as_bytes()).is_err(), "{document}");
        }
        assert!(parse(b"<a>\xff</a>").is_err());
    }

    fn write_element(xml: &mut XmlWriter, element: &Element) {
        xml.nest(&element.name, |xml| {
            xml.text(&element.text);
            for child in &element.children {
                write_element(xml, child);
            }
        });
    }

    fn elements() -> impl Strategy<Value = Element> {
        let leaf = ("[A-Z][a-z]{0,5}", "[\\PC\r\n\t&<>\"']*").prop_map(|(name, text)| Element {
            name,
            text,
            ..Element::default()
        });
        leaf.prop_recursive(4, 20, 4, |inner| {
            ("[A-Z][a-z]{0,5}", prop::collection::vec(inner, 1..4)).prop_map(|(name, children)| {
                Element {
                    name,
                    children,
                    ..Element::default()
                }
            })
        })
    }

    proptest! {
        #[test]
        fn what_was_written_reads_back(element in elements()) {
            let mut xml = XmlWriter::document("Root");
            write_element(&mut xml, &element);

            let root = parse(&xml.finish()).unwrap();

            prop_assert_eq!(&root.children[0], &element);
        }

        #[test]
        fn no_bytes_make_it_panic(bytes: Vec<u8>, text in "[<>/a&;!\\[\\]\"' =?-]*") {
            let _ = parse(&bytes);
            let _ = parse(text.as_bytes());
        }
    }
}
