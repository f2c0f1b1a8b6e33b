//! Invented papers that hang on the town's people and consultations: a memo as text, a slip as PDF.
//!
//! Shape: bytes, made anew each time; no file of anybody's is in the repository. The PDF names a Japanese
//! font without carrying one (Adobe-Japan1, `UniJIS-UCS2-H`), as scanners of offices do.

/// What somebody noted, as Windows' editor saves it: UTF-8 with its mark, lines ended by CR LF.
#[must_use]
pub fn memo(lines: &[&str]) -> Vec<u8> {
    let mut bytes = b"\xef\xbb\xbf".to_vec();
    for line in lines {
        bytes.extend_from_slice(line.as_bytes());
        bytes.extend_from_slice(b"\r\n");
    }
    bytes
}

/// One sheet of A4 with these lines from top to bottom.
#[must_use]
pub fn sheet(lines: &[&str]) -> Vec<u8> {
    let mut text = String::from("BT /F 14 Tf 24 TL 60 770 Td\n");
    for line in lines {
        let codes: String = line.encode_utf16().map(|u| format!("{u:04X}")).collect();
        text.push_str(&format!("<{codes}> Tj T*\n"));
    }
    text.push_str("ET");
    let stream = format!("<< /Length {} >>\nstream\n{text}\nendstream", text.len());
    let objects = [
        "<< /Type /Catalog /Pages 2 0 R >>",
        "<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 4 0 R \
         /Resources << /Font << /F 5 0 R >> >> >>",
        &stream,
        "<< /Type /Font /Subtype /Type0 /BaseFont /HeiseiKakuGo-W5-UniJIS-UCS2-H \
         /Encoding /UniJIS-UCS2-H /DescendantFonts [6 0 R] >>",
        "<< /Type /Font /Subtype /CIDFontType0 /BaseFont /HeiseiKakuGo-W5 \
         /CIDSystemInfo << /Registry (Adobe) /Ordering (Japan1) /Supplement 2 >> \
         /FontDescriptor 7 0 R /DW 1000 >>",
        "<< /Type /FontDescriptor /FontName /HeiseiKakuGo-W5 /Flags 4 /FontBBox [-92 -250 1010 922] \
         /ItalicAngle 0 /Ascent 752 /Descent -221 /CapHeight 737 /StemV 114 >>",
    ];
    let mut pdf = String::from("%PDF-1.4\n");
    let mut places = Vec::new();
    for (number, object) in (1..).zip(objects) {
        places.push(pdf.len());
        pdf.push_str(&format!("{number} 0 obj\n{object}\nendobj\n"));
    }
    let (table, count) = (pdf.len(), places.len() + 1);
    pdf.push_str(&format!("xref\n0 {count}\n0000000000 65535 f \n"));
    for place in places {
        pdf.push_str(&format!("{place:010} 00000 n \n"));
    }
    pdf.push_str(&format!(
        "trailer\n<< /Size {count} /Root 1 0 R >>\nstartxref\n{table}\n%%EOF\n"
    ));
    pdf.into_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sheet_says_where_its_parts_lie() {
        let pdf = String::from_utf8(sheet(&["退院時の連絡票", "架空"])).unwrap();
        let from = |place: usize| pdf.split_at(place).1;
        let (_, after) = pdf.split_once("startxref\n").unwrap();
        let table = from(after.lines().next().unwrap().parse().unwrap());
        assert!(table.starts_with("xref\n0 8\n"));
        for (number, row) in (1..).zip(table.lines().skip(3).take(7)) {
            let place = row.split(' ').next().unwrap().parse().unwrap();
            assert!(from(place).starts_with(&format!("{number} 0 obj")), "{row}");
        }
    }

    #[test]
    fn a_memo_is_read_as_text() {
        assert_eq!(memo(&["あ", "い"]), "\u{feff}あ\r\nい\r\n".as_bytes());
    }
}
