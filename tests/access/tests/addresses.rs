//! Addresses that no page links to: tricks with paths, files that are not there, odd numbers.

use harness::Town;
use server::web::Role;

#[test]
fn no_trick_with_a_path_reaches_a_file_or_a_record() {
    let town = Town::new();
    let mut browser = town.signed_in(Role::CityLongevity, None);
    for address in [
        "/assets/../Cargo.toml",
        "/assets/%2e%2e/%2e%2e/etc/passwd",
        "/assets//etc/passwd",
        "/assets/..%5c..%5cetc%5cpasswd",
        "/assets/fonts/../hokatsu.css",
        "/assets/fonts/other.ttf",
        "/assets/",
        "/consultations/0",
        "/consultations/-1",
        "/consultations/1/../2",
        "/consultations/1%2f..%2f2",
        "/consultations/1%00",
        "/consultations/9223372036854775808",
        "/consultations/1%20or%201=1",
        "/consultations/%EF%BC%91",
        "/consultations/1/versions/99",
        "/.env",
        "/%2e%2e/%2e%2e/etc/passwd",
    ] {
        let page = browser.get(address);
        assert_eq!(page.status, 404, "{address}");
    }
}

#[test]
fn the_face_of_the_screens_is_served_once_and_then_known() {
    let town = Town::new();
    let mut browser = town.browser();
    let address = "/assets/fonts/bizud-gothic.ttf";
    let page = browser.get(address);
    assert_eq!(page.status, 200);
    assert_eq!(page.headers["content-type"], "font/ttf");
    // The first bytes of a TrueType file.
    assert_eq!(page.bytes[..4], [0, 1, 0, 0]);
    let tag = page.headers["etag"].to_str().unwrap().to_owned();
    let again = browser.send(
        axum::http::Method::GET,
        address,
        None,
        &[("if-none-match", &tag)],
    );
    assert_eq!((again.status.as_u16(), again.bytes.len()), (304, 0));
}
