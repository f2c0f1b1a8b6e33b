//! Files that Excel opens: UTF-8 with BOM, CRLF, no cell that Excel would calculate.

use csv::{Terminator, WriterBuilder};

use crate::web::problem::Problem;

const BOM: &[u8] = "\u{feff}".as_bytes();
/// What makes Excel take a cell for a formula, full-width forms included.
const FORMULA_STARTS: [char; 10] = ['=', '+', '-', '@', '\t', '\r', '＝', '＋', '－', '＠'];

/// A file with a header and rows of the same length.
///
/// # Errors
/// [`Problem::Fault`] when a row's length differs from the header's.
pub fn excel_csv<const N: usize>(
    header: [&str; N],
    rows: impl Iterator<Item = [String; N]>,
) -> Result<Vec<u8>, Problem> {
    let mut writer = WriterBuilder::new()
        .terminator(Terminator::CRLF)
        .from_writer(BOM.to_vec());
    let fault = Problem::Fault;
    writer
        .write_record(header)
        .or(Err(fault("csv header cannot be written")))?;
    for row in rows {
        writer
            .write_record(row.map(|cell| harmless(&cell)))
            .or(Err(fault("csv row cannot be written")))?;
    }
    writer
        .into_inner()
        .or(Err(fault("csv writer cannot be closed")))
}

/// A cell that Excel shows and does not calculate.
pub(crate) fn harmless(cell: &str) -> String {
    if cell.starts_with(FORMULA_STARTS) {
        format!("'{cell}")
    } else {
        cell.to_owned()
    }
}
