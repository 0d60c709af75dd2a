//! Where settings come from, which of two wins, and that secrets stay secret on every way.

use super::*;
use secrecy::ExposeSecret;
use std::os::unix::fs::PermissionsExt;

/// Where nothing is.
const NOWHERE: House<'static> = House {
    settings: "/none/storyline.toml",
    credentials: "/none",
};

struct Site(tempfile::TempDir);

impl Site {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    /// A file that only its owner reads.
    fn file(&self, name: &str, text: &str) -> PathBuf {
        let path = self.0.path().join(name);
        std::fs::write(&path, text).unwrap();
        Self::mode(&path, 0o600);
        path
    }

    fn mode(path: &Path, mode: u32) {
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
    }

    /// Loads with this file and these variables, and no other file.
    fn load(&self, text: &str, variables: &[(&str, &str)]) -> Result<Loaded, Problems> {
        let path = self.file("storyline.toml", text);
        load(Some(&path), &variables.iter().copied().collect(), NOWHERE)
    }
}

fn token(loaded: &Loaded) -> Option<&str> {
    let token = loaded.config.telegram.token.as_ref();
    token.map(ExposeSecret::expose_secret)
}

#[test]
fn without_a_file_the_defaults_hold_but_a_named_file_must_exist() {
    let nothing = Environment::default();
    let loaded = load(None, &nothing, NOWHERE).unwrap();
    assert_eq!(loaded.path, None);
    assert_eq!(loaded.config.team.posts_per_day, 3);
    assert_eq!(loaded.origins.len(), KEYS.len());

    let missing = Path::new("/none/other.toml");
    let by_variable = Environment::from_iter([(PATH_VARIABLE, "/none/other.toml")]);
    for problems in [
        load(Some(missing), &nothing, NOWHERE),
        load(None, &by_variable, NOWHERE),
    ] {
        let told = problems.unwrap_err().to_string();
        assert!(
            told.starts_with("/none/other.toml: the configuration cannot be read: "),
            "{told}"
        );
    }
}

#[test]
fn the_argument_wins_over_the_variable_and_the_variable_over_the_default() {
    let site = Site::new();
    let [argument, variable, default] = ["argument", "variable", "default"]
        .map(|name| site.file(name, &format!("team.name = \"{name}\"")));
    let environment = Environment::from_iter([(PATH_VARIABLE, variable.to_str().unwrap())]);
    let name = |path: Option<&Path>, environment: &Environment| {
        let house = House {
            settings: default.to_str().unwrap(),
            ..NOWHERE
        };
        load(path, environment, house).unwrap().config.team.name
    };
    assert_eq!(name(Some(&argument), &environment), "argument");
    assert_eq!(name(None, &environment), "variable");
    assert_eq!(name(None, &Environment::default()), "default");
}

#[test]
fn a_variable_overrides_the_file_and_may_be_a_number_in_text() {
    let loaded = Site::new()
        .load(
            "[team]\nposts_per_day = 5\nname = \"Us\"\n",
            &[
                ("STORYLINE_TEAM_POSTS_PER_DAY", " 7 "),
                ("STORYLINE_TEAM_DRY_RUN", "Yes"),
                ("STORYLINE_TELEGRAM_CHAT", "-100"),
                ("STORYLINE_TEAM_NAME", ""),
                ("STORYLINE_TEAM_POSTS_PER_DYA", "9"),
            ],
        )
        .unwrap();
    assert_eq!(loaded.config.team.posts_per_day, 7);
    assert!(loaded.config.team.dry_run);
    assert_eq!(loaded.config.team.chat, Some(-100));
    assert_eq!(loaded.config.team.name, "Us");
    assert_eq!(
        loaded.origins["team.posts_per_day"].to_string(),
        "$STORYLINE_TEAM_POSTS_PER_DAY"
    );
    assert!(
        loaded.origins["team.name"]
            .to_string()
            .ends_with("/storyline.toml:3")
    );
    assert_eq!(loaded.origins["team.timezone"], Origin::Default);
    assert_eq!(loaded.warnings.len(), 1);
    assert!(
        loaded.warnings[0]
            .remedy
            .contains("STORYLINE_TEAM_POSTS_PER_DAY")
    );
}

#[test]
fn a_wrong_variable_is_told_by_its_name() {
    let problems = Site::new().load("", &[("STORYLINE_TEAM_LATE_MINUTES", "soon")]);
    assert_eq!(
        problems.unwrap_err().to_string(),
        "team.late_minutes = \"soon\" ($STORYLINE_TEAM_LATE_MINUTES): it is text and must be a whole number without quotes\n  hint: write `late_minutes = 60`"
    );
}

#[test]
fn problems_of_the_file_and_of_its_values_are_told_together() {
    let problems = Site::new().load(
        "[team]\nx = 1\nposts_per_day = 0\n[telegram]\ntoken_file = \"/none/t\"\n",
        &[],
    );
    let keys: Vec<_> = problems.unwrap_err().0.into_iter().map(|p| p.key).collect();
    assert_eq!(
        keys,
        ["team.x", "team.posts_per_day", "telegram.token_file"]
    );
}

#[test]
fn a_token_comes_from_variable_file_credential_or_configuration_in_this_order() {
    let site = Site::new();
    let by_variable = site.file("v", "1:variable-file\n");
    let by_file = site.file("f", "1:file\r\n");
    let credential = site.file("telegram_token", "1:credential\n");
    let directory = site.0.path().to_str().unwrap();
    let text = format!("telegram.token_file = {by_file:?}");
    let all = [
        ("STORYLINE_TELEGRAM_TOKEN", "1:variable"),
        (
            "STORYLINE_TELEGRAM_TOKEN_FILE",
            by_variable.to_str().unwrap(),
        ),
        (CREDENTIALS, directory),
    ];
    for (used, expected, origin) in [
        (&all[..], "1:variable", Origin::Variable(all[0].0.into())),
        (
            &all[1..],
            "1:variable-file",
            Origin::SecretFile(by_variable.clone()),
        ),
        (&all[2..], "1:credential", Origin::Credential(credential)),
        (&[], "1:file", Origin::SecretFile(by_file)),
    ] {
        let loaded = site.load(&text, used).unwrap();
        assert_eq!(token(&loaded), Some(expected));
        assert_eq!(loaded.origins[TOKEN], origin);
        assert_eq!(loaded.warnings, []);
    }
    let loaded = site
        .load("telegram.token = \"1:here\"", &all[1..2])
        .unwrap();
    assert_eq!(token(&loaded), Some("1:variable-file"));
    let loaded = site.load("telegram.token = \"1:here\"", &[]).unwrap();
    assert_eq!(token(&loaded), Some("1:here"));
}

#[test]
fn an_empty_token_is_none_wherever_it_stands() {
    let site = Site::new();
    let empty = site.file("telegram.token", "\n");
    for text in [
        "telegram.token = \"\"".to_owned(),
        format!("telegram.token = \"\"\ntelegram.token_file = {empty:?}"),
    ] {
        let variables = [
            ("STORYLINE_TELEGRAM_TOKEN", ""),
            (CREDENTIALS, site.0.path().to_str().unwrap()),
        ];
        assert_eq!(token(&site.load(&text, &variables).unwrap()), None);
    }
}

#[test]
fn a_token_beside_a_token_file_is_refused() {
    let text = "telegram.token = \"1:canary\"\ntelegram.token_file = \"/none\"";
    let told = Site::new().load(text, &[]).unwrap_err().to_string();
    assert!(
        told.contains("both `token` and `token_file` are set"),
        "{told}"
    );
    assert!(!told.contains("canary"));
}

#[test]
fn a_secret_that_others_can_read_is_warned_of() {
    let site = Site::new();
    let file = site.file("t", "1:canary");
    Site::mode(&file, 0o644);
    let loaded = site
        .load(&format!("telegram.token_file = {file:?}"), &[])
        .unwrap();
    assert!(
        loaded.warnings[0].remedy.starts_with("run `chmod o= "),
        "{:?}",
        loaded.warnings
    );

    let path = site.file("c.toml", "telegram.token = \"1:canary\"");
    Site::mode(&path, 0o640);
    let warnings = || {
        load(Some(&path), &Environment::default(), NOWHERE)
            .unwrap()
            .warnings
    };
    assert_eq!(warnings(), []);
    Site::mode(&path, 0o644);
    assert_eq!(warnings().len(), 1);
}

#[test]
fn a_command_of_roots_finds_the_secrets_of_the_house_where_systemd_takes_them_from() {
    let site = Site::new();
    let credential = site.file("storyline.telegram.token", "1:credential\n");
    let [settings, other] = ["own.toml", "other.toml"].map(|name| site.file(name, ""));
    let house = House {
        settings: settings.to_str().unwrap(),
        credentials: site.0.path().to_str().unwrap(),
    };
    let nothing = Environment::default();
    let loaded = load(None, &nothing, house).unwrap();
    assert_eq!(token(&loaded), Some("1:credential"));
    assert_eq!(
        loaded.origins[TOKEN],
        Origin::Credential(credential.clone())
    );
    let shown = serde_json::to_string(&loaded.show()).unwrap();
    assert!(shown.contains("set, from credential") && !shown.contains("1:credential"));

    // Settings of one's own are none of the house's, and a service has what it was handed.
    assert_eq!(token(&load(Some(&other), &nothing, house).unwrap()), None);
    let handed = Environment::from_iter([(CREDENTIALS, "/none")]);
    assert_eq!(token(&load(None, &handed, house).unwrap()), None);
    let variable = Environment::from_iter([("STORYLINE_TELEGRAM_TOKEN", "1:variable")]);
    let loaded = load(None, &variable, house).unwrap();
    assert_eq!(token(&loaded), Some("1:variable"));
    std::fs::remove_file(credential).unwrap();
    assert_eq!(token(&load(None, &nothing, house).unwrap()), None);
}

#[cfg(feature = "postgres")]
#[test]
fn the_database_may_be_a_credential() {
    let site = Site::new();
    site.file("database.url", "postgres://team:canary@db/stories\n");
    let loaded = site
        .load(
            "database.url = \"sqlite:/x.db\"",
            &[(CREDENTIALS, site.0.path().to_str().unwrap())],
        )
        .unwrap();
    assert_eq!(
        loaded.config.database.url.to_string(),
        "postgres://team:***@db/stories"
    );
}

#[test]
fn a_token_is_in_nothing_that_is_told_whatever_way_it_came() {
    let canary = format!("123456789:canary{}", "x".repeat(30));
    let site = Site::new();
    let file = site.file("token", &canary);
    let odd = site.file("odd", "canary without a colon");
    let told = |text: &str, variables: &[(&str, &str)]| match site.load(text, variables) {
        Ok(loaded) => {
            let shown = serde_json::to_string(&loaded.show()).unwrap();
            let warnings = Problems(loaded.warnings.clone());
            assert!(loaded.config.telegram.token.is_some());
            format!("{loaded:?}\n{shown}\n{warnings}")
        }
        Err(problems) => format!("{problems}\n{problems:?}"),
    };
    let in_file = format!("telegram.token = {canary:?}\n");
    let named = format!("telegram.token_file = {file:?}\n");
    for text in [
        in_file.clone(),
        named,
        format!("telegram.token_file = {odd:?}"),
        format!("{in_file}team.posts_per_day = 0"),
        format!("{in_file}telegram.token_file = {file:?}"),
        format!("telegram.tokn = {canary:?}"),
        format!("[telegram]\ntoken = {canary}\n"),
        format!("[telegram]\ntoken = \"{canary}\n"),
        format!("[telegram]\n\"{canary}\" = 3\n"),
        format!("[telegram]\ntoken = [{canary:?}]\n"),
        "telegram.token = \"canary\"".to_owned(),
    ] {
        let told = told(&text, &[]);
        assert!(!told.contains("canary"), "{told}");
    }
    for name in [
        "STORYLINE_TELEGRAM_TOKEN",
        "STORYLINE_TELEGRAM_CHAT",
        "STORYLINE_TELEGRAM_TOKEN_FILE",
    ] {
        let told = told("", &[(name, &canary)]);
        assert!(!told.contains("canary"), "{told}");
    }
}

#[test]
fn the_secret_of_the_webhook_may_be_a_credential_too() {
    let site = Site::new();
    site.file("telegram.webhook_secret", "canary\n");
    let directory = site.0.path().display().to_string();
    let loaded = site
        .load(
            "telegram.webhook_url = \"https://example.com/telegram\"",
            &[(CREDENTIALS, &directory)],
        )
        .unwrap();
    let webhook = loaded.config.telegram.webhook().unwrap();
    assert_eq!(webhook.secret.expose_secret(), "canary");
    assert!(!format!("{loaded:?} {:?}", loaded.show()).contains("canary"));
}
