//! What the first bytes of a file say: whether it is a web page, and how long weights are.

use std::collections::BTreeMap;

use serde_json::Value;
use twinbeam_gpt2::MAX_HEADER_BYTES;

/// Bytes that it takes to tell a web page from a file.
pub(super) const LOOK: u64 = 64;

/// Whether bytes are the beginning of a web page. What the server calls it says nothing: some call every file
/// a web page, and some send their own page, as what it is, in place of a file that they do not have.
pub(super) fn is_page(first: &[u8]) -> bool {
    let text = first.strip_prefix(b"\xef\xbb\xbf").unwrap_or(first).trim_ascii_start();
    // The length that weights begin with can have the same first bytes; its last one is always 0.
    let is_length = first.iter().take(8).any(|byte| *byte == 0);
    let is_tag = |next: &u8| next.is_ascii_alphabetic() || matches!(next, b'!' | b'?');
    !is_length && text.starts_with(b"<") && text.get(1).is_some_and(is_tag)
}

/// What a file says of its own length.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Claim {
    /// The length of the file in bytes.
    Bytes(u64),
    /// The first bytes that it takes to read the length.
    Needs(u64),
    /// The file says nothing of its length.
    Nothing,
}

/// What the first bytes of a file, and its name, say of its length.
pub(super) fn claim(file: &str, first: &[u8]) -> Claim {
    if !file.ends_with(".safetensors") {
        return Claim::Nothing;
    }
    let Some(length) = first.first_chunk::<8>() else { return Claim::Needs(8) };
    let length = u64::from_le_bytes(*length);
    if length > MAX_HEADER_BYTES {
        return Claim::Nothing;
    }
    let Some(header) = first.get(8..8 + length as usize) else { return Claim::Needs(8 + length) };
    let Ok(entries) = serde_json::from_slice::<BTreeMap<String, Value>>(header) else {
        return Claim::Nothing;
    };
    let end = |entry: &Value| entry.get("data_offsets")?.get(1)?.as_u64();
    let data = entries.values().filter_map(end).max().unwrap_or(0);
    (8 + length).checked_add(data).map_or(Claim::Nothing, Claim::Bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_is_told_from_files_that_begin_like_one() {
        let pages: [&[u8]; 6] = [
            b"<!doctype html><title>x</title>",
            b"\xef\xbb\xbf\r\n <HTML lang=en>",
            b"<!-- ours --><html>",
            b"<?xml version='1.0'?><Error/>",
            b"  <head>",
            b"<p>no",
        ];
        for page in pages {
            assert!(is_page(page), "{}", page.escape_ascii());
        }
        let weights = |length: u64| [&length.to_le_bytes()[..], b"{\"a\":1}"].concat();
        // 0x683c is the text "<h".
        let files = [weights(0x683c), weights(0x213c), b"{\"<html>\":0}".to_vec(), b"< a".to_vec()];
        for file in [&files[..], &[Vec::new(), b"<".to_vec(), b"version 1".to_vec()]].concat() {
            assert!(!is_page(&file), "{}", file.escape_ascii());
        }
    }

    #[test]
    fn weights_say_how_long_they_are_as_soon_as_their_header_is_there() {
        let header = r#"{"__metadata__":{"format":"pt"},"b":{"dtype":"F32","shape":[2],"data_offsets":[4,12]},
            "a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}  "#;
        let file = [&(header.len() as u64).to_le_bytes()[..], header.as_bytes(), &[0; 12]].concat();
        let (name, begin) = ("model-00001-of-00002.safetensors", 8 + header.len());
        assert_eq!(claim(name, &file), Claim::Bytes(file.len() as u64));
        assert_eq!(claim(name, &file[..begin]), Claim::Bytes(file.len() as u64));
        assert_eq!(claim(name, &file[..begin - 1]), Claim::Needs(begin as u64));
        assert_eq!(claim(name, &file[..7]), Claim::Needs(8));
        assert_eq!(claim("tokenizer.json", &file), Claim::Nothing);
        assert_eq!(claim(name, b"PK\x03\x04 and so on"), Claim::Nothing);
        assert_eq!(claim(name, &[&[2, 0, 0, 0, 0, 0, 0, 0], &b"[]"[..]].concat()), Claim::Nothing);
        let endless = format!(r#"{{"a":{{"data_offsets":[0,{}]}}}}"#, u64::MAX);
        let endless = [&(endless.len() as u64).to_le_bytes()[..], endless.as_bytes()].concat();
        assert_eq!(claim(name, &endless), Claim::Nothing);
    }
}
