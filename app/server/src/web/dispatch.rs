//! The gate that every request goes through, in one place and one order: body limit, session,
//! permission, rate, cross-site token, work on a blocking thread, headers, log line.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Instant;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::{ConnectInfo, RawPathParams, Request};
use axum::http::request::Parts;
use axum::http::{Method, header};
use axum::routing::{MethodFilter, MethodRouter, get};
use store::{AbuseSight, Actor, Event, Operation, Scope};
use tokio::time::timeout;

use crate::app::App;
use crate::web::answer::{Answer, Response};
use crate::web::cookies::{self, FORM_COOKIE};
use crate::web::csrf::{is_valid, random_text};
use crate::web::fields::Fields;
use crate::web::limits::{BODY_BYTES_MAX, BODY_TIME_MAX};
use crate::web::permission::Permission;
use crate::web::problem::Problem;
use crate::web::rights::Rights;
use crate::web::routes::{Route, Routes};
use crate::web::session::{self, COOKIE, Holder, Touch};
use crate::web::upload;
use crate::web::visit::{Halt, Visit};
use crate::web::{assets, dress, error_page, log_line, terminal, window};

/// By this an open page asks whether it is locked: no work, unless it says that somebody types.
pub(crate) const LOCK_STATE: &str = "/lock/state";

/// Everything that can be asked for, behind the gate.
pub fn router(app: &App, routes: &Routes) -> Router {
    let mut by_path: BTreeMap<&'static str, MethodRouter> = BTreeMap::new();
    for route in routes.table() {
        let filter = if route.method == Method::GET {
            MethodFilter::GET
        } else {
            MethodFilter::POST
        };
        let (app, held) = (app.clone(), Arc::new(route.clone()));
        let handler = move |params: RawPathParams, request: Request| {
            handle(app.clone(), Arc::clone(&held), params, request)
        };
        let methods = by_path
            .remove(route.path)
            .unwrap_or_default()
            .on(filter, handler);
        by_path.insert(route.path, methods);
    }
    by_path
        .into_iter()
        .fold(fixed(app), |router, (path, methods)| {
            let (app, wrong) = (app.clone(), Arc::new(unknown(path, wrong_method)));
            let methods = methods.fallback(move |params: RawPathParams, request: Request| {
                handle(app.clone(), Arc::clone(&wrong), params, request)
            });
            mount(router, path, methods)
        })
}

/// Assets and the page for addresses that do not exist.
fn fixed(app: &App) -> Router {
    let (files, lost) = (app.clone(), app.clone());
    let asset = move |request: Request| {
        let (parts, _) = request.into_parts();
        let name = parts.uri.path().trim_start_matches("/assets/").to_owned();
        let mut response = assets::file(&files, &name, &parts.headers)
            .unwrap_or_else(|| dress::bare(axum::http::StatusCode::NOT_FOUND));
        dress::secure(&mut response);
        std::future::ready(response)
    };
    let missing = Arc::new(unknown("(なし)", not_found));
    let router = Router::new().fallback(move |params: RawPathParams, request: Request| {
        handle(lost.clone(), Arc::clone(&missing), params, request)
    });
    mount(router, "/assets/{*name}", get(asset))
}

#[expect(
    clippy::disallowed_methods,
    reason = "the one place where the table becomes a router"
)]
fn mount(router: Router, path: &'static str, methods: MethodRouter) -> Router {
    router.route(path, methods)
}

fn unknown(path: &'static str, handler: fn(&Visit) -> Answer) -> Route {
    Route {
        method: Method::GET,
        path,
        permission: Permission::Public,
        menu: "(なし)",
        takes_files: false,
        handler,
    }
}

fn not_found(_: &Visit) -> Answer {
    Err(Problem::NotFound)
}

fn wrong_method(_: &Visit) -> Answer {
    Err(Problem::WrongMethod)
}

async fn handle(app: App, route: Arc<Route>, params: RawPathParams, request: Request) -> Response {
    let started = Instant::now();
    let number = report_number();
    let (parts, body) = request.into_parts();
    let method = parts.method.clone();
    let params = params
        .iter()
        .map(|(k, v)| (k.to_owned(), v.to_owned()))
        .collect();
    let mut visit = new_visit(&app, &route, &parts, params, number.clone());
    let desk = app.desk().clone();
    let multipart = upload::boundary(&parts.headers).filter(|_| route.takes_files);
    let (body, turn) = match multipart {
        Some(boundary) => {
            let (found, admitted) = who(&app, visit, &route, &parts).await;
            visit = found;
            upload::receive(&mut visit, admitted, boundary, body).await
        }
        None => (text_of(&mut visit, body).await, None),
    };
    let work = move || {
        let answer = match (body, read_method(&parts.method)) {
            (_, false) => Err(Problem::WrongMethod),
            (Err(problem), _) => Err(problem),
            (Ok(()), true) => gate(&mut visit, &route, &parts),
        };
        let mut response = match answer {
            Ok(response) => response,
            Err(problem) => error_page::of(&visit, problem, parts.method == Method::POST),
        };
        dress::page(&mut response);
        cookies::set_form_cookie(&visit, &mut response);
        drop(turn);
        Ok((response, route.path))
    };
    let (response, path) = match desk.run(work).await {
        Ok(done) => done,
        Err(problem) => {
            problem.log(&number);
            (dress::plain(&problem, &number), "(混雑)")
        }
    };
    log_line::write(&number, &method, path, response.status(), started.elapsed());
    response
}

/// The body of a form that brings text alone.
async fn text_of(visit: &mut Visit, body: Body) -> Result<(), Problem> {
    let read = timeout(BODY_TIME_MAX, to_bytes(body, BODY_BYTES_MAX)).await;
    let bytes = read
        .map_err(|_late| Problem::TooSlow)?
        .map_err(|_large| Problem::TooLarge)?;
    visit.form = Fields::parse(&bytes).ok_or(Problem::TooLarge)?;
    Ok(())
}

/// Who is about to send files, and may they? Asked before a byte is kept; the gate asks again and
/// answers. Nothing is written down here.
async fn who(app: &App, mut visit: Visit, route: &Arc<Route>, parts: &Parts) -> (Visit, bool) {
    let (params, number) = (visit.params.clone(), visit.number.clone());
    let again = new_visit(app, route, parts, params, number);
    let (route, parts) = (Arc::clone(route), parts.clone());
    let asked = app.desk().run(move || {
        let known = recognise(&mut visit, &route, &parts).is_ok();
        let may = known && visit.may(route.permission);
        Ok((visit, may))
    });
    asked.await.unwrap_or((again, false))
}

fn read_method(method: &Method) -> bool {
    matches!(*method, Method::GET | Method::HEAD | Method::POST)
}

fn new_visit(
    app: &App,
    route: &Route,
    parts: &Parts,
    params: Vec<(String, String)>,
    number: String,
) -> Visit {
    let peer = parts.extensions.get::<ConnectInfo<SocketAddr>>();
    let terminal = peer.map_or_else(|| "?".to_owned(), |ConnectInfo(peer)| peer.ip().to_string());
    Visit {
        app: app.clone(),
        actor: Actor {
            terminal,
            ..Actor::system(route.menu)
        },
        staff: None,
        window: None,
        halted: None,
        terminal: None,
        path: parts.uri.path().to_owned(),
        query: Fields::default(),
        form: Fields::default(),
        files: Vec::new(),
        number,
        params,
        csrf_secret: String::new(),
        cookies: cookies::read(&parts.headers),
    }
}

/// Session, permission, rate, token; then the slice.
fn gate(visit: &mut Visit, route: &Route, parts: &Parts) -> Answer {
    visit.query =
        Fields::parse(parts.uri.query().unwrap_or("").as_bytes()).ok_or(Problem::TooLarge)?;
    recognise(visit, route, parts)?;
    let halted = visit.halted.as_ref().map(|halted| &halted.staff);
    let key = visit.staff.as_ref().or(halted).map_or_else(
        || visit.actor.terminal.clone(),
        |staff| format!("session {}", staff.session),
    );
    if !visit.app.may_ask(&key) {
        return Err(Problem::TooMany);
    }
    window::record(visit, route, &parts.method)?;
    permit(visit, route, parts)?;
    if parts.method == Method::POST {
        check_token(visit, route, parts)?;
    }
    (route.handler)(visit)
}

/// Finds out who is asking, and at which machine.
fn recognise(visit: &mut Visit, route: &Route, parts: &Parts) -> Result<(), Problem> {
    let (db, token) = (visit.app.db(), visit.cookie(COOKIE).to_owned());
    visit.terminal = terminal::of(db, parts)?;
    if let Some(terminal) = &visit.terminal {
        visit.actor.terminal = terminal.label();
    }
    let limits = &visit.app.settings().session;
    let touch = if route.path == LOCK_STATE && !visit.query.has("active") {
        Touch::Look
    } else {
        Touch::Work
    };
    let holder = session::find(db, &token, limits, visit.terminal.as_ref(), touch)?;
    visit.actor.scope = Scope::Nothing;
    match holder {
        Holder::In(staff) => {
            visit.csrf_secret.clone_from(&staff.csrf_secret);
            visit.actor.staff_id = Some(staff.staff_id);
            visit.actor.centre_id = staff.centre_id;
            visit.actor.scope = staff.rights.scope(staff.role, staff.centre_id);
            visit.actor.role = Some(staff.role.code());
            visit.actor.may_protect = staff.rights.has(Permission::ProtectionAdminister);
            visit.actor.may_inquire = staff.rights.has(Permission::ResidentInquire);
            visit.actor.abuse = abuse_sight(&staff.rights);
            visit.staff = Some(staff);
            return window::look_through(visit);
        }
        Holder::Halted(halted) => {
            visit.csrf_secret.clone_from(&halted.staff.csrf_secret);
            visit.actor.staff_id = Some(halted.staff.staff_id);
            visit.actor.centre_id = halted.staff.centre_id;
            visit.halted = Some(halted);
        }
        Holder::Nobody => {
            let known = visit.cookie(FORM_COOKIE).to_owned();
            visit.csrf_secret = if known.is_empty() {
                random_text().unwrap_or_default()
            } else {
                known
            };
        }
    }
    Ok(())
}

/// Rights decide whether abuse cases can exist for somebody; rows decide which.
fn abuse_sight(rights: &Rights) -> AbuseSight {
    match (
        rights.has(Permission::AbuseKeep),
        rights.has(Permission::AbuseView),
    ) {
        (true, _) => AbuseSight::Keeper,
        (false, true) => AbuseSight::Member,
        (false, false) => AbuseSight::Nothing,
    }
}

/// Refuses who may not; the try is written down.
fn permit(visit: &Visit, route: &Route, parts: &Parts) -> Result<(), Problem> {
    if route.permission == Permission::Public {
        return Ok(());
    }
    let asked = visit.halted_for(Halt::Factor).is_ok();
    if asked && parts.method != Method::POST {
        let to = form_urlencoded::byte_serialize(visit.path.as_bytes());
        let to = format!("/second-factor?to={}", to.collect::<String>());
        return Err(Problem::Page(Box::new(crate::web::answer::redirect(&to))));
    }
    let staff = visit.signed_in()?;
    if staff.must_change_password && !is_way_out(route.path) {
        if parts.method == Method::POST {
            return Err(Problem::PasswordNeeded);
        }
        return Err(Problem::Page(Box::new(crate::web::answer::redirect(
            "/password",
        ))));
    }
    if staff.rights.has(route.permission) {
        return Ok(());
    }
    visit.app.db().write(&visit.actor, |tx| {
        let event = Event::refused(Operation::Refusal).detail(route.path);
        Ok::<_, Problem>(tx.audited(event, ()))
    })?;
    Err(Problem::Forbidden)
}

/// What somebody whose password must be changed may still ask for.
fn is_way_out(path: &str) -> bool {
    matches!(
        path,
        "/password" | "/password/opening" | "/sign-out" | "/lock"
    )
}

/// A form must come from a page of ours: its token (or that of our script) was made for this
/// session, and the browser does not say that another site sent it.
fn check_token(visit: &Visit, route: &Route, parts: &Parts) -> Result<(), Problem> {
    let site = parts
        .headers
        .get("sec-fetch-site")
        .and_then(|value| value.to_str().ok());
    if matches!(site, Some("cross-site" | "same-site")) {
        return Err(Problem::ForeignForm);
    }
    let kind = parts
        .headers
        .get(header::CONTENT_TYPE)
        .and_then(|value| value.to_str().ok());
    let readable = |kind: &str| {
        let files = route.takes_files && upload::boundary(&parts.headers).is_some();
        files || kind.starts_with("application/x-www-form-urlencoded")
    };
    if kind.is_some_and(|kind| !readable(kind)) {
        return Err(Problem::Unreadable);
    }
    let from_script = parts
        .headers
        .get("x-csrf")
        .and_then(|value| value.to_str().ok());
    let token = from_script.unwrap_or_else(|| visit.form.get("csrf"));
    if is_valid(&visit.csrf_secret, token) {
        Ok(())
    } else {
        Err(Problem::ForeignForm)
    }
}

/// Eight characters that can be read out on the telephone.
fn report_number() -> String {
    let text = random_text().unwrap_or_default();
    let readable = text
        .chars()
        .filter(|c| matches!(c, 'A'..='H' | 'J'..='N' | 'P'..='Z' | '2'..='9'));
    readable.take(8).collect()
}
