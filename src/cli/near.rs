//! "Did you mean": what was probably meant by a name that is not there.

use crate::domain::nearest::nearest;

/// How many names are suggested at most.
const MOST: usize = 3;

/// The names that hold what was typed, or else the one that is spelled most like it.
pub(super) fn near<'a>(typed: &str, names: impl IntoIterator<Item = &'a str>) -> Vec<&'a str> {
    let typed = typed.trim().to_lowercase();
    let mut names: Vec<&str> = names.into_iter().collect();
    names.sort_unstable();
    names.dedup();
    let holding: Vec<&str> = names
        .iter()
        .copied()
        .filter(|name| !typed.is_empty() && name.to_lowercase().contains(&typed))
        .take(MOST)
        .collect();
    if !holding.is_empty() {
        return holding;
    }
    let whole = nearest(&typed, names.iter().copied());
    // Of a path people often type but the end.
    let last = |name: &'a str| name.rsplit('/').next().unwrap_or(name);
    let end = nearest(&typed, names.iter().copied().map(last));
    let found = whole.or_else(|| names.iter().copied().find(|name| end == Some(last(name))));
    found.into_iter().collect()
}

/// ``did you mean `a` or `b`?``, or else what to do.
pub(super) fn hint(near: &[&str], otherwise: &str) -> String {
    if near.is_empty() {
        return otherwise.to_owned();
    }
    let quoted: Vec<String> = near.iter().map(|name| format!("`{name}`")).collect();
    match quoted.as_slice() {
        [head @ .., last] if !head.is_empty() => {
            format!("did you mean {} or {last}?", head.join(", "))
        }
        _ => format!("did you mean {}?", quoted.concat()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_holds_the_typed_text_comes_before_what_is_spelled_like_it() {
        let names = ["memes/cat.jpg", "memes/catnap.jpg", "merch/shirt.jpg"];
        assert_eq!(near("Cat", names), ["memes/cat.jpg", "memes/catnap.jpg"]);
        assert_eq!(near("shrit.jpg", names), ["merch/shirt.jpg"]);
        assert_eq!(near("merhc/shirt.jpg", names), ["merch/shirt.jpg"]);
        assert!(near("zebra", names).is_empty());
        assert!(near("", names).is_empty());
    }

    #[test]
    fn a_hint_names_what_may_be_meant() {
        assert_eq!(hint(&["a"], "x"), "did you mean `a`?");
        assert_eq!(hint(&["a", "b", "c"], "x"), "did you mean `a`, `b` or `c`?");
        assert_eq!(hint(&[], "x"), "x");
    }
}
