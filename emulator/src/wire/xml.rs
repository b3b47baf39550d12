//! XML in and out: small documents, read whole and bounded; answers, written byte for byte as AWS writes them.
//!
//! Reading is by local names: AWS takes a body with the right namespace, a wrong one, or none. Text keeps its white
//! space, since a key may begin with a blank; between elements it is dropped. There is no DTD and no entity but the
//! five of XML, so a document is never larger than its bytes.

use std::error::Error;
use std::fmt::{self, Write};

use bytes::Bytes;
use quick_xml::events::{BytesStart, Event};
use quick_xml::{Reader, XmlVersion};

/// The namespace of S3's documents.
const S3_NAMESPACE: &str = "http://s3.amazonaws.com/doc/2006-03-01/";
const DECLARATION: &str = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n";

/// A completion of 10,000 parts with a checksum each is 2 MiB; a deletion of 1,000 long keys in references is 6 MiB.
const MOST_BYTES: usize = 8 * 1024 * 1024;
/// Ten elements for each of 10,000 parts; attributes count like elements.
const MOST_ELEMENTS: usize = 100_000;
/// Lifecycle, the deepest document of S3, goes down to seven.
const MOST_DEPTH: usize = 16;

/// An element that was read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Element {
    /// Its name without a namespace prefix.
    pub(crate) name: String,
    /// Its own text, white space kept; empty where there is only white space beside children.
    pub(crate) text: String,
    /// Its attributes by local name, in order, namespace declarations left out.
    pub(crate) attributes: Vec<(String, String)>,
    /// Its child elements, in order.
    pub(crate) children: Vec<Element>,
}

/// Why bytes were no document for us.
#[derive(Debug)]
pub(crate) enum XmlError {
    /// More than 8 MiB, 100,000 elements, or 16 levels.
    TooLarge,
    /// Not UTF-8, by its bytes or by its declaration.
    NotUtf8,
    /// A DTD, or an entity that a DTD would have to declare.
    Forbidden,
    /// Not well-formed; the text tells what was met.
    Malformed(String),
}

/// Reads a document: exactly one root element.
///
/// # Errors
///
/// [`XmlError`], for anything that is not well-formed, larger than we read, or needs a DTD.
pub(crate) fn parse(bytes: &[u8]) -> Result<Element, XmlError> {
    if bytes.len() > MOST_BYTES {
        return Err(XmlError::TooLarge);
    }
    let text = std::str::from_utf8(bytes).map_err(|_| XmlError::NotUtf8)?;
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    if let Some(sign) = text.chars().find(|sign| is_unwritable(*sign)) {
        return Err(malformed(format!("a raw {}", sign.escape_unicode())));
    }
    let mut reader = Reader::from_str(text);
    reader.config_mut().check_comments = true;
    let mut tree = Tree::default();
    loop {
        match reader.read_event().map_err(malformed)? {
            Event::Eof => return tree.finish(),
            event => tree.take(event)?,
        }
        tree.started = true;
    }
}

impl Element {
    /// Its first child of that name.
    pub(crate) fn child(&self, name: &str) -> Option<&Self> {
        self.children.iter().find(|child| child.name == name)
    }

    /// Its children of that name, in order.
    pub(crate) fn children_named<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a Self> {
        self.children.iter().filter(move |child| child.name == name)
    }

    /// The text of its first child of that name.
    pub(crate) fn text_of(&self, child: &str) -> Option<&str> {
        self.child(child).map(|child| child.text.as_str())
    }

    /// The value of an attribute, by its local name: `type` for `xsi:type`.
    #[cfg_attr(
        not(test),
        expect(dead_code, reason = "grantees of ACLs tell their type so")
    )]
    pub(crate) fn attribute(&self, name: &str) -> Option<&str> {
        self.attributes
            .iter()
            .find(|(known, _)| known == name)
            .map(|(_, value)| value.as_str())
    }
}

/// The document so far.
#[derive(Default)]
struct Tree {
    /// From the root to the element that is open now.
    open: Vec<Element>,
    root: Option<Element>,
    elements: usize,
    /// Whether anything was read: a declaration comes first or not at all.
    started: bool,
}

impl Tree {
    fn take(&mut self, event: Event<'_>) -> Result<(), XmlError> {
        match event {
            Event::Start(start) => self.open(&start),
            Event::Empty(start) => {
                self.open(&start)?;
                self.close();
                Ok(())
            }
            Event::End(_) => {
                self.close();
                Ok(())
            }
            Event::Text(text) => self.append(&text.xml10_content()),
            Event::CData(data) if self.open.is_empty() => Err(malformed(format!("{data:?}"))),
            Event::CData(data) => self.append(&data.xml10_content()),
            Event::GeneralRef(reference) => {
                let character = reference.resolve_char_ref().map_err(malformed)?;
                let named = || quick_xml::escape::resolve_xml_entity(&reference);
                match (character, named()) {
                    _ if self.open.is_empty() => Err(malformed("a reference outside of the root")),
                    (Some(character), _) => self.append(character.encode_utf8(&mut [0; 4])),
                    (None, Some(text)) => self.append(text),
                    (None, None) => Err(XmlError::Forbidden),
                }
            }
            Event::Decl(_) if self.started => Err(malformed("a declaration that is not first")),
            Event::Decl(declaration) => match declaration.encoding().transpose() {
                Ok(Some(name)) if !name.eq_ignore_ascii_case("utf-8") => Err(XmlError::NotUtf8),
                Ok(_) => Ok(()),
                Err(error) => Err(malformed(error)),
            },
            Event::DocType(_) => Err(XmlError::Forbidden),
            Event::Comment(_) | Event::PI(_) | Event::Eof => Ok(()),
        }
    }

    fn open(&mut self, start: &BytesStart<'_>) -> Result<(), XmlError> {
        let attributes = read_attributes(start, MOST_ELEMENTS - self.elements)?;
        self.elements += 1 + attributes.len();
        if self.open.len() == MOST_DEPTH || self.elements > MOST_ELEMENTS {
            return Err(XmlError::TooLarge);
        }
        if self.open.is_empty() && self.root.is_some() {
            return Err(malformed("a second root"));
        }
        let name = start.local_name().into_inner();
        if !name.starts_with(|first: char| first.is_alphabetic() || first == '_') {
            return Err(malformed(format!("an element named `{name}`")));
        }
        self.open.push(Element {
            name: name.to_owned(),
            attributes,
            ..Element::default()
        });
        Ok(())
    }

    /// Closes the innermost element. The reader has seen to it that the names agree.
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

    fn append(&mut self, text: &str) -> Result<(), XmlError> {
        match self.open.last_mut() {
            Some(element) => element.text.push_str(text),
            None if text.trim().is_empty() => {}
            None => return Err(malformed("text outside of the root")),
        }
        Ok(())
    }

    fn finish(self) -> Result<Element, XmlError> {
        if !self.open.is_empty() {
            return Err(malformed("an element that is not closed"));
        }
        self.root.ok_or_else(|| malformed("no element"))
    }
}

fn read_attributes(start: &BytesStart<'_>, most: usize) -> Result<Vec<(String, String)>, XmlError> {
    let mut attributes = Vec::new();
    for attribute in start.attributes() {
        let attribute = attribute.map_err(malformed)?;
        if attributes.len() == most {
            return Err(XmlError::TooLarge);
        }
        if attribute.key.as_namespace_binding().is_some() {
            continue;
        }
        let name = attribute.key.local_name().into_inner().to_owned();
        let value = attribute.normalized_value(XmlVersion::Implicit1_0);
        attributes.push((name, value.map_err(malformed)?.into_owned()));
    }
    Ok(attributes)
}

fn malformed(cause: impl fmt::Display) -> XmlError {
    XmlError::Malformed(cause.to_string())
}

/// Whether XML 1.0 has no way to carry a character (<https://www.w3.org/TR/xml/#charsets>).
fn is_unwritable(sign: char) -> bool {
    matches!(sign, '\0'..='\x08' | '\x0b' | '\x0c' | '\x0e'..='\x1f' | '\u{fffe}' | '\u{ffff}')
}

impl fmt::Display for XmlError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooLarge => f.write_str("the document is larger or deeper than we read"),
            Self::NotUtf8 => f.write_str("the document is not UTF-8"),
            Self::Forbidden => f.write_str("the document has a DTD or an entity of its own"),
            Self::Malformed(cause) => write!(f, "the document is not well-formed: {cause}"),
        }
    }
}

impl Error for XmlError {}

/// Writes one document, without white space between its elements.
#[derive(Debug)]
pub(crate) struct XmlWriter {
    out: String,
    root: String,
    /// Whether the innermost start tag still wants its `>`: an element that stays empty gets `/>`.
    in_tag: bool,
}

impl XmlWriter {
    /// With a declaration and S3's namespace, as most answers.
    pub(crate) fn document(root: &'static str) -> Self {
        Self::begin(DECLARATION, Some(S3_NAMESPACE), root)
    }

    /// With a declaration and no namespace, as errors.
    pub(crate) fn declared(root: &'static str) -> Self {
        Self::begin(DECLARATION, None, root)
    }

    /// With neither, as the errors of some operations.
    pub(crate) fn bare(root: &'static str) -> Self {
        Self::begin("", None, root)
    }

    /// With a namespace and no declaration, as the lists of some configurations, and other services.
    pub(crate) fn in_namespace(root: &str, namespace: &str) -> Self {
        Self::begin("", Some(namespace), root)
    }

    fn begin(declaration: &str, namespace: Option<&str>, root: &str) -> Self {
        let mut xml = Self {
            out: format!("{declaration}<{root}"),
            root: root.to_owned(),
            in_tag: true,
        };
        if let Some(namespace) = namespace {
            xml.attribute("xmlns", namespace);
        }
        xml
    }

    /// `<name>text</name>`, and `<name></name>` where the text is empty, as AWS writes a prefix that was not given.
    pub(crate) fn element(&mut self, name: &str, text: impl fmt::Display) -> &mut Self {
        self.nest(name, |xml| {
            xml.end_tag();
            xml.text(text);
        })
    }

    /// The same where there is a value, and nothing where there is none.
    pub(crate) fn maybe(&mut self, name: &str, text: Option<impl fmt::Display>) -> &mut Self {
        match text {
            Some(text) => self.element(name, text),
            None => self,
        }
    }

    /// An element around what `inside` writes; `<name/>` where it writes nothing.
    pub(crate) fn nest(&mut self, name: &str, inside: impl FnOnce(&mut Self)) -> &mut Self {
        self.nest_with(name, &[], inside)
    }

    /// The same with attributes, as a grantee needs its type.
    pub(crate) fn nest_with(
        &mut self,
        name: &str,
        attributes: &[(&str, &str)],
        inside: impl FnOnce(&mut Self),
    ) -> &mut Self {
        self.end_tag();
        self.out.push('<');
        self.out.push_str(name);
        self.in_tag = true;
        for (name, value) in attributes {
            self.attribute(name, value);
        }
        inside(self);
        self.close(name);
        self
    }

    /// Text of the element that is open: of the root, or inside a `nest`. An empty text is none.
    pub(crate) fn text(&mut self, text: impl fmt::Display) -> &mut Self {
        let was_in_tag = self.in_tag;
        self.end_tag();
        let start = self.out.len();
        self.escape(text, |sign| match sign {
            '\n' | '\t' => None,
            sign => escaped(sign),
        });
        if was_in_tag && self.out.len() == start {
            self.out.pop();
            self.in_tag = true;
        }
        self
    }

    /// The document.
    pub(crate) fn finish(mut self) -> Bytes {
        let root = std::mem::take(&mut self.root);
        self.close(&root);
        Bytes::from(self.out)
    }

    fn attribute(&mut self, name: &str, value: &str) {
        self.out.push(' ');
        self.out.push_str(name);
        self.out.push_str("=\"");
        self.escape(value, escaped);
        self.out.push('"');
    }

    fn escape(&mut self, text: impl fmt::Display, how: fn(char) -> Option<&'static str>) {
        let out = &mut self.out;
        write!(Escaping { out, how }, "{text}").expect("a string takes all that is written to it");
    }

    fn end_tag(&mut self) {
        if std::mem::take(&mut self.in_tag) {
            self.out.push('>');
        }
    }

    fn close(&mut self, name: &str) {
        if std::mem::take(&mut self.in_tag) {
            self.out.push_str("/>");
        } else {
            self.out.push_str("</");
            self.out.push_str(name);
            self.out.push('>');
        }
    }
}

/// Escapes on the way into a string.
struct Escaping<'a> {
    out: &'a mut String,
    /// What stands for a character; `None` for one that stands for itself, an empty text for a numeric reference.
    how: fn(char) -> Option<&'static str>,
}

impl Write for Escaping<'_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        let mut rest = text;
        while let Some((at, sign)) = rest.char_indices().find(|(_, c)| (self.how)(*c).is_some()) {
            self.out.push_str(&rest[..at]);
            match (self.how)(sign) {
                Some("") | None => write!(self.out, "&#x{:X};", u32::from(sign))?,
                Some(reference) => self.out.push_str(reference),
            }
            rest = &rest[at + sign.len_utf8()..];
        }
        self.out.push_str(rest);
        Ok(())
    }
}

/// AWS writes quotes as references in text too (`ETag`s show it), and a reference for what XML 1.0 cannot carry, though
/// no reader of XML 1.0 has to take it: a listing of such keys asks for `encoding-type=url`.
///
/// Source: <https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListObjectsV2.html> (`encoding-type`)
fn escaped(sign: char) -> Option<&'static str> {
    match sign {
        '&' => Some("&amp;"),
        '<' => Some("&lt;"),
        '>' => Some("&gt;"),
        '"' => Some("&quot;"),
        '\r' | '\n' | '\t' => Some(""),
        // AWS: unverified for all of them but carriage return.
        sign if is_unwritable(sign) => Some(""),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn read(text: &str) -> Element {
        parse(text.as_bytes()).unwrap()
    }

    fn written(xml: XmlWriter) -> String {
        String::from_utf8(xml.finish().to_vec()).unwrap()
    }

    #[test]
    fn prefixes_and_namespaces_are_dropped() {
        let root = read(
            "\u{feff}<?xml version='1.0' encoding='utf-8'?><!-- a -->\n<s:A xmlns:s='x'>\n <s:B xsi:type='Group' xmlns:xsi='y'>1</s:B>\n <B/>\n</s:A>\n",
        );

        assert_eq!((root.name.as_str(), root.text.as_str()), ("A", ""));
        assert_eq!(root.children_named("B").count(), 2);
        assert_eq!(root.text_of("B"), Some("1"));
        assert_eq!(root.children[0].attribute("type"), Some("Group"));
        assert_eq!(root.children[0].attributes.len(), 1);
        assert_eq!(root.text_of("C"), None);
    }

    #[test]
    fn text_keeps_its_white_space_and_opens_its_references() {
        let root = read("<K>  a&lt;&#x41;&#10;<![CDATA[<b>&amp;]]>\t\r\n</K>");

        assert_eq!(root.text, "  a<A\n<b>&amp;\t\n");
    }

    #[test]
    fn broken_documents_are_refused() {
        let broken = [
            "",
            " ",
            "a",
            "<a>",
            "<a></b>",
            "</a>",
            "<a/><b/>",
            "<a/>x",
            "x<a/>",
            "<a b=1/>",
            "<a b='&c;'/>",
            "<a>&#0;</a>",
            "<a>\u{1}</a>",
            "<a/><?xml version='1.0'?>",
            "&lt;<a/>",
            "<![CDATA[ ]]><a/>",
            "<a",
            "<1/>",
            "<a b='1' b='2'/>",
            "<a>&lt</a>",
            "<>x</>",
        ];
        for text in broken {
            assert!(
                matches!(parse(text.as_bytes()), Err(XmlError::Malformed(_))),
                "{text}"
            );
        }
    }

    #[test]
    fn dtds_entities_and_other_encodings_are_refused() {
        let dtd = "<!DOCTYPE a [<!ENTITY b SYSTEM 'file:///etc/passwd'>]><a>&b;</a>";
        let latin = "<?xml version='1.0' encoding='ISO-8859-1'?><a/>";

        assert!(matches!(parse(dtd.as_bytes()), Err(XmlError::Forbidden)));
        assert!(matches!(parse(b"<a>&b;</a>"), Err(XmlError::Forbidden)));
        assert!(matches!(parse(latin.as_bytes()), Err(XmlError::NotUtf8)));
        assert!(matches!(parse(b"<a>\xff</a>"), Err(XmlError::NotUtf8)));
    }

    #[test]
    fn depth_elements_and_bytes_are_bounded() {
        let nested = |depth: usize| "<a>".repeat(depth) + &"</a>".repeat(depth);
        let wide = |count: usize| format!("<a>{}</a>", "<b/>".repeat(count - 1));
        let long = |bytes: usize| format!("<a>{}</a>", " ".repeat(bytes - 7));
        let decked = |count: usize| {
            let attributes = (0..count).map(|index| format!(" b{index}=''"));
            format!("<a{}/>", attributes.collect::<String>())
        };

        for (fits, not) in [
            (nested(MOST_DEPTH), nested(MOST_DEPTH + 1)),
            (wide(MOST_ELEMENTS), wide(MOST_ELEMENTS + 1)),
            (decked(MOST_ELEMENTS - 1), decked(MOST_ELEMENTS)),
            (long(MOST_BYTES), long(MOST_BYTES + 1)),
        ] {
            assert!(parse(fits.as_bytes()).is_ok());
            assert!(matches!(parse(not.as_bytes()), Err(XmlError::TooLarge)));
        }
    }

    #[test]
    fn answers_begin_as_those_of_aws() {
        let namespaced = format!("<A xmlns=\"{S3_NAMESPACE}\"/>");

        assert_eq!(
            written(XmlWriter::document("A")),
            format!("{DECLARATION}{namespaced}")
        );
        assert_eq!(
            written(XmlWriter::declared("A")),
            format!("{DECLARATION}<A/>")
        );
        assert_eq!(written(XmlWriter::bare("A")), "<A/>");
        assert_eq!(
            written(XmlWriter::in_namespace("A", "b&c")),
            "<A xmlns=\"b&amp;c\"/>"
        );
    }

    #[test]
    fn elements_nest_and_empty_ones_close_themselves() {
        let mut xml = XmlWriter::bare("A");
        xml.element("Prefix", "")
            .nest("Tags", |_| {})
            .maybe("Not", None::<&str>)
            .maybe("Size", Some(7))
            .nest_with("Grantee", &[("xsi:type", "Group")], |xml| {
                xml.element("URI", "u");
            });

        assert_eq!(
            written(xml),
            "<A><Prefix></Prefix><Tags/><Size>7</Size><Grantee xsi:type=\"Group\"><URI>u</URI></Grantee></A>"
        );
    }

    #[test]
    fn text_of_a_root_stands_inside_it() {
        let mut xml = XmlWriter::bare("LocationConstraint");
        let mut none = XmlWriter::bare("LocationConstraint");
        xml.text("eu-west-1");
        none.text("");

        assert_eq!(
            written(xml),
            "<LocationConstraint>eu-west-1</LocationConstraint>"
        );
        assert_eq!(written(none), "<LocationConstraint/>");
    }

    #[test]
    fn text_is_escaped_as_aws_does() {
        let mut xml = XmlWriter::bare("A");
        xml.element("K", "\"a\" & <b>\r\n\t\u{1}\u{ffff}'ü");

        assert_eq!(
            written(xml),
            "<A><K>&quot;a&quot; &amp; &lt;b&gt;&#xD;\n\t&#x1;&#xFFFF;'ü</K></A>"
        );
    }

    fn any_text() -> impl Strategy<Value = String> {
        "[\\PC\r\n\t \u{1}-\u{1f}&<>\"'\\]\u{fffe}]{0,12}"
    }

    fn any_element() -> impl Strategy<Value = Element> {
        let head = || {
            let attributes =
                prop::collection::btree_map("[A-Za-z_][A-Za-z0-9_.-]{0,5}", any_text(), 0..3);
            let named = |attributes: std::collections::BTreeMap<String, String>| {
                let plain = attributes.into_iter().filter(|(name, _)| name != "xmlns");
                plain.collect::<Vec<_>>()
            };
            ("[A-Za-z_][A-Za-z0-9_.-]{0,8}", attributes.prop_map(named))
        };
        let leaf = (head(), any_text()).prop_map(|((name, attributes), text)| Element {
            name,
            text,
            attributes,
            children: Vec::new(),
        });
        leaf.prop_recursive(6, 40, 5, move |inner| {
            (head(), prop::collection::vec(inner, 1..5)).prop_map(
                |((name, attributes), children)| Element {
                    name,
                    text: String::new(),
                    attributes,
                    children,
                },
            )
        })
    }

    fn write(xml: &mut XmlWriter, element: &Element) {
        let attributes: Vec<(&str, &str)> = element
            .attributes
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_str()))
            .collect();
        xml.nest_with(&element.name, &attributes, |xml| {
            if element.children.is_empty() {
                xml.text(&element.text);
            }
            for child in &element.children {
                write(xml, child);
            }
        });
    }

    proptest! {
        #[test]
        fn what_was_written_reads_back(element in any_element()) {
            let mut xml = XmlWriter::document("Root");
            write(&mut xml, &element);

            let root = parse(&xml.finish()).unwrap();

            prop_assert_eq!(root.name, "Root");
            prop_assert_eq!(root.children, [element]);
        }

        #[test]
        fn no_bytes_panic(bytes: Vec<u8>, text in "[<>/a&;#x1!\\[\\]?\"'= \u{e9}-]{0,40}") {
            let _ = parse(&bytes);
            if let Ok(root) = parse(text.as_bytes()) {
                prop_assert!(!root.name.is_empty());
            }
        }
    }
}
