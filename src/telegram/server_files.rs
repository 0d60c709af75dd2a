//! Files that people sent, as a server of the Bot API on this machine keeps them (`telegram-bot-api --local`): it tells where a
//! file lies on the disk, of any size, in place of a path to be asked for by HTTP
//! (<https://core.telegram.org/bots/api#using-a-local-bot-api-server>).

use std::fs::File;
use std::io::{self, ErrorKind, Read};
use std::path::{Path, PathBuf};

use crate::flow::outlet::Trouble;
use crate::system::background::background;
use crate::system::beneath::Folder;

/// Whether a path that `getFile` told is one on the server's disk.
pub(super) fn is_on_disk(path: &str) -> bool {
    path.starts_with('/')
}

/// Copies a file of the server's folder, of at most so many bytes, into this one. No error tells the path: it holds the token.
///
/// # Errors
/// The trouble, by what to do next.
pub(super) async fn copy(
    folder: Option<PathBuf>,
    path: String,
    most_bytes: u64,
    into: File,
) -> Result<(), Trouble> {
    let Some(folder) = folder else {
        return Err(Trouble::Owner(
            "the server of the Bot API keeps files on its own disk (`--local`); set `[telegram] api_files` to its folder"
                .to_owned(),
        ));
    };
    let copying = background(move || copied(&folder, Path::new(&path), most_bytes, into));
    let done = copying.await;
    done.unwrap_or_else(|error| Err(Trouble::Unreachable(error.to_string())))
}

fn copied(root: &Path, path: &Path, most_bytes: u64, mut into: File) -> Result<(), Trouble> {
    let told = root.display();
    let Ok(beneath) = path.strip_prefix(root) else {
        return Err(Trouble::Owner(format!(
            "the server of the Bot API keeps its files elsewhere than in `{told}`; correct `[telegram] api_files`"
        )));
    };
    let opened = Folder::root(root).and_then(|folder| folder.open_file(beneath));
    let file = opened.map_err(|error| match error.kind() {
        ErrorKind::PermissionDenied => Trouble::Owner(format!(
            "the service's user may not read the files in `{told}`; add it to the group that they belong to"
        )),
        _ => Trouble::Unreachable(format!("the file of the Bot API's server in `{told}`: {error}")),
    })?;
    let kept = |error: io::Error| {
        Trouble::Unreachable(format!("it cannot be written into the library: {error}"))
    };
    let length = io::copy(&mut file.take(most_bytes.saturating_add(1)), &mut into).map_err(kept)?;
    if length > most_bytes {
        return Err(Trouble::Never("it is longer than Telegram said".to_owned()));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    const TOKEN: &str = "123456:canary";

    /// A server's folder with the file `photos/a.jpg` of three bytes.
    fn server() -> (tempfile::TempDir, PathBuf) {
        let place = tempfile::tempdir().unwrap();
        let folder = place.path().join("api");
        std::fs::create_dir_all(folder.join(TOKEN).join("photos")).unwrap();
        std::fs::write(folder.join(TOKEN).join("photos/a.jpg"), "abc").unwrap();
        std::fs::write(place.path().join("secret"), "secret").unwrap();
        (place, folder)
    }

    async fn fetched(folder: &Path, path: &Path, most_bytes: u64) -> Result<String, Trouble> {
        let into = tempfile::NamedTempFile::new().unwrap();
        let (folder, path) = (folder.to_owned(), path.display().to_string());
        assert!(is_on_disk(&path));
        copy(Some(folder), path, most_bytes, into.reopen().unwrap()).await?;
        Ok(std::fs::read_to_string(into.path()).unwrap())
    }

    #[tokio::test]
    async fn a_file_is_read_beneath_the_servers_folder_and_through_no_link() {
        let (place, folder) = server();
        let own = folder.join(TOKEN);
        let picture = own.join("photos/a.jpg");
        assert_eq!(fetched(&folder, &picture, 3).await, Ok("abc".to_owned()));
        let longer = fetched(&folder, &picture, 2).await;
        assert!(matches!(longer, Err(Trouble::Never(_))), "{longer:?}");

        symlink(place.path().join("secret"), own.join("link.jpg")).unwrap();
        symlink(place.path(), own.join("folder")).unwrap();
        for path in [
            own.join("link.jpg"),
            own.join("folder/secret"),
            own.join("../../secret"),
            own.join("photos"),
            own.join("nothing"),
            place.path().join("secret"),
        ] {
            let trouble = fetched(&folder, &path, 100).await.unwrap_err();
            assert!(!trouble.reason().contains("canary"), "{trouble:?}");
        }
    }

    #[tokio::test]
    async fn without_the_setting_the_owner_is_told_of_it() {
        let into = tempfile::tempfile().unwrap();
        let trouble = copy(None, format!("/x/{TOKEN}/a.jpg"), 3, into)
            .await
            .unwrap_err();
        let reason = trouble.reason();
        assert!(
            reason.contains("`[telegram] api_files`") && !reason.contains("canary"),
            "{reason}"
        );
    }
}
