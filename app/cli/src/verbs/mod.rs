//! One file per verb.

mod antivirus;
mod attachments;
mod audit;
mod backup;
mod break_glass;
mod carried_out;
mod certificates;
mod console;
mod demo;
mod erase;
mod factor_keys;
mod import;
mod incident;
mod init;
mod restore;
mod runbook;
mod serve;
mod ship;
mod site_file;
mod status;
mod stopping;
mod timemachine;
mod update;
mod ups;
mod users;
mod words;

use std::path::Path;
use std::process::ExitCode;

use base::clock::{Clock, japan};
use base::report::{Kind, Report};
use base::settings::{DiskSettings, Environment};
use jiff::Timestamp;
use jiff::civil::DateTime;
use store::Operator;

use crate::arguments::{
    AntivirusVerb, Arguments, AttachmentsVerb, AuditVerb, BackupVerb, CarriedOutVerb,
    CertificatesVerb, DiskVerb, EraseVerb, FactorKeysVerb, ImportVerb, IncidentVerb, RestoreVerb,
    ShipVerb, SiteVerb, TimemachineVerb, UpdateVerb, UpsVerb, UsersVerb, Verb,
};
use crate::output::Voice;
use crate::verbs::backup::Keeper;
use crate::{operator, site};

/// Does what was asked.
pub(crate) fn run(
    arguments: &Arguments,
    environment: &Environment,
    voice: &Voice,
) -> Result<ExitCode, Report> {
    let dir = || site::data_dir(arguments, environment);
    let site = || site::read(arguments, environment);
    let operator = || operator::required(arguments, environment, voice);
    let keys = || site::factor_keys(arguments, environment, &dir()?);
    let timer = || operator::or_timer(arguments, environment, voice);
    match &arguments.verb {
        Verb::Demo(asked) => demo::run(asked, voice),
        Verb::Serve => {
            let former = site::former_source(arguments, environment, &dir()?);
            serve::run(&site()?, &dir()?, (&keys()?, former), voice)
        }
        Verb::Init(asked) => {
            let first = site::first(arguments, environment, &dir()?);
            init::run(asked, &dir()?, (&first, &keys()?), &operator()?, voice)
        }
        Verb::Import {
            what: ImportVerb::Residents(asked),
        } => {
            // Looking at the difference leaves nothing behind.
            let operator = (!asked.dry_run).then(operator).transpose()?;
            // Without a site file nobody is named who could look into them.
            if site::path(arguments, environment).exists() {
                antivirus::look_into(&asked.files, &site()?, voice)?;
            }
            import::run(asked, &dir()?, operator.as_ref(), voice)
        }
        Verb::Import {
            what: ImportVerb::Undo { yes },
        } => import::undo(*yes, &dir()?, &operator()?, voice),
        Verb::Attachments {
            what: AttachmentsVerb::Check,
        } => attachments::check(&dir()?, voice),
        Verb::Audit {
            what: AuditVerb::Verify { against, live_only },
        } => audit::verify(&dir()?, against.as_deref(), *live_only, voice),
        Verb::Audit {
            what: AuditVerb::Checkpoint,
        } => audit::checkpoint(&dir()?, timer()?, voice),
        Verb::Audit {
            what: AuditVerb::Archive(asked),
        } => audit::archive(asked, &dir()?, &operator()?, voice),
        Verb::Incident {
            what: IncidentVerb::Verify { folder, key },
        } => incident::verify(folder, key.as_deref(), &dir()?, voice),
        Verb::Backup { what } => {
            let (site, file) = (site()?, site::path(arguments, environment));
            let desk = || backup::Desk::new(&site, dir()?, operator, voice);
            let keeper = |who: Option<Operator>| Keeper::new((&site, &file), dir()?, who, voice);
            match what {
                BackupVerb::Init { repository } => {
                    backup::init(repository.as_deref(), &keeper(Some(operator()?))?)
                }
                BackupVerb::Run => backup::run(&keeper(timer()?)?),
                BackupVerb::List => backup::list(&keeper(None)?),
                BackupVerb::Sheet(asked) => backup::sheet(asked, &desk()?),
                BackupVerb::Key { what } => backup::key(what, &desk()?),
                BackupVerb::Check(asked) => backup::check(asked, &keeper(None)?),
                BackupVerb::Prune(asked) => {
                    // Looking at the plan leaves nothing behind.
                    let who = (!asked.dry_run).then(timer).transpose()?.flatten();
                    backup::prune(asked, &keeper(who)?)
                }
                BackupVerb::Drill(asked) => backup::drill(asked, &keeper(timer()?)?),
                BackupVerb::Report(asked) => backup::report(asked, &keeper(timer()?)?),
                BackupVerb::Status => backup::status(&keeper(None)?),
                BackupVerb::Disk { what } => {
                    let who = match what {
                        DiskVerb::List | DiskVerb::Unplugged(_) => None,
                        DiskVerb::Enrol(asked) => (!asked.dry_run).then(operator).transpose()?,
                        DiskVerb::Release(asked) => (!asked.dry_run).then(operator).transpose()?,
                        DiskVerb::Run(asked) if asked.despite => Some(operator()?),
                        DiskVerb::Run(_) => timer()?,
                    };
                    backup::disk(what, &keeper(who)?)
                }
                BackupVerb::Tick(asked) => {
                    let who = (!asked.dry_run).then(timer).transpose()?.flatten();
                    backup::tick(asked, &keeper(who)?)
                }
            }
        }
        Verb::Ship { what } => match what {
            ShipVerb::Enrol { dry_run, yes } => {
                let operator = (!dry_run).then(operator).transpose()?;
                ship::enrol(*yes, &site()?, &dir()?, operator, voice)
            }
            ShipVerb::Run => ship::run(&site()?, &dir()?, voice),
            ShipVerb::Status => ship::status(&site()?, &dir()?, voice),
            ShipVerb::Prune {
                change_is_known,
                dry_run,
                yes,
            } => {
                // That it is known is somebody's word, not the timer's.
                let who = if *change_is_known {
                    Some(operator()?)
                } else {
                    timer()?
                };
                let asked = (*change_is_known, *dry_run, *yes);
                ship::prune(asked, &site()?, (&dir()?, who), voice)
            }
            ShipVerb::Rebuild(asked) => {
                let operator = (!asked.dry_run).then(operator).transpose()?;
                let place = match &asked.from {
                    Some(place) => place.clone(),
                    None => ship::shipping(&site()?, voice)?.path.clone(),
                };
                ship::rebuild(asked, &place, (&dir()?, operator), voice)
            }
        },
        Verb::Users { what } => match what {
            UsersVerb::List => users::list(&dir()?, &operator()?, voice),
            UsersVerb::Add(asked) => users::add(asked, &dir()?, &operator()?, voice),
            UsersVerb::Reset(asked) => users::reset(asked, &dir()?, &operator()?, voice),
            UsersVerb::Disable(asked) => users::disable(asked, &dir()?, &operator()?, voice),
            UsersVerb::Grant(asked) => users::grant(asked, &dir()?, &operator()?, voice),
            UsersVerb::BreakGlass { what } => break_glass::run(what, &dir()?, &operator()?, voice),
            UsersVerb::PasswordCost => users::password_cost(voice),
            UsersVerb::Report { to } => users::report(to, &dir()?, &operator()?, voice),
        },
        Verb::Certificates { what } => {
            let (dir, file) = (dir()?, site::path(arguments, environment));
            // Without a site file there is no certificate but our own.
            let shown = file.exists().then(&site).transpose()?;
            let shown = shown.map(|site| serve::tls_of(&site, &dir).certificate);
            match what {
                CertificatesVerb::Check => certificates::check(&dir, shown, voice),
                CertificatesVerb::RenewServer { yes } => {
                    certificates::renew_server(*yes, &dir, operator()?, voice)
                }
                CertificatesVerb::RenewAuthority { yes } => {
                    certificates::renew_authority(*yes, &dir, operator()?, voice)
                }
            }
        }
        Verb::FactorKeys { what } => match what {
            FactorKeysVerb::Check => factor_keys::check(&dir()?, &keys()?, voice),
            FactorKeysVerb::Rotate { to, yes } => {
                let to = (to.as_deref(), *yes);
                factor_keys::rotate(to, &dir()?, &keys()?, &operator()?, voice)
            }
            FactorKeysVerb::TakeBack { yes } => {
                factor_keys::take_back(*yes, &dir()?, &keys()?, &operator()?, voice)
            }
        },
        Verb::CarriedOut {
            what: CarriedOutVerb::Add(asked),
        } => carried_out::add(asked, &dir()?, &operator()?, voice),
        Verb::Site { what } => match what {
            SiteVerb::Check => site_file::check(&site()?, voice),
            SiteVerb::Render(asked) => {
                site_file::render(asked, &site()?, &site::path(arguments, environment))
            }
        },
        Verb::Ups { what } => match what {
            UpsVerb::Watch => ups::watch(&site()?, voice),
            UpsVerb::Status => ups::status(&site()?, voice),
            UpsVerb::Simulate(asked) => ups::simulate(asked, &site()?, voice),
        },
        Verb::Antivirus { what } => match what {
            AntivirusVerb::Status => antivirus::status(&site()?, voice),
            AntivirusVerb::Update(asked) => {
                // Looking at the plan leaves nothing behind.
                let who = (!asked.dry_run).then(operator).transpose()?;
                antivirus::update(asked, (&site()?, &dir()?), who, voice)
            }
        },
        Verb::Console => console::run(voice),
        Verb::Runbook { name } => runbook::run(name.as_deref(), voice),
        Verb::Status => {
            // A machine without settings has a condition too.
            let file = site::path(arguments, environment);
            let site = file.exists().then(site).transpose()?;
            status::run(site.as_ref(), &dir()?, Path::new("/"), voice)
        }
        Verb::Update { what } => {
            let dir = dir()?;
            let desk = update::Desk {
                root: Path::new("/"),
                dir: &dir,
                now: Clock::system().now(),
                voice,
            };
            match what {
                UpdateVerb::Status => update::status(&desk),
                UpdateVerb::Apply(asked) => {
                    // Looking at the plan leaves nothing behind.
                    let who = (!asked.dry_run).then(operator).transpose()?;
                    update::apply(asked, who, &desk)
                }
                UpdateVerb::Rollback(asked) => update::rollback(asked, operator()?, &desk),
            }
        }
        Verb::Erase { what } => {
            let desk = erase::Desk::new(dir()?, operator()?, voice);
            match what {
                EraseVerb::Plan(asked) => erase::plan(asked, &desk),
                EraseVerb::Run(asked) => erase::run(asked, &desk),
                EraseVerb::Record(asked) => erase::record(asked, &desk),
                EraseVerb::Certificate(asked) => erase::certificate(asked, &desk),
            }
        }
        Verb::Timemachine { what } => {
            let (site, dir) = (site()?, dir()?);
            let repositories = site::repositories(&site, &dir);
            let from = (&site, repositories.as_slice());
            match what {
                TimemachineVerb::Points => timemachine::points(from, &dir, voice),
                TimemachineVerb::Fetch(asked) => timemachine::fetch(asked, from, &dir, voice),
                TimemachineVerb::Bytes(asked) => timemachine::bytes(asked, from, &dir, voice),
            }
        }
        Verb::Restore(asked) => {
            if let Some(RestoreVerb::Unlock(asked)) = &asked.what {
                // A bare machine has no settings yet; broken ones are told.
                let disks = if site::path(arguments, environment).exists() {
                    site()?.backup.disks()
                } else {
                    DiskSettings::default()
                };
                return restore::unlock(asked, &disks, voice);
            }
            let Some(from) = &asked.from else {
                let dir = dir()?;
                let repositories = site::repositories(&site()?, &dir);
                return restore::run(asked, &repositories, &dir, operator, voice);
            };
            let (repository, _held) = words::repository_at(from, &asked.words, voice)?;
            restore::run(asked, &[repository], &dir()?, operator, voice)
        }
    }
}

/// A moment as an operator types it: the clock on the wall, or with an offset.
fn moment(text: &str, voice: &Voice) -> Result<Timestamp, Report> {
    let instant = text.parse::<Timestamp>().ok().or_else(|| {
        let local = text.parse::<DateTime>().ok()?;
        Some(local.to_zoned_datetime(japan()).ok()?.timestamp())
    });
    instant.ok_or_else(|| {
        voice.say("時刻は 2026-11-23T09:00 のように書いてください。");
        Report::bare(Kind::Usage)
    })
}
