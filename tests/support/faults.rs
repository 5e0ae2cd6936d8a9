//! Faults seeded into recordings: what real services wrote, with one thing wrong.

use std::collections::BTreeSet;

use flowcheck::base::time::{SECOND, Timestamp};
use flowcheck::check::verdict::{Checked, FlowVerdict, Outcome, StepState, Verdict};
use flowcheck::spec::grammar::{Grammar, PathSegment, StepKind, Subject};
use uuid::Uuid;

use super::HOLDING;
use super::change::{is_timed, records, stamp, time};
use super::recordings::Files;

/// What was done to a recording.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Fault {
    /// A request is left out, with what was done for it.
    Dropped,
    /// A request is sent again, and done again.
    Doubled,
    /// A request fails; what follows it goes on as if it had not.
    Flipped,
    /// A request is turned down; what follows it goes on as if it had not.
    Refused,
    /// A request is about another volume and another attachment.
    Redirected,
    /// A request comes behind the next one of the flow.
    Swapped,
    /// nova-compute takes the cast, and its work is never done.
    LostCast,
    /// nova-compute is killed before it sends a request.
    Killed,
    /// All that undoes something after a failure is left out.
    LostRollback,
    /// Somebody sets the volume's status by hand behind a request.
    Reset,
    /// Somebody deletes the attachment, or takes the connection away, behind a request.
    TakenAway,
}

/// A recording with one thing wrong in one of its flows.
pub(crate) struct Seeded {
    pub(crate) fault: Fault,
    pub(crate) files: Files,
    /// The names of the steps that it is about.
    pub(crate) steps: Vec<String>,
    /// The first request of the flow.
    pub(crate) root: Uuid,
    pub(crate) volume: Option<Uuid>,
    /// Why it is legal, or no log could tell; `None` where it has to be found.
    pub(crate) legal: Option<&'static str>,
}

/// A request of a flow that changes something.
#[derive(Clone, Debug)]
struct Request {
    id: Uuid,
    name: String,
    attachment: bool,
    well: bool,
    start: Timestamp,
    end: Timestamp,
    /// Whether nova-compute sends it.
    by_compute: bool,
}

/// The logs of services that were there before, and go on for hours: what never came is known not to have come.
pub(crate) fn gone_on(files: &Files) -> Files {
    let last = files.values().flat_map(|text| text.lines().rev().find_map(stamp).and_then(time)).max();
    let first = files.values().flat_map(|text| text.lines().find_map(stamp).and_then(time)).min();
    let far = |at: Timestamp, hours: i64| at.plus(hours * 3_600 * SECOND).to_string().replace('T', " ");
    let ends = first.zip(last).map(|(first, last)| (far(first, -1), far(last, 3)));
    let go_on = |(name, text): (&String, &String)| {
        let line = text.lines().rev().find(|line| stamp(line).is_some());
        let process = line.and_then(|line| line.split(' ').nth(2));
        let mut text = text.clone();
        if let (Some((begin, end)), Some(process), true) = (&ends, process, is_timed(text.as_str())) {
            let task = "Running periodic task run_periodic_tasks /usr/lib/python3/dist-packages/oslo_service/periodic_task.py:210";
            let level = if text.contains(" DEBUG ") { "DEBUG" } else { "INFO" };
            let line = |at: &str| format!("{at} {process} {level} oslo_service.periodic_task [-] {task}\n");
            text = format!("{}{text}{}", line(begin), line(end));
        }
        (name.clone(), text)
    };
    files.iter().map(go_on).collect()
}

/// All faults of the conformant flows that nova asked for, on volumes of which nothing else is wrong; of flows that did the
/// same, of the first.
pub(crate) fn seeded<'a>(grammar: &Grammar, files: &'a Files, checked: &'a Checked) -> impl Iterator<Item = Seeded> {
    let timed = files.get("cinder-api.log").is_some_and(|text| is_timed(text) && text.contains(" DEBUG "));
    let is_sound = |flow: &FlowVerdict| {
        let mut others = checked.flows.iter().filter(|other| other.volume == flow.volume);
        others.all(|other| other.verdict != Verdict::Violated)
    };
    let fits = |flow: &&FlowVerdict| {
        let direct = grammar.flow(&flow.flow).is_none_or(|flow| flow.direct);
        let done = matches!(flow.outcome, Outcome::Completed | Outcome::Failed);
        timed && !direct && done && flow.verdict == Verdict::Conformant && flow.volume.is_some() && is_sound(flow)
    };
    let mut flows: Vec<Flow> = Vec::new();
    for flow in checked.flows.iter().filter(fits).filter_map(|flow| Flow::new(grammar, files, flow)) {
        if !flows.iter().any(|known| known.shape() == flow.shape()) {
            flows.push(flow);
        }
    }
    flows.into_iter().flat_map(|flow| flow.all())
}

struct Flow<'a> {
    files: &'a Files,
    verdict: &'a FlowVerdict,
    root: Uuid,
    requests: Vec<Request>,
    /// Whether the flow is about a server.
    per_volume: bool,
    /// When nova-compute takes the cast.
    taken: Option<Timestamp>,
}

impl<'a> Flow<'a> {
    fn new(grammar: &Grammar, files: &'a Files, verdict: &'a FlowVerdict) -> Option<Self> {
        let machine = grammar.machine(Subject::VolumeStatus)?;
        let root = verdict.request_ids.first()?.0;
        let compute = files.get("nova-compute.log").map_or("", String::as_str);
        let answered: Vec<&str> = records(compute).into_iter().filter(|record| record.contains("RESP: [")).collect();
        let per_volume = grammar.flow(&verdict.flow).is_some_and(|flow| flow.per_volume);
        let mut requests = Vec::new();
        let mut taken = None;
        for seen in verdict.steps.iter().filter(|step| step.state == StepState::Observed) {
            let rule = grammar.step_at(seen.step);
            let (Some(start), Some(end)) = (seen.start, seen.end) else { continue };
            match &rule.kind {
                StepKind::Http { method, path, .. } if machine.concerns(seen.step) && method != "GET" => {
                    let Some(id) = seen.request else { continue };
                    requests.push(Request {
                        id: id.0,
                        name: rule.name.clone(),
                        attachment: path
                            .iter()
                            .any(|segment| *segment == PathSegment::Placeholder("attachment".to_owned())),
                        well: !seen.failed,
                        start,
                        end,
                        by_compute: answered.iter().any(|record| record.contains(&id.0.to_string())),
                    });
                }
                StepKind::Cast { .. } if grammar.vocabulary.service_name(rule.service) == "nova-compute" => {
                    taken = Some(start)
                }
                _ => {}
            }
        }
        requests.sort_by_key(|request| request.start);
        requests.retain(|request| request.id != root);
        (!requests.is_empty()).then_some(Self { files, verdict, root, requests, per_volume, taken })
    }

    /// What it did, and who for it.
    fn shape(&self) -> String {
        let requests = self.requests.iter().map(|request| (&request.name, request.well, request.by_compute));
        let requests: Vec<_> = requests.collect();
        format!("{} {:?} {requests:?}", self.verdict.flow, self.verdict.variant)
    }

    fn seed(&self, fault: Fault, files: Files, steps: &[&Request], legal: Option<&'static str>) -> Seeded {
        let steps = steps.iter().map(|request| request.name.clone()).collect();
        Seeded { fault, files, steps, root: self.root, volume: self.verdict.volume, legal }
    }

    fn all(&self) -> Vec<Seeded> {
        let mut all = Vec::new();
        for (index, request) in self.requests.iter().enumerate() {
            let of = [request];
            let next = self.requests.get(index + 1);
            all.push(self.seed(Fault::Dropped, self.without(|id| id == request.id), &of, self.dropped(index)));
            if request.well {
                all.push(self.seed(Fault::Doubled, self.doubled(request), &of, None));
                all.push(self.seed(Fault::Flipped, self.answered(request, 500), &of, None));
                all.push(self.seed(Fault::Refused, self.answered(request, 400), &of, None));
            }
            if request.well && self.is_known(index) {
                all.push(self.seed(Fault::Redirected, self.redirected(request), &of, None));
            }
            if let Some(next) = next.filter(|next| next.name != request.name) {
                all.push(self.seed(Fault::Swapped, self.swapped(request, next), &[request, next], None));
            }
            let is_repeat = self.requests[..index].iter().any(|other| other.well && other.name == request.name);
            if request.by_compute && self.taken.is_some() && !is_repeat {
                let late: Vec<&Request> = self.requests[index..].iter().collect();
                all.push(self.seed(Fault::Killed, self.without_work(request.start), &late, self.killed(index)));
            }
            // While a server is moved, its volume is at rest most of the time.
            if let Some(next) = next.filter(|_| !self.per_volume) {
                all.extend(self.by_strangers(request, next));
            }
        }
        if let Some(taken) = self.taken
            && self.requests.iter().any(|request| request.by_compute)
        {
            let lost: Vec<&Request> = self.requests.iter().filter(|request| request.start >= taken).collect();
            all.push(self.seed(
                Fault::LostCast,
                self.without_work(taken),
                &lost,
                self.untouched(self.requests.len() - lost.len()),
            ));
        }
        if let Some(failed) = self.requests.iter().position(|request| !request.well)
            && failed + 1 < self.requests.len()
        {
            let rollback: Vec<&Request> = self.requests[failed + 1..].iter().collect();
            let files = self.without(|id| rollback.iter().any(|request| request.id == id));
            all.push(self.seed(Fault::LostRollback, files, &rollback, None));
        }
        all
    }

    /// Why a request may be missing.
    fn dropped(&self, index: usize) -> Option<&'static str> {
        let request = &self.requests[index];
        if !request.well {
            Some("what failed may as well not have been tried")
        } else if self.requests[..index].iter().any(|other| other.well && other.name == request.name) {
            Some("the first has done it")
        } else if request.name == "cinder.volume.delete" {
            Some("only some volumes are deleted with their server")
        } else {
            self.untouched(self.requests.len() - 1)
        }
    }

    /// Why nobody can know that a server's volume should have been touched, when only these requests are left.
    fn untouched(&self, left: usize) -> Option<&'static str> {
        (self.per_volume && left == 0).then_some("nothing else of the flow names the volume")
    }

    /// Whether another line tells what the request should be about.
    fn is_known(&self, index: usize) -> bool {
        let others = self.requests.iter().enumerate().filter(|(other, request)| *other != index && request.attachment);
        !self.requests[index].attachment || others.count() > 0 && !self.per_volume
    }

    fn killed(&self, index: usize) -> Option<&'static str> {
        self.untouched(index).or_else(|| self.dropped(index).filter(|_| self.requests[index].well))
    }

    /// The logs with other records.
    fn changed(&self, change: impl Fn(&str, &str) -> Vec<String>) -> Files {
        let of_file = |(name, text): (&String, &String)| {
            let mut all: Vec<String> = records(text).into_iter().flat_map(|record| change(name, record)).collect();
            if all.iter().all(|record| stamp(record).is_some()) {
                all.sort_by(|one, two| stamp(one).cmp(&stamp(two)));
            }
            (name.clone(), all.concat())
        };
        self.files.iter().map(of_file).collect()
    }

    /// The logs without what tells of some requests: their own records, and those of who sent them.
    fn without(&self, is_gone: impl Fn(Uuid) -> bool) -> Files {
        let ids: Vec<String> =
            self.requests.iter().filter(|request| is_gone(request.id)).map(|request| request.id.to_string()).collect();
        let sent = self.sent(&ids);
        // An error that quotes the id of an answer is not about the request alone.
        let is_about = |name: &str, record: &str| {
            name.starts_with("cinder-") || record.contains("RESP: [") || record.contains("used request id")
        };
        let is_told = |name: &str, record: &str| {
            is_about(name, record) && ids.iter().any(|id| record.contains(id)) || sent.contains(record)
        };
        self.changed(|name, record| if is_told(name, record) { Vec::new() } else { vec![record.to_owned()] })
    }

    /// The records that tell that requests were sent: the last of a process before the one that tells the answer.
    fn sent(&self, ids: &[String]) -> BTreeSet<String> {
        let mut sent = BTreeSet::new();
        let root = self.root.to_string();
        for text in self.files.values() {
            let all = records(text);
            for (index, _) in all
                .iter()
                .enumerate()
                .filter(|(_, record)| record.contains("RESP: [") && ids.iter().any(|id| record.contains(id.as_str())))
            {
                sent.extend(
                    all[..index]
                        .iter()
                        .rfind(|record| record.contains("REQ: curl") && record.contains(&root))
                        .map(|record| (*record).to_owned()),
                );
            }
        }
        sent
    }

    fn is_of(request: &Request, record: &str) -> bool {
        record.contains(&request.id.to_string())
    }

    fn moved(record: &str, by: i64) -> String {
        match stamp(record).and_then(time) {
            Some(at) => format!("{}{}", at.plus(by).to_string().replace('T', " "), &record[23..]),
            None => record.to_owned(),
        }
    }

    fn doubled(&self, request: &Request) -> Files {
        let by = request.end.since(request.start) + 1_000;
        let other = super::change::other(request.id).to_string();
        let sent = self.sent(&[request.id.to_string()]);
        self.changed(|_, record| {
            let mut both = vec![record.to_owned()];
            if Self::is_of(request, record) || sent.contains(record) {
                both.push(Self::moved(record, by).replace(&request.id.to_string(), &other));
            }
            both
        })
    }

    fn answered(&self, request: &Request, status: u16) -> Files {
        let places = ["returned with HTTP ", "status: ", "RESP: ["];
        self.changed(|_, record| {
            if !Self::is_of(request, record) {
                return vec![record.to_owned()];
            }
            let mut record = record.to_owned();
            for place in places {
                if let Some(at) = record.find(place).map(|at| at + place.len())
                    && record.get(at..at + 3).is_some_and(|digits| digits.bytes().all(|digit| digit.is_ascii_digit()))
                {
                    record.replace_range(at..at + 3, &status.to_string());
                }
            }
            vec![record]
        })
    }

    fn redirected(&self, request: &Request) -> Files {
        let sent = self.sent(&[request.id.to_string()]);
        let own = [self.verdict.volume, self.verdict.attachment];
        self.changed(|_, record| {
            let mut record = record.to_owned();
            if Self::is_of(request, &record) || sent.contains(&record) {
                for id in own.into_iter().flatten() {
                    record = record.replace(&id.to_string(), &super::change::other(id).to_string());
                }
            }
            vec![record]
        })
    }

    fn swapped(&self, one: &Request, two: &Request) -> Files {
        let (sent_one, sent_two) = (self.sent(&[one.id.to_string()]), self.sent(&[two.id.to_string()]));
        let forward = two.end.since(one.start) + 1_000;
        let back = one.start.since(two.start);
        self.changed(|_, record| {
            if Self::is_of(one, record) || sent_one.contains(record) {
                vec![Self::moved(record, forward)]
            } else if Self::is_of(two, record) || sent_two.contains(record) {
                vec![Self::moved(record, back)]
            } else {
                vec![record.to_owned()]
            }
        })
    }

    /// The logs without what nova-compute did for the flow from a moment on.
    fn without_work(&self, from: Timestamp) -> Files {
        let late: Vec<String> = self
            .requests
            .iter()
            .filter(|request| request.by_compute && request.start >= from)
            .map(|request| request.id.to_string())
            .collect();
        let root = self.root.to_string();
        let sent = self.sent(&late);
        self.changed(|name, record| {
            let own = name == "nova-compute.log" && record.contains(&root);
            let is_late = stamp(record).and_then(time).is_some_and(|at| at >= from);
            let is_gone = own && is_late || sent.contains(record) || late.iter().any(|id| record.contains(id.as_str()));
            if is_gone { Vec::new() } else { vec![record.to_owned()] }
        })
    }

    /// What somebody else does between two requests of the flow.
    fn by_strangers(&self, request: &Request, next: &Request) -> Vec<Seeded> {
        let Some(volume) = self.verdict.volume.filter(|_| request.well && HOLDING.contains(&request.name.as_str()))
        else {
            return Vec::new();
        };
        let of = |name: &str| Request { name: name.to_owned(), ..request.clone() };
        let reset = self.with_request(
            request,
            next,
            &format!("/volumes/{volume}/action"),
            Some(r#"{"os-reset_status": {"status": "available"}}"#),
        );
        let mut all = vec![self.seed(Fault::Reset, reset, &[&of("cinder.volume.reset_status")], None)];
        if let Some(attachment) = self.verdict.attachment.filter(|_| request.name.starts_with("cinder.attachment")) {
            let taken = self.with_request(request, next, &format!("/attachments/{attachment}"), None);
            all.push(self.seed(Fault::TakenAway, taken, &[&of("cinder.attachment.delete")], None));
        }
        all
    }

    /// The logs with a request of somebody else: an action on a volume, or without a body the removal of an attachment.
    fn with_request(&self, before: &Request, after: &Request, path: &str, body: Option<&str>) -> Files {
        let middle = before.end.plus(after.start.since(before.end) / 2);
        let stamp = middle.to_string().replace('T', " ");
        let project = "1c6b9cbe6a2e4c7a9d26a1a1f6e3a0b7";
        let ids = format!(
            "[None req-{} 8d1e7ae3a04e4ef98a2c9d9fa4a2e5a3 {project} - - default default]",
            super::change::other(before.id)
        );
        let (method, status) = if body.is_some() { ("POST", 202) } else { ("DELETE", 200) };
        let url = format!("http://127.0.0.1:8776/v3/{project}{path}");
        let mut lines = vec![format!("{stamp} 16500 INFO cinder.api.openstack.wsgi {ids} {method} {url}\n")];
        lines.extend(body.map(|body| format!("{stamp} 16500 DEBUG cinder.api.openstack.wsgi {ids} Action body: b'{body}' get_method /usr/lib/python3/dist-packages/cinder/api/openstack/wsgi.py:983\n")));
        lines.push(format!("{stamp} 16500 INFO cinder.api.openstack.wsgi {ids} {url} returned with HTTP {status}\n"));
        lines.push(format!("{stamp} 16500 INFO eventlet.wsgi.server {ids} 127.0.0.1 \"{method} /v3/{project}{path} HTTP/1.1\" status: {status}  len: 207 time: 0.0081371\n"));
        let mut files = self.files.clone();
        if let Some(text) = files.get_mut("cinder-api.log") {
            let mut all: Vec<String> = records(text).into_iter().map(str::to_owned).collect();
            let place =
                all.iter().position(|record| super::change::stamp(record).is_some_and(|at| at > stamp.as_str()));
            let place = place.unwrap_or(all.len());
            all.splice(place..place, lines);
            *text = all.concat();
        }
        files
    }
}
