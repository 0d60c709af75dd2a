//! What may happen in a life, as plain data: a failing life is shrunk to the few steps that matter.

use proptest::prelude::*;
use storyline::flow::act::Verb;

use crate::desk::Network;

#[derive(Clone, Copy, Debug)]
pub(super) enum Op {
    /// A while in which the box looks whenever it wants to, in minutes.
    Lives(i64),
    /// A while in which nobody looks, in seconds.
    Waits(i64),
    IsOff(i64, bool),
    ClockJumps(i64),
    Network(Network),
    AtPicture(Network),
    TakesOut(usize),
    /// A button of one of the stories, with the media after so many swaps less than now, by a person.
    Taps(usize, usize, usize, i64),
    /// Words in answer to a story, written so many minutes ago.
    Says(usize, usize, usize, i64),
    TapsAgain,
    Pauses(bool),
    SendsNext,
    Cancels(usize),
    Counts(usize, bool),
    Sets(usize, i64),
}

fn networks() -> impl Strategy<Value = Network> {
    prop::sample::select(vec![
        Network::AsksToWait(90),
        Network::IsAway,
        Network::LosesTheAnswer,
        Network::LosesTheMessage,
        Network::RefusesTheStory,
        Network::RefusesTheBox,
        Network::PowerFailsBefore,
        Network::PowerFailsAfter,
    ])
}

pub(super) fn ops() -> impl Strategy<Value = Op> {
    // Mostly the latest stories, and by who may.
    let story = || prop_oneof![4 => 0_usize..3, 1 => 0_usize..40];
    let person = || prop_oneof![6 => 0_usize..3, 1 => Just(3_usize)];
    let undo = Verb::ALL.iter().position(|verb| *verb == Verb::Undo);
    let verb = prop_oneof![4 => 0..Verb::ALL.len(), 1 => Just(undo.unwrap())];
    prop_oneof![
        5 => (1_i64..400).prop_map(Op::Lives),
        3 => (1_i64..130).prop_map(Op::Waits),
        1 => (0_i64..1500, any::<bool>()).prop_map(|(minutes, clean)| Op::IsOff(minutes, clean)),
        1 => (-3000_i64..3000).prop_map(Op::ClockJumps),
        1 => networks().prop_map(Op::Network),
        1 => networks().prop_map(Op::AtPicture),
        1 => any::<usize>().prop_map(Op::TakesOut),
        14 => (story(), verb, person(), prop_oneof![6 => Just(0_i64), 1 => -1_i64..3])
            .prop_map(|(story, verb, person, before)| Op::Taps(story, verb, person, before)),
        3 => (story(), 0_usize..5, person(), 0_i64..5)
            .prop_map(|(story, verb, person, ago)| Op::Says(story, verb, person, ago)),
        1 => Just(Op::TapsAgain),
        1 => any::<bool>().prop_map(Op::Pauses),
        3 => Just(Op::SendsNext),
        1 => (0_usize..6).prop_map(Op::Cancels),
        1 => (0_usize..3, any::<bool>()).prop_map(|(person, active)| Op::Counts(person, active)),
        1 => (0_usize..3, 0_i64..60).prop_map(|(setting, value)| Op::Sets(setting, value)),
    ]
}
