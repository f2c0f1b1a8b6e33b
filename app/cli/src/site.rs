//! Which data directory and which backup repositories this run is about.

use std::path::{Path, PathBuf};

use backup::offsite::{Offsite, Reach, Rest, S3, Sftp};
use backup::{Chunking, Location, RepositorySettings};
use base::report::Report;
use base::settings::{BackupRepository, Environment, RepositoryPlace, Site};
use server::factor_keys::KeyPlace;
use server::features::former_states::FormerSource;
use store::DataDir;

use crate::arguments::Arguments;

/// The site file that was named, or the usual one.
pub(crate) fn path(arguments: &Arguments, environment: &Environment) -> PathBuf {
    arguments
        .site
        .clone()
        .unwrap_or_else(|| environment.site_file.clone())
}

/// Reads the site file.
pub(crate) fn read(arguments: &Arguments, environment: &Environment) -> Result<Site, Report> {
    Site::read(&path(arguments, environment)).map_err(|problem| problem.report())
}

/// The data directory: named, else of the site file when there is one, else the usual one.
pub(crate) fn data_dir(
    arguments: &Arguments,
    environment: &Environment,
) -> Result<DataDir, Report> {
    if let Some(dir) = &arguments.data {
        return Ok(DataDir::new(dir));
    }
    let file = path(arguments, environment);
    if file.exists() {
        let site = Site::read(&file).map_err(|problem| problem.report())?;
        if let Some(dir) = site.server.data {
            return Ok(DataDir::new(dir));
        }
    }
    Ok(DataDir::new(&environment.data_dir))
}

/// Where the keys of second factors lie: the credential, else what the site file says (when there is
/// one), else the usual place in the data directory.
pub(crate) fn factor_keys(
    arguments: &Arguments,
    environment: &Environment,
    dir: &DataDir,
) -> Result<KeyPlace, Report> {
    let file = path(arguments, environment);
    let named = if file.exists() {
        read(arguments, environment)?.sign_in().factor_key_file
    } else {
        None
    };
    let credentials = environment.credentials_dir.as_deref();
    Ok(KeyPlace::find(credentials, named, dir.factor_keys()))
}

/// This very program, for the service to ask about backups of the past.
pub(crate) fn former_source(
    arguments: &Arguments,
    environment: &Environment,
    dir: &DataDir,
) -> Option<FormerSource> {
    former_source_of(&path(arguments, environment), dir)
}

/// As [`former_source`], of a named site file. Without a path to this program there is none: then the
/// service says that it has no backups to look into.
pub(crate) fn former_source_of(site: &Path, dir: &DataDir) -> Option<FormerSource> {
    let absolute = |path: &Path| std::path::absolute(path).ok();
    Some(FormerSource {
        program: std::env::current_exe().ok()?,
        arguments: vec![
            "--site".into(),
            absolute(site)?.into(),
            "--data".into(),
            absolute(dir.path())?.into(),
        ],
    })
}

/// Where the first site file goes: as named, else beside the data when only that was named.
pub(crate) fn first(arguments: &Arguments, environment: &Environment, dir: &DataDir) -> PathBuf {
    if arguments.site.is_none() && arguments.data.is_some() {
        dir.path().join("site.toml")
    } else {
        path(arguments, environment)
    }
}

/// Does it lie on a disk of the rotation? Then `backup disk` alone makes it and writes to it.
pub(crate) fn is_rotated(repository: &BackupRepository) -> bool {
    let disk = repository.removable.as_ref();
    disk.is_some_and(|disk| disk.key_file.is_some())
}

/// The repositories of the site file, in its order. What a place elsewhere cannot hold for us lies in the data
/// directory.
pub(crate) fn repositories(site: &Site, dir: &DataDir) -> Vec<RepositorySettings> {
    let named = site
        .backup
        .repositories
        .iter()
        .map(|repository| RepositorySettings {
            name: repository.name().to_owned(),
            location: location(&repository.place, dir),
            password_file: repository.password_file.clone(),
            chunking: Chunking::Fixed16KiB,
        });
    named.collect()
}

fn location(place: &RepositoryPlace, dir: &DataDir) -> Location {
    let (reach, append_only) = match place {
        RepositoryPlace::Directory(path) => return Location::Directory(path.clone()),
        RepositoryPlace::Rest(rest) => {
            let reach = Reach::Rest(Rest {
                url: rest.url.clone(),
                login: rest.user.clone().zip(rest.login_file.clone()),
                ca_file: rest.ca_file.clone(),
            });
            (reach, rest.append_only)
        }
        RepositoryPlace::S3(s3) => {
            let reach = Reach::S3(S3 {
                endpoint: s3.endpoint.clone(),
                region: s3.region.clone(),
                bucket: s3.bucket.clone(),
                prefix: s3.prefix.clone(),
                login_file: s3.login_file.clone(),
                ca_file: s3.ca_file.clone(),
            });
            (reach, s3.append_only)
        }
        RepositoryPlace::Sftp(sftp) => {
            let reach = Reach::Sftp(Sftp {
                host: sftp.host.clone(),
                port: sftp.port,
                user: sftp.user.clone(),
                path: sftp.path.clone(),
                key_file: sftp.key_file.clone(),
                known_hosts_file: sftp.known_hosts_file.clone(),
            });
            (reach, sftp.append_only)
        }
    };
    let state = dir.backup_records().join("offsite");
    Location::Offsite(Offsite::new(reach, append_only, state))
}
