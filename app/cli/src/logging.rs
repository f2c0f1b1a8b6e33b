//! Where log records go: to the journal with their fields under systemd, to stderr elsewhere.

use base::settings::Environment;
use log::LevelFilter;

use crate::arguments::{Arguments, ShipVerb, Verb};

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
        } => asked,
        Verb::Demo(_)
        | Verb::Init(_)
        | Verb::Import { .. }
        | Verb::Attachments { .. }
        | Verb::Audit { .. }
        | Verb::Incident { .. }
        | Verb::Backup { .. }
        | Verb::Ship { .. }
        | Verb::Restore(_)
        | Verb::Timemachine { .. }
        | Verb::Users { .. }
        | Verb::CarriedOut { .. }
        | Verb::Certificates { .. }
        | Verb::FactorKeys { .. } => {
            if asked == LevelFilter::Info {
                LevelFilter::Error
            } else {
                asked
            }
        }
    };
    if env_logger::Builder::new()
        .filter_level(level)
        .try_init()
        .is_err()
    {
        log::debug!("logging was started before");
    }
}
