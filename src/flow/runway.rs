//! How long the pictures last, and who is told in time. Zero pictures is the loudest case, so nobody should be surprised by it.

use std::collections::BTreeSet;

use jiff::Timestamp;

use super::Result;
use super::conditions::judge;
use crate::domain::alert::topic::RUNWAY;
use crate::domain::category::Category;
use crate::domain::ids::TeamId;
use crate::domain::runway::{LEVELS_DAYS, Stock, level};
use crate::domain::team::TeamSettings;
use crate::store::{Tx, alerts, mix, supply};

/// That nothing is left at all is told by an alert of its own, when a slot has nothing to show.
const LAST_LEVEL_WITHOUT_MIX: u32 = 2;

/// A category's part of the plan, and how long it lasts.
pub(super) struct Runway {
    /// The category; nothing if no mix is in force, and all of the library is meant.
    category: Option<Category>,
    share_ppm: u32,
    pub(super) ready: u64,
    /// Nothing if no end is in sight.
    pub(super) lasts_days: Option<u32>,
}

/// The runway of each category of the mix, or of the whole library if there is no mix.
pub(super) fn runways(
    tx: &mut dyn Tx,
    team: TeamId,
    settings: &TeamSettings,
    now: Timestamp,
) -> Result<Vec<Runway>> {
    let stock = supply::stock(tx, team, now)?;
    let runway = |category: Option<Category>, share_ppm: u32, stock: &Stock| Runway {
        category,
        share_ppm,
        ready: stock.ready,
        lasts_days: stock.lasts_days(settings.posts_per_day, share_ppm, settings.repost_ttl_days),
    };
    Ok(match mix::in_force(tx, team)? {
        Some((_, wanted_ppm)) => wanted_ppm
            .into_iter()
            .filter(|(_, share_ppm)| *share_ppm > 0)
            .map(|(category, share_ppm)| {
                let none = Stock::default();
                let stock = stock.get(&category).unwrap_or(&none);
                runway(Some(category.clone()), share_ppm, stock)
            })
            .collect(),
        None => {
            let all = stock.values().fold(Stock::default(), Stock::plus);
            vec![runway(None, 1_000_000, &all)]
        }
    })
}

impl Runway {
    /// Whether it is the runway of this category.
    pub(super) fn is_of(&self, category: &Category) -> bool {
        self.category.as_ref() == Some(category)
    }

    fn topic(&self, level: u32) -> String {
        match &self.category {
            Some(category) => format!("{RUNWAY}{level}:{category}"),
            None => format!("{RUNWAY}{level}"),
        }
    }

    /// That it will be empty, in plain words.
    pub(super) fn text(&self, lasts_days: u32, settings: &TeamSettings) -> String {
        let what = match &self.category {
            Some(category) => format!("`{category}`"),
            None => "The library".to_owned(),
        };
        if lasts_days == 0 {
            let instead = match self.category {
                Some(_) => "other categories step in",
                None => "slots will be missed",
            };
            return format!(
                "{what} is running dry: it has not enough for a day, and {instead}. Add pictures."
            );
        }
        let days = match lasts_days {
            1 => "1 more day".to_owned(),
            days => format!("{days} more days"),
        };
        let a_day = f64::from(settings.posts_per_day) * f64::from(self.share_ppm) / 1e6;
        let a_day = format!("{a_day:.1}");
        format!(
            "{what} lasts {days}: {} are ready, and {} stories a day are sent. Add pictures.",
            self.ready,
            a_day.trim_end_matches(".0")
        )
    }
}

/// Tells of what lasts seven days or less, two, or none; once each, and when it is over.
pub(super) fn judge_runway(
    tx: &mut dyn Tx,
    team: TeamId,
    settings: &TeamSettings,
    now: Timestamp,
) -> Result<()> {
    let mut standing: BTreeSet<String> = alerts::standing(tx, team)?
        .into_iter()
        .map(|alert| alert.topic)
        .filter(|topic| topic.starts_with(RUNWAY))
        .collect();
    for runway in runways(tx, team, settings, now)? {
        let told = LEVELS_DAYS
            .into_iter()
            .find(|level| standing.contains(&runway.topic(*level)));
        let Some(days) = runway.lasts_days else {
            continue;
        };
        let Some(mut level) = level(days, told) else {
            continue;
        };
        if runway.category.is_none() {
            level = level.max(LAST_LEVEL_WITHOUT_MIX);
        }
        // The new level says it; that the old one is over would be no good news.
        if let Some(told) = told.filter(|told| *told != level) {
            let topic = runway.topic(told);
            alerts::take_back(tx, team, &topic, now)?;
            standing.remove(&topic);
        }
        let (topic, text) = (runway.topic(level), runway.text(days, settings));
        judge(tx, team, &topic, Some(&text), now)?;
        standing.remove(&topic);
    }
    for topic in standing {
        judge(tx, team, &topic, None, now)?;
    }
    Ok(())
}
