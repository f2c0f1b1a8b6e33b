//! What a printed form promises, read from the laid-out pages: every glyph, its place, its text.

use std::{collections::BTreeSet, path::Path};

use jiff::Timestamp;
use typst::layout::{Frame, FrameItem, Point};

use crate::{
    Caller, CertificateSection, Certification, CheckpointLine, CheckpointSheet, Column,
    Consultation, ConsultationSlip, Correction, DisposalApplication, DisposalCertificate,
    DisposalRow, FontPackage, Fonts, FormError, Letter, LogReport, NextContact, Person, Reception,
    Section, TableReport, Withdrawal,
    consultation_slip::{consultation_slip, job},
    disposal_application, disposal_certificate, letter,
    register::{self, Register},
    table_report,
    world::{Job, typeset},
};

fn fonts() -> Fonts {
    Fonts::discover().unwrap_or_else(|missing| panic!("{missing}"))
}

fn some(text: &str) -> Option<String> {
    Some(text.to_owned())
}

/// An invented slip with every field filled.
fn slip() -> ConsultationSlip {
    ConsultationSlip {
        centre: "みどり町地域包括支援センター".to_owned(),
        record_no: "R8-00123".to_owned(),
        record_id: "consultation-123/2".to_owned(),
        printed_at: Timestamp::from_second(1_795_478_400).unwrap(),
        printed_on: "令和8年11月24日 9:00".to_owned(),
        printed_by: "見本 太郎".to_owned(),
        person: Some(Person {
            name: some("𠮷田 はな"),
            kana: some("ヨシダ ハナ"),
            born: some("昭和12年3月4日(89歳)"),
            sex: some("女"),
            address: some("みどり町一丁目2番3号 みどりハイツ405号室"),
            phone: some("000-0000-0000"),
            insured_no: some("0000000123"),
            certification: Some(Certification {
                level: "要支援2".to_owned(),
                period: some("令和8年4月1日〜令和9年3月31日"),
            }),
        }),
        reception: Reception {
            held: "令和8年11月20日 10:00〜10:35".to_owned(),
            minutes: some("35分"),
            channel: "電話".to_owned(),
            received_by: "見本 花子(保健師)".to_owned(),
        },
        caller: Caller {
            kind: some("子"),
            name: some("𠮷田 一郎"),
            relation: some("長男"),
            contact: some("000-0000-0001"),
        },
        consultation: Consultation {
            topics: vec!["認知症".to_owned(), "家族問題/介護負担".to_owned()],
            urgency: some("C 通常(2週)"),
            content: "夜間に外へ出ようとすることが増えた。\n\n日中は落ち着いている。".to_owned(),
            response: "物忘れ外来の受診を勧め、来週の訪問を約束した。".to_owned(),
            response_kinds: vec!["情報提供".to_owned(), "訪問".to_owned()],
            referred_to: some("みどり町病院 物忘れ外来"),
            outcome: some("継続"),
            next: Some(NextContact {
                on: "令和8年11月27日".to_owned(),
                what: some("訪問"),
            }),
        },
        corrections: vec![Correction {
            version: "2".to_owned(),
            by: "見本 花子".to_owned(),
            at: "令和8年11月21日 8:40".to_owned(),
            reason: "続柄の誤り".to_owned(),
        }],
        withdrawal: None,
    }
}

/// One drawn text: page, height on the page in points, what it says, which glyphs.
struct Drawn {
    page: usize,
    left: f64,
    right: f64,
    text: String,
    glyphs: Vec<u16>,
    family: String,
}

struct Sheet {
    drawn: Vec<Drawn>,
    pages: usize,
    missing: Vec<char>,
}

impl Sheet {
    fn of(slip: &ConsultationSlip) -> Self {
        Self::drawn(job(slip).unwrap())
    }

    fn drawn(job: Job) -> Self {
        let (document, missing) = typeset(&fonts(), job).unwrap();
        let mut drawn = Vec::new();
        for (page, sheet) in document.pages().iter().enumerate() {
            collect(page, &sheet.frame, Point::zero(), &mut drawn);
        }
        Self {
            drawn,
            pages: document.pages().len(),
            missing,
        }
    }

    fn text(&self) -> String {
        self.drawn.iter().map(|drawn| drawn.text.as_str()).collect()
    }

    fn text_of_page(&self, page: usize) -> String {
        let on_page = self.drawn.iter().filter(|drawn| drawn.page == page);
        on_page.map(|drawn| drawn.text.as_str()).collect()
    }

    fn first(&self, text: &str) -> &Drawn {
        self.drawn
            .iter()
            .find(|drawn| drawn.text.contains(text))
            .unwrap()
    }
}

fn collect(page: usize, frame: &Frame, origin: Point, drawn: &mut Vec<Drawn>) {
    for (at, item) in frame.items() {
        let place = origin + *at;
        match item {
            FrameItem::Group(group) => collect(page, &group.frame, place, drawn),
            FrameItem::Text(text) => drawn.push(Drawn {
                page,
                left: place.x.to_pt(),
                right: (place.x + text.width()).to_pt(),
                text: text.text.to_string(),
                glyphs: text.glyphs.iter().map(|glyph| glyph.id).collect(),
                family: text.font.font().info().family.clone(),
            }),
            FrameItem::Shape(..)
            | FrameItem::Image(..)
            | FrameItem::Link(..)
            | FrameItem::Tag(_) => {}
        }
    }
}

fn is_send_and_sync<T: Send + Sync>(_: &T) {}

#[test]
fn every_field_of_a_full_slip_is_on_one_page() {
    let sheet = Sheet::of(&slip());
    let text = sheet.text();
    for word in [
        "相談記録票",
        "みどり町地域包括支援センター",
        "R8-00123",
        "consultation-123/2",
        "令和8年11月24日",
        "見本 太郎",
        "𠮷田 はな",
        "ヨシダ ハナ",
        "昭和12年3月4日(89歳)",
        "みどり町一丁目2番3号",
        "000-0000-0000",
        "0000000123",
        "要支援2",
        "10:00〜10:35",
        "35分",
        "見本 花子(保健師)",
        "𠮷田 一郎",
        "長男",
        "認知症",
        "C 通常(2週)",
        "日中は落ち着いている。",
        "物忘れ外来の受診を勧め",
        "情報提供",
        "みどり町病院",
        "継続",
        "令和8年11月27日",
        "続柄の誤り",
        "個人情報",
        "1/1",
    ] {
        assert!(text.contains(word), "{word} is not on the slip");
    }
    assert_eq!(sheet.pages, 1);
    assert!(!text.contains("取下げ"));
}

#[test]
fn a_slip_about_nobody_known_says_so_and_leaves_no_field_blank() {
    let mut slip = slip();
    slip.person = None;
    slip.caller = Caller::default();
    slip.consultation.next = None;
    let text = Sheet::of(&slip).text();
    assert!(text.contains("対象者は特定されていません。"));
    assert!(text.contains('―'));
}

#[test]
fn markup_in_a_text_prints_as_it_was_typed() {
    let typed = r##"#set page(fill: red) $x^2$ *太字* _下線_ [括弧] = 見出し <a> @b \ `c` ~ "引用" // 行末"##;
    let mut slip = slip();
    slip.consultation.content = typed.to_owned();
    slip.record_no = "#panic()".to_owned();
    let sheet = Sheet::of(&slip);
    let squeezed = |text: &str| text.replace([' ', '\u{200B}'], "");
    let text = squeezed(&sheet.text());
    assert!(text.contains(&squeezed(typed)), "{text}");
    assert!(text.contains("#panic()"));
}

#[test]
fn characters_without_a_glyph_become_geta_and_are_named_on_the_form() {
    let mut slip = slip();
    slip.caller.name = some("\u{E000}田 一郎");
    slip.consultation.content = "笑顔\u{1F600}が\u{E000}見られた。".to_owned();
    let sheet = Sheet::of(&slip);
    let text = sheet.text();
    assert_eq!(sheet.missing, ['\u{E000}', '\u{1F600}']);
    assert!(text.contains("〓田 一郎"));
    assert!(text.contains("笑顔〓が〓見られた。"));
    assert!(text.contains("表示できない文字 2 字(U+E000 U+1F600)"));
}

#[test]
fn no_glyph_on_any_page_is_an_empty_box() {
    let mut slip = slip();
    slip.consultation.content =
        "\u{0}\u{7}ﾀﾞ か\u{309A} ①㈱髙﨑𩸽 \u{1F468}\u{200D}\u{1F469} ا ⅷ € ☃ \u{F8FF} \u{3000}\u{2009}."
            .to_owned();
    slip.withdrawal = Some(Withdrawal {
        by: "甲".to_owned(),
        at: "乙".to_owned(),
        reason: "丙".to_owned(),
    });
    let sheet = Sheet::of(&slip);
    let empty: BTreeSet<_> = sheet
        .drawn
        .iter()
        .filter(|drawn| drawn.glyphs.contains(&0))
        .map(|drawn| drawn.text.as_str())
        .collect();
    assert_eq!(empty, BTreeSet::new());
}

#[test]
fn a_variant_of_a_name_is_drawn_from_ipamj_in_its_own_shape() {
    let mut slip = slip();
    slip.caller.name = some("渡\u{908A}\u{E0108} 一郎");
    let sheet = Sheet::of(&slip);
    assert!(sheet.missing.is_empty());
    let variant = sheet.first("\u{908A}\u{E0108}");
    assert_eq!(variant.family, "IPAmjMincho");
    assert_eq!(sheet.first("長男").family, "BIZ UDMincho");
    slip.caller.name = some("渡\u{908A}\u{E0109} 一郎");
    let other = Sheet::of(&slip);
    assert_ne!(variant.glyphs, other.first("\u{908A}\u{E0109}").glyphs);
}

#[test]
fn a_variant_the_body_face_knows_keeps_its_shape_there() {
    let mut slip = slip();
    slip.caller.name = some("\u{8FBB}\u{E0100}");
    let old = Sheet::of(&slip);
    slip.caller.name = some("\u{8FBB}\u{E0101}");
    let new = Sheet::of(&slip);
    assert!(old.missing.is_empty() && new.missing.is_empty());
    let (old, new) = (old.first("\u{8FBB}"), new.first("\u{8FBB}"));
    assert_eq!(old.family, "BIZ UDMincho");
    assert_ne!(old.glyphs, new.glyphs);
}
#[test]
fn an_unknown_variant_prints_its_base_and_is_reported() {
    let mut slip = slip();
    slip.caller.name = some("山\u{E01EF}田");
    let sheet = Sheet::of(&slip);
    assert_eq!(sheet.missing, ['\u{E01EF}']);
    assert!(sheet.text().contains("山田"));
    assert!(sheet.text().contains("U+E01EF"));
}

#[test]
fn a_hundred_thousand_characters_flow_over_numbered_pages_without_loss() {
    let mut slip = slip();
    slip.consultation.content = "訪問時の様子を記す。".repeat(10_000);
    slip.consultation.response = "終わりの印".to_owned();
    let sheet = Sheet::of(&slip);
    let written = sheet.text().matches("訪").count();
    // One more 訪問 stands in 対応区分, and one in 次回予定.
    assert_eq!(written, 10_002);
    assert!(sheet.pages > 40, "{} pages", sheet.pages);
    assert!(
        sheet
            .text_of_page(1)
            .contains(&format!("2/{}", sheet.pages))
    );
    assert!(sheet.text_of_page(1).contains("R8-00123"));
    let text = sheet.text();
    assert_eq!(text.matches("終わりの印").count(), 1);
    assert!(text.find("終わりの印") > text.rfind("様子を記す。"));
    assert!(sheet.text_of_page(sheet.pages - 1).contains("続柄の誤り"));
}

#[test]
fn a_word_without_spaces_stays_inside_the_paper() {
    let mut slip = slip();
    let word = "x".repeat(400);
    slip.caller.contact = Some(word.clone());
    slip.consultation.content = word.clone();
    slip.centre = word;
    let sheet = Sheet::of(&slip);
    let margin = 16.0 / 25.4 * 72.0;
    let page_width = 210.0 / 25.4 * 72.0;
    for drawn in sheet.drawn.iter().filter(|drawn| drawn.text.contains("xx")) {
        assert!(
            drawn.left >= margin - 0.5,
            "{} starts at {}",
            drawn.text,
            drawn.left
        );
        assert!(
            drawn.right <= page_width - margin + 0.5,
            "ends at {}",
            drawn.right
        );
    }
}

#[test]
fn a_withdrawn_slip_says_so_on_every_page() {
    let mut slip = slip();
    slip.consultation.content = "経過。\n".repeat(200);
    slip.withdrawal = Some(Withdrawal {
        by: "見本 花子".to_owned(),
        at: "令和8年11月22日".to_owned(),
        reason: "別人の記録".to_owned(),
    });
    let sheet = Sheet::of(&slip);
    assert!(sheet.pages > 1);
    for page in 0..sheet.pages {
        assert!(sheet.text_of_page(page).contains("取下げ"), "page {page}");
    }
    assert!(sheet.text_of_page(0).contains("別人の記録"));
}

#[test]
fn the_same_slip_gives_the_same_bytes_in_every_thread() {
    let fonts = fonts();
    is_send_and_sync(&fonts);
    let first = consultation_slip(&fonts, &slip()).unwrap().bytes;
    assert!(first.starts_with(b"%PDF-"));
    std::thread::scope(|scope| {
        let others: Vec<_> = (0..3)
            .map(|_| scope.spawn(|| consultation_slip(&fonts, &slip()).unwrap().bytes))
            .collect();
        for other in others {
            assert!(other.join().unwrap() == first);
        }
    });
}

#[test]
fn text_over_the_limit_is_refused_with_its_count() {
    let mut slip = slip();
    slip.consultation.content = "字".repeat(300_001);
    let Err(FormError::TooLong { characters }) = consultation_slip(&fonts(), &slip) else {
        panic!("drawn, or refused for another reason");
    };
    assert!(characters > 300_001);
}

#[test]
fn missing_fonts_are_named_with_the_command_that_installs_them() {
    let empty = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/typst");
    let missing = Fonts::discover_in(&empty).unwrap_err();
    assert_eq!(
        missing.packages,
        [
            FontPackage::BizUdMincho,
            FontPackage::BizUdGothic,
            FontPackage::IpamjMincho
        ]
    );
    assert!(missing.to_string().contains(
        "sudo apt-get install fonts-morisawa-bizud-mincho fonts-morisawa-bizud-gothic \
         fonts-ipamj-mincho"
    ));
}

#[test]
fn debug_output_holds_nothing_of_the_record() {
    let shown = format!("{:?}", slip());
    assert!(
        !shown.contains("田") && shown.contains("consultation-123/2"),
        "{shown}"
    );
}

#[test]
fn a_letter_is_drawn_with_every_part_and_with_none() {
    let fonts = fonts();
    let whole = Letter {
        title: "漏えい等報告書（速報）".to_owned(),
        corner: vec!["第1版".to_owned()],
        to: some("個人情報保護委員会　御中"),
        from: some("和光市"),
        facts: vec![("保管する人".to_owned(), "課長\n甲".to_owned())],
        secret: some("abcd-efgh-ijkl-mnop"),
        body: "1 概要\n\n#[誤送付]$があった。\n".repeat(80),
        signatures: vec!["封をした人（署名）".to_owned()],
        record_id: "incident-1-preliminary-1".to_owned(),
        printed: "印刷".to_owned(),
        ..Letter::default()
    };
    for page in [whole, Letter::default()] {
        let pdf = letter(&fonts, &page).unwrap();
        assert!(pdf.bytes.starts_with(b"%PDF"));
    }
}

/// An invented register of so many rows; the last cell of each is left out.
fn register(rows: usize) -> Register {
    let column = Column::new;
    Register {
        title: "持出し台帳",
        subtitle: format!("すべて／{rows}件"),
        owner: "みどり市".to_owned(),
        record_id: "carried-out".to_owned(),
        printed_at: Timestamp::from_second(1_795_478_400).unwrap(),
        printed_on: "令和8年11月24日 9:00".to_owned(),
        printed_by: "見本 太郎".to_owned(),
        columns: vec![column("番号", 1), column("もの", 6), column("備考", 3)],
        rows: (1..=rows)
            .map(|row| vec![row.to_string(), format!("第{row}の名簿")])
            .collect(),
        notes: vec!["住民の氏名は記載しません。".to_owned()],
    }
}

#[test]
fn a_register_lies_across_and_repeats_its_head_on_every_page() {
    let sheet = Sheet::drawn(register::job(&register(120)).unwrap());
    assert!(sheet.pages >= 3, "{} pages", sheet.pages);
    for page in 0..sheet.pages {
        let text = sheet.text_of_page(page);
        assert!(
            text.contains("番号") && text.contains("備考"),
            "page {page}: {text}"
        );
    }
    assert!(sheet.text().contains("第120の名簿"));
    // A4 across is 842 points wide; a portrait page ends at 595.
    assert!(sheet.drawn.iter().any(|drawn| drawn.left > 600.0));
    assert!(sheet.drawn.iter().all(|drawn| drawn.right < 842.0));
    // The cell that was left out says that nothing is there.
    assert!(sheet.text_of_page(0).contains('―'));
}

#[test]
fn an_empty_register_says_so() {
    let sheet = Sheet::drawn(register::job(&register(0)).unwrap());
    assert!(sheet.text().contains("該当する記録はありません。"));
}

#[test]
fn a_list_of_the_log_has_its_facts_and_rows_and_says_when_it_is_empty() {
    let mut report = LogReport {
        title: "個人情報の利用記録".to_owned(),
        record_id: "disclosure/1".to_owned(),
        facts: vec![("対象者".to_owned(), "𠮷田 はな".to_owned())],
        notes: vec!["職員は所属と職で示します。".to_owned()],
        columns: vec![Column::new("日時", 2), Column::new("操作", 3)],
        rows: vec![vec!["R8.11.24".to_owned(), "対象者の閲覧\n#[x]".to_owned()]; 200],
        printed_at: Timestamp::from_second(1_795_478_400).unwrap(),
        printed_on: "R8.11.24 9:00".to_owned(),
        printed_by: "見本 太郎".to_owned(),
    };
    let (long, missing) = typeset(&fonts(), crate::log_report::job(&report).unwrap()).unwrap();
    assert!(
        long.pages().len() > 1,
        "two hundred rows need several sheets"
    );
    assert!(missing.is_empty());
    report.rows.clear();
    let (empty, _) = typeset(&fonts(), crate::log_report::job(&report).unwrap()).unwrap();
    assert_eq!(empty.pages().len(), 1);
}

#[test]
fn a_checkpoint_fits_one_sheet() {
    let line = |number: usize| CheckpointLine {
        number: number.to_string(),
        groups: vec!["0a1b".to_owned(); if number == 1 { 5 } else { 4 }],
        check: "9f3c".to_owned(),
    };
    let sheet = CheckpointSheet {
        record_id: "checkpoint-7".to_owned(),
        signed_on: "R8.11.24 00:02:11".to_owned(),
        entries: "1234567件".to_owned(),
        lines: (1..=5).map(line).collect(),
        fingerprint: "0123 4567 89ab cdef".to_owned(),
        printed_at: Timestamp::from_second(1_795_478_400).unwrap(),
        printed_on: "R8.11.24 9:00".to_owned(),
        printed_by: "見本 太郎".to_owned(),
    };
    let (document, missing) =
        typeset(&fonts(), crate::checkpoint_sheet::job(&sheet).unwrap()).unwrap();
    assert_eq!((document.pages().len(), missing), (1, vec![]));
}

#[test]
fn a_hand_over_sheet_says_who_goes_where_and_leaves_a_line_to_sign() {
    let mut sheet = crate::HandOverSheet {
        sheet_id: "引継ぎ 12".to_owned(),
        printed_at: Timestamp::from_second(1_795_478_400).unwrap(),
        printed_on: "R8.11.24 9:00".to_owned(),
        printed_by: "見本 太郎".to_owned(),
        from: "みどり町".to_owned(),
        to: "みどり町第二".to_owned(),
        effective_on: "令和8年11月1日".to_owned(),
        cause: "受持ち区域の変更".to_owned(),
        name: "𠮷田 はな".to_owned(),
        kana: some("ヨシダ ハナ"),
        born: None,
        address: None,
        phone: None,
        insured_no: some("0000000123"),
        level: None,
        note: some("【これまでの経過】\n長男と二人暮らし。"),
        noted: some("R8.11.2 10:00 見本 花子"),
        waiting: vec![("R8.12.1".to_owned(), "訪問".to_owned())],
        contacts: vec![["R8.10.1", "電話", "見本 花子", "物忘れ"].map(str::to_owned)],
        received: None,
    };
    let text_of = |sheet: &crate::HandOverSheet| {
        let job = crate::hand_over_sheet::job(sheet).unwrap();
        let (document, _) = typeset(&fonts(), job).unwrap();
        let mut drawn = Vec::new();
        for (page, paper) in document.pages().iter().enumerate() {
            collect(page, &paper.frame, Point::zero(), &mut drawn);
        }
        drawn.into_iter().map(|d| d.text).collect::<String>()
    };
    let text = text_of(&sheet);
    for word in [
        "引継ぎ書",
        "みどり町第二",
        "𠮷田",
        "二人暮らし",
        "訪問",
        "物忘れ",
        "氏名",
        "1/1",
    ] {
        assert!(text.contains(word), "{word} is not on the sheet: {text}");
    }
    sheet.received = some("R8.11.5 9:00 見本 次郎");
    sheet.note = None;
    let text = text_of(&sheet);
    assert!(text.contains("見本 次郎") && text.contains('―'), "{text}");
}

#[test]
fn a_report_of_tables_runs_over_pages_and_an_empty_table_says_so() {
    let column = |label| Column::new(label, 2);
    let section = |heading: &str, rows| Section {
        heading: heading.to_owned(),
        columns: vec![column("氏名"), column("役割")],
        rows,
    };
    let row = |number: u32| {
        vec![
            format!("見本 {number}郎\nmihon.{number}"),
            "#保健師 $1".to_owned(),
        ]
    };
    let report = TableReport {
        title: "アクセス権限付与状況報告".to_owned(),
        record_id: "access-rights-20261124".to_owned(),
        about: "基準日 R8.11.24".to_owned(),
        printed_at: Timestamp::from_second(1_795_478_400).unwrap(),
        printed_on: "令和8年11月24日 9:00".to_owned(),
        printed_by: "見本 太郎".to_owned(),
        sections: vec![
            section("職員", (1..=80).map(row).collect()),
            section("例外", Vec::new()),
        ],
    };
    let (document, missing) =
        typeset(&fonts(), crate::table_report::job(&report).unwrap()).unwrap();
    assert!(document.pages().len() > 1);
    assert_eq!(missing, ['\0'; 0]);
    let pdf = table_report(&fonts(), &report).unwrap();
    assert!(pdf.bytes.starts_with(b"%PDF-"));
    assert!(!format!("{report:?}").contains("見本"));
}

/// An invented line; the second of each pair has long words, and nobody stands by.
fn disposal_row(number: usize) -> DisposalRow {
    let long = number.is_multiple_of(2);
    let word = |short: &str, times: usize| short.repeat(if long { times } else { 1 });
    DisposalRow {
        number: number.to_string(),
        medium: word("内蔵ディスク", 8),
        serials: vec![
            word("WD-WX12A3456789", 4),
            "4,000,787,030,016 バイト（4.00 TB）".to_owned(),
        ],
        contents: word("相談の記録", 12),
        amount: "1台".to_owned(),
        method: "上書き消去".to_owned(),
        planned_on: "令和9年3月31日".to_owned(),
        attendants: if long {
            String::new()
        } else {
            "課長 甲、係長 乙".to_owned()
        },
        note: word("#暗号化$あり", 6),
    }
}

#[test]
fn an_application_keeps_long_words_on_the_paper_and_repeats_its_head() {
    let application = |rows: usize| DisposalApplication {
        record_id: "E20270331-100000000".to_owned(),
        applied_on: "令和9年3月1日".to_owned(),
        addressee: "みどり市長".to_owned(),
        contractor: "架空システム株式会社".to_owned(),
        person: "見本 太郎".to_owned(),
        rows: (1..=rows).map(disposal_row).collect(),
        left_out: vec![(
            "USB 16 GB".to_owned(),
            "この計画を入れるUSBメモリ".to_owned(),
        )],
        plan_id: "E20270331-100000000".to_owned(),
        sha256: vec!["0123abcd".to_owned(); 8],
        printed_at: Timestamp::from_second(1_795_478_400).unwrap(),
    };
    let sheet = Sheet::drawn(disposal_application::job(&application(4)).unwrap());
    assert_eq!((sheet.pages, sheet.missing.len()), (1, 0));
    let sheet = Sheet::drawn(disposal_application::job(&application(40)).unwrap());
    assert!(
        sheet.drawn.iter().all(|drawn| drawn.right < 842.0),
        "over the edge"
    );
    for page in 0..sheet.pages - 1 {
        assert!(
            sheet.text_of_page(page).contains("処理予定日"),
            "page {page}"
        );
    }
    let last = sheet.text_of_page(sheet.pages - 1);
    for word in ["承諾する", "0123abcd", "対象にしない"] {
        assert!(sheet.text().contains(word), "{word}");
    }
    assert!(
        last.contains("承諾する") && !last.contains("個人情報 取扱注意"),
        "{last}"
    );
    assert!(sheet.text().contains("#暗号化$あり") && sheet.text().contains('―'));
}

#[test]
fn a_certificate_fits_one_page_with_long_names_and_says_when_nobody_stood_by() {
    let fact = |label: &str, value: &str| (label.to_owned(), value.to_owned());
    let mut certificate = DisposalCertificate {
        record_id: "E20270331-100000000-001".to_owned(),
        title: "データ消去証明書".to_owned(),
        number: "証明書番号 E20270331-100000000-001".to_owned(),
        issued_on: "令和9年3月31日".to_owned(),
        addressee: "みどり市長".to_owned(),
        contractor: "架空システム株式会社".to_owned(),
        statement: "次の媒体に記録されていた情報を消去したことを証明します。".to_owned(),
        sections: vec![CertificateSection {
            heading: "媒体".to_owned(),
            facts: vec![
                fact("媒体名", &"内蔵ディスク".repeat(12)),
                fact("製造番号", &"WD-WX12A3456789".repeat(10)),
                fact("型番", ""),
            ],
        }],
        notes: vec!["範囲".repeat(60)],
        signatures: vec!["担当者 見本 太郎".to_owned(), "立会人 課長 甲".to_owned()],
        unattended: None,
        printed_at: Timestamp::from_second(1_795_478_400).unwrap(),
    };
    let sheet = Sheet::drawn(disposal_certificate::job(&certificate).unwrap());
    assert_eq!((sheet.pages, sheet.missing.len()), (1, 0));
    assert!(
        sheet.drawn.iter().all(|drawn| drawn.right < 595.0),
        "over the edge"
    );
    assert!(sheet.text().contains("立会人 課長 甲") && sheet.text().contains('―'));
    certificate.unattended = Some("休日のため".to_owned());
    let sheet = Sheet::drawn(disposal_certificate::job(&certificate).unwrap());
    assert!(sheet.text().contains("立会人 なし") && sheet.text().contains("休日のため"));
}
