//! Two assemblies of one binary, byte for byte; what differs is named by file.

use std::fs;
use std::path::Path;
use std::time::Duration;

use crate::assemble::{Made, PARTS, VERSION, assemble};
use crate::problem::{Problem, at};
use crate::room::Room;
use crate::{say, store, tree};

const LIMIT: Duration = Duration::from_secs(20 * 60);
/// Lines of differences worth printing.
const SHOWN: usize = 40;

/// Assembles twice, the first time as `build` does; true when every part has the same SHA-256.
///
/// # Errors
/// When an assembly fails.
pub fn reproduce(room: &Room, binary: &Path) -> Result<bool, Problem> {
    let first = assemble(room, binary, "out", VERSION)?;
    let second = assemble(room, binary, "out-again", VERSION)?;
    let mut same = true;
    for end in PARTS {
        let [one, other] = [&first, &second].map(|made| store::sha256(&made.part(end)));
        let (one, other) = (one?, other?);
        if one == other {
            say::line(&format!("{end:<16} same {one}"));
        } else {
            same = false;
            say::line(&format!("{end:<16} DIFFERS {one} {other}"));
        }
    }
    if !same {
        for line in differences(room, &first, &second)?.iter().take(SHOWN) {
            say::line(line);
        }
    }
    Ok(same)
}

/// The files of the root that differ, and the sections of the kernel image that do.
fn differences(room: &Room, first: &Made, second: &Made) -> Result<Vec<String>, Problem> {
    let mut dirs = Vec::new();
    for (made, name) in [(first, "root-first"), (second, "root-second")] {
        let dir = room.empty_dir(name)?;
        let (image, extract) = (
            made.part("root.raw").to_string_lossy().into_owned(),
            format!("--extract={}", dir.display()),
        );
        tree::inside(room, &["fsck.erofs", &extract, &image], LIMIT).must("fsck.erofs")?;
        dirs.push(dir.to_string_lossy().into_owned());
    }
    let mut words = vec!["diff", "--recursive", "--brief", "--no-dereference"];
    words.extend(dirs.iter().map(String::as_str));
    let said = tree::inside(room, &words, LIMIT).capture()?;
    let mut lines: Vec<String> = said.output.lines().map(str::to_owned).collect();
    for dir in &dirs {
        fs::remove_dir_all(dir).map_err(at(dir, "remove"))?;
    }
    let [one, other] = [first, second].map(|made| sections(room, made));
    let (one, other) = (one?, other?);
    let differ = one
        .lines()
        .zip(other.lines())
        .filter(|(one, other)| one != other);
    lines.extend(differ.map(|(one, other)| format!("kernel image: {one} | {other}")));
    Ok(lines)
}

fn sections(room: &Room, made: &Made) -> Result<String, Problem> {
    let image = made.part("efi").to_string_lossy().into_owned();
    tree::inside(room, &["ukify", "inspect", &image], LIMIT).must("ukify")
}
