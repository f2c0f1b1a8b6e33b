//! Above every page while the machine runs on battery: for everybody how long it lasts and what to do; for
//! administrators also a supply that does not answer, or needs somebody's hand.
//!
//! A page shows what holds when it is made; one that is open on a screen is not told again.

use std::path::Path;

use base::ups::{Flag, Seen, State, Stop, Told};
use jiff::Timestamp;

use crate::web::banner::Banner;
use crate::web::permission::Permission;
use crate::web::visit::Visit;

/// What this person must see of the power.
pub(super) fn of(visit: &Visit) -> Vec<Banner> {
    let Some(dir) = visit.app.settings().ups_state_dir.as_deref() else {
        return Vec::new();
    };
    if visit.staff.is_none() {
        return Vec::new();
    }
    let administers = visit.may(Permission::StaffAdminister);
    let texts = sentences(dir, visit.app.clock().now(), administers);
    texts.into_iter().map(banner).collect()
}

fn banner(text: String) -> Banner {
    Banner {
        text,
        href: String::new(),
        link: "",
    }
}

fn sentences(dir: &Path, now: Timestamp, administers: bool) -> Vec<String> {
    let seen = Seen::look(dir, now).unwrap_or_else(|error| {
        log::warn!("how the supplies stand cannot be read: {error}");
        Seen::default()
    });
    let shown = seen.shown();
    let mut texts: Vec<String> = shown
        .and_then(|(told, is_training)| for_everybody(told, is_training, now))
        .into_iter()
        .collect();
    if administers {
        texts.extend(for_administrators(&seen));
    }
    texts
}

fn for_everybody(told: &Told, is_training: bool, now: Timestamp) -> Option<String> {
    let text = match told.state {
        State::OnBattery { .. } => format!(
            "停電のため、装置は電池（UPS）で動いています。電気が戻らなければ、{}自動的に止まります。\
             入力中の内容を今すぐ保存し、新しい入力は始めないでください。電気が戻れば、この表示は消えます。",
            time_left(told.seconds_left(now).unwrap_or_default())
        ),
        State::ShuttingDown { .. } => {
            "停電が続いているため、装置を止めています。保存していない入力は残りません。\
             電気が戻ると、装置は自動で動き始めます。急ぐことは紙に書きとめてください。"
                .to_owned()
        }
        State::OnLine | State::Flicker | State::Silent | State::Testing => return None,
    };
    Some(if is_training {
        format!("【訓練】{text}【これは訓練です。本当の停電ではなく、装置は止まりません。】")
    } else {
        text
    })
}

/// Nobody can do anything with seconds; the last minute is said as such.
fn time_left(seconds: u64) -> String {
    match seconds / 60 {
        0 => "1分以内に".to_owned(),
        minutes => format!("あと約{minutes}分で"),
    }
}

fn for_administrators(seen: &Seen) -> Vec<String> {
    let Some(told) = &seen.watched else {
        return vec![
            "UPS（無停電電源装置）の見張りが動いていません。停電のとき、装置は安全に止まれません。\
             装置の担当者に知らせてください（手順書 ups-silent）。"
                .to_owned(),
        ];
    };
    let mut texts = Vec::new();
    if told.stop == Stop::Failed {
        texts.push(
            "停電で装置を止めようとしましたが、止める命令が失敗しました。\
             装置の画面の「電源を切る」で、すぐに止めてください（手順書 ups-on-battery）。"
                .to_owned(),
        );
    }
    for unit in &told.units {
        let Some(reading) = &unit.reading else {
            texts.push(format!(
                "UPS「{}」の応答がありません（ケーブル）。停電のとき、装置は安全に止まれません。\
                 装置の担当者に知らせてください（手順書 ups-silent）。",
                unit.name
            ));
            continue;
        };
        let words = [
            (Flag::ReplaceBattery, "電池の交換が必要です"),
            (Flag::Overload, "つないだ機器が多すぎて、過負荷です"),
            (Flag::Off, "出力が切れています"),
            (Flag::Bypass, "電池を通さずに給電しています"),
        ];
        for (_, text) in words.iter().filter(|(flag, _)| reading.is(*flag)) {
            texts.push(format!(
                "UPS「{}」の{text}。装置の担当者に知らせてください（手順書 ups-silent）。",
                unit.name
            ));
        }
    }
    texts
}

#[cfg(test)]
mod tests {
    use base::ups::{Limit, Reading, Unit, end_training};

    use super::*;
    use crate::app::ServerSettings;
    use crate::features::staff::tests::house::House;
    use crate::web::Role;

    const BATTERY: State = State::OnBattery {
        seconds: 40,
        seconds_left: 500,
        limit: Limit::Time,
    };

    fn told(at: Timestamp, state: State, status: Option<&str>) -> Told {
        let reading = status.and_then(|status| Reading::parse(&format!("ups.status: {status}\n")));
        Told {
            at,
            state,
            stop: Stop::NotYet,
            units: vec![Unit {
                name: "ups@localhost".to_owned(),
                reading,
                on_battery_seconds: None,
            }],
        }
    }

    fn shown(house: &House, login: &str) -> String {
        house.signed_in(login).get("/password").text()
    }

    fn house(dir: &Path) -> House {
        let house = House::with(ServerSettings {
            ups_state_dir: Some(dir.to_owned()),
            ..ServerSettings::standard()
        });
        house.add("admin", Role::SystemAdmin, None);
        house.add("nurse", Role::Nurse, Some("0101"));
        house
    }

    #[test]
    fn on_battery_everybody_is_told_how_long_and_what_to_do_and_afterwards_nothing() {
        let dir = tempfile::tempdir().unwrap();
        let house = house(dir.path());
        let now = house.app().clock().now();
        told(now, BATTERY, Some("OB")).write(dir.path()).unwrap();
        for login in ["admin", "nurse"] {
            let text = shown(&house, login);
            assert!(text.contains("あと約8分で自動的に止まります"), "{text}");
            assert!(text.contains("今すぐ保存"), "{text}");
            assert!(!text.contains("訓練"), "{text}");
        }
        let stopping = State::ShuttingDown { limit: Limit::Time };
        told(now, stopping, Some("OB LB"))
            .write(dir.path())
            .unwrap();
        assert!(shown(&house, "nurse").contains("装置を止めています"));
        for quiet in [State::OnLine, State::Flicker, State::Testing] {
            told(now, quiet, Some("OL")).write(dir.path()).unwrap();
            for login in ["admin", "nurse"] {
                let text = shown(&house, login);
                assert!(!text.contains("停電") && !text.contains("UPS"), "{text}");
            }
        }
    }

    #[test]
    fn a_training_says_so_and_gives_way_to_what_is_real() {
        let dir = tempfile::tempdir().unwrap();
        let house = house(dir.path());
        let now = house.app().clock().now();
        told(now, State::OnLine, Some("OL"))
            .write(dir.path())
            .unwrap();
        let training = told(now, BATTERY, Some("OB"));
        training.write_training(dir.path()).unwrap();
        let text = shown(&house, "nurse");
        assert!(
            text.contains("【訓練】") && text.contains("これは訓練です"),
            "{text}"
        );
        told(now, BATTERY, Some("OB")).write(dir.path()).unwrap();
        let text = shown(&house, "nurse");
        assert!(
            text.contains("停電のため") && !text.contains("訓練"),
            "{text}"
        );
        told(now, State::OnLine, Some("OL"))
            .write(dir.path())
            .unwrap();
        end_training(dir.path()).unwrap();
        assert!(!shown(&house, "nurse").contains("停電"));
    }

    #[test]
    fn cable_and_battery_are_for_administrators_alone() {
        let dir = tempfile::tempdir().unwrap();
        let house = house(dir.path());
        let now = house.app().clock().now();
        let mut failed = told(now, State::ShuttingDown { limit: Limit::Time }, Some("OB"));
        failed.stop = Stop::Failed;
        let cases = [
            (None, "見張りが動いていません"),
            (
                Some(told(now, State::Silent, None)),
                "応答がありません（ケーブル）",
            ),
            (
                Some(told(now, State::OnLine, Some("OL RB"))),
                "電池の交換が必要です",
            ),
            (
                Some(told(now, State::OnLine, Some("OL OVER"))),
                "過負荷です",
            ),
            (Some(failed), "止める命令が失敗しました"),
        ];
        for (case, words) in cases {
            if let Some(told) = case {
                told.write(dir.path()).unwrap();
            }
            let text = shown(&house, "admin");
            assert!(text.contains(words), "{text}");
            assert!(!shown(&house, "nurse").contains(words), "{words}");
        }
    }

    #[test]
    fn the_last_minute_is_said_as_such() {
        assert_eq!(time_left(500), "あと約8分で");
        assert_eq!(time_left(59), "1分以内に");
    }
}
