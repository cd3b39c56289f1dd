//! The dashboard's own files.

use crate::support::Station;

#[test]
fn files_of_the_dashboard_have_their_type_and_are_sent_once() {
    let station = Station::start();
    let tcp = station.tcp();
    for (path, kind) in [
        ("/", "text/html; charset=utf-8"),
        ("/index.html", "text/html; charset=utf-8"),
        ("/app.js", "text/javascript; charset=utf-8"),
        ("/style.css", "text/css; charset=utf-8"),
        ("/tokens.css", "text/css; charset=utf-8"),
    ] {
        let plain = tcp.get(path);
        assert_eq!(plain.status, 200, "{path}");
        assert_eq!(plain.header("content-type"), Some(kind), "{path}");
        assert_eq!(plain.header("cache-control"), Some("no-cache"));
        assert!(plain.header("content-encoding").is_none());
        let tag = plain.header("etag").unwrap().to_owned();
        let again = tcp.with_header("If-None-Match", &tag).get(path);
        assert_eq!((again.status, again.body.len()), (304, 0), "{path}");
        assert_eq!(again.header("etag"), Some(tag.as_str()));
        assert_eq!(tcp.with_header("If-None-Match", "\"other\"").get(path).status, 200);
        let packed = tcp.with_header("Accept-Encoding", "br, gzip").get(path);
        assert_eq!(packed.header("content-encoding"), Some("gzip"), "{path}");
        assert_eq!(packed.header("vary"), Some("Accept-Encoding"));
        assert_ne!(packed.header("etag"), Some(tag.as_str()), "other bytes, another tag");
        assert!(packed.body.starts_with(&[0x1f, 0x8b]) && packed.body.len() < plain.body.len());
    }
}

#[test]
fn the_page_asks_nobody_but_its_station() {
    let station = Station::start();
    let tcp = station.tcp();
    let page = tcp.get("/").text();
    assert!(
        !page.contains("http://") && !page.contains("https://") && !page.contains("//cdn"),
        "{page}"
    );
    assert!(!page.contains(" style=") && !page.contains(" onclick="), "the policy forbids both");
    for script in page.split("<script").skip(1) {
        assert!(script.split('>').next().unwrap().contains("src="), "no script in the page itself");
    }
    // All that the page names is there.
    let names = page.split("=\"").skip(1).filter_map(|rest| rest.split('"').next());
    let files = names.filter(|name| {
        std::path::Path::new(name)
            .extension()
            .is_some_and(|it| it == "js" || it == "css" || it == "svg")
    });
    for file in files {
        assert_eq!(
            tcp.get(&format!("/{}", file.trim_start_matches(['.', '/']))).status,
            200,
            "{file}"
        );
    }
}

#[test]
fn nothing_but_the_dashboard_is_served() {
    let station = Station::start();
    for path in [
        "/../Cargo.toml",
        "/..%2f..%2fetc/passwd",
        "/%2e%2e/src/main.rs",
        "/static/app.js",
        "/stationd.db",
        "/config.yaml",
        "//etc/passwd",
        "/app.js/",
        "/app.js%00",
        "/.git/config",
    ] {
        station.tcp().get(path).refused(404);
    }
}
