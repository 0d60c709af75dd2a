//! How servers outside are reached, where that is out of the ordinary.

use super::Findings;
use crate::config::Config;

/// Tells by which proxy Telegram is reached, and whom TLS trusts, if it is not simply the machine's store.
pub fn network(findings: &mut Findings, config: &Config) {
    let (network, server) = (&config.network, &config.telegram.api_url);
    match network.proxy_to(server) {
        Ok(None) => {}
        Ok(Some(proxy)) => {
            let named_by = proxy.named_by();
            findings.ok(
                "network",
                format!("Telegram is reached by the proxy {proxy} (`{named_by}`)"),
            );
        }
        Err(wrong) => findings.problem(
            "network",
            wrong.to_string(),
            Some("correct or remove it where the service gets its environment from"),
        ),
    }
    if server.scheme() != "https" {
        return;
    }
    let trust = network.trust();
    if let Some(complaint) = &trust.complaint {
        findings.note(
            "network",
            complaint.clone(),
            Some("correct or remove `SSL_CERT_FILE`"),
        );
    }
    if trust.store.is_none() {
        findings.note(
            "network",
            format!("this machine has no store of certificate authorities; {trust}"),
            Some("`apt install ca-certificates` gives it one, which is kept up to date"),
        );
    } else if trust.own.is_some() {
        findings.ok("network", trust.to_string());
    }
}
