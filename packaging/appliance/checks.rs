//! The package as a user has it: installed by apt from the signed repository on a Debian that was just booted, with systemd,
//! journal and all. Run inside of it, as root: `appliance REPOSITORY CONFFILE OLDER NEWER`.
//!
//! What is looked for is looked for before there is anything to find, too: a check that passes on a machine without the
//! package is none.
#![expect(clippy::print_stdout, reason = "it talks to the person who runs it")]

mod copies;
mod journal;
mod package;
#[path = "../../tests/pretend/mod.rs"]
mod pretend;
mod purge;
mod records;
mod settings;
mod setup;
mod shell;
mod sticks;
mod team;
mod work;

use anyhow::{Result, bail};

const LIBRARY: &str = "/srv/storyline/library";
const SETTINGS: &str = "/etc/storyline/storyline.toml";
const CREDENTIAL: &str = "/etc/credstore/storyline.telegram.token";

#[tokio::main]
async fn main() -> Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [repository, conffile, older, newer] = arguments.as_slice() else {
        bail!("usage: appliance REPOSITORY CONFFILE OLDER NEWER");
    };
    let telegram = team::gather().await;
    package::nothing_is_there()?;
    package::add_repository(repository)?;
    settings::what_was_a_conffile_is_the_owners(conffile, newer)?;
    package::install(older)?;
    records::tampered_with(repository)?;
    work::without_a_token()?;
    work::anybody_of_the_group_drops_a_picture()?;
    setup::set_up(&telegram)?;
    setup::who_leaves_setup_leaves_all_as_it_was()?;
    setup::what_only_the_records_say_is_not_done_by_root()?;
    settings::an_ordinary_user_is_told_to_use_sudo()?;
    work::a_story_is_delivered_and_its_press_recorded(&telegram).await?;
    work::a_hanging_service_is_started_anew()?;
    work::a_child_that_eats_all_memory_ends_alone()?;
    sticks::nothing_is_written_on_a_stick()?;
    work::killed_again_and_again(&telegram).await?;
    let backup = records::backed_up()?;
    copies::leave_the_box_encrypted()?;
    copies::a_secret_of_roots_keeps_nobody_from_working()?;
    records::damaged_and_brought_back(&backup)?;
    settings::an_upgrade_asks_nobody(older, newer)?;
    package::what_is_disabled_stays_so()?;
    purge::what_is_not_the_packages_stays_and_no_link_is_followed()?;
    package::remove_and_purge(newer)?;
    println!("all is well");
    Ok(())
}
