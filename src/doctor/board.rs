//! How the machine itself is: whether its power is enough, and whether it is too hot.

use super::Findings;
use crate::system::board::Seen;

/// From so many degrees Celsius on a Raspberry Pi slows itself down.
pub const HOT: i64 = 80;

/// What to do where the power is too weak.
const POWER: &str =
    "use the power supply that is made for it, with its own cable, and plug no hungry disk into it";
/// What to do where it is too hot.
const HEAT: &str = "give it air: a case with a fan or a heat sink, away from the sun";

/// What the board tells; where it tells nothing there is nothing to find.
pub(super) fn judge(findings: &mut Findings, seen: &Seen) {
    let mut well = Vec::new();
    if let Some(power) = seen.power {
        if power.is_low {
            let told =
                "the voltage is too low: the box may stop at any moment, and its card suffers";
            findings.warning("board", told, POWER);
        } else if power.was_low {
            let told = "the voltage was too low for a while since it was switched on";
            findings.note("board", told, Some(POWER));
        } else {
            well.push("the power is steady".to_owned());
        }
    }
    match seen.celsius {
        Some(hot) if hot >= HOT => {
            findings.warning(
                "board",
                format!("it is hot, {hot} °C, and slows down"),
                HEAT,
            );
        }
        Some(celsius) => well.push(format!("{celsius} °C")),
        None => {}
    }
    if !well.is_empty() {
        findings.ok("board", well.join(", "));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::doctor::State;
    use crate::system::board::Power;

    #[test]
    fn power_and_heat_are_told_of_where_they_are_known() {
        let low = Power {
            is_low: true,
            was_low: true,
            ..Power::default()
        };
        let was_low = Power {
            was_low: true,
            ..Power::default()
        };
        for (power, celsius, told) in [
            (None, None, vec![]),
            (
                Some(Power::default()),
                Some(54),
                vec![(State::Ok, "the power is steady, 54 °C")],
            ),
            (
                Some(was_low),
                Some(79),
                vec![(State::Note, "was too low"), (State::Ok, "79 °C")],
            ),
            (
                Some(low),
                Some(80),
                vec![
                    (State::Warning, "is too low"),
                    (State::Warning, "hot, 80 °C"),
                ],
            ),
        ] {
            let mut findings = Findings::default();
            let seen = Seen {
                power,
                celsius,
                disks: Vec::new(),
            };
            judge(&mut findings, &seen);
            assert_eq!(findings.all().len(), told.len(), "{findings:?}");
            for (one, (state, part)) in findings.all().iter().zip(told) {
                assert_eq!(one.state, state);
                assert!(one.reason.contains(part), "{}", one.reason);
            }
        }
    }
}
