//! The manual page, `storyline(1)`: made of the same words as `--help`. It is a file of the project, so that packaging runs
//! nothing; this holds it to the truth.

use clap::{Command, CommandFactory};
use clap_mangen::Man;
use clap_mangen::roff::{Inline, Roff, bold, roman};

use super::Cli;
use super::exit::HELP;

const PAGE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/packaging/storyline.1");
/// If set, the page is written anew.
const WRITE: &str = "STORYLINE_WRITE_MANUAL";

/// Where things are, and what they are.
const FILES: [(&str, &str); 6] = [
    (
        "/etc/storyline/storyline.toml",
        "The settings, each explained where it stands. `storyline config show` tells what is in force, and why.",
    ),
    (
        "/etc/credstore/storyline.telegram.token",
        "The bot's token, readable by root alone; systemd hands it to the service. The other secrets of the settings may lie beside \
         it, each in a file that is called by its key: storyline.backup.s3_secret_key, and so on.",
    ),
    (
        "/srv/storyline/library",
        "The pictures and clips; the folders in it are the categories.",
    ),
    (
        "/var/lib/storyline",
        "The records. Back them up with the service's own commands, not by copying the file.",
    ),
    (
        "/var/cache/storyline",
        "Rendered pictures. May be deleted at any time.",
    ),
    (
        "/run/storyline",
        "What lives only as long as the service does.",
    ),
];

fn page() -> String {
    let root = Cli::command().after_help("");
    let man = Man::new(root.clone())
        .date("")
        .manual("Storyline")
        .source("Storyline");
    let mut page = Vec::new();
    write(&root, &man, &mut page).expect("a Vec takes everything");
    String::from_utf8(page).expect("text")
}

fn write(root: &Command, man: &Man, page: &mut Vec<u8>) -> std::io::Result<()> {
    man.render_title(page)?;
    man.render_name_section(page)?;
    man.render_synopsis_section(page)?;
    man.render_description_section(page)?;
    man.render_options_section(page)?;
    section("COMMANDS").to_writer(page)?;
    for command in root.get_subcommands() {
        describe(command, "storyline", page)?;
    }
    for (heading, terms) in [("EXIT STATUS", codes()), ("FILES", FILES.to_vec())] {
        section(heading).to_writer(page)?;
        for (term, text) in terms {
            let mut roff = Roff::new();
            roff.control("TP", [])
                .text([bold(term)])
                .text([roman(text)]);
            roff.to_writer(page)?;
        }
    }
    let mut end = section("SEE ALSO");
    end.text([
        bold("journalctl"),
        roman("(1), "),
        bold("systemctl"),
        roman("(1)"),
    ]);
    end.to_writer(page)
}

fn section(heading: &str) -> Roff {
    let mut roff = Roff::new();
    roff.control("SH", [heading]);
    roff
}

/// A command and those beneath it, each with what it takes.
fn describe(command: &Command, above: &str, page: &mut Vec<u8>) -> std::io::Result<()> {
    if command.is_hide_set() {
        return Ok(());
    }
    let name = format!("{above} {}", command.get_name());
    let mut own = command
        .clone()
        .disable_help_flag(true)
        .disable_version_flag(true);
    own = own.bin_name(&name).display_name(&name);
    let mut heading = Roff::new();
    heading.control("SS", [&*name]);
    heading.to_writer(page)?;
    let about = own.get_long_about().or_else(|| own.get_about());
    for paragraph in about
        .map(ToString::to_string)
        .unwrap_or_default()
        .split("\n\n")
    {
        let mut roff = Roff::new();
        roff.control("PP", [])
            .text([roman(paragraph)] as [Inline; 1]);
        roff.to_writer(page)?;
    }
    let mut options = Vec::new();
    Man::new(own).render_options_section(&mut options)?;
    let options = String::from_utf8_lossy(&options).replace(".SH OPTIONS\n", "");
    page.extend(options.as_bytes());
    for beneath in command.get_subcommands() {
        describe(beneath, &name, page)?;
    }
    Ok(())
}

/// The exit codes, as `--help` tells them.
fn codes() -> Vec<(&'static str, &'static str)> {
    let lines = HELP.lines().skip(1);
    lines
        .filter_map(|line| line.trim().split_once("  "))
        .collect()
}

#[test]
fn the_manual_page_tells_what_the_commands_do() {
    let page = page();
    if std::env::var_os(WRITE).is_some() {
        std::fs::write(PAGE, &page).expect("a place for the page");
    }
    let shipped = std::fs::read_to_string(PAGE).expect("the page");
    assert!(
        shipped == page,
        "write it anew: {WRITE}=1 cargo test --lib manual"
    );
    assert!(page.contains(".SS \"storyline media list\""), "{page}");
}
