//! Whatever happens to a bundle on its way: nothing of it is believed.

use std::fs;

use minisign::KeyPair;
use tempfile::TempDir;

use super::*;

const ROOT: &[u8] = b"the root, verified block by block";
const VERITY: &[u8] = b"hashes";
const KERNEL: &[u8] = b"kernel";

fn part(bytes: &[u8], uuid: Option<&str>) -> Part {
    let length = u64::try_from(bytes.len()).unwrap();
    Part {
        bytes: length,
        sha256: sha256_of(bytes, length).unwrap(),
        uuid: uuid.map(str::to_owned),
    }
}

fn manifest() -> Manifest {
    Manifest {
        format: FORMAT,
        machine: MACHINE.to_owned(),
        version: Version::new(0, 2, 0),
        schema: 27,
        root: part(ROOT, Some("a")),
        root_verity: part(VERITY, Some("b")),
        kernel: part(KERNEL, None),
    }
}

struct Desk {
    dir: TempDir,
    keys: KeyPair,
}

impl Desk {
    fn new() -> Self {
        Self {
            dir: tempfile::tempdir().unwrap(),
            keys: KeyPair::generate_unencrypted_keypair().unwrap(),
        }
    }

    fn key(&self) -> String {
        self.keys.pk.to_box().unwrap().to_string()
    }

    fn signature(&self, text: &[u8]) -> Vec<u8> {
        let signed = minisign::sign(None, &self.keys.sk, text, Some("test"), None).unwrap();
        signed.into_string().into_bytes()
    }

    fn packed(&self, entries: &[(&str, Vec<u8>)]) -> PathBuf {
        let path = self.dir.path().join("a.hokatsu-update");
        let mut tar = tar::Builder::new(Vec::new());
        for (name, bytes) in entries {
            let mut header = tar::Header::new_gnu();
            header.set_size(u64::try_from(bytes.len()).unwrap());
            header.set_mode(0o644);
            header.set_cksum();
            tar.append_data(&mut header, name, bytes.as_slice())
                .unwrap();
        }
        base_write(&path, &tar.into_inner().unwrap());
        path
    }

    fn entries(&self, manifest: &Manifest) -> Vec<(&'static str, Vec<u8>)> {
        let text = serde_json::to_vec(manifest).unwrap();
        let packed = |bytes: &[u8]| zstd::encode_all(bytes, 3).unwrap();
        vec![
            (SIGNATURE, self.signature(&text)),
            (MANIFEST, text),
            ("root.zst", packed(ROOT)),
            ("root-verity.zst", packed(VERITY)),
            ("kernel.zst", packed(KERNEL)),
        ]
    }

    fn well(&self) -> PathBuf {
        let mut entries = self.entries(&manifest());
        entries.swap(0, 1);
        self.packed(&entries)
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "a bundle that is bent on purpose"
)]
fn base_write(path: &Path, bytes: &[u8]) {
    fs::write(path, bytes).unwrap();
}

#[test]
fn what_was_signed_comes_out_and_every_byte_is_counted() {
    let desk = Desk::new();
    let bundle = Bundle::open(&desk.well(), &desk.key()).unwrap();
    assert_eq!(*bundle.manifest(), manifest());
    let mut told = 0;
    bundle.verify(|bytes| told += bytes).unwrap();
    assert_eq!(told, manifest().bytes());
    let mut root = Vec::new();
    bundle.unpack(Which::Root, &mut root, &mut |_| {}).unwrap();
    assert_eq!(root, ROOT);
}

#[test]
fn of_another_key_unsigned_or_changed_it_is_refused_by_its_signature() {
    let desk = Desk::new();
    let refused = |path: &Path| {
        let opened = Bundle::open(path, &desk.key());
        assert!(matches!(opened, Err(BundleError::Signature)), "{opened:?}");
    };
    refused(&Desk::new().well());
    let text = serde_json::to_vec(&manifest()).unwrap();
    refused(&desk.packed(&[(MANIFEST, text.clone())]));
    refused(&desk.packed(&[(MANIFEST, text), (SIGNATURE, b"nothing".to_vec())]));
    let mut changed = manifest();
    changed.version = Version::new(9, 0, 0);
    let mut entries = desk.entries(&manifest());
    entries[1].1 = serde_json::to_vec(&changed).unwrap();
    entries.swap(0, 1);
    refused(&desk.packed(&entries));
}

#[test]
fn a_bit_that_changed_in_a_part_is_told_with_its_name() {
    let desk = Desk::new();
    let mut entries = desk.entries(&manifest());
    entries.swap(0, 1);
    let mut other = ROOT.to_vec();
    other[3] ^= 1;
    entries[2].1 = zstd::encode_all(other.as_slice(), 3).unwrap();
    let bundle = Bundle::open(&desk.packed(&entries), &desk.key()).unwrap();
    let verdict = bundle.verify(|_| {});
    assert!(matches!(verdict, Err(BundleError::Damaged("root.zst"))));
}

#[test]
fn more_than_was_signed_is_not_read_to_its_end() {
    let desk = Desk::new();
    let mut entries = desk.entries(&manifest());
    entries.swap(0, 1);
    entries[2].1 = zstd::encode_all(vec![0; 64 << 20].as_slice(), 3).unwrap();
    let bundle = Bundle::open(&desk.packed(&entries), &desk.key()).unwrap();
    let mut told = 0;
    let verdict = bundle.verify(|bytes| told += bytes);
    assert!(matches!(verdict, Err(BundleError::Damaged("root.zst"))));
    assert_eq!(told, manifest().root.bytes + 1);
}

#[test]
fn cut_off_anywhere_it_is_never_taken_for_whole() {
    let desk = Desk::new();
    let path = desk.well();
    let whole = fs::read(&path).unwrap();
    // Behind the last part a tar ends with empty blocks, which nobody misses.
    let end = whole.len() - 1024;
    for length in (0..end).step_by(97) {
        base_write(&path, &whole[..length]);
        let verdict = Bundle::open(&path, &desk.key()).and_then(|bundle| bundle.verify(|_| {}));
        let short = whole[length..end].iter().any(|byte| *byte != 0);
        assert!(verdict.is_err() || !short, "whole with {length} bytes");
    }
}

#[test]
fn bent_anywhere_it_is_refused_or_the_same() {
    let desk = Desk::new();
    let path = desk.well();
    let whole = fs::read(&path).unwrap();
    for at in (0..whole.len()).step_by(41) {
        let mut bent = whole.clone();
        bent[at] ^= 0x20;
        base_write(&path, &bent);
        let opened = Bundle::open(&path, &desk.key());
        if let Ok(bundle) = opened.and_then(|one| one.verify(|_| {}).map(|()| one)) {
            assert_eq!(*bundle.manifest(), manifest());
        }
    }
}

#[test]
fn another_kind_of_machine_or_a_newer_format_is_told_apart() {
    let desk = Desk::new();
    let mut other = manifest();
    other.machine = "toaster".to_owned();
    let mut newer = manifest();
    newer.format = 2;
    let opened = |manifest: &Manifest| {
        let mut entries = desk.entries(manifest);
        entries.swap(0, 1);
        Bundle::open(&desk.packed(&entries), &desk.key())
    };
    assert!(matches!(opened(&other), Err(BundleError::OtherMachine)));
    assert!(matches!(opened(&newer), Err(BundleError::Format(2))));
}

#[test]
fn any_other_file_is_no_bundle() {
    let desk = Desk::new();
    let path = desk.dir.path().join("photo");
    base_write(&path, &[0x5A; 4096]);
    let opened = Bundle::open(&path, &desk.key());
    assert!(matches!(opened, Err(BundleError::NotOne)), "{opened:?}");
    base_write(&path, b"");
    let opened = Bundle::open(&path, &desk.key());
    assert!(matches!(opened, Err(BundleError::NotOne)), "{opened:?}");
}
