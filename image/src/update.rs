//! Updates as an operator puts them in, by the menu and a stick: one that is forged, one that is well, the way back,
//! and one that does not come up.

use std::path::{Path, PathBuf};
use std::time::Duration;

use bundle::EXTENSION;
use minisign::KeyPair;

use crate::assemble::{self, Made};
use crate::boot::{blank, prepare_as, run, serves};
use crate::console::{MENU, Operator, SCRIPT, ended};
use crate::disk_a::{DISK_BYTES, SITE};
use crate::problem::{Problem, at, unclear};
use crate::room::Room;
use crate::vm::Machine;
use crate::{release, say, trial};

/// Both bundles and a site file.
const STICK_BYTES: u64 = 2 * 1024 * 1024 * 1024;
const NEWER: &str = "0.1.1";
const BAD: &str = "0.1.2";
/// A program that does nothing but fail, in place of the product.
const FAILS: &str = "/bin/false";
/// A version that came up whole, on emulated processors, after as many as three starts in vain.
const UP_MAX: Duration = Duration::from_secs(30 * 60);

/// # Errors
/// What did not hold, with the end of the console.
pub fn update(room: &Room, made: &Made, binary: &Path) -> Result<(), Problem> {
    let newer = assemble::assemble(room, binary, "out-newer", NEWER)?;
    let bad = assemble::assemble(room, Path::new(FAILS), "out-bad", BAD)?;
    let vm = room.dir("vm")?;
    let mut all = prepare_as(room, &made.part("raw"), SITE)?;
    let disk_a = vm.join("disk-a.raw");
    blank(&disk_a, DISK_BYTES)?;
    all.parts.disk_a = Some(disk_a);
    let stick = vm.join("stick-update.raw");
    filled(
        room,
        &stick,
        &[
            forged(room, &newer)?,
            release::make(room, &newer)?,
            release::make(room, &bad)?,
        ],
    )?;
    let menu = vm.join("menu.smbios");
    trial::with_menu(Some(SCRIPT), &menu)?;
    all.parts.trial = Some(menu);
    all.parts.stick = Some(stick);
    all.parts.log = vm.join("console-update.log");
    let mut machine = Machine::start(room, &all.parts)?;
    let second = serves(room, &mut machine, &all)?;
    say::line(&format!("{} serves after {second:.0} s", made.version()));
    up(&mut machine, made.version(), 1)?;
    ended(&mut machine)?;
    let mut operator = Operator::of(&mut machine);
    operator.answer(MENU, "")?;
    put_in(&mut operator, "forged")?;
    operator.until("署名が正しくありません")?;
    operator.answer("メニューに戻ります", "")?;
    say::line("a bundle of another key: refused");
    installed(&mut operator, NEWER)?;
    up(operator.machine, NEWER, 1)?;
    operator.answer(MENU, "")?;
    say::line(&format!(
        "{NEWER} came up after {:.0} s",
        operator.machine.second()
    ));
    operator.choose("前の版に戻す")?;
    operator.answer("操作する人の氏名", "Ishikawa")?;
    operator.answer("操作の理由", "the way back")?;
    operator.answer("戻しますか", "y")?;
    operator.answer("再起動しますか", "y")?;
    up(operator.machine, made.version(), 2)?;
    operator.answer(MENU, "")?;
    say::line(&format!(
        "{} by the menu after {:.0} s",
        made.version(),
        operator.machine.second()
    ));
    installed(&mut operator, BAD)?;
    let before = operator.machine.times(crate::slots::START);
    up(operator.machine, made.version(), 3)?;
    let starts = operator
        .machine
        .times(crate::slots::START)
        .saturating_sub(before);
    operator.answer(MENU, "")?;
    operator.choose("状態をくわしく見る")?;
    operator.until(&format!("装置の更新（版 {BAD}）は起動できず"))?;
    say::line(&format!(
        "{BAD}, whose service ends at once: {starts} starts, {} again after {:.0} s, and it says so",
        made.version(),
        operator.machine.second()
    ));
    serves(room, &mut machine, &all)?;
    machine.cut_off()
}

/// Signed by somebody else.
fn forged(room: &Room, newer: &Made) -> Result<PathBuf, Problem> {
    let keys = KeyPair::generate_unencrypted_keypair().map_err(unclear("minisign"))?;
    let secret = keys.sk.to_box(None).map_err(unclear("minisign"))?;
    let ending = format!("forged.{EXTENSION}");
    release::make_signed(room, newer, &secret.to_string(), &ending)
}

fn filled(room: &Room, stick: &Path, files: &[PathBuf]) -> Result<(), Problem> {
    blank(stick, STICK_BYTES)?;
    let image = stick.to_string_lossy();
    run(room, &["mkfs.vfat", "-n", "HOKATSU", &image])?;
    let site = room.dir("vm")?.join("site.toml");
    for file in std::iter::once(&site).chain(files) {
        let name = file.file_name().unwrap_or_default().to_string_lossy();
        let (from, to) = (file.to_string_lossy(), format!("::{name}"));
        run(room, &["mcopy", "-i", &image, &from, &to])?;
    }
    for file in files {
        std::fs::remove_file(file).map_err(at(file, "remove"))?;
    }
    Ok(())
}

/// The version has proved itself so many times.
fn up(machine: &mut Machine, version: &str, times: usize) -> Result<(), Problem> {
    let words = format!("Finished slot-good.service - 版 {version}");
    machine
        .wait(&words.clone(), UP_MAX, |machine| {
            Ok((machine.times(&words) >= times).then_some(()))
        })
        .map(drop)
}

/// Chooses the bundle of this name on the stick.
fn put_in(operator: &mut Operator<'_>, name: &str) -> Result<(), Problem> {
    operator.choose("装置を新しい版にする")?;
    let line = operator.until(name)?;
    let number = line
        .split_whitespace()
        .next()
        .unwrap_or_default()
        .to_owned();
    operator.answer("どれを入れますか", &number)?;
    operator.answer("操作する人の氏名", "Ishikawa")?;
    operator.answer("操作の理由", "an update")
}

fn installed(operator: &mut Operator<'_>, version: &str) -> Result<(), Problem> {
    let begun = operator.machine.second();
    put_in(operator, &format!("{version}.{EXTENSION}"))?;
    operator.answer("この更新を入れますか", "y")?;
    operator.answer("再起動しますか", "y")?;
    let took = operator.machine.second() - begun;
    say::line(&format!(
        "{version} put in by the menu: {took:.0} s, saved before"
    ));
    Ok(())
}
