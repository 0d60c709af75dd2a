//! Proxies: `http`, `https` and `socks5`, by the settings or by the variables that other programs know.

use std::fmt;

use hyper_util::client::proxy::matcher::Matcher;
use reqwest::Url;
use secrecy::SecretString;

use crate::system::environment::Environment;

/// What is always reached without a proxy.
const THIS_MACHINE: &str = "localhost,127.0.0.0/8,::1";
/// Where a SOCKS proxy listens unless it is told (RFC 1928).
const SOCKS_PORT: u16 = 1080;

/// A proxy. It prints without its user and password.
#[derive(Clone, PartialEq, Eq)]
pub struct Proxy {
    /// Its address, with user and password.
    url: Url,
    /// The setting or the variable that names it.
    named_by: &'static str,
}

/// What stands where a proxy is to be named, and is none.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{named_by}` names no proxy: {reason}; write `http://HOST:PORT`, `https://HOST:PORT` or `socks5://HOST:PORT`"
)]
pub struct NoProxy {
    /// The setting or the variable.
    pub named_by: &'static str,
    /// What is wrong with it.
    pub reason: &'static str,
}

impl Proxy {
    /// The proxy at this address; without a scheme, it is one for HTTP.
    ///
    /// # Errors
    /// If it is no such address.
    pub fn parse(text: &str, named_by: &'static str) -> Result<Self, NoProxy> {
        let wrong = |reason| Err(NoProxy { named_by, reason });
        let text = text.trim();
        let whole = match text.contains("://") {
            true => text.to_owned(),
            false => format!("http://{text}"),
        };
        let Ok(mut url) = Url::parse(&whole) else {
            return wrong("it is no valid URL");
        };
        if !matches!(url.scheme(), "http" | "https" | "socks5" | "socks5h") {
            return wrong("its scheme is not supported");
        }
        if url.host_str().is_none_or(str::is_empty) {
            return wrong("it has no host");
        }
        if !matches!(url.path(), "" | "/") || url.query().is_some() || url.fragment().is_some() {
            return wrong("it must be the address of the proxy and nothing else");
        }
        if url.port_or_known_default().is_none() && url.set_port(Some(SOCKS_PORT)).is_err() {
            return wrong("it has no port");
        }
        Ok(Self { url, named_by })
    }

    /// Its address, with user and password: to be used, and told to nobody.
    #[must_use]
    pub fn url(&self) -> &Url {
        &self.url
    }

    /// Its password, as it was written.
    pub(super) fn password(&self) -> Option<SecretString> {
        self.url.password().map(SecretString::from)
    }

    /// The setting or the variable that names it.
    #[must_use]
    pub fn named_by(&self) -> &'static str {
        self.named_by
    }
}

impl fmt::Display for Proxy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (scheme, host) = (self.url.scheme(), self.url.host_str().unwrap_or_default());
        write!(f, "{scheme}://{host}")?;
        match self.url.port() {
            Some(port) => write!(f, ":{port}"),
            None => Ok(()),
        }
    }
}

impl fmt::Debug for Proxy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self} ({})", self.named_by)
    }
}

/// What the variables say of proxies.
#[derive(Clone, Debug, Default)]
pub(super) struct Variables {
    http: Option<Result<Proxy, NoProxy>>,
    https: Option<Result<Proxy, NoProxy>>,
    /// What is reached without one, as `NO_PROXY` has it.
    without: String,
}

impl Variables {
    pub(super) fn of(environment: &Environment) -> Self {
        let first = |names: [&'static str; 4]| {
            let set = names
                .into_iter()
                .find_map(|name| Some((name, environment.get(name)?)));
            set.map(|(name, text)| Proxy::parse(text, name))
        };
        let without = ["NO_PROXY", "no_proxy"]
            .into_iter()
            .find_map(|name| environment.get(name));
        Self {
            http: first(["HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"]),
            https: first(["HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"]),
            without: without.unwrap_or_default().to_owned(),
        }
    }

    pub(super) fn proxy_to(&self, server: &Url) -> Option<Result<&Proxy, &NoProxy>> {
        let proxy = match server.scheme() {
            "http" => self.http.as_ref(),
            _ => self.https.as_ref(),
        };
        proxy.map(Result::as_ref)
    }

    pub(super) fn proxies(&self) -> impl Iterator<Item = &Proxy> {
        let both = [&self.http, &self.https];
        both.into_iter()
            .flatten()
            .filter_map(|found| found.as_ref().ok())
    }

    /// Whether a server is reached without any proxy.
    pub(super) fn is_passed_over(&self, server: &Url) -> bool {
        // Nothing but the host goes in: the path may be secret.
        let address = format!("http://{}/", server.host_str().unwrap_or_default());
        let matcher = Matcher::builder()
            .all("http://proxy.invalid")
            .no(format!("{THIS_MACHINE},{}", self.without))
            .build();
        address
            .parse()
            .is_ok_and(|address| matcher.intercept(&address).is_none())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::system::network::Network;

    #[test]
    fn a_proxy_prints_without_user_and_password() {
        for (text, shown) in [
            ("http://proxy:3128", "http://proxy:3128"),
            ("proxy:3128", "http://proxy:3128"),
            ("http://canary:canary@proxy", "http://proxy"),
            ("https://canary@[::1]:8080/", "https://[::1]:8080"),
            ("socks5://canary:canary@proxy", "socks5://proxy:1080"),
            ("socks5h://proxy:9", "socks5h://proxy:9"),
        ] {
            let proxy = Proxy::parse(text, "X").unwrap();
            assert_eq!(proxy.to_string(), shown);
            assert!(!format!("{proxy:?}").contains("canary"));
        }
        for text in [
            "ftp://proxy",
            "http://",
            "socks4://proxy",
            "http://proxy/path",
            "http://a b",
            "",
        ] {
            let wrong = Proxy::parse(text, "HTTPS_PROXY").unwrap_err();
            assert!(wrong.to_string().contains("HTTPS_PROXY"), "{wrong}");
        }
    }

    #[test]
    fn the_settings_go_before_the_variables_and_this_machine_before_both() {
        let environment = Environment::from_iter([
            ("https_proxy", "http://one:1"),
            ("ALL_PROXY", "gopher://two"),
            ("NO_PROXY", "example.com, 192.168.0.0/16"),
        ]);
        let mut network = Network::default().within(&environment);
        let to = |network: &Network, server: &str| {
            let server = Url::parse(server).unwrap();
            let found = network.proxy_to(&server);
            found
                .map(|proxy| proxy.map(ToString::to_string))
                .map_err(|wrong| wrong.named_by)
        };
        for server in [
            "https://localhost:8081",
            "http://127.0.0.2:9000",
            "http://[::1]/",
            "https://a.example.com",
            "https://192.168.3.4",
        ] {
            assert_eq!(to(&network, server), Ok(None), "{server}");
        }
        let telegram = "https://api.telegram.org/bot1:x/getMe";
        assert_eq!(to(&network, telegram), Ok(Some("http://one:1".to_owned())));
        assert_eq!(to(&network, "http://nas:9000"), Err("ALL_PROXY"));
        let proxy = Proxy::parse("socks5://:canary@three", "[network] proxy").unwrap();
        network = Network::new(Some(proxy), None).within(&environment);
        assert_eq!(network.held_secrets().len(), 1);
        for server in [telegram, "http://nas:9000"] {
            assert_eq!(
                to(&network, server),
                Ok(Some("socks5://three:1080".to_owned()))
            );
        }
        assert_eq!(to(&network, "http://127.0.0.1"), Ok(None));
    }
}
