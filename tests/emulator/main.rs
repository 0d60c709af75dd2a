//! The main job, by the real program, against an emulator of Telegram that others wrote: telemelya, which only calls bots by
//! their webhook. Our own stand-in could share a misunderstanding with us; this one cannot. It wants `redis-server`, and
//! what `packaging/emulator` fetches. It does not know `editMessageMedia`, so stories are not announced here.

#![expect(clippy::unwrap_used, reason = "a test fails by it")]

#[path = "../support/address.rs"]
mod address;
mod front;

use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::time::Instant;

use front::{Front, Shelf};

const TOKEN: &str = "7000000001:AApretend-token-for-tests-only_000000";
const SECRET: &str = "canary-of-the-webhook_0123456789";
/// The emulator knows private chats only, so the team is Ann.
const ANN: i64 = 7001;
const SOON: Duration = Duration::from_secs(60);
const PAUSE: Duration = Duration::from_millis(50);

/// A process that ends with its test.
struct Process(Child);

impl Process {
    /// What it says goes into `NAME.log` of the folder.
    fn start(command: &mut Command, folder: &Path, name: &str) -> Self {
        let log = File::create(folder.join(format!("{name}.log"))).unwrap();
        let command = command
            .current_dir(folder)
            .stdin(Stdio::null())
            .stdout(log.try_clone().unwrap())
            .stderr(log);
        let child = command.spawn();
        Self(child.unwrap_or_else(|why| panic!("`{name}` is missing or broken: {why}")))
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// The emulator, and what it needs.
struct Telemelya {
    front: Front,
    shelf: Shelf,
    url: String,
    http: reqwest::Client,
    folder: TempDir,
    _processes: [Process; 2],
}

impl Telemelya {
    async fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let socket = folder.path().join("redis.sock");
        let mut redis = Command::new("redis-server");
        redis.args(["--port", "0", "--save", "", "--unixsocket"]);
        redis.arg(&socket);
        let redis = Process::start(&mut redis, folder.path(), "redis-server");

        let code = code();
        assert!(
            code.join("telemelya").is_dir(),
            "the emulator is missing; `packaging/emulator {}` fetches it",
            code.display()
        );
        let shelf = Shelf::start().await;
        let address = address::free_address();
        let mut telemelya = Command::new("/usr/bin/python3");
        telemelya
            .args(["-B", "-m", "telemelya.server.app"])
            .env("PYTHONPATH", &code)
            .env("MOCK_SERVER_HOST", address.ip().to_string())
            .env("MOCK_SERVER_PORT", address.port().to_string())
            .env("REDIS_URL", format!("unix://{}", socket.display()))
            .env("MINIO_ENDPOINT", &shelf.address)
            .env("STRICT_EDIT", "true");
        let telemelya = Process::start(&mut telemelya, folder.path(), "telemelya");

        let url = format!("http://{address}");
        let emulator = Self {
            front: Front::start(&url).await,
            shelf,
            url,
            http: reqwest::Client::new(),
            folder,
            _processes: [redis, telemelya],
        };
        emulator
            .wait_for("the emulator is up", async || {
                let health = emulator.ask("health").await?;
                (health["ok"] == true).then_some(())
            })
            .await;
        emulator
    }

    async fn ask(&self, what: &str) -> Option<Value> {
        let url = format!("{}/api/v1/test/{what}", self.url);
        let answer = self.http.get(url).bearer_auth("any").send().await.ok()?;
        serde_json::from_slice(&answer.bytes().await.ok()?).ok()
    }

    /// Ann does something. It has had its effect when this returns.
    async fn ann(&self, deed: Value) {
        let mut update = json!({ "chat_id": ANN, "from_user": { "id": ANN, "first_name": "Ann" } });
        let deed = deed.as_object().unwrap().clone();
        update.as_object_mut().unwrap().extend(deed);
        let url = format!("{}/api/v1/test/send_update?bot_token={TOKEN}", self.url);
        let request = self.http.post(url).bearer_auth("any");
        let request = request.header("content-type", "application/json");
        let answer = request.body(update.to_string()).send().await.unwrap();
        let told: Value = serde_json::from_slice(&answer.bytes().await.unwrap()).unwrap();
        assert_eq!(told["delivery"]["status_code"], 200, "{told}");
    }

    /// Waits until the box has made such a call.
    async fn see(&self, method: &str, field: &str, text: &str) -> Value {
        self.wait_for(&format!("{method} with “{text}”"), async || {
            let calls = self.ask("responses").await?["responses"].take();
            let mut calls = calls.as_array()?.iter();
            let fits = |call: &&Value| {
                let said = call[field].as_str().unwrap_or_default();
                call["method"] == method && said.contains(text)
            };
            calls.rfind(fits).cloned()
        })
        .await
    }

    async fn wait_for<T>(&self, what: &str, fact: impl AsyncFn() -> Option<T>) -> T {
        let deadline = Instant::now() + SOON;
        loop {
            if let Some(found) = fact().await {
                return found;
            }
            if Instant::now() > deadline {
                panic!("waited in vain until {what}\n{}", self.logs().await);
            }
            tokio::time::sleep(PAUSE).await;
        }
    }

    async fn logs(&self) -> String {
        let mut text = format!("{:?}\n", self.ask("responses").await);
        for name in ["redis-server", "telemelya", "storyline"] {
            let log = std::fs::read_to_string(self.folder.path().join(format!("{name}.log")));
            text += &format!("── {name}\n{}\n", log.unwrap_or_default());
        }
        text
    }
}

/// The folder in which `packaging/emulator` has put everything: beside what is built.
fn code() -> PathBuf {
    let target = Path::new(env!("CARGO_TARGET_TMPDIR")).parent().unwrap();
    target.join("emulator")
}

/// The real program, with a config and a library of its own.
struct Site<'a> {
    telemelya: &'a Telemelya,
    config: PathBuf,
}

impl<'a> Site<'a> {
    fn furnish(telemelya: &'a Telemelya) -> Self {
        let root = telemelya.folder.path();
        std::fs::create_dir_all(root.join("library/merch")).unwrap();
        let text = format!(
            "[library]\npath = \"{root}/library\"\ncache = \"{root}/cache\"\n\
             [database]\nurl = \"sqlite:{root}/storyline.db\"\n\
             [telegram]\ntoken = \"{TOKEN}\"\nchat = {ANN}\nadmin_chat = {ANN}\nannounce = false\napi_url = \"{api}\"\n\
             webhook_url = \"http://{listen}/telegram\"\nwebhook_listen = \"{listen}\"\nwebhook_secret = \"{SECRET}\"\n\
             [team]\nposts_per_day = 1\nwindow_start = \"00:00\"\nwindow_end = \"00:00\"\n",
            root = root.display(),
            api = telemelya.front.url,
            listen = address::free_address(),
        );
        let config = root.join("storyline.toml");
        std::fs::write(&config, text).unwrap();
        Self { telemelya, config }
    }

    fn command(&self) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_storyline"));
        command.arg("--config").arg(&self.config);
        command
            .env_remove("NOTIFY_SOCKET")
            .env_remove("JOURNAL_STREAM");
        command
    }

    fn serve(&self) -> Process {
        let folder = self.telemelya.folder.path();
        Process::start(self.command().arg("serve"), folder, "storyline")
    }

    /// What the command line answers, as JSON.
    fn ask(&self, words: &[&str]) -> Value {
        let output = self.command().args(words).arg("--json").output().unwrap();
        assert!(
            output.status.success(),
            "{}",
            String::from_utf8_lossy(&output.stderr)
        );
        serde_json::from_slice(&output.stdout).unwrap()
    }

    fn drop_picture(&self, name: &str) {
        let picture = image::RgbImage::from_fn(1080, 1920, |x, y| {
            image::Rgb([(x / 90) as u8 * 20, (y / 160) as u8 * 20, 90])
        });
        let library = self.telemelya.folder.path().join("library/merch");
        picture.save(library.join(name)).unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_photo_is_shown_posted_and_history_with_an_emulator_that_others_wrote() {
    let telemelya = Telemelya::start().await;
    let storyline = Site::furnish(&telemelya);
    let mut daemon = storyline.serve();
    storyline.drop_picture("tee.jpg");
    telemelya
        .wait_for("a story is planned", async || {
            let queue = storyline.ask(&["queue", "list"]);
            (!queue.as_array()?.is_empty()).then_some(())
        })
        .await;
    telemelya
        .wait_for("the webhook is set", async || {
            let log = telemelya.folder.path().join("storyline.log");
            let log = std::fs::read_to_string(log).unwrap();
            log.contains("Telegram calls").then_some(())
        })
        .await;

    // Ann, who owns the box, wants the next story now.
    telemelya.ann(json!({ "command": "/next" })).await;
    let sent = telemelya.see("sendPhoto", "caption", "#1 · merch").await;
    let uploads = telemelya.shelf.uploads();
    let size = imagesize::blob_size(&uploads[0]).unwrap();
    assert_eq!((uploads.len(), size.width, size.height), (1, 1080, 1920));
    let first_row = &sent["reply_markup"]["inline_keyboard"][0];
    let labels: Vec<_> = first_row
        .as_array()
        .unwrap()
        .iter()
        .map(|b| &b["text"])
        .collect();
    assert_eq!(labels, ["✅ Posted", "⏭ Skip", "🚫 Reject"]);

    // She posts it, and says so.
    telemelya
        .ann(json!({
            "callback_data": first_row[0]["callback_data"],
            "callback_message_id": sent["message_id"],
        }))
        .await;
    let history = storyline.ask(&["history", "list"]);
    assert_eq!(history.as_array().unwrap().len(), 1, "{history}");
    assert_eq!(history[0]["outcome"], "posted");
    let answered = telemelya
        .see("answerCallbackQuery", "text", "Noted as posted")
        .await;
    assert_eq!(answered["show_alert"], false);
    let edited = telemelya
        .see("editMessageCaption", "caption", "Posted by Ann")
        .await;
    assert_eq!(edited["message_id"], sent["message_id"]);
    let labels = &edited["reply_markup"]["inline_keyboard"];
    assert_eq!(labels[0][0]["text"], "↩ Undo", "{labels}");

    telemelya.ann(json!({ "command": "/queue" })).await;
    telemelya.see("sendMessage", "text", "queue").await;

    assert_eq!(
        telemelya.front.unknown_methods(),
        ["getChat", "setMyCommands"]
    );
    let asked = Command::new("kill").arg(daemon.0.id().to_string()).status();
    assert!(asked.unwrap().success());
    assert!(
        daemon.0.wait().unwrap().success(),
        "{}",
        telemelya.logs().await
    );
    let log = std::fs::read_to_string(telemelya.folder.path().join("storyline.log")).unwrap();
    assert!(!log.contains(SECRET) && !log.contains(TOKEN), "{log}");
}
