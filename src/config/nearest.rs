//! What somebody may have meant.

/// The candidate most like `word`; empty without candidates.
pub(super) fn nearest<'a, S: AsRef<str>>(word: &str, candidates: &'a [S]) -> &'a str {
    // Long words are no typing errors, and comparing them would take long.
    let word: String = word.chars().take(80).flat_map(char::to_lowercase).collect();
    let distance = |known: &str| strsim::damerau_levenshtein(&word, &known.to_lowercase());
    let known = candidates.iter().map(AsRef::as_ref);
    known.min_by_key(|known| distance(known)).unwrap_or_default()
}
