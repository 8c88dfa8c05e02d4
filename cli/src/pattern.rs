//! Regular expressions as users write them.

use regex::bytes::Regex;

/// Reads a regular expression.
///
/// # Errors
/// Why it is none, in a few words: the text of the error is a drawing on several lines.
pub(crate) fn pattern(text: &str) -> Result<Regex, String> {
    Regex::new(text).map_err(|error| {
        let error = error.to_string();
        let last = error.lines().last().unwrap_or_default();
        last.strip_prefix("error: ").unwrap_or(last).to_owned()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_wrong_is_told_in_a_few_words() {
        assert_eq!(pattern("(").unwrap_err(), "unclosed group");
        let told = pattern("a{999999}").unwrap_err();
        assert!(!told.contains('\n'), "{told}");
        assert!(pattern("a+").is_ok());
    }
}
