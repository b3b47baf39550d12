//! The XML of STS: indented by two blanks, without a declaration, and a line feed at the end.

use std::borrow::Cow;

use bytes::{Bytes, BytesMut};

use crate::wire::xml::XmlWriter;

/// The namespace of all answers but one.
pub(super) const NAMESPACE: &str = "https://sts.amazonaws.com/doc/2011-06-15/";

/// An element.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Node {
    /// With a text.
    Text(Cow<'static, str>, String),
    /// With others in it.
    Tree(Cow<'static, str>, Vec<Node>),
}

impl Node {
    /// With a text.
    pub(super) fn text(name: &'static str, text: impl Into<String>) -> Self {
        Self::Text(name.into(), text.into())
    }

    /// With others in it.
    pub(super) fn tree(name: impl Into<Cow<'static, str>>, nodes: Vec<Self>) -> Self {
        Self::Tree(name.into(), nodes)
    }

    fn write(&self, xml: &mut XmlWriter, depth: usize) {
        match self {
            Self::Text(name, text) => {
                xml.element(name, text);
            }
            Self::Tree(name, nodes) => {
                xml.nest(name, |xml| write_all(nodes, xml, depth + 1));
            }
        }
    }
}

/// A document around these elements.
pub(super) fn render(root: &str, namespace: &str, nodes: &[Node]) -> Bytes {
    let mut xml = XmlWriter::in_namespace(root, namespace);
    write_all(nodes, &mut xml, 1);
    let mut document = BytesMut::from(&xml.finish()[..]);
    document.extend_from_slice(b"\n");
    document.freeze()
}

fn write_all(nodes: &[Node], xml: &mut XmlWriter, depth: usize) {
    if nodes.is_empty() {
        return;
    }
    for node in nodes {
        xml.text(line(depth));
        node.write(xml, depth);
    }
    xml.text(line(depth - 1));
}

fn line(depth: usize) -> String {
    format!("\n{}", "  ".repeat(depth))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_document_is_indented_as_awss_are() {
        let inner = Node::tree("B", vec![Node::text("C", "1 < 2")]);

        let document = render("A", "urn:a", &[inner, Node::text("D", "")]);

        let expected = "<A xmlns=\"urn:a\">\n  <B>\n    <C>1 &lt; 2</C>\n  </B>\n  <D></D>\n</A>\n";
        assert_eq!(document, expected);
    }
}
