//! The README is true: its commands run, and its settings are settings.

#![expect(clippy::unwrap_used, reason = "a test fails by it")]

use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

use storyline::config::{Config, Environment};
use storyline::domain::person::{PersonId, Role};

fn readme() -> String {
    std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("README.md")).unwrap()
}

/// The text of every fenced block of a kind, without its indentation.
fn blocks(kind: &str) -> Vec<String> {
    let text = readme();
    let mut blocks = Vec::new();
    let mut lines = text.lines();
    while let Some(line) = lines.next() {
        if line.trim() == format!("```{kind}") {
            let block: Vec<&str> = lines
                .by_ref()
                .take_while(|line| line.trim() != "```")
                .map(str::trim_start)
                .collect();
            blocks.push(block.join("\n"));
        }
    }
    assert!(!blocks.is_empty(), "the README has no {kind}");
    blocks
}

#[test]
fn its_settings_are_accepted() {
    let folder = tempfile::tempdir().unwrap();
    let token = folder.path().join("token");
    std::fs::write(&token, "12345678:a-token-of-the-right-shape-and-length").unwrap();
    for (number, block) in blocks("toml").into_iter().enumerate() {
        let file = folder.path().join(format!("{number}.toml"));
        let block = block.replace("/etc/storyline/token", &token.display().to_string());
        std::fs::write(&file, block).unwrap();
        let loaded = Config::load(Some(&file), &Environment::default()).unwrap();
        // The first is a whole file, the others are parts of one.
        let chat = (number == 0).then_some(-1_001_234_567_890);
        assert_eq!(loaded.config.team.chat, chat);
    }
}

#[tokio::test]
async fn its_commands_run() {
    let folder = tempfile::tempdir().unwrap();
    let library = folder.path().join("library");
    for (path, shade) in [
        ("memes/cat.jpg", 1),
        ("memes/dog.jpg", 90),
        ("merch/tee.jpg", 180),
    ] {
        let path = library.join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        image::RgbImage::from_pixel(540, 960, image::Rgb([shade, 2, 3]))
            .save(path)
            .unwrap();
    }
    let config = folder.path().join("storyline.toml");
    let root = folder.path().display();
    // No service of Telegram's is there to be asked; what needs one is told so.
    let text = format!(
        "[library]\npath = \"{root}/library\"\ncache = \"{root}/cache\"\n[database]\nurl = \"sqlite:{root}/storyline.db\"\n\
         [telegram]\ntoken = \"12345678:a-token-of-the-right-shape-and-length\"\nchat = -100\napi_url = \"http://127.0.0.1:9\"\n"
    );
    std::fs::write(&config, text).unwrap();
    let run = |words: &[String]| -> Output {
        Command::new(env!("CARGO_BIN_EXE_storyline"))
            .args(words)
            .current_dir(folder.path())
            .env("STORYLINE_CONFIG", &config)
            // What a command writes beside itself goes with the folder.
            .current_dir(folder.path())
            .stdin(Stdio::null())
            .output()
            .unwrap()
    };
    let mut service = Command::new(env!("CARGO_BIN_EXE_storyline"))
        .arg("serve")
        .env("STORYLINE_CONFIG", &config)
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let deadline = Instant::now() + Duration::from_secs(30);
    let words = |line: &str| -> Vec<String> { line.split(' ').map(str::to_owned).collect() };
    while run(&words("queue list --json"))
        .stdout
        .iter()
        .filter(|byte| **byte == b'{')
        .count()
        < 3
    {
        assert!(Instant::now() < deadline, "nothing was planned");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    // Ann has pressed a button before.
    let loaded = Config::load(Some(&config), &Environment::default())
        .unwrap()
        .config;
    let flow = storyline::appliance::open_teams(&loaded, jiff::Timestamp::now())
        .await
        .unwrap()
        .own()
        .clone();
    let ann = (PersonId(11), "Ann".to_owned(), Some("ann".to_owned()));
    flow.meet(ann.0, ann.1, ann.2, Role::Member, jiff::Timestamp::now())
        .await
        .unwrap();

    for line in blocks("console").iter().flat_map(|block| block.lines()) {
        let command = line
            .strip_prefix("$ storyline ")
            .unwrap_or_else(|| panic!("`{line}` is no command"));
        let mut quoted = command.split('"');
        let mut arguments = Vec::new();
        while let Some(plain) = quoted.next() {
            arguments.extend(plain.split_whitespace().map(str::to_owned));
            arguments.extend(quoted.next().map(str::to_owned));
        }
        let output = run(&arguments);
        let said = String::from_utf8_lossy(&output.stderr);
        // The doctor finds that Telegram is out of reach; that is what it is for.
        let allowed = if command == "check" { [0, 1] } else { [0, 0] };
        assert!(
            allowed.contains(&output.status.code().unwrap_or(-1)),
            "`{line}`: {said}"
        );
    }
    service.kill().unwrap();
    service.wait().unwrap();
}

#[test]
fn it_names_every_command() {
    let output = Command::new(env!("CARGO_BIN_EXE_storyline"))
        .arg("--help")
        .output()
        .unwrap();
    let help = String::from_utf8(output.stdout).unwrap();
    let commands = help
        .split("Commands:")
        .nth(1)
        .unwrap()
        .split("Options:")
        .next()
        .unwrap();
    let text = readme();
    for command in commands
        .lines()
        .filter(|line| line.starts_with("  ") && !line.starts_with("   "))
    {
        let name = command.split_whitespace().next().unwrap();
        assert!(
            name == "help"
                || text.contains(&format!("storyline {name}"))
                || text.contains(&format!(" {name}`")),
            "`{name}`"
        );
    }
}
