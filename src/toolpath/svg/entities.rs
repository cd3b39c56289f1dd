//! Entities that would grow a file beyond measure.

/// What all entities of a file together may grow to, in bytes.
const MOST: usize = 64 << 20;

/// The XML parser follows this many references within one.
const WITHIN: usize = 256;

/// True if entities cannot grow a file much. An estimate from above: each reference stands for as
/// much as the parser could make of it.
pub(super) fn are_harmless(text: &str) -> bool {
    let Some(start) = text.find("<!ENTITY") else { return true };
    let last = text.rfind("<!ENTITY").unwrap_or(start);
    let end = text[last..].find('>').map_or(text.len(), |length| last + length);
    let nested = text[start..end].bytes().filter(|byte| *byte == b'&').count();
    let one = (end - start).saturating_mul(if nested == 0 { 1 } else { WITHIN });
    let known = |after: &str| {
        ["amp;", "lt;", "gt;", "quot;", "apos;", "#"].iter().any(|name| after.starts_with(name))
    };
    let references = text.split('&').skip(1).filter(|after| !known(after)).count();
    references.saturating_mul(one) <= MOST
}
