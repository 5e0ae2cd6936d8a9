//! Request paths: what is left of a URL behind host, version and project, and how it fits a pattern.

use uuid::Uuid;

use crate::base::text::leading_uuid;
use crate::spec::grammar::PathSegment;

/// The path and query of a URL, without scheme and host.
pub fn without_host(url: &str) -> &str {
    match url.split_once("://") {
        Some((_, rest)) => rest.find('/').map_or("/", |slash| &rest[slash..]),
        None => url,
    }
}

/// The segments of a request's path behind the API version and the project: `/compute/v2.1/servers/S` and
/// `/v3/PROJECT/volumes/V` become `[servers, S]` and `[volumes, V]`. Without a version all segments are left.
pub fn segments(url: &str) -> Vec<&str> {
    let path = without_host(url);
    let path = path.split(['?', '#']).next().unwrap_or(path);
    let all: Vec<&str> = path.split('/').filter(|segment| !segment.is_empty()).collect();
    let Some(version) = all.iter().position(|segment| is_version(segment)) else {
        return all;
    };
    let mut rest = &all[version + 1..];
    if let Some((project, behind)) = rest.split_first()
        && is_project(project)
    {
        rest = behind;
    }
    rest.to_vec()
}

/// `v2`, `v2.1`, `v3`.
fn is_version(segment: &str) -> bool {
    segment.strip_prefix('v').is_some_and(|number| {
        number.starts_with(|first: char| first.is_ascii_digit())
            && number.chars().all(|next| next.is_ascii_digit() || next == '.')
    })
}

/// A project id: 32 hexadecimal digits, or a UUID.
fn is_project(segment: &str) -> bool {
    segment.len() == 32 && segment.bytes().all(|byte| byte.is_ascii_hexdigit()) || id(segment).is_some()
}

/// The id that a segment is, in the form with dashes and with nothing behind it.
fn id(segment: &str) -> Option<Uuid> {
    (segment.len() == 36).then(|| leading_uuid(segment.as_bytes())).flatten()
}

/// The ids that stand at the placeholders of a pattern.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PathIds {
    /// At `{volume}`.
    pub volume: Option<Uuid>,
    /// At `{server}`.
    pub server: Option<Uuid>,
    /// At `{attachment}`.
    pub attachment: Option<Uuid>,
}

/// Whether the segments fit the pattern, and the ids in them.
pub fn fit(pattern: &[PathSegment], segments: &[&str]) -> Option<PathIds> {
    if pattern.len() != segments.len() {
        return None;
    }
    let mut ids = PathIds::default();
    for (expected, segment) in pattern.iter().zip(segments) {
        match expected {
            PathSegment::Word(word) if word == segment => {}
            PathSegment::Word(_) => return None,
            PathSegment::Placeholder(name) => match name.as_str() {
                "volume" => ids.volume = Some(id(segment)?),
                "server" => ids.server = Some(id(segment)?),
                "attachment" => ids.attachment = Some(id(segment)?),
                _ => {}
            },
        }
    }
    Some(ids)
}

#[cfg(test)]
mod tests {
    use super::*;

    const VOLUME: &str = "c6e212b4-13cb-4727-bb3a-772a4c2bf842";

    #[test]
    fn version_and_project_are_cut() {
        let url = format!("http://127.0.0.1:8776/v3/f1b39f5ce7284f55ad11a1e1528cd47a/volumes/{VOLUME}/action");
        assert_eq!(segments(&url), ["volumes", VOLUME, "action"]);
        assert_eq!(segments("http://172.16.1.12/compute/v2.1/servers?name=vm"), ["servers"]);
        assert_eq!(segments("/v3/attachments"), ["attachments"]);
        assert_eq!(segments("http://172.16.1.12/identity"), ["identity"]);
        assert!(segments("http://127.0.0.1:8776/").is_empty());
    }

    #[test]
    fn ids_are_taken_and_names_are_not_ids() {
        let pattern = [PathSegment::Word("volumes".into()), PathSegment::Placeholder("volume".into())];
        assert_eq!(fit(&pattern, &["volumes", VOLUME]).and_then(|ids| ids.volume), VOLUME.parse().ok());
        assert_eq!(fit(&pattern, &["volumes", "data"]), None);
        assert_eq!(fit(&pattern, &["volumes", &format!("{VOLUME}auto")]), None);
        let by_name = [PathSegment::Word("volumes".into()), PathSegment::Placeholder("name".into())];
        assert!(fit(&by_name, &["volumes", "data"]).is_some());
    }
}
