//! `storyline media import`: what is on a stick.

use std::path::PathBuf;

use clap::Args;

use crate::appliance::open_cache;
use crate::cli::exit::told;
use crate::cli::print::{count, say};
use crate::cli::telegram::tell_owner;
use crate::cli::{Failure, Seat};
use crate::config::{Places, Wanted};
use crate::domain::run::Run;
use crate::library::import::{Imported, import};
use crate::library::{Library, NoRoot, Root};
use crate::system::neutral;

/// Files that are named one by one.
const MOST_NAMED: usize = 5;

#[derive(Debug, Args)]
pub(in crate::cli) struct Import {
    /// The folder; the folders in it are the categories, as in the library
    folder: PathBuf,
    /// Tell the admin chat what was done
    #[arg(long)]
    tell: bool,
}

pub(super) async fn run(seat: &Seat, options: Import) -> Result<(), Failure> {
    let folder = &options.folder;
    let source = Root::of_stranger(folder).map_err(|problem| match &problem {
        NoRoot::Missing(_) => Failure::NotFound(told(
            problem.to_string(),
            "give the folder in which the folders of pictures are",
        )),
        NoRoot::Link(_) => Failure::Usage(told(
            problem.to_string(),
            "look where it leads; if those pictures are meant, give that folder itself",
        )),
        NoRoot::Unreadable { .. } => Failure::plain(problem.to_string()),
    })?;
    if let Some(complaint) = Places::of(&seat.config).refuse(Wanted::Source, folder) {
        return Err(Failure::Usage(told(complaint.reason, complaint.remedy)));
    }
    let library = Library::new(
        seat.flow.clone(),
        &seat.config.team.library,
        open_cache(&seat.config, &seat.clock),
        seat.clock.clone(),
    );
    let started_at = seat.now();
    let done = import(&library, &source).await?;
    let sentence = summary(&done);
    let run = Run {
        job: "import".to_owned(),
        started_at,
        ended_at: seat.now(),
        error: done.broken_off.clone(),
        detail: sentence.clone(),
    };
    seat.flow.note_run(run).await?;
    seat.knock().await?;
    let is_news = !done.copied.is_empty() || !done.left_out.is_empty() || done.broken_off.is_some();
    if options.tell && is_news {
        let text = format!("🔌 From the stick: {sentence}");
        if let Err(reason) = tell_owner(&seat.config, &text).await {
            say(&format!("The admin chat was not told: {reason}."));
        }
    }
    seat.print.done_in_lines(&done, &sentence)?;
    match done.broken_off {
        Some(reason) => Err(Failure::Unavailable(told(
            format!("`{}`: {reason}", folder.display()),
            "what was copied by then is whole; do it again for the rest",
        ))),
        None => Ok(()),
    }
}

fn summary(done: &Imported) -> String {
    let mut words = vec![match done.copied.len() {
        0 => "nothing new".to_owned(),
        new => format!("{} copied", count(new as u64, "new file", "new files")),
    }];
    if done.known > 0 {
        words.push(format!("{} known already", done.known));
    }
    if !done.left_out.is_empty() {
        words.push(format!("{} left out", done.left_out.len()));
    }
    let mut sentence = format!("{}.", words.join(", "));
    for left in done.left_out.iter().take(MOST_NAMED) {
        let left = format!("{}: {}", left.path, left.reason);
        sentence.push('\n');
        sentence.push_str(&neutral::line(&left));
    }
    if done.left_out.len() > MOST_NAMED {
        sentence.push_str("\n…");
    }
    if let Some(reason) = &done.broken_off {
        sentence.push_str(&format!("\nBroken off: {reason}"));
    }
    sentence
}
