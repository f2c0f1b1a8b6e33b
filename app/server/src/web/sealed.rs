//! A file locked with a passphrase: a ZIP that 7-Zip opens anywhere (WinZip AE-2, AES-256).
//!
//! Shape: [`seal`] takes bytes and gives bytes; nothing touches a disk. [`fresh`] makes a passphrase
//! that can be read out on the telephone, [`weakness`] judges one that somebody typed.
//! Invariant: the passphrase is in no error, no log and no table. Names inside the ZIP are readable
//! without it, so they come from the program and hold nothing of a person.
//! Source: docs/decisions/0020-what-leaves-goes-through-one-door.md; 特記事項 第9条(3).

use std::io::Write as _;

use jiff::civil::DateTime;
use ring::rand::{SecureRandom as _, SystemRandom};
use zip::write::SimpleFileOptions;
use zip::{AesMode, CompressionMethod, ZipWriter};

use crate::web::problem::{Problem, fault};

/// Shortest passphrase that somebody may choose, characters.
pub(crate) const PASSPHRASE_CHARS_MIN: usize = 16;
/// Longest one; 7-Zip's own window takes more.
pub(crate) const PASSPHRASE_CHARS_MAX: usize = 64;
/// A chosen passphrase has this many different characters.
const DIFFERENT_MIN: usize = 8;
/// Groups of [`GROUP_SYLLABLES`]: 5 × 3 of 52 syllables are 85 bits, which the few rounds that the
/// ZIP format allows (PBKDF2, 1,000) cannot be expected to make up for.
const GROUPS: usize = 5;
const GROUP_SYLLABLES: usize = 3;

/// Two letters each, so that any run of them reads in one way only; each with its kana.
const SYLLABLES: [(&str, &str); 52] = [
    ("ka", "カ"),
    ("ki", "キ"),
    ("ku", "ク"),
    ("ke", "ケ"),
    ("ko", "コ"),
    ("sa", "サ"),
    ("su", "ス"),
    ("se", "セ"),
    ("so", "ソ"),
    ("ta", "タ"),
    ("te", "テ"),
    ("to", "ト"),
    ("na", "ナ"),
    ("ni", "ニ"),
    ("nu", "ヌ"),
    ("ne", "ネ"),
    ("no", "ノ"),
    ("ha", "ハ"),
    ("hi", "ヒ"),
    ("he", "ヘ"),
    ("ho", "ホ"),
    ("ma", "マ"),
    ("mi", "ミ"),
    ("mu", "ム"),
    ("me", "メ"),
    ("mo", "モ"),
    ("ya", "ヤ"),
    ("yu", "ユ"),
    ("yo", "ヨ"),
    ("ra", "ラ"),
    ("ri", "リ"),
    ("ru", "ル"),
    ("re", "レ"),
    ("ro", "ロ"),
    ("wa", "ワ"),
    ("ga", "ガ"),
    ("gi", "ギ"),
    ("gu", "グ"),
    ("ge", "ゲ"),
    ("go", "ゴ"),
    ("za", "ザ"),
    ("zu", "ズ"),
    ("ze", "ゼ"),
    ("zo", "ゾ"),
    ("da", "ダ"),
    ("de", "デ"),
    ("do", "ド"),
    ("ba", "バ"),
    ("bi", "ビ"),
    ("bu", "ブ"),
    ("be", "ベ"),
    ("bo", "ボ"),
];

/// Locks one file. `name` stays readable without the passphrase.
///
/// # Errors
/// [`Problem::Fault`] when the machine gives no random bytes or the format refuses.
pub(crate) fn seal(
    name: &'static str,
    bytes: &[u8],
    passphrase: &str,
    at: DateTime,
) -> Result<Vec<u8>, Problem> {
    // A stream keeps the sizes behind the data, and with that the form AE-2, which holds no check
    // sum of what is inside: a short list could otherwise be guessed and confirmed.
    let mut locked = Vec::new();
    let mut writer = ZipWriter::new_stream(&mut locked);
    let options = SimpleFileOptions::default()
        .compression_method(CompressionMethod::Deflated)
        .last_modified_time(moment(at))
        .with_aes_encryption(AesMode::Aes256, passphrase);
    writer
        .start_file(name, options)
        .map_err(|error| fault("zip cannot be begun", &error))?;
    writer
        .write_all(bytes)
        .map_err(|error| fault("zip cannot be written", &error))?;
    writer
        .finish()
        .map_err(|error| fault("zip cannot be closed", &error))?;
    Ok(locked)
}

/// ZIP knows local time from 1980 on; a clock that stands before is not worth a refusal.
fn moment(at: DateTime) -> zip::DateTime {
    let part = |value: i8| u8::try_from(value).unwrap_or(0);
    let year = u16::try_from(at.year()).unwrap_or(0);
    let (month, day) = (part(at.month()), part(at.day()));
    let (hour, minute, second) = (part(at.hour()), part(at.minute()), part(at.second()));
    zip::DateTime::from_date_and_time(year, month, day, hour, minute, second).unwrap_or_default()
}

/// A passphrase that nobody chose: 「kanemo-tosuri-…」. Nothing when the machine has no randomness.
pub(crate) fn fresh() -> Option<String> {
    let mut groups = Vec::with_capacity(GROUPS);
    for _ in 0..GROUPS {
        let mut group = String::new();
        for _ in 0..GROUP_SYLLABLES {
            group.push_str(syllable()?);
        }
        groups.push(group);
    }
    Some(groups.join("-"))
}

/// One of the syllables, each as likely as the others: bytes past the last whole round are drawn
/// again.
fn syllable() -> Option<&'static str> {
    let random = SystemRandom::new();
    let fair = (256 / SYLLABLES.len()) * SYLLABLES.len();
    loop {
        let mut byte = [0_u8; 1];
        random.fill(&mut byte).ok()?;
        let [drawn] = byte.map(usize::from);
        if drawn < fair {
            let (letters, _) = SYLLABLES.get(drawn % SYLLABLES.len())?;
            return Some(letters);
        }
    }
}

/// How a passphrase of ours is read aloud; nothing for one that somebody chose.
pub(crate) fn reading(passphrase: &str) -> Option<String> {
    let groups = passphrase.split('-').map(|group| {
        let pairs: Vec<char> = group.chars().collect();
        let kana = pairs.chunks(2).map(|pair| {
            let letters: String = pair.iter().collect();
            let known = SYLLABLES.iter().find(|(known, _)| *known == letters);
            known.map(|(_, kana)| *kana)
        });
        kana.collect::<Option<String>>()
    });
    let groups: Option<Vec<String>> = groups.collect();
    groups
        .filter(|groups| groups.len() == GROUPS)
        .map(|groups| groups.join(" ・ "))
}

/// Why a passphrase is not taken.
pub(crate) fn weakness(passphrase: &str) -> Option<&'static str> {
    let length = passphrase.chars().count();
    if passphrase.is_empty() {
        return Some("パスフレーズを入力してください。");
    }
    if !passphrase.chars().all(|c| c.is_ascii_graphic()) {
        return Some(
            "パスフレーズは半角の英字・数字・記号だけで、空白を入れずに入力してください。\
             ほかの文字は、開く側のパソコンで読めないことがあります。",
        );
    }
    if length < PASSPHRASE_CHARS_MIN {
        return Some("パスフレーズは16文字以上にしてください。");
    }
    if length > PASSPHRASE_CHARS_MAX {
        return Some("パスフレーズは64文字までにしてください。");
    }
    let mut different: Vec<char> = passphrase.chars().collect();
    different.sort_unstable();
    different.dedup();
    if different.len() < DIFFERENT_MIN {
        return Some("パスフレーズに使う文字の種類が少なすぎます。8種類以上にしてください。");
    }
    None
}

#[cfg(test)]
mod tests {
    use std::path::Path;
    use std::time::Duration;

    use base::command::{Output, Spec, run};
    use base::paths::{MODE_PRIVATE, write_atomic};
    use jiff::civil::date;

    use super::*;

    const TEXT: &str = "番号,対象者番号\r\n1,12\r\n2,12\r\n";

    fn locked(passphrase: &str) -> Vec<u8> {
        let at = date(2026, 11, 24).at(9, 15, 0, 0);
        seal("access-log.csv", TEXT.as_bytes(), passphrase, at).unwrap()
    }

    /// Debian 12 calls it 7zz, Debian 13 also 7z.
    fn seven_zip(dir: &Path, args: &[&str]) -> Output {
        let program = ["/usr/bin/7zz", "/usr/bin/7z"];
        let found = program.iter().find(|path| Path::new(path).exists());
        let found = found.expect("7-Zip, which `cargo xtask setup` installs");
        let spec = Spec::new(found, Duration::from_secs(30)).dir(dir);
        run(&spec.args(args)).unwrap()
    }

    fn words(output: &Output) -> String {
        let bytes = [&output.stdout.bytes[..], &output.stderr.bytes[..]].concat();
        String::from_utf8_lossy(&bytes).into_owned()
    }

    #[test]
    fn the_stock_tool_opens_it_with_the_passphrase_and_finds_the_same_bytes() {
        let dir = tempfile::tempdir().unwrap();
        let passphrase = fresh().unwrap();
        write_atomic(
            &dir.path().join("a.zip"),
            &locked(&passphrase),
            MODE_PRIVATE,
        )
        .unwrap();
        let opened = seven_zip(dir.path(), &["x", &format!("-p{passphrase}"), "a.zip"]);
        assert_eq!(opened.status.code(), Some(0), "{}", words(&opened));
        let read = std::fs::read(dir.path().join("access-log.csv")).unwrap();
        assert_eq!(read, TEXT.as_bytes());
    }

    #[test]
    fn a_wrong_passphrase_opens_nothing_and_the_stock_tool_says_so() {
        let dir = tempfile::tempdir().unwrap();
        write_atomic(
            &dir.path().join("a.zip"),
            &locked("kanemo-tosuri-gazuno"),
            MODE_PRIVATE,
        )
        .unwrap();
        let refused = seven_zip(dir.path(), &["x", "-pkanemo-tosuri-gazune", "a.zip"]);
        assert_eq!(refused.status.code(), Some(2));
        let said = words(&refused);
        assert!(said.contains("Wrong password : access-log.csv"), "{said}");
        let left = std::fs::read(dir.path().join("access-log.csv")).unwrap_or_default();
        assert!(left.is_empty());
    }

    #[test]
    fn it_is_aes_256_without_a_check_sum_of_the_content() {
        let dir = tempfile::tempdir().unwrap();
        let bytes = locked("kanemo-tosuri-gazuno");
        // The extra field of WinZip: version 2 (AE-2), strength 3 (256 bits).
        let field = [
            0x01, 0x99, 0x07, 0x00, 0x02, 0x00, b'A', b'E', 0x03, 0x08, 0x00,
        ];
        assert!(bytes.windows(field.len()).any(|part| part == field));
        assert!(!bytes.windows(9).any(|part| part == &TEXT.as_bytes()[..9]));
        write_atomic(&dir.path().join("a.zip"), &bytes, MODE_PRIVATE).unwrap();
        let listed = words(&seven_zip(dir.path(), &["l", "-slt", "a.zip"]));
        assert!(listed.contains("Method = AES-256 Deflate"), "{listed}");
        assert!(listed.contains("CRC = \n"), "{listed}");
        assert!(listed.contains("Path = access-log.csv\n"), "{listed}");
    }

    #[test]
    fn passphrases_of_ours_differ_obey_the_rules_and_can_be_read_aloud() {
        let (first, second) = (fresh().unwrap(), fresh().unwrap());
        assert_ne!(first, second);
        assert_eq!(first.len(), GROUPS * GROUP_SYLLABLES * 2 + GROUPS - 1);
        for made in [first, second] {
            let read = reading(&made).unwrap();
            assert_eq!(read.split(" ・ ").count(), GROUPS, "{read}");
        }
        let sample = "kanemo-tosuri-gazuno-wabera-dohiya";
        let read = reading(sample);
        assert_eq!(
            read.as_deref(),
            Some("カネモ ・ トスリ ・ ガズノ ・ ワベラ ・ ドヒヤ")
        );
        assert_eq!(reading("Sakura-namiki-2026"), None);
    }

    #[test]
    fn a_chosen_passphrase_is_long_varied_and_readable_on_every_machine() {
        assert_eq!(weakness("Sakura-namiki-2026"), None);
        for bad in [
            "",
            "Sakura-2026",
            "aaaaaaaaaaaaaaaaaaaa",
            "さくら並木を朝に歩く七時に",
            "Sakura namiki 2026",
            &"abcdefghij".repeat(7),
        ] {
            assert!(weakness(bad).is_some(), "{bad} was taken");
        }
    }
}
