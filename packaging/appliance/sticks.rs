//! USB sticks: what is on one comes into the library, and nothing is written on it.

use std::fs;
use std::path::Path;

use anyhow::{Result, ensure};

use super::package::exposed_at_most;
use super::shell::{done, media, not_tried, sh, until};

/// An ext4 of 16 MB that was pulled out while something was written: see `payload`.
const STICK: &str = "/payload/stick.ext4";

pub(super) fn nothing_is_written_on_a_stick() -> Result<()> {
    exposed_at_most("storyline-usb@sda1", 2.5)?;
    let copy = |name: &str| -> Result<String> {
        let path = format!("/run/{name}.ext4");
        fs::copy(STICK, &path)?;
        Ok(path)
    };
    let sum = |path: &str| sh(&format!("md5sum < {path}"));
    let (control, stick) = (copy("control")?, copy("stick")?);
    let before = sum(&stick)?;
    let attached = sh(&format!("modprobe -q loop; losetup -f --show {control}"));
    let Ok(device) = attached else {
        not_tried("a stick that was pulled out is not written on: there is no loop device here");
        return Ok(());
    };
    sh(&format!(
        "mount -o ro {device} /mnt && umount /mnt && losetup -d {device}"
    ))?;
    ensure!(sum(&control)? != before, "the control: mending changes it");

    let device = sh(&format!("losetup -f --show {stick}"))?;
    let name = device.trim_start_matches("/dev/");
    let place = format!("/run/storyline-usb/{name}");
    let control = media();
    ensure!(!control.contains("from-the-stick.mp4"), "{control}");
    let started = sh(&format!("systemctl start storyline-usb@{name}"));
    let told = sh(&format!(
        "journalctl -q -o cat -u storyline-usb@{name} -u storyline-usb-mount@{name}"
    ))?;
    ensure!(started.is_ok(), "{started:?}\n{told}");
    until("what is on it is in the library", || {
        media().contains("memes/from-the-stick.mp4")
    })?;
    until("it is taken down again", || !Path::new(&place).exists())?;
    ensure!(sum(&stick)? == before, "it was written on");
    let is_writable = sh(&format!("blockdev --getro {device}"))?;
    ensure!(is_writable == "0", "whoever mounts it next cannot write");
    // What somebody uses is left alone.
    sh(&format!("mount {device} /mnt"))?;
    let refused = sh(&format!("systemctl start storyline-usb@{name}"));
    ensure!(refused.is_err(), "it was mounted a second time");
    sh(&format!(
        "touch /mnt/x && umount /mnt && losetup -d {device}"
    ))?;
    sh(&format!(
        "systemctl reset-failed 'storyline-usb*' && test ! -e {place}"
    ))?;
    done("what is on a stick comes into the library, and nothing is written on it");
    Ok(())
}
