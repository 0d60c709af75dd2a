//! A link: where a sticker on a story may send people.

/// Whether people can be sent there; else why not, in plain words.
///
/// # Errors
/// If it is no link to a web page.
pub fn check(url: &str) -> Result<(), String> {
    let scheme_end = ["https://", "http://"].into_iter().find_map(|scheme| {
        let start = url.get(..scheme.len())?;
        start.eq_ignore_ascii_case(scheme).then_some(scheme.len())
    });
    let Some(scheme_end) = scheme_end else {
        return Err(format!(
            "`{url}` is no link that starts with `https://` or `http://`"
        ));
    };
    if url.contains(|c: char| c.is_whitespace() || c.is_control()) {
        return Err(format!(
            "the link `{}` has spaces in it",
            url.escape_debug()
        ));
    }
    let host = url[scheme_end..].split(['/', '?', '#']).next();
    if host.is_none_or(|host| host.is_empty() || host.starts_with(['.', ':'])) {
        return Err(format!("the link `{url}` names no host"));
    }
    Ok(())
}
