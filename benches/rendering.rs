//! What rendering costs: `measure-rendering [--save FOLDER] PICTURE...`.
//!
//! For each picture the processor time (median of eleven) of examining it, and of rendering it as a story, a preview and a
//! thumbnail, and the most memory that the process ever had; so for that figure, hand it one picture. With `--save`, what was
//! rendered is written there, to be looked at. These are figures to look at and to compare side by side, not tests.

#![expect(clippy::print_stdout, reason = "a program that tells figures")]

use std::fs;
use std::path::{Path, PathBuf};

use storyline::domain::framing::{Color, Fit, Framing};
use storyline::domain::media::Examination;
use storyline::library::{Form, Original, examine, render};

const ROUNDS: usize = 11;
/// How often something is done at a time: the kernel may count in steps of some milliseconds.
const REPEATS: u64 = 5;

fn main() {
    let mut arguments = std::env::args().skip(1).peekable();
    let save = arguments
        .next_if_eq("--save")
        .and_then(|_| arguments.next())
        .map(PathBuf::from);
    for picture in arguments.map(PathBuf::from) {
        let folder = picture.parent().expect("a folder");
        let name = picture.file_name().and_then(|name| name.to_str());
        let original = Original::read(folder, name.expect("a name")).expect("a file");
        let megabytes = original.bytes().len() as f64 / 1e6;
        let (found, _) = examine(&original);
        let Examination::Sound {
            width_px,
            height_px,
            lookalike,
        } = found
        else {
            println!("{}: {found:?}", picture.display());
            continue;
        };
        let look = lookalike.map_or("without features".to_owned(), |look| look.to_string());
        println!(
            "{}: {width_px} × {height_px}, {megabytes:.1} MB, {look}",
            picture.display()
        );
        tell("examine", || examine(&original));
        for (name, form) in forms() {
            if let Some(folder) = &save {
                let rendered = render(&original, form).expect("a sound picture");
                let path = folder.join(saved_name(&picture, name));
                fs::write(path, rendered.jpeg).expect("room on the disk");
            }
            tell(name, || render(&original, form));
        }
        println!("  most memory so far: {:.0} MB", peak_bytes() as f64 / 1e6);
    }
}

fn forms() -> [(&'static str, Form); 5] {
    let story = |fit| {
        Form::Story(Framing {
            fit,
            color: Color::WHITE,
        })
    };
    [
        ("story-blur", story(Fit::Blur)),
        ("story-crop", story(Fit::Crop)),
        ("story-color", story(Fit::Color)),
        ("preview", Form::Preview),
        ("thumbnail", Form::Thumbnail),
    ]
}

fn saved_name(picture: &Path, form: &str) -> String {
    let name = picture.file_name().unwrap_or_default().to_string_lossy();
    format!("{name}.{form}.jpg")
}

/// Tells the processor time of this work, in milliseconds.
fn tell<T>(what: &str, work: impl Fn() -> T) {
    let mut times: Vec<u64> = (0..ROUNDS)
        .map(|_| {
            let before = processor_ns();
            for _ in 0..REPEATS {
                work();
            }
            (processor_ns() - before) / REPEATS
        })
        .collect();
    times.sort_unstable();
    println!("  {what}: {:.1} ms", times[ROUNDS / 2] as f64 / 1e6);
}

/// The processor time of this process so far, in nanoseconds.
fn processor_ns() -> u64 {
    let text = fs::read_to_string("/proc/self/schedstat").expect("Linux");
    let first = text.split_whitespace().next().expect("a number");
    first.parse().expect("a number")
}

/// The most memory that this process ever had, in bytes.
fn peak_bytes() -> u64 {
    let text = fs::read_to_string("/proc/self/status").expect("Linux");
    let line = text
        .lines()
        .find_map(|line| line.strip_prefix("VmHWM:"))
        .expect("a line");
    let kib: u64 = line
        .trim()
        .trim_end_matches(" kB")
        .parse()
        .expect("a number");
    kib * 1024
}
