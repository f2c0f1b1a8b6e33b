//! Where log records go: to the journal with their fields under systemd, to stderr elsewhere.

use base::settings::Environment;
use log::LevelFilter;

use crate::arguments::{Arguments, ShipVerb, UpsVerb, Verb};

/// The engine of the repositories, as the place of a panic names it.
const ENGINE: &str = "rustic_core";

/// Keeps from people what is none of their business: when the engine comes across damage, threads that were
/// still reading for it end with a panic that nobody is there to hear. The damage itself is told by whoever
/// asked the engine. Any other panic is shown as before.
pub(crate) fn hide_threads_that_end_unheard() {
    let shown = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |told| {
        let place = told.location().map(ToString::to_string);
        let place = place.unwrap_or_default();
        // Ours have names, and so has the one that waits for the engine's answer.
        if place.contains(ENGINE) && std::thread::current().name().is_none() {
            log::debug!("a thread of the engine ended at {place}");
        } else if place.contains(ENGINE) && place.contains("src/index.rs") {
            // It would show the whole index; `backup::check` catches it.
            log::warn!("the engine gave up at {place}");
        } else {
            shown(told);
        }
    }));
}

/// Starts logging. A second start (tests) changes nothing.
pub(crate) fn start(environment: &Environment, arguments: &Arguments) {
    let asked = environment.log_level.parse().unwrap_or(LevelFilter::Info);
    if systemd_journal_logger::connected_to_journal() {
        let installed = systemd_journal_logger::JournalLog::new().and_then(|logger| {
            let named = logger.with_syslog_identifier("hokatsu".to_owned());
            named.install().map_err(std::io::Error::other)
        });
        if installed.is_ok() {
            log::set_max_level(asked);
            return;
        }
    }
    // On a terminal people read sentences; a line per request is for the service.
    let level = match arguments.verb {
        Verb::Serve
        | Verb::Ship {
            what: ShipVerb::Run,
        }
        | Verb::Ups {
            what: UpsVerb::Watch,
        } => asked,
        Verb::Demo(_)
        | Verb::Init(_)
        | Verb::Import { .. }
        | Verb::Attachments { .. }
        | Verb::Audit { .. }
        | Verb::Incident { .. }
        | Verb::Backup { .. }
        | Verb::Ship { .. }
        | Verb::Site { .. }
        | Verb::Ups { .. }
        | Verb::Restore(_)
        | Verb::Timemachine { .. }
        | Verb::Users { .. }
        | Verb::CarriedOut { .. }
        | Verb::Certificates { .. }
        | Verb::Antivirus { .. }
        | Verb::Console
        | Verb::Runbook { .. }
        | Verb::Update { .. }
        | Verb::Status
        | Verb::Erase { .. }
        | Verb::FactorKeys { .. } => {
            if asked == LevelFilter::Info {
                LevelFilter::Error
            } else {
                asked
            }
        }
    };
    let mut builder = env_logger::Builder::new();
    builder.filter_level(level);
    if level == LevelFilter::Error {
        // What it finds comes back to whoever asked, who tells it in words for people.
        builder.filter_module(ENGINE, LevelFilter::Off);
    }
    if builder.try_init().is_err() {
        log::debug!("logging was started before");
    }
}
