//! Keeps the box up: puts right what was left standing, forgets what nobody needs, hears what other processes changed, and
//! tells systemd how it is. One loop for all teams.

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};

use super::illness::{Illness, passes};
use crate::domain::alert::topic;
use crate::domain::calendar::moment;
use crate::flow::outlet::Outlet;
use crate::flow::teams::{Team, Teams};
use crate::flow::{Error, Flow};
use crate::system::clock::Clock;
use crate::system::nudge::Tick;
use crate::system::shutdown::Shutdown;
use crate::system::supervisor::{BoxError, Pulse};
use crate::system::systemd::Systemd;

/// How often what nobody needs is forgotten.
const TIDY_EVERY: SignedDuration = SignedDuration::from_hours(24);

/// What `systemctl status` says as long as a team has no chat.
const NO_CHAT: &str = "No chat is set: pictures are indexed and nothing is sent. Add the bot to the team's chat, or say \
                       `storyline team set chat=…`.";

/// What the loop that keeps the box up has at hand.
#[derive(Clone)]
pub(super) struct Keeper {
    pub(super) teams: Teams,
    pub(super) clock: Clock,
    pub(super) illness: Illness,
    /// Where the owner is told of what is wrong with the whole box.
    pub(super) owner: Option<Arc<dyn Outlet>>,
    /// Why the records are gone with the power, if they are.
    pub(super) in_memory: Option<String>,
    /// What is missing for a desk, in plain words.
    pub(super) missing: Option<&'static str>,
    pub(super) systemd: Systemd,
    /// Says that the shift is over.
    pub(super) over: Shutdown,
}

impl Keeper {
    pub(super) async fn run(self, mut tick: Tick, pulse: Pulse) -> Result<(), BoxError> {
        let (mut tidied_at, mut knock, mut is_news) = (None, None, true);
        // Without news every other beat is enough for what time alone brings.
        let mut rests = false;
        loop {
            pulse.beat();
            let now = self.clock.now();
            let kept_up = if is_news || self.illness.reason().is_some() {
                self.keep_up(&mut tidied_at, &mut knock, now).await
            } else if rests {
                Ok(())
            } else {
                // Time alone has passed, and may end what is on record.
                self.put_right(&mut tidied_at, now).await
            };
            rests = !rests;
            if let Err(error) = kept_up {
                if !passes(&error) {
                    return Err(error.into());
                }
                // The records cannot tell it, so systemd and the owner are told directly.
                self.illness.note(error.to_string());
                if matches!(error, Error::Lost(_)) {
                    // They are to be opened anew, or waited for; whoever does that tells the owner.
                    self.systemd.status(&error.to_string());
                    self.over.signal();
                    return Ok(());
                }
            }
            if let Some(reason) = self.illness.reason() {
                self.systemd.status(&reason);
                if let Some(outlet) = &self.owner {
                    self.illness.tell(outlet.as_ref(), now).await;
                }
            }
            is_news = tokio::select! {
                () = pulse.stopping() => return Ok(()),
                () = self.teams.own().nudges.upkeep.wait() => true,
                beat = tick.wait() => beat.is_news,
            };
        }
    }

    async fn keep_up(
        &self,
        tidied_at: &mut Option<Timestamp>,
        knock: &mut Option<Option<Timestamp>>,
        now: Timestamp,
    ) -> Result<(), Error> {
        let own = self.teams.own();
        if self.illness.reason().is_some() {
            // Reading proves nothing; a mark that is written does. It also has every loop look again.
            own.knock(now).await?;
            self.illness.end(self.owner.as_deref(), now).await;
        }
        if self.teams.have_changed().await? {
            self.over.signal();
            return Ok(());
        }
        let heard = own.last_knock().await?;
        if knock.replace(heard).is_some_and(|before| before != heard) {
            let all = self.teams.all().iter();
            all.for_each(|(flow, _)| flow.nudges.everybody());
        }
        self.put_right(tidied_at, now).await?;
        match self.missing {
            Some(missing) => self.systemd.status(missing),
            None => self.systemd.status(&headline(self.teams.all(), now).await?),
        }
        Ok(())
    }

    /// Ends what has outlived its time, in every team, and forgets once a day what nobody needs.
    async fn put_right(
        &self,
        tidied_at: &mut Option<Timestamp>,
        now: Timestamp,
    ) -> Result<(), Error> {
        // What goes wrong with one team keeps nobody from looking after the others.
        let mut kept_up = Ok(());
        for (flow, _) in self.teams.all() {
            kept_up = kept_up.and(flow.upkeep(now).await);
        }
        kept_up?;
        if tidied_at.is_none() {
            let (own, told) = (self.teams.own(), self.in_memory.clone());
            own.condition(topic::IN_MEMORY, told, now).await?;
        }
        if tidied_at.is_none_or(|at| now.duration_since(at).abs() >= TIDY_EVERY) {
            for (flow, _) in self.teams.all().iter().chain(self.teams.leaving()) {
                flow.tidy(now).await?;
            }
            *tidied_at = Some(now);
        }
        Ok(())
    }
}

/// How the box stands, in a line for `systemctl status`.
async fn headline(teams: &[(Flow, Team)], now: Timestamp) -> Result<String, Error> {
    let named = |team: &Team, text: String| match teams {
        [_] => text,
        _ => format!("{}: {text}", team.name),
    };
    for (flow, team) in teams {
        if let Some(alert) = flow.alerts().await?.into_iter().next() {
            return Ok(named(team, alert.text));
        }
    }
    let (mut next, mut awaiting) = (None, 0);
    for (flow, team) in teams {
        let settings = flow.settings().await?;
        if settings.chat.is_none() {
            return Ok(named(team, NO_CHAT.to_owned()));
        }
        for story in flow.queue().await? {
            awaiting += usize::from(story.state.may_be_seen());
            let is_sooner = next.as_ref().is_none_or(|(at, _)| story.due_at < *at);
            if story.due_at >= now && is_sooner {
                let at = moment(story.due_at, &settings.timezone);
                let told = named(team, format!("#{} at {at}", story.number));
                next = Some((story.due_at, told));
            }
        }
    }
    let next = next.map_or_else(
        || "nothing is planned".to_owned(),
        |(_, told)| format!("next is {told}"),
    );
    Ok(format!("At work: {next}, {awaiting} waiting for a press"))
}
