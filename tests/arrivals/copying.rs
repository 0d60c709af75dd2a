//! The tools that copy: each brings a new file, and then another over it.

use std::fs;
use std::path::Path;

use crate::pictures::{KINDS, LARGE, Picture, SMALL};
use crate::site::Site;
use crate::tools::{self, Ssh, need};

/// A way to bring `$new` to `$to`. `$at` is the folder of `$to`, `$from` that of `$new`, `$name` the name of both.
type Means = (&'static str, &'static str);

const COPYING: &[Means] = &[
    ("cp", r#"cp "$new" "$to""#),
    (
        "cp -p, years old",
        r#"touch -d 2020-01-01 "$new"; cp -p "$new" "$to""#,
    ),
    ("cp -a", r#"cp -a "$new" "$to""#),
    (
        "cp --remove-destination",
        r#"cp --remove-destination "$new" "$to""#,
    ),
    ("cat", r#"cat "$new" > "$to""#),
    ("dd", r#"dd if="$new" of="$to" bs=10k status=none"#),
    ("install", r#"install -m 644 "$new" "$to""#),
    ("install -p", r#"install -p -m 600 "$new" "$to""#),
    ("mv", r#"mv "$new" "$to""#),
    (
        "mv from another disk",
        r#"cp "$new" "$other/$name"; mv "$other/$name" "$to""#,
    ),
    (
        "cp from another disk",
        r#"cp "$new" "$other/$name"; cp "$other/$name" "$to"; rm "$other/$name""#,
    ),
    (
        "cp and mv",
        r#"cp "$new" "$at/.$name.new"; mv "$at/.$name.new" "$to""#,
    ),
    (
        "cp to .part and mv",
        r#"cp "$new" "$to.part"; mv "$to.part" "$to""#,
    ),
    ("ln", r#"ln -f "$new" "$to""#),
    (
        "cp and touch",
        r#"cp "$new" "$to"; touch "$to"; chmod 640 "$to""#,
    ),
    ("tee", r#"tee "$to" < "$new" > /dev/null"#),
];

const PACKED: &[Means] = &[
    (
        "tar x",
        r#"tar -C "$from" -cf "$new.tar" "$name"; tar -C "$at" -xf "$new.tar""#,
    ),
    (
        "tar x from a pipe",
        r#"tar -C "$from" -c "$name" | tar -C "$at" -x"#,
    ),
    (
        "tar xz",
        r#"tar -C "$from" -czf "$new.tgz" "$name"; tar -C "$at" -xzf "$new.tgz""#,
    ),
    (
        "unzip",
        r#"(cd "$from"; zip -q "$new.zip" "$name"); unzip -qo "$new.zip" -d "$at""#,
    ),
    ("curl of a file", r#"curl -sS -o "$to" "file://$new""#),
    ("curl", r#"curl -sS -o "$to" "$web/$name""#),
];

const SYNCHRONISING: &[Means] = &[
    ("rsync -a", r#"rsync -a "$new" "$to""#),
    (
        "rsync --inplace",
        r#"rsync --inplace --no-whole-file "$new" "$to""#,
    ),
    (
        "rsync --delay-updates",
        r#"rsync -a --delay-updates "$from/" "$at/""#,
    ),
    (
        "rsync --temp-dir",
        r#"rsync -a --temp-dir="$other" "$new" "$to""#,
    ),
    ("rsync, slowly", r#"rsync -a --bwlimit=4000 "$new" "$to""#),
    ("rclone copyto", r#"rclone copyto "$new" "$to""#),
    ("rclone copy", r#"rclone copy --ignore-times "$from" "$at""#),
];

const REMOTE: &[Means] = &[
    ("scp", r#"scp -q -F "$ssh" "$new" "box:$to""#),
    ("scp -p", r#"scp -q -p -F "$ssh" "$new" "box:$to""#),
    ("scp -O", r#"scp -q -O -F "$ssh" "$new" "box:$to""#),
    (
        "sftp put",
        r#"echo "put \"$new\" \"$to\"" | sftp -q -F "$ssh" -b - box"#,
    ),
    (
        "sftp put -p",
        r#"echo "put -p \"$new\" \"$to\"" | sftp -q -F "$ssh" -b - box"#,
    ),
    (
        "sftp put and rename",
        r#"printf '%s\n' "put \"$new\" \"$to.filepart\"" "rename \"$to.filepart\" \"$to\"" | sftp -q -F "$ssh" -b - box"#,
    ),
    (
        "sftp put, slowly",
        r#"echo "put \"$new\" \"$to\"" | sftp -q -l 16000 -F "$ssh" -b - box"#,
    ),
    (
        "rsync over ssh",
        r#"rsync -a -e "ssh -F $ssh" "$new" "box:$to""#,
    ),
    (
        "rclone over sftp",
        r#"rclone copyto "$new" ":sftp,host=127.0.0.1,port=$port,user=$(id -un),key_file=\"$key\",shell_type=unix:$to""#,
    ),
];

/// Brings a picture by each of the means to a new place, and then another to the same.
#[track_caller]
fn brought_by(means: &[Means], ssh: Option<&Ssh>) {
    let site = Site::open();
    // Another file system: a move to it, and from it, is a copy.
    let other = tempfile::tempdir_in("/dev/shm").unwrap();
    let web = tools::serve_slowly(&site.outside(""));
    let client = ssh.map(Ssh::client).unwrap_or_default();
    let key = ssh.map(Ssh::key).unwrap_or_default();
    let port = ssh.map_or(0, |ssh| ssh.port).to_string();
    for (number, (what, line)) in means.iter().enumerate() {
        for weight in [SMALL, LARGE] {
            let picture = Picture::new(KINDS[number % KINDS.len()], weight);
            let category = what.replace([' ', ',', '-', '.'], "");
            let name = format!("{category}.{}", picture.ending);
            let path = format!("{category}/{name}");
            site.folder(&category);
            let from = site.outside(&category);
            fs::create_dir_all(&from).unwrap();
            let new = from.join(&name);
            // Anew and not through a link that the last round left: of such a write nobody tells.
            let _ = fs::remove_file(&new);
            fs::write(&new, &picture.bytes).unwrap();
            let to = site.path(&path);
            // The web server serves one folder, without those in it.
            fs::write(site.outside(&name), &picture.bytes).unwrap();
            tools::run(
                line,
                &[
                    ("new", &new),
                    ("from", &from),
                    ("to", &to),
                    ("at", to.parent().unwrap()),
                    ("name", Path::new(&name)),
                    ("other", other.path()),
                    ("web", Path::new(&web)),
                    ("ssh", &client),
                    ("key", &key),
                    ("port", Path::new(&port)),
                    ("HOME", &site.outside("")),
                ],
            );
            site.arrives(&path, &picture);
        }
    }
    site.close();
}

#[test]
fn whatever_copies_a_file_brings_it_whole_and_over_another() {
    brought_by(COPYING, None);
}

#[test]
fn what_comes_out_of_an_archive_or_from_the_web_is_found() {
    need(&["tar", "unzip", "zip", "curl"]);
    brought_by(PACKED, None);
}

#[test]
fn what_a_synchronising_tool_brings_is_found() {
    need(&["rsync", "rclone"]);
    brought_by(SYNCHRONISING, None);
}

#[test]
fn what_comes_over_ssh_is_found() {
    need(&["rsync", "rclone"]);
    brought_by(REMOTE, Some(&Ssh::start()));
}

#[test]
fn a_tree_is_found_however_it_is_brought() {
    need(&["tar", "unzip", "zip", "rsync", "rclone"]);
    let site = Site::open();
    let ssh = Ssh::start();
    let means: &[Means] = &[
        ("cpr", r#"cp -r "$tree" "$to""#),
        ("cpa", r#"cp -a "$tree" "$to""#),
        (
            "mv",
            r#"cp -r "$tree" "$tree.moved"; mv "$tree.moved" "$to""#,
        ),
        (
            "tar",
            r#"mkdir "$to"; tar -C "$tree" -c . | tar -C "$to" -x"#,
        ),
        (
            "unzip",
            r#"(cd "$tree"; zip -qr "$tree.zip" .); unzip -q "$tree.zip" -d "$to""#,
        ),
        ("rsync", r#"rsync -a "$tree/" "$to/""#),
        ("rclone", r#"rclone copy "$tree" "$to""#),
        ("scp", r#"scp -q -r -F "$ssh" "$tree" "box:$to""#),
        (
            "sftp",
            r#"printf '%s\n' "mkdir \"$to\"" "put -r \"$tree/.\" \"$to\"" | sftp -q -F "$ssh" -b - box"#,
        ),
    ];
    for (name, line) in means {
        let tree = site.outside(name);
        let mut pictures = Vec::new();
        for (number, kind) in KINDS.iter().enumerate() {
            let picture = Picture::new(*kind, SMALL);
            let path = format!("{number}/deep/er/{number}.{}", picture.ending);
            fs::create_dir_all(tree.join(&path).parent().unwrap()).unwrap();
            fs::write(tree.join(&path), &picture.bytes).unwrap();
            pictures.push((path, picture));
        }
        let words = [
            ("tree", tree.as_path()),
            ("to", &site.path(name)),
            ("ssh", &ssh.client()),
            ("HOME", &site.outside("")),
        ];
        tools::run(line, &words);
        for (path, picture) in &pictures {
            site.arrives(&format!("{name}/{path}"), picture);
        }
    }
    site.close();
}
