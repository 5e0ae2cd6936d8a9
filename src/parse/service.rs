//! Tells which service wrote a record: by the program in a journal line, else by the loggers of its process, else by the
//! other records of the same input, else by the name of the file.

use rustc_hash::FxHashMap;

use super::assemble::{CLIENT, Writer, WriterKey};
use crate::model::event::Level;
use crate::model::source::Coverage;
use crate::model::vocabulary::{ServiceId, Vocabulary};

/// The names of programs and log files.
#[derive(Clone, Debug, Default)]
pub(crate) struct ServiceNames {
    programs: FxHashMap<String, ServiceId>,
}

impl ServiceNames {
    pub(crate) fn new(vocabulary: &Vocabulary) -> Self {
        let mut programs = FxHashMap::default();
        for (index, rule) in (0_u16..).zip(&vocabulary.services) {
            for program in rule.programs.iter().chain([&rule.name]) {
                programs.entry(program.clone()).or_insert(ServiceId(index));
            }
        }
        Self { programs }
    }

    /// The service of a program such as `nova-compute` or the unit `devstack@n-cpu.service`.
    pub(crate) fn of_program(&self, program: &str) -> Option<ServiceId> {
        let plain = program.strip_prefix("devstack@").unwrap_or(program);
        self.programs.get(plain.strip_suffix(".service").unwrap_or(plain)).copied()
    }

    /// The service of a file such as `logs/nova-compute-2.log.1.gz`, or `nova/compute.log` as RDO names them.
    fn of_path(&self, path: &str) -> Option<ServiceId> {
        let mut names = path.rsplit('/');
        let name = names.next().unwrap_or(path);
        let stem = name.split('.').next().unwrap_or(name);
        let bare = stem.trim_end_matches(|character: char| character.is_ascii_digit()).trim_end_matches(['-', '_']);
        let in_folder = || self.of_program(&format!("{}-{bare}", names.next()?));
        self.of_program(stem).or_else(|| self.of_program(bare)).or_else(in_folder)
    }
}

/// The services of the writers of one input.
#[derive(Clone, Debug, Default)]
pub(crate) struct Assigned {
    by_writer: FxHashMap<WriterKey, Option<ServiceId>>,
}

impl Assigned {
    /// Decides for one input.
    pub(crate) fn new(path: &str, writers: &FxHashMap<WriterKey, Writer>, names: &ServiceNames) -> Self {
        let mut totals: FxHashMap<ServiceId, u64> = FxHashMap::default();
        for ((_, program), writer) in writers {
            match program {
                Some(CLIENT) => {}
                Some(service) => *totals.entry(*service).or_default() += writer.records,
                None => {
                    for (service, count) in &writer.votes {
                        *totals.entry(*service).or_default() += count;
                    }
                }
            }
        }
        let by_path = names.of_path(path);
        let whole = match (winner(&totals), by_path) {
            // A file named after the service that writes most of it is that service's alone.
            (Some(most), Some(named)) if most == named => Some((named, true)),
            (Some(only), _) if totals.len() == 1 => Some((only, false)),
            (None, Some(named)) => Some((named, false)),
            _ => None,
        };
        let decide = |(key, writer): (&WriterKey, &Writer)| {
            let service = match (key.1, whole) {
                (Some(CLIENT), _) => names.of_program("client"),
                (Some(service), _) => Some(service),
                (None, Some((service, true))) => Some(service),
                (None, whole) => winner(&writer.votes).or(whole.map(|(service, _)| service)),
            };
            (*key, service)
        };
        Self { by_writer: writers.iter().map(decide).collect() }
    }

    /// The service of a writer.
    pub(crate) fn of(&self, key: WriterKey) -> Option<ServiceId> {
        self.by_writer.get(&key).copied().flatten()
    }
}

/// The service with most votes, the first of the specification among equals.
fn winner(votes: &FxHashMap<ServiceId, u64>) -> Option<ServiceId> {
    votes.iter().max_by_key(|(service, count)| (**count, std::cmp::Reverse(service.0))).map(|(service, _)| *service)
}

/// What each service shows, most records first.
pub(crate) fn coverage(writers: FxHashMap<WriterKey, Writer>, assigned: &Assigned) -> Vec<Coverage> {
    let mut keys: Vec<_> = writers.into_iter().collect();
    keys.sort_unstable_by_key(|((process, program), _)| (*process, program.map(|program| program.0)));
    let mut merged: FxHashMap<Option<ServiceId>, (Writer, Vec<u32>, Vec<u32>)> = FxHashMap::default();
    for (key, writer) in keys {
        let (whole, debug, rpc) = merged.entry(assigned.of(key)).or_default();
        debug.extend((writer.level == Level::Debug).then_some(key.0));
        rpc.extend(writer.rpc_debug.then_some(key.0));
        whole.merge(writer);
    }
    let mut coverage: Vec<_> = merged
        .into_iter()
        .map(|(service, (writer, debug_processes, rpc_processes))| Coverage {
            service,
            host: writer.host,
            records: writer.records,
            first: writer.first,
            last: writer.last,
            level: writer.level,
            rpc_debug: writer.rpc_debug,
            debug_processes,
            rpc_processes,
            http_debug: writer.http_debug,
            activity: writer.activity,
        })
        .collect();
    coverage.sort_unstable_by_key(|entry| (std::cmp::Reverse(entry.records), entry.service.map(|service| service.0)));
    coverage
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::vocabulary::ServiceRule;

    #[test]
    fn names_of_programs_and_files() {
        let rule = |name: &str, program: &str| ServiceRule {
            name: name.into(),
            programs: vec![program.into()],
            ..ServiceRule::default()
        };
        let vocabulary = Vocabulary {
            services: vec![rule("nova-api", "n-api"), rule("nova-compute", "n-cpu")],
            ..Vocabulary::default()
        };
        let names = ServiceNames::new(&vocabulary);
        assert_eq!(names.of_program("devstack@n-cpu.service"), Some(ServiceId(1)));
        assert_eq!(names.of_path("logs/nova-compute-2.log.1.gz"), Some(ServiceId(1)));
        assert_eq!(names.of_path("n-api.log"), Some(ServiceId(0)));
        assert_eq!(names.of_path("var/log/nova/compute.log-20150102.gz"), Some(ServiceId(1)));
        assert_eq!(names.of_path("cinder/compute.log"), None);
        assert_eq!(names.of_path("client-1.log"), None);
    }
}
