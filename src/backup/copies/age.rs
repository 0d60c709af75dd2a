//! Encrypts by `age`, a program of the system's own: its format is known, and opened anywhere. Whatever is told here of it holds
//! no private key.

use std::ffi::OsStr;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{Output, Stdio};
use std::time::Duration;

use secrecy::SecretString;
use tokio::process::Command;
use tokio::time::timeout;

use crate::system::secret::redact;

const AGE: &str = "age";
const KEYGEN: &str = "age-keygen";

/// How long it may take: it encrypts several megabytes in a second on the smallest of boxes.
pub const PATIENCE: Duration = Duration::from_secs(600);

/// Why nothing was encrypted or decrypted.
#[derive(Debug, thiserror::Error)]
pub enum AgeError {
    /// It is not there.
    #[error("the program `{0}` is not installed; `apt install age` installs it")]
    Missing(&'static str),
    /// It says so itself, or cannot be run.
    #[error("`{program}` failed: {why}")]
    Failed {
        /// Which.
        program: &'static str,
        /// What it says.
        why: String,
    },
    /// The file with the private key is none.
    #[error("the key `{}` cannot be read: {why}", path.display())]
    Key {
        /// Which.
        path: PathBuf,
        /// Why not.
        why: String,
    },
    /// It did not come to an end.
    #[error("`{0}` did not end within {minutes} minutes", minutes = PATIENCE.as_secs() / 60)]
    Endless(&'static str),
}

/// A new key, of two halves.
pub struct Pair {
    /// What is encrypted for.
    pub public: String,
    /// What opens it.
    pub private: SecretString,
}

/// Whether copies can be encrypted on this machine.
pub async fn is_installed() -> bool {
    let asked = run(AGE, ["--version"], Stdio::null(), Stdio::null());
    !matches!(asked.await, Err(AgeError::Missing(_)))
}

/// Makes a key.
///
/// # Errors
/// If `age-keygen` is not there, or fails.
pub async fn make_pair() -> Result<Pair, AgeError> {
    let none: [&str; 0] = [];
    let output = run(KEYGEN, none, Stdio::null(), Stdio::piped()).await?;
    let told = String::from_utf8_lossy(&output.stdout);
    let public = told
        .lines()
        .find_map(|line| line.strip_prefix("# public key: "));
    let private = told
        .lines()
        .find(|line| line.starts_with("AGE-SECRET-KEY-"));
    match (public, private) {
        (Some(public), Some(private)) => Ok(Pair {
            public: public.trim().to_owned(),
            private: private.trim().into(),
        }),
        _ => Err(AgeError::Failed {
            program: KEYGEN,
            why: "it told no key".to_owned(),
        }),
    }
}

/// Encrypts one file into another. It ends with whoever waits for it.
pub(super) async fn encrypt(recipients: &[String], from: File, into: File) -> Result<(), AgeError> {
    let arguments = recipients.iter().flat_map(|one| ["--recipient", one]);
    let arguments = ["--encrypt"].into_iter().chain(arguments);
    run(AGE, arguments, from.into(), into.into())
        .await
        .map(drop)
}

/// Decrypts one file into another, with the private key in a file; `-` has it read from stdin.
pub(super) async fn decrypt(key: &Path, from: &Path, into: File) -> Result<(), AgeError> {
    let arguments = [
        OsStr::new("--decrypt"),
        OsStr::new("--identity"),
        key.as_os_str(),
        OsStr::new("--"),
        from.as_os_str(),
    ];
    run(AGE, arguments, Stdio::inherit(), into.into())
        .await
        .map(drop)
}

async fn run<A: AsRef<OsStr>>(
    program: &'static str,
    arguments: impl IntoIterator<Item = A>,
    stdin: Stdio,
    stdout: Stdio,
) -> Result<Output, AgeError> {
    let failed = |why: String| AgeError::Failed { program, why };
    let child = Command::new(program)
        .args(arguments)
        .stdin(stdin)
        .stdout(stdout)
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .map_err(|error| match error.kind() {
            std::io::ErrorKind::NotFound => AgeError::Missing(program),
            _ => failed(error.to_string()),
        })?;
    let output = timeout(PATIENCE, child.wait_with_output())
        .await
        .map_err(|_| AgeError::Endless(program))?
        .map_err(|error| failed(error.to_string()))?;
    match output.status.success() {
        true => Ok(output),
        false => Err(failed(said(&output))),
    }
}

/// The reason in what it says; warnings may stand before it.
fn said(output: &Output) -> String {
    let said = String::from_utf8_lossy(&output.stderr);
    let reason = said
        .lines()
        .find_map(|line| Some(line.split_once("error: ")?.1))
        .or_else(|| said.lines().next())
        .unwrap_or("it does not say why");
    redact(reason.trim(), &[])
}
