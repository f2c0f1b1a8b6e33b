//! The update bundle of an image, and the key that signs it.
//!
//! Shape: parts of [`Made`] as `bundle` describes them, signed by the secret key in `target/image/keys`, whose public
//! half every image of this machine has. A release is built where that directory holds the key of the vendor;
//! elsewhere a key is made, which fits the images that were made there and no other.
//! Source: docs/decisions/0048-update-bundle.md.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use base::paths::{MODE_PRIVATE, MODE_PUBLIC, write_atomic};
use bundle::{EXTENSION, FORMAT, MACHINE, MANIFEST, Manifest, Part, SIGNATURE, Which, sha256_of};
use minisign::{KeyPair, SecretKeyBox};
use semver::Version;

use crate::assemble::Made;
use crate::partitions::{self, Partition};
use crate::problem::{Problem, at, unclear};
use crate::room::Room;
use crate::say;

const SECRET: &str = "update.key";
const PUBLIC: &str = "update.pub";
/// Most of a root is packages that are packed already.
const ZSTD_LEVEL: i32 = 3;

/// The public half, made with the other one when there is none.
///
/// # Errors
/// When it cannot be read or made.
pub fn public_key(room: &Room) -> Result<String, Problem> {
    let dir = room.dir("keys")?;
    let public = dir.join(PUBLIC);
    if !public.exists() {
        say::line(
            "a key for updates is made: bundles of this machine fit images of this machine alone",
        );
        let keys = KeyPair::generate_unencrypted_keypair().map_err(unclear("minisign"))?;
        let (secret, shown) = (keys.sk.to_box(None), keys.pk.to_box());
        let secret = secret.map_err(unclear("minisign"))?.to_string();
        let shown = shown.map_err(unclear("minisign"))?.to_string();
        let files = [(SECRET, secret, MODE_PRIVATE), (PUBLIC, shown, MODE_PUBLIC)];
        for (name, text, mode) in files {
            let written = write_atomic(&dir.join(name), text.as_bytes(), mode);
            written.map_err(unclear("the file system"))?;
        }
    }
    fs::read_to_string(&public).map_err(at(&public, "read"))
}

/// Makes the bundle beside the image, signed by the key of [`public_key`].
///
/// # Errors
/// What cannot be read or written.
pub fn make(room: &Room, made: &Made) -> Result<PathBuf, Problem> {
    public_key(room)?;
    let secret = room.dir("keys")?.join(SECRET);
    let text = fs::read_to_string(&secret).map_err(at(&secret, "read"))?;
    make_signed(room, made, &text, EXTENSION)
}

/// The same by another key, with another ending of its name.
///
/// # Errors
/// As [`make`].
pub fn make_signed(
    room: &Room,
    made: &Made,
    secret: &str,
    ending: &str,
) -> Result<PathBuf, Problem> {
    let manifest = manifest(room, made)?;
    let text = serde_json::to_vec(&manifest).map_err(unclear("the manifest"))?;
    let key = SecretKeyBox::from_string(secret)
        .and_then(SecretKeyBox::into_unencrypted_secret_key)
        .map_err(unclear("minisign"))?;
    // Without a time: two bundles of one image differ by the signature's own randomness alone.
    let comment = format!("hokatsu {}", manifest.version);
    let signed = minisign::sign(None, &key, text.as_slice(), Some(&comment), None);
    let signature = signed.map_err(unclear("minisign"))?.into_string();
    let path = made.part(ending);
    let file = File::create(&path).map_err(at(&path, "write"))?;
    let mut tar = tar::Builder::new(file);
    let written = append(&mut tar, MANIFEST, &text)
        .and_then(|()| append(&mut tar, SIGNATURE, signature.as_bytes()));
    written.map_err(at(&path, "write"))?;
    for which in Which::ALL {
        let from = made.part(part_of(which));
        let packed = packed(&from)?;
        append(&mut tar, which.entry(), &packed).map_err(at(&path, "write"))?;
    }
    let file = tar.into_inner().map_err(at(&path, "write"))?;
    file.sync_all().map_err(at(&path, "write"))?;
    Ok(path)
}

fn part_of(which: Which) -> &'static str {
    match which {
        Which::Root => "root.raw",
        Which::RootVerity => "root-verity.raw",
        Which::Kernel => "efi",
    }
}

fn manifest(room: &Room, made: &Made) -> Result<Manifest, Problem> {
    let all = partitions::of_image(room, &made.part("raw"))?;
    let version = made.version();
    let uuid = |end: &str| -> Result<String, Problem> {
        let name = format!("hokatsu_{version}{end}");
        let found: Option<&Partition> = all.iter().find(|one| one.name == name);
        found.map(|one| one.uuid.clone()).ok_or(Problem::NoImage)
    };
    let part = |which: Which, uuid: Option<String>| -> Result<Part, Problem> {
        let path = made.part(part_of(which));
        let bytes = fs::metadata(&path).map_err(at(&path, "read"))?.len();
        let file = File::open(&path).map_err(at(&path, "read"))?;
        let sha256 = sha256_of(file, bytes).map_err(at(&path, "read"))?;
        Ok(Part {
            bytes,
            sha256,
            uuid,
        })
    };
    Ok(Manifest {
        format: FORMAT,
        machine: MACHINE.to_owned(),
        version: Version::parse(version).map_err(unclear("the version"))?,
        schema: ::store::SCHEMA_VERSION,
        root: part(Which::Root, Some(uuid("")?))?,
        root_verity: part(Which::RootVerity, Some(uuid("_verity")?))?,
        kernel: part(Which::Kernel, None)?,
    })
}

fn packed(path: &Path) -> Result<Vec<u8>, Problem> {
    let mut from = File::open(path).map_err(at(path, "read"))?;
    let mut encoder = zstd::Encoder::new(Vec::new(), ZSTD_LEVEL).map_err(unclear("zstd"))?;
    io::copy(&mut from, &mut encoder).map_err(at(path, "read"))?;
    encoder.finish().map_err(unclear("zstd"))
}

fn append(tar: &mut tar::Builder<File>, name: &str, bytes: &[u8]) -> io::Result<()> {
    let mut header = tar::Header::new_gnu();
    header.set_size(u64::try_from(bytes.len()).unwrap_or(u64::MAX));
    header.set_mode(0o644);
    header.set_cksum();
    tar.append_data(&mut header, name, bytes)
}
