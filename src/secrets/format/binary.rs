//! Any other file: one text under the key `data`.

use crate::secrets::error::Error;
use crate::secrets::tree::{Map, Node, Scalar, Tree, Value};

const KEY: &str = "data";

/// The whole file as the entry `data`.
pub(super) fn read_plain(bytes: &[u8]) -> Result<Tree, Error> {
    let mut map = Map::default();
    map.push(KEY, Node::text(bytes.to_vec()));
    Ok(Tree { documents: vec![map] })
}

/// The text of the entry `data`. Other entries are ignored.
pub(super) fn write_plain(tree: &Tree) -> Result<Vec<u8>, Error> {
    let refused = |what: &str| Err(Error::Refused { place: String::new(), what: what.to_owned() });
    let [document] = tree.documents.as_slice() else {
        return refused("is not one document, so it cannot be written as a binary file");
    };
    match document.get(KEY).map(|node| &node.value) {
        Some(Value::Scalar(Scalar::Text(text))) => Ok(text.expose().to_vec()),
        Some(_) => refused("has an entry \"data\" that is not a text, so it cannot be written as a binary file"),
        None => refused("has no entry \"data\", so it cannot be written as a binary file"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_bytes_come_out_as_they_were() {
        for bytes in [&b""[..], b"text\n", b"\x00\xff\xfe"] {
            assert_eq!(write_plain(&read_plain(bytes).unwrap()).unwrap(), bytes);
        }
    }

    #[test]
    fn only_a_text_called_data_is_a_binary_file() {
        let mut number = Map::default();
        number.push(KEY, Scalar::Int(1));
        for documents in [vec![], vec![Map::default()], vec![number], vec![Map::default(), Map::default()]] {
            assert!(matches!(write_plain(&Tree { documents }), Err(Error::Refused { .. })));
        }
    }
}
