//! Narrows an answer to one volume, one server or one request.

use uuid::Uuid;

use crate::check::verdict::{Checked, FlowVerdict};
use crate::model::event::RequestId;

/// The shortest beginning of an id that is taken.
const SHORTEST: usize = 4;

/// Which flows and nodes to keep.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Narrow {
    volume: Option<String>,
    server: Option<String>,
    request: Option<String>,
}

impl Narrow {
    /// Takes what was said; the error says what is wrong with it.
    pub fn new(volume: Option<&str>, server: Option<&str>, request: Option<&str>) -> Result<Self, String> {
        for (option, text) in [("--volume", volume), ("--server", server)] {
            if text.is_some_and(str::is_empty) {
                return Err(format!("{option} needs a name or an id"));
            }
        }
        let request = request.map(|text| text.strip_prefix("req-").unwrap_or(text));
        if let Some(text) = request.filter(|text| !is_id_prefix(text)) {
            return Err(format!(
                "--request-id: `{text}` is not the beginning of a request id ({SHORTEST} or more characters)"
            ));
        }
        let owned = |text: Option<&str>| text.map(str::to_owned);
        Ok(Self { volume: owned(volume), server: owned(server), request: owned(request) })
    }

    /// Whether everything is kept.
    pub fn is_open(&self) -> bool {
        *self == Self::default()
    }

    /// Keeps the flows that are asked for, and the volumes of these flows (or the volume that is asked for).
    pub fn apply(&self, checked: &mut Checked) {
        if self.is_open() {
            return;
        }
        checked.flows.retain(|flow| self.keeps(flow));
        let flows = &checked.flows;
        let by_volume_only = self.server.is_none() && self.request.is_none();
        checked.volumes.retain(|volume| {
            flows.iter().any(|flow| flow.volume == Some(volume.id))
                || (by_volume_only && matches(self.volume.as_deref(), Some(volume.id), volume.name.as_deref()))
        });
    }

    /// Whether a flow is asked for.
    pub fn keeps(&self, flow: &FlowVerdict) -> bool {
        let requests = flow.request_ids.iter().copied().chain(flow.steps.iter().filter_map(|step| step.request));
        let volume = (flow.volume, flow.volume_name.as_deref());
        self.keeps_ids(volume, (flow.server, flow.server_name.as_deref()), requests)
    }

    /// Whether something about that volume, that server (each its id and its name) and these requests is asked for.
    pub fn keeps_ids(
        &self,
        volume: (Option<Uuid>, Option<&str>),
        server: (Option<Uuid>, Option<&str>),
        requests: impl Iterator<Item = RequestId>,
    ) -> bool {
        matches(self.volume.as_deref(), volume.0, volume.1)
            && matches(self.server.as_deref(), server.0, server.1)
            && self.keeps_requests(requests)
    }

    fn keeps_requests(&self, mut requests: impl Iterator<Item = RequestId>) -> bool {
        self.request.as_deref().is_none_or(|prefix| requests.any(|request| begins(request.0, prefix)))
    }
}

/// Whether the thing with that id and name is meant; everything is, when nothing was said.
fn matches(said: Option<&str>, id: Option<Uuid>, name: Option<&str>) -> bool {
    let Some(said) = said else { return true };
    name == Some(said) || (is_id_prefix(said) && id.is_some_and(|id| begins(id, said)))
}

fn begins(id: Uuid, prefix: &str) -> bool {
    let dashed = id.to_string();
    let prefix = prefix.to_ascii_lowercase();
    dashed.starts_with(&prefix) || id.simple().to_string().starts_with(&prefix)
}

fn is_id_prefix(text: &str) -> bool {
    (SHORTEST..=36).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_hexdigit() || byte == b'-')
}

#[cfg(test)]
mod tests {
    use super::*;

    const ID: Uuid = Uuid::from_u128(0xc6e2_12b4_13cb_4727_bb3a_772a_4c2b_f842);

    #[test]
    fn ids_names_and_beginnings_match() {
        for said in ["c6e2", "C6E212B4-13", "c6e212b413cb", "c6e212b4-13cb-4727-bb3a-772a4c2bf842", "data"] {
            assert!(matches(Some(said), Some(ID), Some("data")), "{said}");
        }
        for said in ["c6e", "dat", "e212", "c6e212b4-13cb-4727-bb3a-772a4c2bf842auto"] {
            assert!(!matches(Some(said), Some(ID), Some("data")), "{said}");
        }
        assert!(matches(None, None, None));
        assert!(!matches(Some("data"), Some(ID), None));
    }

    #[test]
    fn short_request_ids_are_refused() {
        assert!(Narrow::new(None, None, Some("req-79f")).is_err());
        assert!(Narrow::new(None, None, Some("req-79f0")).is_ok());
        assert!(Narrow::new(Some(""), None, None).is_err());
        assert!(Narrow::new(None, None, None).is_ok_and(|narrow| narrow.is_open()));
    }
}
