//! Files that somebody named: settings, a token, a key, a backup. Whoever names one may name a link; but root follows none in
//! a folder that others may write, nothing waits for a pipe that nobody writes into, no device is read, and what is small is read no further than it may be
//! long.

use std::fs::File;
use std::io::{self, ErrorKind, Read};
use std::path::Path;

use super::owner::may_be_anothers;
use rustix::fs::{CWD, FileType, Mode, OFlags, fcntl_setfl, fstat, fstatfs, openat};
use rustix::io::Errno;

/// What a shell's own pipe lies on, as `<(…)` makes one (`PIPEFS_MAGIC` in Linux' `magic.h`).
const PIPES: i64 = 0x5049_5045;

/// Opens a file for reading, or the pipe of a shell's `<(…)`, which has somebody at its other end.
///
/// # Errors
/// If it is not there or may not be read; of the kind [`InvalidInput`](ErrorKind::InvalidInput) if it is something else.
pub fn open_named(path: &Path) -> io::Result<File> {
    let mut flags = OFlags::RDONLY | OFlags::NONBLOCK | OFlags::NOCTTY | OFlags::CLOEXEC;
    // Root named the path, and not what another put there since.
    flags.set(OFlags::NOFOLLOW, may_be_anothers(path));
    let opened = openat(CWD, path, flags, Mode::empty()).map_err(|error| match error {
        Errno::LOOP => no_file("a link, in a folder that others may write,"),
        error => error.into(),
    })?;
    match FileType::from_raw_mode(fstat(&opened)?.st_mode) {
        FileType::RegularFile => {}
        FileType::Fifo if fstatfs(&opened)?.f_type as i64 == PIPES => {
            fcntl_setfl(&opened, OFlags::empty())?;
        }
        FileType::Directory => return Err(no_file("a folder")),
        _ => return Err(no_file("a pipe or a device")),
    }
    Ok(opened.into())
}

fn no_file(what: &str) -> io::Error {
    io::Error::new(
        ErrorKind::InvalidInput,
        format!("it is {what}, and no file"),
    )
}

/// The text of a file that is no longer than `most_bytes`.
///
/// # Errors
/// Those of [`open_named`]; and if it is longer, or no UTF-8.
pub fn text_of(path: &Path, most_bytes: u64) -> io::Result<String> {
    let mut text = String::new();
    // One more than it may have, so that one that is too long is known from one that is just as long.
    let read = open_named(path)?
        .take(most_bytes + 1)
        .read_to_string(&mut text);
    if text.len() as u64 > most_bytes {
        let told = format!("it is longer than {} kB", most_bytes / 1000);
        return Err(io::Error::new(ErrorKind::InvalidData, told));
    }
    read.map(|_| text)
}

#[cfg(test)]
mod tests {
    use std::os::unix::net::UnixListener;
    use std::process::Command;

    use super::*;

    #[test]
    fn a_file_is_read_and_nothing_else_holds_anybody_up() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        std::fs::write(at("file"), "text").unwrap();
        std::os::unix::fs::symlink(at("file"), at("link")).unwrap();
        assert_eq!(text_of(&at("file"), 4).unwrap(), "text");
        assert_eq!(text_of(&at("link"), 4).unwrap(), "text");
        let longer = text_of(&at("file"), 3).unwrap_err();
        assert!(longer.to_string().contains("longer"), "{longer}");

        assert!(
            Command::new("mkfifo")
                .arg(at("pipe"))
                .status()
                .unwrap()
                .success()
        );
        let _socket = UnixListener::bind(at("socket")).unwrap();
        // A hole of a terabyte, which takes no space.
        File::create(at("giant")).unwrap().set_len(1 << 40).unwrap();
        for path in [
            at("pipe"),
            at("socket"),
            at("giant"),
            at("none"),
            folder.path().into(),
            "/dev/zero".into(),
            "/dev/tty".into(),
        ] {
            text_of(&path, 1000).unwrap_err();
        }
    }

    #[test]
    fn the_pipe_of_a_shell_is_read_to_its_end() {
        let (reader, mut writer) = io::pipe().unwrap();
        let writing = std::thread::spawn(move || io::Write::write_all(&mut writer, b"late"));
        let path = format!("/proc/self/fd/{}", std::os::fd::AsRawFd::as_raw_fd(&reader));
        assert_eq!(text_of(Path::new(&path), 100).unwrap(), "late");
        writing.join().unwrap().unwrap();
    }
}
