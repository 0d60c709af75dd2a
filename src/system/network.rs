//! The way to servers outside: by which proxy the program goes, and whom it trusts to vouch for a server's name.

mod authorities;
mod proxy;

pub use authorities::{Authorities, NoAuthorities, Trust};
pub use proxy::{NoProxy, Proxy};

use proxy::Variables;
use reqwest::Url;
use secrecy::SecretString;

use super::environment::Environment;

/// The way to servers outside, as the owner and the machine have it.
#[derive(Clone, Debug, Default)]
pub struct Network {
    /// The proxy of the settings; it goes before those of the environment.
    proxy: Option<Proxy>,
    /// Who is trusted besides those that the machine trusts.
    authorities: Option<Authorities>,
    variables: Variables,
    /// What `SSL_CERT_FILE` names, in place of the machine's own store.
    store: Option<String>,
}

impl Network {
    /// The way by this proxy, trusting these besides those that the machine trusts.
    #[must_use]
    pub fn new(proxy: Option<Proxy>, authorities: Option<Authorities>) -> Self {
        Self {
            proxy,
            authorities,
            ..Self::default()
        }
    }

    /// The proxy of the settings, which goes before those of the environment.
    #[must_use]
    pub fn proxy(&self) -> Option<&Proxy> {
        self.proxy.as_ref()
    }

    /// The authorities of the settings, who are trusted besides those of the machine.
    #[must_use]
    pub fn authorities(&self) -> Option<&Authorities> {
        self.authorities.as_ref()
    }

    /// The passwords of proxies, to clean texts of them.
    #[must_use]
    pub fn held_secrets(&self) -> Vec<SecretString> {
        let proxies = self.proxy.iter().chain(self.variables.proxies());
        proxies.filter_map(Proxy::password).collect()
    }

    /// The same, where the process was started with these variables (`HTTPS_PROXY`, `HTTP_PROXY`, `ALL_PROXY`, `NO_PROXY`, in
    /// small letters too, and `SSL_CERT_FILE`).
    #[must_use]
    pub fn within(self, environment: &Environment) -> Self {
        Self {
            variables: Variables::of(environment),
            store: environment.get("SSL_CERT_FILE").map(str::to_owned),
            ..self
        }
    }

    /// The proxy by which this server is reached, if there is one. The machine itself is reached without.
    ///
    /// # Errors
    /// If a variable of the environment says so and is no address of a proxy.
    pub fn proxy_to(&self, server: &Url) -> Result<Option<&Proxy>, &NoProxy> {
        if self.variables.is_passed_over(server) {
            return Ok(None);
        }
        match &self.proxy {
            Some(proxy) => Ok(Some(proxy)),
            None => self.variables.proxy_to(server).transpose(),
        }
    }

    /// Whom the program trusts.
    #[must_use]
    pub fn trust(&self) -> Trust {
        Trust::find(self.store.as_deref(), self.authorities.as_ref())
    }
}
