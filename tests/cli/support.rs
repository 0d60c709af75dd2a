//! The bundle for whoever helps.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::process::Command;

use crate::bench::Bench;

const TOKEN: &str = "123456789:AAcanaryABCDEFGHIJKLMNOPQRSTUVWXYZ";
const SECRET: &str = "webhook-canary-0123456789";
const KEY: &str = "0c0a0b0c0d0e0f00112233445566778899aabbccddeeff00112233445566ca0a";

/// Every file of a bundle, one after the other.
fn unpacked(bench: &Bench) -> String {
    let output = Command::new("tar")
        .args(["-xzOf", "bundle.tar.gz"])
        .current_dir(bench.root())
        .output()
        .unwrap();
    assert!(output.status.success(), "{output:?}");
    String::from_utf8(output.stdout).unwrap()
}

/// Even if the log told a secret, which it must not.
#[tokio::test]
async fn nothing_secret_is_in_the_bundle() {
    let bench = Bench::with_media().await;
    bench.settings(&format!(
        "[telegram]\ntoken = \"{TOKEN}\"\nwebhook_url = \"https://stories.example.com/x\"\nwebhook_secret = \"{SECRET}\"\n\
         [secrets]\nkey = \"{KEY}\"\n[backup]\nencrypt_for = \"age1{}\"\ns3_url = \"https://s3.example/x\"\n\
         s3_access_key = \"box\"\ns3_secret_key = \"{SECRET}-of-the-bucket\"\n",
        "q".repeat(58)
    ));
    let journalctl = bench.root().join("journalctl");
    let says = format!(
        "#!/bin/sh\necho 'a line of the log: {TOKEN} {SECRET} {KEY} https://x/bot{TOKEN}/getMe'\n"
    );
    fs::write(&journalctl, says).unwrap();
    fs::set_permissions(&journalctl, fs::Permissions::from_mode(0o755)).unwrap();
    let systemctl = bench.root().join("systemctl");
    let says = format!(
        "#!/bin/sh\ncase $* in *--property=*) echo NRestarts=0;; *) echo Environment=X={SECRET};; esac\n"
    );
    fs::write(&systemctl, says).unwrap();
    fs::set_permissions(&systemctl, fs::Permissions::from_mode(0o755)).unwrap();
    let path = format!("{}:/usr/bin:/bin", bench.root().display());
    let output = bench
        .command()
        .env("PATH", path)
        .args(["support", "bundle.tar.gz"])
        .output()
        .unwrap();
    assert!(output.status.success(), "{output:?}");
    let mode = fs::metadata(bench.root().join("bundle.tar.gz"))
        .unwrap()
        .permissions();
    assert_eq!(mode.mode() & 0o777, 0o600);

    let all = unpacked(&bench);
    for part in [
        "storyline 0.",
        "\"subject\": \"database\"",
        "\"key\": \"telegram.token\"",
        "set, from",
        "\"job\": \"scan\"",
        "NRestarts=0",
        "a line of the log: [redacted] [redacted] [redacted] https://x/bot[redacted]/getMe",
    ] {
        assert!(all.contains(part), "{part}\n{all}");
    }
    for secret in [TOKEN, SECRET, KEY, "canary"] {
        assert!(!all.contains(secret), "{secret}\n{all}");
    }
}

#[tokio::test]
async fn a_box_that_does_not_work_has_a_bundle_too() {
    let bench = Bench::new();
    bench.write_settings("[telegram]\ntokne = \"x\"\n");
    let written = bench.type_in("support bundle.tar.gz");
    assert_eq!(written.code, 0, "{written:?}");
    assert!(unpacked(&bench).contains("did you mean `token`?"));
    let again = bench.type_in("support bundle.tar.gz");
    assert_eq!(again.code, 1, "{again:?}");
    assert!(
        again.stderr.contains("`bundle.tar.gz` cannot be written"),
        "{again:?}"
    );
}
