//! `storyline setup`: from an installed package to the first story. It asks, and changes nothing before the last question; said
//! again, it proposes what is so, and changes only what is answered otherwise.

mod apply;
mod chat;
mod hello;
mod library;
mod owner;
mod talk;
mod token;
mod unit;
mod waiting;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use clap::Args;
use jiff::tz::TimeZone;

use super::exit::told;
use super::print::{Print, say};
use super::{Failure, missing_database};
use crate::appliance::open_teams;
use crate::config::{Config, DEFAULT_PATH, Draft, Environment, path_of};
use crate::doctor::settings_of_all;
use crate::domain::setting::Setting;
use crate::domain::team::TeamSettings;
use crate::domain::written::Complaint;
use crate::system::clock::Clock;
use crate::system::shutdown::Shutdown;
use crate::system::signals;

use talk::Talk;
use unit::Stopped;

/// Where alerts go.
const ADMIN_CHAT: &str = "telegram.admin_chat";

#[derive(Debug, Args)]
pub(super) struct Setup {
    /// Ask nothing: what no option says stays as it is
    #[arg(long, short)]
    yes: bool,
    /// The folder that people put pictures into
    #[arg(long, value_name = "FOLDER")]
    library: Option<String>,
    /// The library of another team that the service is to see too; may be said several times
    #[arg(long, value_name = "FOLDER")]
    open: Vec<PathBuf>,
    /// A file that holds the bot's token, or `-` for stdin; it is copied to where only the service gets it
    #[arg(long, value_name = "FILE")]
    token_file: Option<PathBuf>,
    /// Refused: everybody on the machine could read it
    #[arg(long, hide = true)]
    token: Option<String>,
    /// The number of the team's chat; or `find`, for the first that the bot is added to within ten minutes
    #[arg(long, value_name = "ID|find", allow_hyphen_values = true)]
    chat: Option<String>,
    /// The number of the topic in that chat, if it has topics
    #[arg(long, value_name = "ID")]
    thread: Option<String>,
    /// The number of the chat that alerts go to; whose private chat it is owns the box
    #[arg(long, value_name = "ID", allow_hyphen_values = true)]
    admin: Option<String>,
    /// The time zone of the hours, such as `Europe/Berlin`
    #[arg(long, value_name = "ZONE")]
    timezone: Option<String>,
    /// How many stories a day
    #[arg(long, value_name = "NUMBER")]
    posts_per_day: Option<String>,
    /// The hours in which they are sent, such as `09:00-21:00`
    #[arg(long, value_name = "FROM-TO")]
    window: Option<String>,
}

/// Whose settings they are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Whose {
    /// The service's, as the package has it; all of it is root's.
    Service,
    /// Somebody's who runs the program by themselves.
    Own,
}

/// What is so, and what is to be.
struct Desk<'a> {
    options: &'a Setup,
    environment: &'a Environment,
    whose: Whose,
    path: PathBuf,
    talk: Talk,
    draft: Draft,
    /// The settings of the file as it was.
    config: Config,
    /// What every team decided, the box's own first.
    teams: Vec<TeamSettings>,
    /// Whether somebody decided on the time zone.
    has_zone: bool,
    /// What the box's own team is to have otherwise.
    changes: BTreeMap<Setting, String>,
    /// The service, as long as it must not hear what people do.
    stopped: Option<Stopped>,
}

/// All that was asked.
struct Answers {
    bot: token::Bot,
    place: chat::Place,
    owner: Option<owner::Owner>,
    library: library::Folder,
    /// The libraries of other teams that the service shall see.
    others: Vec<PathBuf>,
}

pub(super) async fn run(
    print: Print,
    options: Setup,
    path: Option<&Path>,
    environment: &Environment,
) -> Result<(), Failure> {
    if options.token.is_some() {
        return Err(Failure::Usage(told(
            "a token on the command line can be read by everybody on this machine",
            "use `--token-file FILE`, or `--token-file -` for stdin; have @BotFather revoke the one that stood there",
        )));
    }
    let shutdown = Shutdown::new();
    // They stay caught: what was begun in the end is done to its end.
    let _listening = signals::listen(shutdown.clone())
        .map_err(|error| Failure::plain(format!("the signals cannot be listened to: {error}")))?;
    let asking = async {
        let mut desk = Desk::take(&options, path, environment).await?;
        let answers = desk.ask().await?;
        Ok::<_, Failure>((desk, answers))
    };
    let (desk, answers) = tokio::select! {
        asked = asking => asked?,
        () = shutdown.wait() => return Err(Failure::Interrupted),
    };
    desk.apply(print, answers).await
}

impl<'a> Desk<'a> {
    async fn take(
        options: &'a Setup,
        path: Option<&Path>,
        environment: &'a Environment,
    ) -> Result<Self, Failure> {
        let path = std::path::absolute(path_of(path, environment)).map_err(|error| {
            Failure::plain(format!("the file of settings cannot be found: {error}"))
        })?;
        let whose = whose(&path)?;
        let unreadable = |error: std::io::Error| {
            let hint = "check the path, and that you may read it; it is UTF-8 text";
            Failure::Other(told(
                format!("`{}` cannot be read: {error}", path.display()),
                hint,
            ))
        };
        let mut draft = Draft::open(&path).map_err(unreadable)?;
        if draft.is_new() && whose == Whose::Own {
            own_places(&mut draft, &path)?;
        }
        let loaded = draft.load(environment).map_err(Failure::Config)?;
        let config = loaded.config;
        let mut has_zone = config.team.timezone != TimeZone::UTC;
        let mut teams = vec![config.team.clone()];
        if missing_database(&config).is_none() {
            let open = open_teams(&config, Clock::system().now()).await?;
            teams = settings_of_all(&open, &config.team).await?;
            let decided = open.own().decided().await?;
            has_zone |= decided
                .iter()
                .any(|one| one.setting == Setting::Timezone && one.by.is_some());
        }
        let asks = !options.yes && options.token_file.as_deref() != Some(Path::new("-"));
        let desk = Self {
            options,
            environment,
            whose,
            path,
            talk: Talk::begin(asks),
            draft,
            config,
            teams,
            has_zone,
            changes: BTreeMap::new(),
            stopped: None,
        };
        desk.complete()?;
        Ok(desk)
    }

    /// Whether nothing is missing, where nobody can be asked.
    fn complete(&self) -> Result<(), Failure> {
        let mut missing = Vec::new();
        if self.config.telegram.token.is_none() && self.options.token_file.is_none() {
            missing.push("`--token-file FILE`");
        }
        if self.team().chat.is_none() && self.options.chat.is_none() {
            missing.push("`--chat ID` (or `--chat find`)");
        }
        if self.talk.asks() || missing.is_empty() {
            return Ok(());
        }
        Err(Failure::Usage(told(
            "something is missing, and nobody can be asked for it: there is no terminal, or there is `--yes`",
            format!("add {}", missing.join(" and ")),
        )))
    }

    /// What the box's own team decided.
    fn team(&self) -> &TeamSettings {
        self.teams.first().unwrap_or(&self.config.team)
    }

    async fn ask(&mut self) -> Result<Answers, Failure> {
        self.talk.explain(
            "A few questions, and the box is at work. Enter takes what stands in brackets.\n\
             Nothing is changed before the last question; Ctrl-C leaves all as it is.\n",
        );
        let library = self.ask_library().await?;
        let others = self.ask_others().await?;
        let bot = self.ask_token().await?;
        let place = self.ask_chat(&bot).await?;
        let owner = self.ask_owner(&bot, &place).await?;
        self.ask_hours().await?;
        let answers = Answers {
            bot,
            place,
            owner,
            library,
            others,
        };
        self.talk.explain(&self.summary(&answers));
        if self.talk.agrees("Shall it be so?").await? {
            Ok(answers)
        } else {
            Err(Failure::Interrupted)
        }
    }

    async fn ask_hours(&mut self) -> Result<(), Failure> {
        let Setup {
            timezone,
            posts_per_day,
            window,
            ..
        } = self.options;
        let zone = match zone_of_the_machine() {
            Some(zone) if !self.has_zone => zone,
            _ => Setting::Timezone.shown(self.team()),
        };
        self.settle(&[Setting::Timezone], "Time zone", timezone, &zone)
            .await?;
        let posts = Setting::PostsPerDay.shown(self.team());
        let question = "Stories a day";
        self.settle(&[Setting::PostsPerDay], question, posts_per_day, &posts)
            .await?;
        let ends = [Setting::WindowStart, Setting::WindowEnd];
        let hours = ends.map(|end| end.shown(self.team())).join("-");
        self.settle(&ends, "Between which hours", window, &hours)
            .await
    }

    /// Has a question answered by an option or a person, again and again until it can be so. Several settings have their values
    /// in one answer, with a `-` between them.
    async fn settle(
        &mut self,
        settings: &[Setting],
        question: &str,
        option: &Option<String>,
        proposed: &str,
    ) -> Result<(), Failure> {
        loop {
            let answer = match option {
                Some(said) => said.clone(),
                None => self.talk.ask(question, proposed).await?,
            };
            let complaint = match self.put_all(settings, &answer) {
                Ok(()) => return Ok(()),
                Err(complaint) => complaint,
            };
            if option.is_some() || !self.talk.asks() {
                return Err(refused(&answer, &complaint));
            }
            complain(&complaint);
        }
    }

    fn put_all(&mut self, settings: &[Setting], answer: &str) -> Result<(), Complaint> {
        let values: Vec<&str> = match settings {
            [_] => vec![answer],
            _ => answer.split('-').collect(),
        };
        if values.len() != settings.len() {
            let reason = "it is not from one time of day to another";
            return Err(Complaint::new(reason, "write both, such as `09:00-21:00`"));
        }
        for (setting, value) in settings.iter().zip(values) {
            self.put(*setting, value)?;
        }
        Ok(())
    }

    /// Has the team have a setting otherwise, unless it is so already.
    fn put(&mut self, setting: Setting, value: &str) -> Result<(), Complaint> {
        let mut wanted = self.team().clone();
        setting.put(&mut wanted, value)?;
        if wanted != *self.team() {
            let value = setting.shown(&wanted);
            self.draft.put(&setting.key(), &value)?;
            self.changes.insert(setting, value);
        }
        Ok(())
    }

    /// What the team will have decided.
    fn wanted(&self) -> TeamSettings {
        let mut wanted = self.team().clone();
        for (setting, value) in &self.changes {
            // It was looked at when it was answered.
            let _ = setting.put(&mut wanted, value);
        }
        wanted
    }

    fn summary(&self, answers: &Answers) -> String {
        let wanted = self.wanted();
        let owner = answers.owner.as_ref();
        let owner = owner.map_or("the team's chat", |owner| &*owner.called);
        let mut lines = String::from("\n");
        for (what, how) in [
            ("Library", answers.library.told()),
            ("Bot", format!("@{}", answers.bot.name)),
            ("Chat", answers.place.called.clone()),
            ("Alerts to", owner.to_owned()),
            ("Stories", hello::rhythm(&wanted)),
        ] {
            lines.push_str(&format!("  {what:<10} {how}\n"));
        }
        lines
    }
}

/// Says what is wrong with an answer, and what to do; it is asked for again.
fn complain(complaint: &Complaint) {
    say(&format!("  That cannot be: {}.", complaint.reason));
    say(&format!("  hint: {}", complaint.remedy));
}

/// Says why something else is to be answered.
fn regret(failure: &Failure) {
    say(&format!("  {failure}."));
    if let Some(hint) = failure.hint() {
        say(&format!("  hint: {hint}"));
    }
}

/// The same for an option, which nobody can be asked for again.
fn refused(said: &str, complaint: &Complaint) -> Failure {
    let error = format!("`{}`: {}", said.trim(), complaint.reason);
    Failure::Usage(told(error, &complaint.remedy))
}

/// Whose settings are in this file, and whether whoever asks may change them.
fn whose(path: &Path) -> Result<Whose, Failure> {
    if path != Path::new(DEFAULT_PATH) {
        return Ok(Whose::Own);
    }
    let own = "for a box of your own, name a file of settings: `storyline --config FILE setup`";
    let refused = |error: &str, hint: String| Err(Failure::Other(told(error, hint)));
    if !rustix::process::geteuid().is_root() {
        let hint = format!("run `sudo storyline setup`; {own}");
        return refused("the service, its settings and its token are root's", hint);
    }
    if !unit::is_installed() {
        let hint = format!("install the package on a machine that systemd runs; {own}");
        return refused("there is no service here to set up", hint);
    }
    Ok(Whose::Service)
}

/// All that the program keeps lies beside somebody's own file of settings, and needs no rights of root's.
fn own_places(draft: &mut Draft, path: &Path) -> Result<(), Failure> {
    let folder = path.parent().unwrap_or(path);
    let within = |name: &str| folder.join(name).display().to_string();
    for (key, value) in [
        ("library.path", within("library")),
        ("library.cache", within("cache")),
        ("database.url", format!("sqlite:{}", within("storyline.db"))),
    ] {
        draft
            .put(key, &value)
            .map_err(|complaint| refused(&value, &complaint))?;
    }
    Ok(())
}

/// The time zone of the machine, if it was ever given one.
fn zone_of_the_machine() -> Option<String> {
    let by_link = TimeZone::system();
    let by_link = by_link.iana_name().map(str::to_owned);
    let by_name = || {
        let name = std::fs::read_to_string("/etc/timezone").ok()?;
        TimeZone::get(name.trim())
            .ok()?
            .iana_name()
            .map(str::to_owned)
    };
    let is_place = |zone: &String| zone.contains('/') && !zone.starts_with("Etc/");
    by_link.filter(is_place).or_else(by_name).filter(is_place)
}
