//! What the image is made of, inside the image: a bill of materials and the licences.
//!
//! Debian's packages come from the lock, crates from Cargo; nothing is kept by hand. The full texts of Debian's
//! licences are where Debian puts them, in `/usr/share/doc/*/copyright`.

use std::path::Path;
use std::str::FromStr as _;
use std::time::Duration;

use base::paths::{MODE_PUBLIC, write_atomic};
use cyclonedx_bom::models::bom::{Bom, SpecVersion};
use cyclonedx_bom::models::component::{Classification, Component, Components};
use cyclonedx_bom::models::hash::{Hash, HashAlgorithm, HashValue, Hashes};
use cyclonedx_bom::models::license::{LicenseChoice, Licenses};
use cyclonedx_bom::prelude::Purl;

use crate::child::Spec;
use crate::lock::{Lock, Package};
use crate::problem::{Problem, unclear};
use crate::room::Room;

const LIMIT: Duration = Duration::from_secs(5 * 60);

/// One crate that is linked into the product.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Crate {
    name: String,
    version: String,
    licence: String,
}

/// Writes `sbom.cdx.json` (CycloneDX 1.5) and `licences.tsv` into `dir`.
///
/// # Errors
/// When Cargo cannot be asked or a file cannot be written.
pub fn write(room: &Room, lock: &Lock, dir: &Path) -> Result<(), Problem> {
    let crates = crates(room)?;
    let mut json = Vec::new();
    bom(&lock.packages, &crates)?
        .output_as_json_v1_5(&mut json)
        .map_err(unclear("the bill of materials"))?;
    json.push(b'\n');
    save(&dir.join("sbom.cdx.json"), &json)?;
    let lines: Vec<String> = crates
        .iter()
        .map(|one| format!("{}\t{}\t{}\n", one.name, one.version, one.licence))
        .collect();
    save(&dir.join("licences.tsv"), lines.concat().as_bytes())
}

fn save(path: &Path, bytes: &[u8]) -> Result<(), Problem> {
    write_atomic(path, bytes, MODE_PUBLIC).map_err(unclear("the file system"))
}

fn bom(packages: &[Package], crates: &[Crate]) -> Result<Bom, Problem> {
    let components = packages.iter().map(debian).chain(crates.iter().map(linked));
    let components: Result<Vec<Component>, Problem> = components.collect();
    Ok(Bom {
        // Neither a number nor a time of its own: the same image has the same bill.
        serial_number: None,
        spec_version: SpecVersion::V1_5,
        components: Some(Components(components?)),
        ..Bom::default()
    })
}

fn debian(package: &Package) -> Result<Component, Problem> {
    let url = format!(
        "pkg:deb/debian/{}@{}?arch={}&distro=trixie",
        encoded(&package.name),
        encoded(&package.version),
        package.architecture
    );
    let mut component = component(&package.name, &package.version, &url)?;
    component.hashes = Some(Hashes(vec![Hash {
        alg: HashAlgorithm::SHA_256,
        content: HashValue(package.sha256.clone()),
    }]));
    Ok(component)
}

fn linked(one: &Crate) -> Result<Component, Problem> {
    let url = format!("pkg:cargo/{}@{}", one.name, encoded(&one.version));
    let mut component = component(&one.name, &one.version, &url)?;
    component.licenses = Some(Licenses(vec![LicenseChoice::expression(&one.licence)]));
    Ok(component)
}

fn component(name: &str, version: &str, url: &str) -> Result<Component, Problem> {
    let mut component =
        Component::new(Classification::Library, name, version, Some(url.to_owned()));
    let Ok(purl) = Purl::from_str(url) else {
        // The library says no more than that it is none.
        let none = std::io::Error::other(format!("{url} is no package URL"));
        return Err(unclear("the bill of materials")(none));
    };
    component.purl = Some(purl);
    Ok(component)
}

/// As package URLs want names and versions.
fn encoded(text: &str) -> String {
    text.replace('+', "%2B").replace(':', "%3A")
}

fn crates(room: &Room) -> Result<Vec<Crate>, Problem> {
    let words = [
        "cargo",
        "tree",
        "--locked",
        "--package",
        "cli",
        "--edges",
        "normal",
        "--prefix",
        "none",
        "--format",
        "{p}\t{l}",
    ];
    let said = Spec::of(&words, LIMIT)
        .inside(room.root())
        .must("cargo tree")?;
    Ok(crates_of(&said))
}

/// `name v1.2.3 (where)` and a licence, with a tab between; each as often as it is needed.
fn crates_of(said: &str) -> Vec<Crate> {
    let mut crates: Vec<Crate> = said
        .lines()
        .filter_map(|line| {
            let (package, licence) = line.split_once('\t')?;
            let mut words = package.split(' ');
            Some(Crate {
                name: words.next()?.to_owned(),
                version: words.next()?.strip_prefix('v')?.to_owned(),
                // Without cargo's mark for what was shown already; a slash is the old word for OR.
                licence: licence.trim_end_matches(" (*)").replace('/', " OR "),
            })
        })
        .collect();
    crates.sort();
    crates.dedup();
    crates
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_crate_is_named_once_with_its_licence() {
        let said = "cli v0.1.0 (/x/app/cli)\tEUPL-1.2\nlog v0.4.35\tMIT OR Apache-2.0\n\
                    log v0.4.35\tMIT/Apache-2.0 (*)\n\n";
        let found = crates_of(said);
        assert_eq!(found.len(), 2);
        assert_eq!(found[1].licence, "MIT OR Apache-2.0");
    }

    #[test]
    fn the_bill_names_package_and_crate_and_is_the_same_each_time() {
        let package = Package {
            name: "libstdc++6".to_owned(),
            version: "1:14+x".to_owned(),
            architecture: "amd64".to_owned(),
            sha256: "0a".repeat(32),
        };
        let crates = crates_of("log v0.4.35\tMIT\n");
        let json = || {
            let mut json = Vec::new();
            bom(std::slice::from_ref(&package), &crates)
                .unwrap()
                .output_as_json_v1_5(&mut json)
                .unwrap();
            String::from_utf8(json).unwrap()
        };
        assert_eq!(json(), json());
        assert!(json().contains("pkg:deb/debian/libstdc%2B%2B6@1%3A14%2Bx?arch=amd64"));
        assert!(json().contains("pkg:cargo/log@0.4.35"));
    }
}
