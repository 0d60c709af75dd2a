//! Whole lives: whatever comes in whatever order, what must hold holds.

use proptest::prelude::*;
use storyline::flow::act::Verb;

use crate::desk::Network;
use crate::harness::*;

#[derive(Clone, Debug)]
enum Event {
    Lives(i64),
    IsOff(i64),
    ClockJumps(i64),
    Pauses,
    Resumes,
    Network(Network),
    Once(Network),
    OnceAtPicture(Network),
    TakesOut(usize),
    TakesNoPicture(bool),
    SendsNext,
    Cancels(usize),
    TapsAnything(usize, u8),
    GetsPictures(u8, u64),
    LosesPicture(usize),
    Mix(u32),
    Restarts,
    Settings(u32, i8),
}

fn networks() -> impl Strategy<Value = Network> {
    prop::sample::select(Network::ALL.to_vec())
}

fn lasting() -> impl Strategy<Value = Network> {
    networks().prop_filter("power comes back", |network| {
        !matches!(
            network,
            Network::PowerFailsBefore | Network::PowerFailsAfter
        )
    })
}

fn events() -> impl Strategy<Value = Event> {
    prop_oneof![
        8 => (1_i64..900).prop_map(Event::Lives),
        2 => (1_i64..3000).prop_map(Event::IsOff),
        1 => (-1500_i64..9000).prop_map(Event::ClockJumps),
        1 => Just(Event::Pauses),
        2 => Just(Event::Resumes),
        1 => lasting().prop_map(Event::Network),
        2 => Just(Event::Network(Network::Works)),
        3 => networks().prop_map(Event::Once),
        3 => networks().prop_map(Event::OnceAtPicture),
        1 => any::<usize>().prop_map(Event::TakesOut),
        1 => any::<bool>().prop_map(Event::TakesNoPicture),
        2 => Just(Event::SendsNext),
        1 => any::<usize>().prop_map(Event::Cancels),
        6 => (any::<usize>(), 0_u8..10).prop_map(|(which, verb)| Event::TapsAnything(which, verb)),
        2 => (0_u8..3, 1_u64..20).prop_map(|(category, count)| Event::GetsPictures(category, count)),
        1 => any::<usize>().prop_map(Event::LosesPicture),
        1 => (0_u32..=100).prop_map(Event::Mix),
        1 => Just(Event::Restarts),
    ]
}

fn happens(the_box: &mut TheBox, event: &Event) {
    match event.clone() {
        Event::Lives(length) => the_box.live_for(minutes(length)),
        Event::IsOff(length) => the_box.be_off_for(minutes(length)),
        Event::ClockJumps(by) => the_box.set_clock(the_box.now + minutes(by)),
        Event::Pauses => the_box.pause(),
        Event::Resumes => the_box.resume(),
        Event::Network(network) => the_box.network(network),
        Event::Once(network) => the_box.once(network),
        Event::OnceAtPicture(network) => the_box.once_at_picture(network),
        Event::TakesOut(which) => {
            let rang = the_box.rang();
            if !rang.is_empty() {
                the_box.takes_out(&rang[which % rang.len()]);
            }
        }
        Event::TakesNoPicture(refuses) => the_box.takes_no_picture(refuses),
        Event::SendsNext => {
            the_box.send_next();
        }
        Event::Cancels(which) => {
            let queue = the_box.queue();
            if !queue.is_empty() {
                let number = queue[which % queue.len()].number;
                the_box
                    .run(the_box.flow().cancel(number, anna(), the_box.now))
                    .unwrap();
            }
        }
        Event::TapsAnything(which, verb) => {
            let arrived = the_box.arrived();
            if !arrived.is_empty() {
                let verb = Verb::ALL[usize::from(verb) % Verb::ALL.len()];
                the_box.press(&arrived[which % arrived.len()], verb);
            }
        }
        Event::GetsPictures(category, count) => {
            let name = ["memes", "merch", "rest"][usize::from(category)];
            the_box.add_pictures(name, count, &[name]);
        }
        Event::LosesPicture(which) => {
            let media = the_box.run(the_box.flow().media(None)).unwrap();
            if !media.is_empty() {
                let path = media[which % media.len()].path.clone();
                the_box.loses_file(&path);
            }
        }
        Event::Mix(share) => the_box.mix(&[("memes", share), ("merch", 100 - share)]),
        Event::Restarts => the_box.restart(),
        Event::Settings(count, hour) => {
            let start = format!("{hour:02}:00");
            let end = format!("{:02}:00", (hour + 10) % 24);
            the_box.restart_with(settings(count, &start, &end, "Europe/Berlin"));
        }
    }
}

proptest! {
    #![proptest_config(cases(6))]

    #[test]
    fn whatever_happens_each_slot_has_one_end_or_one_open_story(
        settings in crate::time::any_settings(),
        moody in any::<bool>(),
        events in prop::collection::vec(events(), 1..30),
    ) {
        let posts_per_day = settings.posts_per_day.min(12);
        let mut the_box = TheBox::with(storyline::domain::team::TeamSettings { posts_per_day, ..settings }).with_pictures(40);
        the_box.team = if moody { Team::IsMoody } else { Team::Looks };
        // The plan begins when the box first looks.
        the_box.look();
        for event in &events {
            happens(&mut the_box, event);
            the_box.look();
        }
        the_box.audit();
        the_box.audit_slots();
        the_box.audit_spacing();
        the_box.network(Network::Works);
        the_box.resume();
        the_box.live_for(days(2));
        the_box.audit();
        the_box.audit_slots();
    }

    #[test]
    fn settings_that_change_in_mid_life_repeat_no_slot(
        moody in any::<bool>(),
        events in prop::collection::vec(prop_oneof![
            3 => events(),
            1 => (1_u32..=12, 0_i8..24).prop_map(|(count, hour)| Event::Settings(count, hour)),
        ], 1..30),
    ) {
        let mut the_box = TheBox::with(three_a_day()).with_pictures(40);
        the_box.team = if moody { Team::IsMoody } else { Team::Looks };
        // The plan begins when the box first looks.
        the_box.look();
        for event in &events {
            happens(&mut the_box, event);
            the_box.look();
        }
        the_box.audit();
    }
}
