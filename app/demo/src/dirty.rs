//! Deliberately bad files, one per kind of bad input, for the suites of the importer.

use std::path::{Path, PathBuf};

use base::paths::{PathError, write_atomic};

/// A bad file could not be made.
#[derive(Debug, thiserror::Error)]
pub enum DirtyError {
    /// The directory could not be made.
    #[error("no directory at {path} for the bad files")]
    Directory {
        /// Where it should have been.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// A file could not be written.
    #[error("a bad file could not be written")]
    Write(#[from] PathError),
    /// A letter has no place in CP932.
    #[error("{name} cannot be written in CP932")]
    Letter {
        /// The file.
        name: &'static str,
    },
}

const MODE: u32 = 0o644;
/// Longer than any line limit an importer may sensibly have.
const ENDLESS_BYTES: usize = 4 << 20;

const HEADER: &str = "宛名番号,氏名,氏名カナ,生年月日,性別,住民種別,住民状態,住所,世帯番号,死亡日";
const GOOD: &str =
    "0090000001,架空　花子,ｶｸｳ ﾊﾅｺ,3120304,2,1,1,埼玉県和光市本町１番１号,0095000001,";

/// Writes the bad files into `out` and returns their paths, sorted by name.
///
/// Shape: extracts of JUKI_KOJIN (and of JUKI_SETAI for `two_heads.csv`) with ten columns; the
/// first row of data is good, so that a test sees one row loaded beside the bad one.
/// # Errors
/// [`DirtyError`] when `out` cannot be written.
pub fn generate(out: &Path) -> Result<Vec<PathBuf>, DirtyError> {
    std::fs::create_dir_all(out).map_err(|source| DirtyError::Directory {
        path: out.to_owned(),
        source,
    })?;
    let mut paths = Vec::new();
    for (name, bytes) in files()? {
        let path = out.join(name);
        write_atomic(&path, &bytes, MODE)?;
        paths.push(path);
    }
    paths.sort();
    Ok(paths)
}

fn files() -> Result<Vec<(&'static str, Vec<u8>)>, DirtyError> {
    let mut files = vec![("zero_bytes.csv", Vec::new())];
    for (name, lines) in texts() {
        files.push((name, cp932(name, &lines)?));
    }
    files.push(mixed_encodings()?);
    files.push(truncated_text()?);
    files.push(endless_line()?);
    Ok(files)
}

fn texts() -> Vec<(&'static str, Vec<String>)> {
    let rows = |row: String| vec![HEADER.to_owned(), GOOD.to_owned(), row];
    let with =
        |from: &str, to: &str| rows(GOOD.replace("0090000001", "0090000002").replace(from, to));
    let dead = format!("{}3110101", GOOD.replace("0090000001", "0090000002"));
    vec![
        ("missing_column.csv", missing_column()),
        (
            "wrong_column.csv",
            vec![HEADER.replace("生年月日", "生年月曰"), GOOD.to_owned()],
        ),
        ("duplicate_keys.csv", rows(GOOD.replace("花子", "別子"))),
        ("nul.csv", with("架空　花子", "架空\0　花子")),
        ("heisei_31_5_1.csv", with("3120304", "平成31.5.1")),
        ("showa_64_2_30.csv", with("3120304", "S64.2.30")),
        ("nines_as_birth.csv", with("3120304", "99999999")),
        (
            "extra_columns.csv",
            with("0095000001,", &format!("0095000001,{}", ",".repeat(14))),
        ),
        ("dead_before_birth.csv", rows(dead)),
        ("two_heads.csv", two_heads()),
    ]
}

fn missing_column() -> Vec<String> {
    vec![
        HEADER.replace("生年月日,", ""),
        GOOD.replace("3120304,", ""),
    ]
}

fn two_heads() -> Vec<String> {
    [
        "世帯番号,宛名番号,続柄コード,世帯主フラグ",
        "0095000001,0090000001,02,1",
        "0095000001,0090000002,02,1",
    ]
    .map(str::to_owned)
    .to_vec()
}

fn cp932(name: &'static str, lines: &[String]) -> Result<Vec<u8>, DirtyError> {
    let text: String = lines.iter().map(|line| format!("{line}\r\n")).collect();
    base::charset::encode_cp932(&text).map_err(|_unmappable| DirtyError::Letter { name })
}

/// A head in CP932 and a row that somebody pasted in UTF-8 (detector D19).
fn mixed_encodings() -> Result<(&'static str, Vec<u8>), DirtyError> {
    let name = "mixed_encodings.csv";
    let mut bytes = cp932(name, &[HEADER.to_owned(), GOOD.to_owned()])?;
    bytes.extend(GOOD.replace("0090000001", "0090000002").as_bytes());
    bytes.extend(b"\r\n");
    Ok((name, bytes))
}

/// An address cut at its 40th byte, inside a letter of two bytes (detector D15).
fn truncated_text() -> Result<(&'static str, Vec<u8>), DirtyError> {
    let name = "truncated_text.csv";
    let mut bytes = cp932(name, &[HEADER.to_owned(), GOOD.to_owned()])?;
    let row = ["0090000002,架空　次郎,ｶｸｳ ｼﾞﾛｳ,3120304,1,1,1,".to_owned()];
    let mut row = cp932(name, &row)?;
    row.truncate(row.len() - 2);
    let address = base::charset::encode_cp932("-埼玉県和光市本町一番一号架空荘百一号室南側");
    let mut address = address.map_err(|_unmappable| DirtyError::Letter { name })?;
    address.truncate(40);
    bytes.extend(row);
    bytes.extend(address);
    bytes.extend(b",0095000002,\r\n");
    Ok((name, bytes))
}

fn endless_line() -> Result<(&'static str, Vec<u8>), DirtyError> {
    let name = "endless_line.csv";
    let mut bytes = cp932(name, &[HEADER.to_owned()])?;
    bytes.resize(bytes.len() + ENDLESS_BYTES, b'9');
    Ok((name, bytes))
}
