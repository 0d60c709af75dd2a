//! What was asked becomes so, one thing after the other, each of them whole; said again, it goes on from wherever it ended.

use std::io;
use std::os::unix::fs::chown;
use std::path::PathBuf;

use serde::Serialize;

use super::super::exit::{Told, told};
use super::super::print::{Print, say};
use super::super::{Failure, login_name, missing_database};
use super::library::number_of_the_group;
use super::{Answers, Desk, Whose, hello, token, unit};
use crate::appliance::open_teams;
use crate::domain::audit::By;
use crate::domain::setting::Setting;
use crate::domain::team::TeamSettings;
use crate::flow::settings::Changed;
use crate::flow::teams::Teams;
use crate::system::clock::Clock;
use crate::system::neutral;
use crate::system::storage::why;

/// How the box is set up, as scripts see it.
#[derive(Serialize)]
struct Done {
    settings: PathBuf,
    library: PathBuf,
    bot: String,
    chat: i64,
    thread: Option<i32>,
    admin_chat: Option<i64>,
    timezone: String,
    posts_per_day: u32,
    window_start: String,
    window_end: String,
    /// Whether the service has all of it, and is at work.
    at_work: bool,
}

impl Desk<'_> {
    pub(super) async fn apply(mut self, print: Print, answers: Answers) -> Result<(), Failure> {
        let wanted = self.wanted();
        let mut is_news = answers.library.make(self.whose)?;
        if let Some(new) = &answers.bot.new {
            token::keep(&mut self, new)?;
            is_news = true;
        }
        is_news |= self.keep().map_err(|error| {
            let path = self.path.display();
            let error = format!("`{path}` cannot be written: {}", why(&self.path, &error));
            Failure::Other(Told { error, hint: None })
        })?;
        let at_work = self.whose == Whose::Service;
        if at_work {
            is_news |= open_unit(&answers)?;
            if is_news || !unit::is_active() {
                say("The service is started …");
                unit::restart()?;
            }
            self.stopped = None;
        }
        let teams = self.records().await?;
        let mut first = None;
        if let Some(teams) = &teams {
            self.decide(teams).await?;
            if at_work {
                first = hello::first(teams.own()).await?;
            }
        }
        let mut is_greeted = false;
        if wanted.dry_run {
            say("Nothing is sent, not even a hello: `dry_run` is set.");
        } else {
            if answers.place.is_new {
                is_greeted = hello::greet_team(&answers.bot, &answers.place, &wanted, first).await;
            }
            if let Some(owner) = answers.owner.as_ref().filter(|owner| owner.is_new) {
                hello::greet_owner(&answers.bot, owner).await;
            }
        }
        let done = Done {
            settings: self.path.clone(),
            library: wanted.library.clone(),
            bot: answers.bot.name.clone(),
            chat: answers.place.chat,
            thread: answers.place.thread,
            admin_chat: answers.owner.as_ref().map(|owner| owner.chat),
            timezone: Setting::Timezone.shown(&wanted),
            posts_per_day: wanted.posts_per_day,
            window_start: Setting::WindowStart.shown(&wanted),
            window_end: Setting::WindowEnd.shown(&wanted),
            at_work,
        };
        let runs = match &teams {
            Some(teams) => teams.own().is_served().await?,
            None => false,
        };
        print.done_in_lines(&done, &self.farewell(&answers, &wanted, is_greeted, runs))
    }

    /// Writes the file of settings; whether it is another one now. One that is new must be the service's to read.
    fn keep(&self) -> io::Result<bool> {
        let is_other = self.draft.keep()?;
        if self.draft.is_new() && self.whose == Whose::Service {
            chown(&self.path, None, Some(number_of_the_group()?))?;
        }
        Ok(is_other)
    }

    /// The records, if there are any.
    async fn records(&self) -> Result<Option<Teams>, Failure> {
        let loaded = self.draft.load(self.environment).map_err(Failure::Config)?;
        if missing_database(&loaded.config).is_some() {
            return Ok(None);
        }
        let teams = open_teams(&loaded.config, Clock::system().now()).await?;
        Ok(Some(teams))
    }

    /// What the team decided counts more than the first values of the file; what was answered now is a decision.
    async fn decide(&self, teams: &Teams) -> Result<(), Failure> {
        let flow = teams.own();
        for (setting, value) in &self.changes {
            let mut wanted = flow.settings().await?;
            let before = wanted.clone();
            if setting.put(&mut wanted, value).is_ok() && wanted == before {
                continue;
            }
            let (by, now) = (
                By::terminal(login_name(self.environment)),
                Clock::system().now(),
            );
            let changed = flow.set(*setting, value.clone(), by, now).await?;
            flow.knock(now).await?;
            if let Changed::Refused(complaint) = changed {
                let error = format!("`{setting} = {value}`: {}", complaint.reason);
                return Err(Failure::Usage(told(error, complaint.remedy)));
            }
        }
        Ok(())
    }

    fn farewell(
        &self,
        answers: &Answers,
        wanted: &TeamSettings,
        is_greeted: bool,
        runs: bool,
    ) -> String {
        let hello = if is_greeted {
            ", and said hello there"
        } else {
            ""
        };
        let mut text = format!(
            "It is done. @{} brings {}\nto {}{hello}.\n",
            answers.bot.name,
            hello::rhythm(wanted),
            neutral::line(&answers.place.called)
        );
        let library = wanted.library.display();
        let config = self.path.display();
        match self.whose {
            Whose::Service => {
                text.push_str(&format!(
                    "Next: put pictures into folders of {library}, over SFTP for\n\
                     instance: `sudo adduser ann storyline` lets ann do so. `sudo storyline check` tells\n\
                     how all is, and `sudo storyline setup` changes what you like otherwise."
                ));
                if !unit::is_enabled() {
                    text.push_str(
                        "\nThe service does not start with the machine; `sudo systemctl enable storyline` has it do so.",
                    );
                }
            }
            Whose::Own => {
                let serve = format!("storyline --config {config} serve");
                let next = if runs {
                    "end the service that runs, and start it again:"
                } else {
                    "start it:"
                };
                text.push_str(&format!(
                    "Next: {next}\n  {serve}\nThen put pictures into folders of {library}."
                ));
            }
        }
        text
    }
}

/// Has the unit see the libraries that root named or agreed to; whether it saw others before.
fn open_unit(answers: &Answers) -> Result<bool, Failure> {
    let own = std::iter::once(&answers.library.path);
    let libraries: Vec<PathBuf> = own.chain(&answers.others).cloned().collect();
    unit::open_to(&libraries)
}
