//! Everything that can stand between a request and its page, told to its reader.

use axum::http::StatusCode;
use base::report::{Kind, Report, chain};
use store::StoreError;

use crate::web::answer::Response;

/// Why a page could not be given. Each has one status and one page.
#[derive(Debug)]
pub enum Problem {
    /// Not there, or not visible to this person: the two look alike.
    NotFound,
    /// Visible, but this person may not do that.
    Forbidden,
    /// Nobody is signed in (or no longer).
    SignInNeeded,
    /// The password must be changed before anything is saved.
    PasswordNeeded,
    /// The vendor's window has ended (or was ended) while signed in.
    WindowShut,
    /// The form did not come from a page of this session.
    ForeignForm,
    /// The address exists, but not for this method.
    WrongMethod,
    /// The request is not readable.
    Unreadable,
    /// More bytes or fields than a request may have.
    TooLarge,
    /// The body of the request did not arrive in time.
    TooSlow,
    /// Too many requests in a short time.
    TooMany,
    /// Everything is taken; the same request may succeed in a moment.
    Busy,
    /// The slice answered with a page of its own (422, 409): shown as it is.
    Page(Box<Response>),
    /// The world is in the way or we made a mistake; told to three readers.
    Reported(Box<Report>),
    /// A broken invariant that has no other words.
    Fault(&'static str),
}

impl From<StoreError> for Problem {
    fn from(error: StoreError) -> Self {
        if error.is_temporary() {
            Self::Busy
        } else {
            Self::Reported(Box::new(error.report()))
        }
    }
}

impl From<Report> for Problem {
    fn from(report: Report) -> Self {
        Self::Reported(Box::new(report))
    }
}

/// What an error page says.
#[derive(Debug)]
pub(crate) struct Words {
    pub(crate) status: StatusCode,
    pub(crate) title: &'static str,
    pub(crate) saved: String,
    pub(crate) next: &'static str,
}

impl Problem {
    /// The staff member's words: what was not saved, what to do next.
    pub(crate) fn words(&self) -> Words {
        let words = |status, title, saved: &str, next| Words {
            status,
            title,
            saved: saved.to_owned(),
            next,
        };
        match self {
            Self::NotFound => words(
                StatusCode::NOT_FOUND,
                "見つかりません",
                "お探しのページや記録は、ないか、担当の範囲の外にあります。",
                "メニューから探し直してください。ほかのセンターの方は「照会」で担当を確かめられます。",
            ),
            Self::Forbidden => words(
                StatusCode::FORBIDDEN,
                "この操作はできません",
                "あなたの権限では、この操作はできません。何も変わっていません。",
                "必要なときは、センター長または長寿あんしん課にご相談ください。",
            ),
            Self::SignInNeeded => words(
                StatusCode::UNAUTHORIZED,
                "サインインしてください",
                "まだ何も保存されていません。",
                "サインインすると続けられます。",
            ),
            Self::PasswordNeeded => words(
                StatusCode::FORBIDDEN,
                "先にパスワードを変えてください",
                "まだ何も保存されていません。入力した内容は残っています。",
                "パスワードが仮のものか、使い始めてから決められた日数がたちました。\
                 変えると、続きから保存できます。",
            ),
            Self::WindowShut => words(
                StatusCode::UNAUTHORIZED,
                "保守作業の時間は終わりました",
                "サインアウトしました。いまの操作は行われていません。",
                "続けるときは、市の担当者に新しい許可を依頼してください。",
            ),
            Self::ForeignForm => words(
                StatusCode::FORBIDDEN,
                "画面の有効期限が切れています",
                "保存していません。入力した文は、ブラウザの「戻る」で元の画面に残っています。",
                "前の画面に戻り、もう一度保存してください。",
            ),
            Self::WrongMethod => words(
                StatusCode::METHOD_NOT_ALLOWED,
                "この開き方はできません",
                "何も変わっていません。",
                "メニューから開き直してください。",
            ),
            Self::Unreadable => words(
                StatusCode::BAD_REQUEST,
                "送られた内容を読めません",
                "保存していません。",
                "前の画面に戻り、もう一度お試しください。",
            ),
            Self::TooLarge => words(
                StatusCode::PAYLOAD_TOO_LARGE,
                "送られた内容が大きすぎます",
                "保存していません。入力した文は、ブラウザの「戻る」で元の画面に残っています。",
                "文を分けて、もう一度保存してください。",
            ),
            Self::TooSlow => words(
                StatusCode::REQUEST_TIMEOUT,
                "送信に時間がかかりすぎました",
                "保存していません。入力した文は、ブラウザの「戻る」で元の画面に残っています。",
                "通信の状態を確かめ、もう一度保存してください。",
            ),
            Self::TooMany => words(
                StatusCode::TOO_MANY_REQUESTS,
                "操作が続きすぎています",
                "この操作は行われていません。",
                "少し待ってから、もう一度お試しください。",
            ),
            Self::Busy => words(
                StatusCode::SERVICE_UNAVAILABLE,
                "混み合っています",
                "保存していません。入力した文は、ブラウザの「戻る」で元の画面に残っています。",
                "少し待ってから、もう一度お試しください。",
            ),
            Self::Reported(report) => words(
                StatusCode::INTERNAL_SERVER_ERROR,
                "処理できませんでした",
                report.for_staff(),
                "続けて起きるときは、下の番号を担当者にお伝えください。",
            ),
            Self::Page(_) | Self::Fault(_) => words(
                StatusCode::INTERNAL_SERVER_ERROR,
                "処理できませんでした",
                "保存していません。",
                "続けて起きるときは、下の番号を担当者にお伝えください。",
            ),
        }
    }

    /// The same failure for the command line, where there is no page to show.
    pub fn report(self) -> Report {
        match self {
            Self::Reported(report) => *report,
            Self::NotFound
            | Self::Forbidden
            | Self::SignInNeeded
            | Self::PasswordNeeded
            | Self::WindowShut
            | Self::ForeignForm
            | Self::WrongMethod
            | Self::Unreadable
            | Self::TooLarge
            | Self::TooSlow
            | Self::TooMany
            | Self::Busy
            | Self::Page(_)
            | Self::Fault(_) => Report::new(Kind::Fault, self.words().title),
        }
    }

    /// Leaves the operator's line in the log, and the developer's underneath.
    pub(crate) fn log(&self, request: &str) {
        match self {
            Self::Reported(report) => {
                let advice = report.for_operator();
                let text = advice.map_or("unexplained failure", |a| a.text);
                log::error!("request.id" = request; "{text}");
                log::debug!("request.id" = request; "{}", report.for_developer());
            }
            Self::Fault(what) => log::error!("request.id" = request; "fault: {what}"),
            Self::Busy => log::warn!("request.id" = request; "request turned away: busy"),
            Self::NotFound
            | Self::Forbidden
            | Self::SignInNeeded
            | Self::PasswordNeeded
            | Self::WindowShut
            | Self::ForeignForm
            | Self::WrongMethod
            | Self::Unreadable
            | Self::TooLarge
            | Self::TooSlow
            | Self::TooMany
            | Self::Page(_) => {}
        }
    }
}

/// A fault with its chain of causes, for libraries whose errors have no place of their own.
pub(crate) fn fault(what: &'static str, error: &dyn std::error::Error) -> Problem {
    log::debug!("{what}: {}", chain(error));
    Problem::Fault(what)
}
