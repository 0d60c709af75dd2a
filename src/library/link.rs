//! The link that a file's name may carry: `tshirt__https-shop-example-com_products_cool-tshirt.jpg` leads to
//! `https://shop.example.com/products/cool-tshirt`. A name cannot hold `/`, `:` or (without confusion) more dots, so words
//! are split at `-`, and the host ends where a top-level domain does.

use crate::domain::link;

/// Top-level domains that are no everyday words; the first of them ends the host, whatever follows.
const PLAIN_DOMAINS: [&str; 7] = ["com", "org", "net", "edu", "gov", "info", "biz"];
/// Other top-level domains. Many are words too (`shop`, `it`, `art`), so they count only where no plain one does.
const OTHER_DOMAINS: [&str; 94] = [
    "ai", "app", "ar", "art", "at", "au", "be", "bg", "blog", "br", "ca", "cc", "ch", "cl",
    "cloud", "club", "cn", "co", "cz", "de", "design", "dev", "dk", "earth", "ee", "es", "eu",
    "events", "fi", "fm", "fr", "fun", "gg", "gr", "hk", "hr", "hu", "id", "ie", "il", "in", "io",
    "is", "it", "jp", "ke", "kr", "li", "life", "link", "live", "lt", "lu", "lv", "me", "media",
    "mx", "my", "news", "nl", "no", "nz", "one", "online", "page", "ph", "pl", "pro", "pt", "ro",
    "rs", "run", "se", "sg", "shop", "si", "site", "sk", "space", "store", "studio", "team",
    "tech", "th", "to", "tr", "tv", "tw", "ua", "uk", "us", "wiki", "world", "xyz",
];
/// Second levels under which a country gives out names.
const COUNTRY_LEVELS: [(&str, &[&str]); 8] = [
    (
        "com",
        &[
            "ar", "au", "br", "cn", "co", "hk", "mx", "pe", "ph", "pl", "sg", "tr", "tw", "ua",
        ],
    ),
    (
        "co",
        &["id", "il", "in", "jp", "ke", "kr", "nz", "th", "uk", "za"],
    ),
    ("org", &["au", "br", "nz", "pl", "uk", "za"]),
    ("net", &["au", "br", "nz", "za"]),
    ("gov", &["au", "br", "uk"]),
    ("edu", &["au", "br", "pl"]),
    ("ac", &["at", "jp", "nz", "uk"]),
    ("or", &["at", "jp"]),
];

/// The link in this file name: none, a link, or a problem in plain words.
pub(super) fn in_file_name(name: &str) -> Result<Option<String>, String> {
    let stem = name.rsplit_once('.').map_or(name, |(stem, _)| stem);
    let lower = stem.to_ascii_lowercase();
    let marks = [("__https-", "https"), ("__http-", "http")];
    let Some((at, mark, scheme)) = marks
        .iter()
        .filter_map(|(mark, scheme)| Some((lower.find(mark)?, mark, scheme)))
        .min()
    else {
        return Ok(None);
    };
    let mut segments = stem[at + mark.len()..]
        .split('_')
        .filter(|part| !part.is_empty());
    let words: Vec<&str> = segments.next().unwrap_or_default().split('-').collect();
    let segments: Vec<&str> = segments.collect();
    let Some(host_words) = host_words(&words, !segments.is_empty()) else {
        return Err(format!(
            "the name has `{mark}`, but no host that ends in a known top-level domain (as in `{mark}shop-example-com`); no link is taken from it"
        ));
    };
    let mut url = format!(
        "{scheme}://{}",
        words[..host_words].join(".").to_ascii_lowercase()
    );
    let rest = words[host_words..].join("-");
    for segment in [rest.as_str()].into_iter().chain(segments) {
        if !segment.is_empty() {
            url.push('/');
            url.push_str(segment);
        }
    }
    check(&url).map(|()| Some(url))
}

/// Whether people can be sent there; else why the link is left out.
pub(super) fn check(url: &str) -> Result<(), String> {
    link::check(url).map_err(|reason| format!("{reason}; it is left out"))
}

/// How many of the words form the host. With a path of its own behind (`_`), a host may fill them all.
fn host_words(words: &[&str], has_path: bool) -> Option<usize> {
    let is_among = |word: &str, domains: &[&str]| {
        domains
            .iter()
            .any(|domain| word.eq_ignore_ascii_case(domain))
    };
    let is_plain = |word: &str| is_among(word, &PLAIN_DOMAINS);
    let is_any = |word: &str| is_plain(word) || is_among(word, &OTHER_DOMAINS);
    if words.iter().any(|word| word.is_empty()) && has_path {
        return None;
    }
    let first = |is: &dyn Fn(&str) -> bool| (1..words.len()).find(|&at| is(words[at]));
    let last = words.len() - 1;
    let ends_the_words = (last >= 1 && is_any(words[last])).then_some(last);
    let at = if has_path {
        ends_the_words.or_else(|| first(&is_plain))
    } else {
        first(&is_plain).or(ends_the_words)
    }
    .or_else(|| first(&is_any))?;
    let country = words.get(at + 1).filter(|country| {
        COUNTRY_LEVELS.iter().any(|(level, countries)| {
            words[at].eq_ignore_ascii_case(level) && is_among(country, countries)
        })
    });
    Some(at + 1 + usize::from(country.is_some()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_tells_where_its_link_leads() {
        for (name, url) in [
            (
                "name__https-shop-example-com-tshirt.jpg",
                "https://shop.example.com/tshirt",
            ),
            (
                "tshirt__https-shop-example-com_products_cool-tshirt.jpg",
                "https://shop.example.com/products/cool-tshirt",
            ),
            ("x__http-example-org.png", "http://example.org"),
            ("x__HTTPS-Example-Com-Sale.png", "https://example.com/Sale"),
            (
                "x__https-example-co-uk-cool-shirts.jpg",
                "https://example.co.uk/cool-shirts",
            ),
            (
                "x__https-shop-example-com-au_hats.jpg",
                "https://shop.example.com.au/hats",
            ),
            (
                "x__https-example-com-au-hats.jpg",
                "https://example.com.au/hats",
            ),
            (
                "x__https-team-dev-example-com-tshirt.jpg",
                "https://team.dev.example.com/tshirt",
            ),
            (
                "x__https-example-com-my-shop.jpg",
                "https://example.com/my-shop",
            ),
            (
                "x__https-verein-de-mitmachen.jpg",
                "https://verein.de/mitmachen",
            ),
            ("x__https-verein-de.jpg", "https://verein.de"),
            ("x__https-my-shop-de_neu.jpg", "https://my.shop.de/neu"),
            (
                "x__https-example-com-new_in.jpg",
                "https://example.com/new/in",
            ),
        ] {
            assert_eq!(in_file_name(name).unwrap().as_deref(), Some(url), "{name}");
        }
    }

    #[test]
    fn a_name_without_a_mark_tells_nothing() {
        for name in [
            "cat.jpg",
            "https-example-com.jpg",
            "cat__dog.jpg",
            "__.jpg",
            "",
        ] {
            assert_eq!(in_file_name(name), Ok(None), "{name}");
        }
    }

    #[test]
    fn a_link_without_a_known_domain_is_a_problem() {
        for name in [
            "x__https-.jpg",
            "x__https-com.jpg",
            "x__https-shop-tshirt.jpg",
            "x__https-_com.jpg",
        ] {
            assert!(in_file_name(name).is_err(), "{name}");
        }
        assert!(in_file_name("x__https-example-com (1).jpg").is_err());
    }

    #[test]
    fn only_the_web_can_be_linked_to() {
        assert!(
            check("https://example.com/a?b=c#d").is_ok() && check("HTTP://example.com").is_ok()
        );
        for url in [
            "ftp://example.com",
            "example.com",
            "https://",
            "https:///x",
            "https://a b.com",
            "javascript:x",
        ] {
            assert!(check(url).is_err(), "{url}");
        }
    }
}
