//! Papers that staff attached before today: to a few people and their consultations.

use base::report::Report;
use demo::papers::{memo, sheet};
use server::features::attachments::{Invented, Owner, insert_history};
use server::features::consultations::ConsultationId;
use server::web::Problem;
use store::{
    Actor, CentreId, Db, Event, Operation, ReadTx, ResidentId, StaffId, StoreError, SystemReason,
    params,
};

/// Consultations that carry a paper.
const CONSULTATIONS_MAX: i64 = 8;

// One a person, newest ones, each with a nurse of the centre that took it.
const SOME: &str = "
    select max(c.id), k.resident_id, c.centre_id,
           (select min(p.staff_id) from staff_posts p
            where p.role = 'nurse' and p.centre_id = c.centre_id)
    from consultations c
    join consultation_clients k on k.consultation_id = c.id
    join residents r on r.id = k.resident_id
    where r.resident_state = '1' and r.shielded = 0 and c.centre_id = r.centre_id
    group by k.resident_id order by max(c.id) desc limit ?1";

struct Place {
    consultation: ConsultationId,
    resident: ResidentId,
    centre: CentreId,
    nurse: StaffId,
}

fn places(tx: &ReadTx<'_>) -> Result<Vec<Place>, StoreError> {
    tx.all(SOME, params![CONSULTATIONS_MAX], |row| {
        Ok(Place {
            consultation: row.get(0)?,
            resident: row.get(1)?,
            centre: row.get(2)?,
            nurse: row.get(3)?,
        })
    })
}

/// Attaches them, in one transaction.
pub(super) fn write(db: &Db, actor: &Actor) -> Result<(), Report> {
    let now = format!("{:.6}", db.clock().now());
    let shelf = db.shelf();
    let slip = sheet(&[
        "退院時の連絡票（架空）",
        "",
        "見本のための書類です。実在の人物・病院とは関係ありません。",
        "退院後の生活：一人で歩ける。入浴に見守りが要る。",
        "次の受診：二週間後",
    ]);
    let written = db.system(actor, SystemReason::Demo, |tx| {
        for (number, place) in places(tx)?.into_iter().enumerate() {
            let count = format!("{}枚目", number + 1);
            let note = memo(&[
                "電話の聞き取りメモ（架空）",
                &count,
                "長男は土曜日に来られる。",
            ]);
            let files = [
                Invented {
                    owner: Owner::Consultation(place.consultation),
                    bytes: &note,
                    name: "聞き取りメモ.txt",
                    title: "",
                },
                // Equal bytes for everybody: they lie on the disk once.
                Invented {
                    owner: Owner::Resident(place.resident),
                    bytes: &slip,
                    name: "renrakuhyo.pdf",
                    title: "退院時の連絡票",
                },
            ];
            for file in &files {
                let by = (Some(place.centre), place.nurse, now.as_str());
                insert_history(tx, &shelf, file, by)?;
            }
        }
        Ok::<_, Problem>(tx.audited(Event::done(Operation::SetUp), ()))
    });
    written.map_err(Problem::report)
}
