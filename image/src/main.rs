//! `cargo xtask image …`: the appliance image is built, pinned, compared and started.
//!
//! Exit code: 0 holds, 1 does not hold, 2 wrong usage, 3 the world is in the way.

use std::path::PathBuf;
use std::process::ExitCode;

use appliance::problem::Problem;
use appliance::room::Room;
use appliance::slots::Bad;
use appliance::{
    assemble, boot, compare, console, disk_a, raid, refresh, release, say, slots, update, write,
};
use clap::{Args, Parser, Subcommand};

/// 装置のイメージを作り、確かめる
#[derive(Parser)]
#[command(name = "cargo xtask image", bin_name = "cargo xtask image")]
struct Arguments {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Subcommand)]
enum Verb {
    /// Make the image from pinned packages.
    Build(Product),
    /// Take the present versions of all packages, and write down which they are.
    Lock(Product),
    /// Make it twice and compare every byte.
    Reproduce {
        #[command(flatten)]
        product: Product,
        /// Where the archive has dropped a locked version, take what it has today: an image to try, not to ship.
        #[arg(long)]
        or_present: bool,
    },
    /// Write the image that was built last onto a disk of this machine.
    Write {
        /// The disk, as in /dev/sdb.
        device: PathBuf,
        /// All that it holds may go: its serial number, so that it is the right one.
        #[arg(long, value_name = "SERIAL")]
        replace: Option<String>,
    },
    /// Start it as an empty machine, until it serves, and once more.
    Boot {
        /// Flip one bit of the root before, and see it restart instead of serve.
        #[arg(long)]
        flip_bit: bool,
    },
    /// Give it a blank disk A, take it away, and give it back.
    DiskA,
    /// Type at its menu: a recovery sheet, a new main board, and a blank machine that gets the records of disk A.
    Console,
    /// Take the data disks away one after the other, and give it others.
    Raid,
    /// Make the update bundle of the image that was built last.
    Bundle,
    /// Put updates in by the menu: a forged one, one that is well, back again, one that does not come up.
    Update(Product),
    /// Give it an update that is bad, and see it go back to what it had.
    FallBack {
        /// The service of the update ends at once; without this, one bit of its root is flipped.
        #[arg(long)]
        service: bool,
        #[command(flatten)]
        product: Product,
    },
}

#[derive(Args)]
struct Product {
    /// The `hokatsu` to put in; without it, it is built as CI tests it.
    #[arg(long, value_name = "PATH")]
    binary: Option<PathBuf>,
}

impl Product {
    fn binary(&self, room: &Room) -> Result<PathBuf, Problem> {
        self.binary
            .clone()
            .map_or_else(|| assemble::product(room), Ok)
    }
}

fn main() -> ExitCode {
    let room = Room::here();
    match run(&room, &Arguments::parse().verb) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::from(1),
        Err(problem) => {
            say::problem(&problem);
            ExitCode::from(if wrong_usage(&problem) { 2 } else { 3 })
        }
    }
}

fn wrong_usage(problem: &Problem) -> bool {
    matches!(
        problem,
        Problem::NoBinary(_) | Problem::NoImage | Problem::Refused(_)
    )
}

fn run(room: &Room, verb: &Verb) -> Result<bool, Problem> {
    match verb {
        Verb::Build(product) => {
            let made = assemble::assemble(room, &product.binary(room)?, "out", assemble::VERSION)?;
            for line in assemble::sizes(&made)? {
                say::line(&line);
            }
            Ok(true)
        }
        Verb::Lock(product) => refresh::refresh(room, &product.binary(room)?).map(|()| true),
        Verb::Reproduce {
            product,
            or_present,
        } => {
            let binary = product.binary(room)?;
            match compare::reproduce(room, &binary) {
                Err(Problem::Gone { names, .. }) if *or_present => {
                    say::line("no longer to be had, and so not the image of the lock files:");
                    names.iter().for_each(|name| say::line(name));
                    let room = room.pinned_by(room.dir("present")?);
                    refresh::refresh(&room, &binary)?;
                    compare::reproduce(&room, &binary)
                }
                made => made,
            }
        }
        Verb::Write { device, replace } => {
            let made = assemble::latest(room)?;
            write::write(room, &made, device, replace.as_deref()).map(|()| true)
        }
        Verb::Boot { flip_bit } => {
            let made = assemble::latest(room)?;
            if *flip_bit {
                slots::flip(room, &made)?;
            } else {
                boot::boot(room, &made)?;
            }
            Ok(true)
        }
        Verb::DiskA => disk_a::disk_a(room, &assemble::latest(room)?).map(|()| true),
        Verb::Console => console::console(room, &assemble::latest(room)?).map(|()| true),
        Verb::Raid => raid::raid(room, &assemble::latest(room)?).map(|()| true),
        Verb::Bundle => {
            let path = release::make(room, &assemble::latest(room)?)?;
            say::line(&path.display().to_string());
            Ok(true)
        }
        Verb::Update(product) => {
            let binary = product.binary(room)?;
            update::update(room, &assemble::latest(room)?, &binary).map(|()| true)
        }
        Verb::FallBack { service, product } => {
            let binary = product.binary(room)?;
            let bad = if *service { Bad::Service } else { Bad::Root };
            slots::fall_back(room, &assemble::latest(room)?, &binary, bad).map(|()| true)
        }
    }
}
