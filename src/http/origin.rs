//! Whether a request was meant for this station and comes from its own pages.
//!
//! A browser sends what a page of another site tells it to, with this machine's own address. It
//! cannot lie about `Host`, `Origin` and `Sec-Fetch-Site`, so these three decide. A request with
//! neither `Origin` nor `Sec-Fetch-Site` is not from a browser.

use std::net::IpAddr;

use actix_web::http::{
    Method,
    header::{HeaderMap, HeaderName, HeaderValue},
};

/// The part of an authority before its port, without brackets, in lower case.
fn host_of(authority: &str) -> Option<String> {
    let host = if let Some(rest) = authority.strip_prefix('[') {
        let (host, port) = rest.split_once(']')?;
        if !(port.is_empty() || port.strip_prefix(':').is_some_and(is_port)) {
            return None;
        }
        host
    } else {
        match authority.split_once(':') {
            Some((host, port)) if is_port(port) => host,
            Some(_) => return None,
            None => authority,
        }
    };
    (!host.is_empty()).then(|| host.to_ascii_lowercase())
}

fn is_port(text: &str) -> bool {
    text.parse::<u16>().is_ok() && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// The authority of an `http` or `https` origin.
fn authority_of(origin: &str) -> Option<&str> {
    let rest = origin.strip_prefix("http://").or_else(|| origin.strip_prefix("https://"))?;
    (!rest.contains(['/', '@', '?', '#'])).then_some(rest)
}

fn is_loopback(host: &str) -> bool {
    host == "localhost" || host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}

/// The names and origins of a station.
#[derive(Clone, Debug, Default)]
pub struct Names {
    hosts: Vec<String>,
    origins: Vec<String>,
}

/// Why a request is turned away before anything else.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stray {
    /// 421: it was meant for someone else.
    Host,
    /// 403: a page of another site sent it.
    Origin,
}

impl Names {
    /// `bound` is the address listened on; the hosts of `origins` are names of the station too.
    pub fn new(bound: &str, hosts: &[String], origins: &[String]) -> Self {
        let wildcard = bound.parse::<IpAddr>().is_ok_and(|address| address.is_unspecified());
        let bound = (!wildcard).then(|| bound.to_ascii_lowercase());
        let of_origins = origins.iter().filter_map(|origin| host_of(authority_of(origin)?));
        let hosts = hosts.iter().map(|host| host_of(host).unwrap_or_else(|| host.to_lowercase()));
        Self {
            hosts: bound.into_iter().chain(hosts).chain(of_origins).collect(),
            origins: origins.iter().map(|origin| origin.to_ascii_lowercase()).collect(),
        }
    }

    /// True if `authority` names this station. `local` is the address the connection came in by.
    fn knows(&self, authority: &str, local: Option<IpAddr>) -> bool {
        let Some(host) = host_of(authority) else { return false };
        is_loopback(&host)
            || self.hosts.contains(&host)
            || local.is_some_and(|local| host.parse() == Ok(local))
    }

    /// Lets a request through or says why not. Over a Unix socket (`unix`) there is no name to
    /// check: no browser gets there.
    pub fn check(
        &self,
        method: &Method,
        path: &str,
        headers: &HeaderMap,
        local: Option<IpAddr>,
        unix: bool,
    ) -> Result<(), Stray> {
        let host = headers.get("host").map(HeaderValue::to_str);
        let host = match host {
            Some(Ok(host)) if unix || self.knows(host, local) => host,
            None if unix => "",
            _ => return Err(Stray::Host),
        };
        let safe = matches!(*method, Method::GET | Method::HEAD | Method::OPTIONS);
        if safe && path != "/ws" && path != "/api/v1/events/stream" {
            return Ok(());
        }
        if same_site(headers, host, &self.origins) { Ok(()) } else { Err(Stray::Origin) }
    }
}

fn same_site(headers: &HeaderMap, host: &str, allowed: &[String]) -> bool {
    let origin = headers.get("origin");
    let known = match origin.map(HeaderValue::to_str) {
        None => false,
        Some(Err(_)) => return false,
        Some(Ok(origin)) => {
            let origin = origin.to_ascii_lowercase();
            let ours = authority_of(&origin).is_some_and(|it| it.eq_ignore_ascii_case(host));
            if !ours && !allowed.contains(&origin) {
                return false;
            }
            true
        }
    };
    match headers.get(HeaderName::from_static("sec-fetch-site")) {
        None => true,
        // With an allowed Origin a request between sites is what was allowed.
        Some(site) => known || site == "same-origin" || site == "none",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(method: &str, path: &str, headers: &[(&str, &str)]) -> Result<(), Stray> {
        let names = Names::new(
            "192.168.1.5",
            &["bench.local".to_owned()],
            &["https://shop.example:8443".to_owned()],
        );
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            map.append(name.parse().unwrap(), HeaderValue::from_str(value).unwrap());
        }
        names.check(&method.parse().unwrap(), path, &map, Some([127, 0, 0, 1].into()), false)
    }

    #[test]
    fn only_names_of_the_station_are_served() {
        for host in [
            "localhost:8766",
            "LOCALHOST",
            "127.0.0.1:8766",
            "127.8.9.1",
            "[::1]:8766",
            "192.168.1.5:8766",
            "bench.local",
            "Bench.Local:1",
            "shop.example",
        ] {
            assert_eq!(check("GET", "/health", &[("host", host)]), Ok(()), "{host}");
        }
        for host in [
            "evil.example",
            "localhost.evil.example",
            "127.0.0.1.evil.example",
            "localhost.",
            "bench.local.",
            "[::1",
            "[::1]x",
            "localhost:99999",
            "localhost:+80",
            "localhost:80@evil.example",
            "",
            ":80",
            "192.168.1.50",
        ] {
            let answer = check("GET", "/health", &[("host", host)]);
            assert_eq!(answer, Err(Stray::Host), "{host}");
        }
        assert_eq!(check("GET", "/health", &[]), Err(Stray::Host));
    }

    #[test]
    fn a_page_of_another_site_cannot_act() {
        let host = ("host", "localhost:8766");
        for origin in [
            "null",
            "http://evil.example",
            "http://localhost:9999",
            "http://localhost:8766.evil.example",
            "http://localhost",
            "http://localhost:8766@evil.example",
            "http://127.0.0.1:8766",
            "file://localhost:8766",
            "https://shop.example",
        ] {
            let headers = [host, ("origin", origin)];
            assert_eq!(check("POST", "/api/v1/jobs", &headers), Err(Stray::Origin), "{origin}");
            assert_eq!(check("GET", "/ws", &headers), Err(Stray::Origin), "{origin}");
            assert_eq!(check("GET", "/health", &headers), Ok(()), "{origin}");
        }
        for origin in
            ["http://localhost:8766", "HTTP://LOCALHOST:8766", "https://shop.example:8443"]
        {
            let headers = [host, ("origin", origin)];
            assert_eq!(check("DELETE", "/api/v1/jobs/1", &headers), Ok(()), "{origin}");
            assert_eq!(check("GET", "/ws", &headers), Ok(()), "{origin}");
        }
    }

    #[test]
    fn fetch_metadata_decides_where_there_is_no_origin() {
        let host = ("host", "localhost:8766");
        for (site, answer) in [
            ("same-origin", Ok(())),
            ("none", Ok(())),
            ("same-site", Err(Stray::Origin)),
            ("cross-site", Err(Stray::Origin)),
        ] {
            let headers = [host, ("sec-fetch-site", site)];
            assert_eq!(check("POST", "/api/v1/reload", &headers), answer, "{site}");
        }
        assert_eq!(check("POST", "/api/v1/reload", &[host]), Ok(()));
    }
}
