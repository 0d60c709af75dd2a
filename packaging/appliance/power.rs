//! Power cuts: a machine with the installed package is killed in the middle of its work, and started again on the same disk.
//!
//! `power KERNEL DISK PAYLOAD [SEED]`. The machine is emulated and works by itself (see packaging/appliance/worker); the stand-in
//! for Telegram is here, and so is the person who presses, whether the machine has power or not. After each cut the machine must
//! start by itself, the records must be whole, and every press that Telegram will not deliver again must be in them already.
//! A seed chooses the instants; what happens at them is up to the machine.
#![expect(clippy::print_stdout, reason = "it talks to the person who runs it")]

mod presses;
#[path = "../../tests/pretend/mod.rs"]
mod pretend;
mod team;

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use anyhow::{Context, Result, bail, ensure};
use presses::Presses;
use team::{ANN, TEAM, draw, messages_of_stories};

/// How often the power fails while the machine works.
const CUTS: u64 = 24;
/// After one of so many it fails again while the machine starts.
const AGAIN: u64 = 4;
/// Enough that there is always a new one.
const PICTURES: usize = 200;
/// How long anything may take.
const PATIENCE: Duration = Duration::from_secs(600);

#[tokio::main]
async fn main() -> Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [kernel, disk, payload, seed @ ..] = arguments.as_slice() else {
        bail!("usage: power KERNEL DISK PAYLOAD [SEED]");
    };
    let seed = match seed.first() {
        Some(seed) => seed.parse().context("SEED is a number")?,
        None => u64::from(SystemTime::now().duration_since(UNIX_EPOCH)?.subsec_nanos()),
    };
    println!("    the seed is {seed}");
    let telegram = team::gather().await;
    let mut site = Site {
        kernel: kernel.into(),
        disk: disk.into(),
        payload: payload.into(),
        presses: Presses::new(&telegram),
        dice: Dice(seed),
        cuts: Cuts::default(),
    };
    site.furnish()?;
    site.run().await
}

/// The machine's parts, and the chat before which a person sits.
struct Site<'a> {
    kernel: PathBuf,
    disk: PathBuf,
    payload: PathBuf,
    presses: Presses<'a>,
    dice: Dice,
    cuts: Cuts,
}

/// How many cuts there were, and what they fell into.
#[derive(Default)]
struct Cuts {
    all: usize,
    /// A press, or its answer, was on its way.
    in_a_press: usize,
    /// The records had more than their main file.
    in_the_log: usize,
    /// The file system was mended from its journal.
    recovered: usize,
}

impl Site<'_> {
    /// What the machine finds at /payload.
    fn furnish(&self) -> Result<()> {
        let telegram = self.presses.telegram;
        let port = telegram.url().rsplit(':').next().context("a port")?;
        let settings = settings(&format!("http://10.0.2.2:{port}"))
            .map(|(key, value)| format!("{key} = {value}\n"));
        fs::write(self.payload.join("settings"), settings.concat())?;
        fs::write(self.payload.join("token"), telegram.token())?;
        let pictures = self.payload.join("pictures");
        fs::create_dir(&pictures)?;
        (0..PICTURES).try_for_each(|number| draw(&pictures.join(format!("{number}.jpg")), number))
    }

    async fn run(&mut self) -> Result<()> {
        let mut machine = self.start()?;
        let report = self.report(&mut machine).await?;
        ensure!(
            posted("started", &report).is_empty(),
            "the control: nothing was posted yet"
        );
        done("the package is installed, and the machine works");
        for number in 1..=CUTS {
            self.work(&mut machine).await?;
            self.cut(machine);
            if number % AGAIN == 0 {
                let mut starting = self.start()?;
                let instant = self.dice.below(Duration::from_secs(15));
                self.pass(&mut starting, instant).await?;
                self.cut(starting);
            }
            let acknowledged = self.presses.acknowledged();
            machine = self.start()?;
            let report = self.report(&mut machine).await?;
            self.holds(&report, &acknowledged)
                .with_context(|| format!("after cut {number}, {acknowledged:?}: {report:#?}"))?;
        }
        let Cuts {
            all,
            in_a_press,
            in_the_log,
            recovered,
        } = self.cuts;
        ensure!(
            in_a_press > 0 && in_the_log > 0 && recovered > 0,
            "the control: no cut fell into a write"
        );
        done(&format!(
            "the power failed {all} times, {in_a_press} times with a press on its way, {in_the_log} times with records in their \
             log; the file system was mended {recovered} times"
        ));
        self.rest(machine).await
    }

    fn start(&mut self) -> Result<Machine> {
        self.presses.begin_anew();
        let console = File::create(self.payload.join("console"))?;
        let log = self.payload.join("log");
        fs::write(&log, "")?;
        let emulator = Command::new("packaging/appliance/machine")
            .args([&self.kernel, &self.disk, &self.payload])
            .stdin(Stdio::null())
            .stderr(console.try_clone()?)
            .stdout(console)
            .spawn()
            .context("no emulator")?;
        Ok(Machine { emulator, log })
    }

    /// What the machine finds on its disk, and makes of it, until it works.
    async fn report(&mut self, machine: &mut Machine) -> Result<Vec<String>> {
        self.until(machine, "it works", |_, machine| {
            let said = machine.said();
            said.iter().any(|line| line == "working").then_some(said)
        })
        .await
    }

    /// Lets it work, up to an instant at which the power fails: any, or one that is close to a press.
    async fn work(&mut self, machine: &mut Machine) -> Result<()> {
        let instant = self.dice.below(Duration::from_secs(6));
        self.pass(machine, instant).await?;
        if self.dice.below(Duration::from_secs(2)) < Duration::from_secs(1) {
            let before = self.presses.count();
            self.until(machine, "a press", |presses, _| {
                (presses.count() > before).then_some(())
            })
            .await?;
            let instant = self.dice.below(Duration::from_millis(500));
            tokio::time::sleep(instant).await;
        }
        Ok(())
    }

    fn cut(&mut self, machine: Machine) {
        drop(machine);
        self.cuts.all += 1;
        self.cuts.in_a_press += usize::from(self.presses.are_on_their_way());
    }

    /// What must be so after every cut.
    fn holds(&mut self, report: &[String], acknowledged: &BTreeSet<String>) -> Result<()> {
        let starts = report.iter().filter(|line| line.starts_with("found wal"));
        ensure!(starts.count() == 1, "the service did not start at once");
        for when in ["found", "started"] {
            ensure!(
                report.contains(&format!("{when} integrity ok")),
                "the records are not whole when {when}"
            );
            let posted = posted(when, report);
            let lost: Vec<_> = acknowledged.difference(&posted).collect();
            ensure!(lost.is_empty(), "lost when {when}: {lost:?}");
        }
        self.cuts.in_the_log += usize::from(!report.contains(&"found wal 0".to_owned()));
        self.cuts.recovered += usize::from(report.contains(&"recovered 1".to_owned()));
        Ok(())
    }

    /// Nothing new comes, and everything on its way arrives.
    async fn rest(&mut self, mut machine: Machine) -> Result<()> {
        fs::write(self.payload.join("rest"), "")?;
        self.until(&mut machine, "every press is answered", |presses, _| {
            (presses.are_done()).then_some(())
        })
        .await?;
        fs::write(self.payload.join("end"), "")?;
        let began = Instant::now();
        while machine.is_on()? {
            ensure!(began.elapsed() < PATIENCE, "it does not shut down");
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        let report = machine.said();
        let posted = posted("finally", &report);
        let pressed = self.presses.stories();
        ensure!(
            report.contains(&"finally integrity ok".to_owned()) && posted == pressed,
            "pressed: {pressed:?}\n{report:#?}"
        );
        let messages = messages_of_stories(self.presses.telegram);
        let most = messages.values().max().copied().unwrap_or_default();
        ensure!((1..=2).contains(&most), "messages of a story: {messages:?}");
        done(&format!(
            "the records are whole; {} presses on {} stories, and each is posted once; {} stories with {most} messages at most",
            self.presses.count(),
            posted.len(),
            messages.len()
        ));
        Ok(())
    }

    async fn pass(&mut self, machine: &mut Machine, time: Duration) -> Result<()> {
        let began = Instant::now();
        self.until(machine, "time passes", |_, _| {
            (began.elapsed() >= time).then_some(())
        })
        .await
    }

    /// Waits for a fact; people go on pressing.
    async fn until<T>(
        &mut self,
        machine: &mut Machine,
        what: &str,
        mut fact: impl FnMut(&Presses, &Machine) -> Option<T>,
    ) -> Result<T> {
        let began = Instant::now();
        loop {
            let hurry = self.dice.next();
            self.presses.press(hurry);
            if let Some(found) = fact(&self.presses, machine) {
                return Ok(found);
            }
            if !machine.is_on()? || began.elapsed() > PATIENCE {
                let console = fs::read(self.payload.join("console")).unwrap_or_default();
                bail!(
                    "{what}: not within {:.0?}\n{:#?}\n{}",
                    began.elapsed(),
                    machine.said(),
                    String::from_utf8_lossy(&console)
                );
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }
}

/// A machine that is on. Dropped, it has no power any more.
struct Machine {
    emulator: Child,
    log: PathBuf,
}

impl Machine {
    /// What was said since it was switched on, line by line.
    fn said(&self) -> Vec<String> {
        let said = fs::read_to_string(&self.log).unwrap_or_default();
        let whole = said.rfind('\n').map_or("", |end| &said[..end]);
        whole
            .lines()
            .map(|line| line.trim_end().to_owned())
            .collect()
    }

    fn is_on(&mut self) -> Result<bool> {
        Ok(self.emulator.try_wait()?.is_none())
    }
}

impl Drop for Machine {
    fn drop(&mut self) {
        // SIGKILL; and one that has ended by itself needs none.
        let _ = self.emulator.kill();
        let _ = self.emulator.wait();
    }
}

/// The stories that a report has as posted.
fn posted(when: &str, report: &[String]) -> BTreeSet<String> {
    let posted = report.iter().filter_map(|line| {
        let line = line.strip_prefix(when)?.strip_prefix(" ended ")?;
        line.strip_suffix(" posted")
    });
    posted.map(str::to_owned).collect()
}

/// Chance, the same for the same seed (SplitMix64).
struct Dice(u64);

impl Dice {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    fn below(&mut self, time: Duration) -> Duration {
        time.mul_f64(self.next() as f64 / u64::MAX as f64)
    }
}

fn done(what: &str) {
    println!("ok  {what}");
}

/// What the settings say of the chat, where Telegram is at `api_url`: posting goes on all day.
fn settings(api_url: &str) -> [(&'static str, String); 5] {
    [
        ("api_url", format!("{api_url:?}")),
        ("chat", TEAM.to_string()),
        ("admin_chat", ANN.to_string()),
        ("window_start", "\"00:00\"".to_owned()),
        ("window_end", "\"00:00\"".to_owned()),
    ]
}
