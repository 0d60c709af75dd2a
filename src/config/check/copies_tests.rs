use crate::config::{Config, Environment, Loaded, Problems};

const KEY: &str = "age1ql3z7hjy54pw3hyww5ayyfg7zqgvc7w3j2elw8zmrj2kg5sfn9aqmcac8p";

fn load(text: &str) -> Result<Loaded, Problems> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("storyline.toml");
    std::fs::write(&path, text).unwrap();
    Config::load(Some(&path), &Environment::default())
}

fn wrong(text: &str) -> String {
    load(text).unwrap_err().to_string()
}

#[test]
fn every_place_can_be_set() {
    let text = format!(
        "[telegram]\nadmin_chat = 11\n[backup]\nencrypt_for = \"\"\"\n{KEY}\nssh-ed25519 AAAA ann@laptop\n\"\"\"\n\
         copy_to = \"/media/stick\"\ncopy_to_chat = true\n\
         s3_url = \"http://nas:9000/bucket/a\"\ns3_access_key = \"box\"\ns3_secret_key = \"canary\"\n"
    );
    let config = load(&text).unwrap().config;
    let copies = &config.backup.copies;
    assert_eq!(copies.recipients, [KEY, "ssh-ed25519 AAAA ann@laptop"]);
    let named: Vec<String> = copies
        .destinations()
        .into_iter()
        .map(|(destination, name)| format!("{destination} {name}"))
        .collect();
    let all = [
        "folder /media/stick",
        "bucket http://nas:9000/bucket/a",
        "chat 11",
    ];
    assert_eq!(named, all);
    assert!(!format!("{config:?}").contains("canary"));
    assert_eq!(config.held_secrets().len(), 1);
    assert!(
        load("")
            .unwrap()
            .config
            .backup
            .copies
            .destinations()
            .is_empty()
    );
}

#[test]
fn nothing_leaves_the_box_unencrypted() {
    for set in [
        "copy_to = \"/media/stick\"",
        "s3_url = \"https://s3/bucket\"\ns3_access_key = \"a\"\ns3_secret_key = \"b\"",
    ] {
        let wrong = wrong(&format!("[backup]\n{set}\n"));
        assert!(wrong.contains("backup.encrypt_for"), "{wrong}");
        assert!(
            wrong.contains("`storyline backup key` makes a key"),
            "{wrong}"
        );
    }
}

#[test]
fn what_goes_together_is_missed() {
    let with = |more: &str| wrong(&format!("[backup]\nencrypt_for = \"{KEY}\"\n{more}\n"));
    let no_chat = with("copy_to_chat = true");
    assert!(no_chat.contains("telegram.admin_chat"), "{no_chat}");
    let no_keys = with("s3_url = \"https://s3/bucket\"");
    for key in ["backup.s3_access_key", "backup.s3_secret_key"] {
        assert!(no_keys.contains(key), "{no_keys}");
    }
}

#[test]
fn bad_values_are_told_and_a_private_key_is_never_repeated() {
    for (value, part) in [
        ("encrypt_for = \"bob\"", "no public key"),
        ("encrypt_for = \"age1short\"", "no public key"),
        (
            "encrypt_for = \"AGE-SECRET-KEY-1CANARY\"",
            "it is a private key",
        ),
        (
            "encrypt_for = \"age-secret-key-1canary\"",
            "it is a private key",
        ),
        ("copy_to = \"stick\"", "backup.copy_to"),
        ("copy_to_chat = \"yes\"", "backup.copy_to_chat"),
        ("s3_url = \"s3/bucket\"", "valid URL"),
        ("s3_url = \"ftp://s3/bucket\"", "begin with `https://`"),
        (
            "s3_url = \"https://key:canary@s3/bucket\"",
            "must not hold a user",
        ),
        (
            "s3_url = \"https://s3/bucket?X=canary\"",
            "an address and nothing else",
        ),
        ("s3_url = \"https://s3/\"", "names no bucket"),
        ("s3_url = \"https://s3/a//b\"", "may hold letters"),
        ("s3_url = \"https://s3/a%20b\"", "may hold letters"),
        ("s3_region = \"eu central\"", "a region is made of"),
    ] {
        let wrong = wrong(&format!("[backup]\n{value}\n"));
        assert!(wrong.contains(part), "{value}: {wrong}");
        if !value.contains('?') {
            assert!(!wrong.to_lowercase().contains("canary"), "{wrong}");
        }
    }
}
