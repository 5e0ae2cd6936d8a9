//! Joins the layers: each function here is one stage of the way of the data.

use std::collections::BTreeMap;
use std::path::PathBuf;

use uuid::Uuid;

use crate::check::check;
use crate::check::verdict::Checked;
use crate::cli::command::{Failure, grammar_files, mistakes};
use crate::cli::narrow::Narrow;
use crate::cli::settings::InputSettings;
use crate::input::Excerpts;
use crate::model::event::Event;
use crate::model::source::{Place, SourceId, SourceSummary};
use crate::parse::{Options, Reading, read};
use crate::report::graph::GraphView;
use crate::spec;
use crate::spec::grammar::{Grammar, Subject};
use crate::trace::graph::CallGraph;
use crate::trace::history::{Effect, Histories};
use crate::trace::resources::Resources;

/// What was read and found out.
pub struct Examined {
    /// The specification.
    pub grammar: Grammar,
    /// What was read.
    pub sources: Vec<SourceSummary>,
    /// Inputs that could not be read, in words.
    pub errors: Vec<String>,
    /// The answers.
    pub checked: Checked,
    graph: CallGraph,
    excerpts: Excerpts,
}

/// The built-in specification, and that of the folders.
pub fn load(folders: &[PathBuf]) -> Result<Grammar, Failure> {
    spec::load(&grammar_files(folders)?).map_err(|errors| mistakes(&errors))
}

/// Inputs to events, events to the call graph, the call graph to answers.
pub fn examine(settings: &InputSettings, grammar: Grammar) -> Result<Examined, Failure> {
    let options = Options {
        threads: settings.threads,
        limits: settings.limits,
        selection: settings.selection.clone(),
        zone: settings.zone.clone(),
    };
    let Reading { mut events, mut sources, errors, excerpts } =
        read(&settings.paths, &mut std::io::stdin(), &grammar.vocabulary, &options);
    cut(settings, &mut events, &mut sources);
    let graph = CallGraph::build(&grammar, &events);
    // The graph has all that is needed; a big log's events take much room.
    drop(events);
    let checked = check(&grammar, &graph, &sources).map_err(|error| error.to_string())?;
    let errors = errors.iter().map(ToString::to_string).collect();
    Ok(Examined { grammar, sources, errors, checked, graph, excerpts })
}

/// Leaves out what is before `--since` or after `--until`, and what the sources tell of that time: what was left out was not
/// seen, so its absence proves nothing.
fn cut(settings: &InputSettings, events: &mut Vec<Event>, sources: &mut [SourceSummary]) {
    let (since, until) = (settings.since, settings.until);
    let inside = |time| since.is_none_or(|since| since <= time) && until.is_none_or(|until| time <= until);
    events.retain(|event| event.time.is_none_or(inside));
    for coverage in sources.iter_mut().flat_map(|source| &mut source.coverage) {
        coverage.first = coverage.first.max(since.filter(|_| coverage.first.is_some()));
        coverage.last = coverage.last.map(|last| until.map_or(last, |until| last.min(until)));
    }
}

impl Examined {
    /// The texts of these lines, as far as they can be read again.
    pub fn lines(&self, places: &[Place]) -> BTreeMap<Place, String> {
        let physical = |place: &Place| {
            let part = self.sources.get(place.source.0 as usize).and_then(|source| source.part(place.line));
            part.map_or(*place, |part| Place::new(SourceId(part.file), place.line - part.lines_before))
        };
        let files: Vec<Place> = places.iter().map(physical).collect();
        let texts = self.excerpts.lines(&files).0;
        files.iter().zip(places).filter_map(|(file, place)| Some((*place, texts.get(file)?.clone()))).collect()
    }

    /// Hands a view of the call graph to `draw`, narrowed to what was asked for.
    pub fn with_graph<T>(&self, narrow: &Narrow, draw: impl FnOnce(GraphView<'_>) -> T) -> T {
        let resources = Resources::new(&self.graph);
        let histories = Histories::new(&self.grammar, &self.graph, &resources);
        let machine = self.grammar.machine(Subject::VolumeStatus);
        let state = |index: Option<usize>| Some(machine?.states.get(index?)?.0.clone());
        let status_change = |id| {
            let change = histories.change(id).filter(|change| matches!(change.effect, Effect::Changed))?;
            Some((state(change.from).unwrap_or_else(|| "?".to_owned()), state(change.to)?))
        };
        let view = GraphView {
            nodes: self.graph.nodes().collect(),
            edges: self.graph.edges().collect(),
            roots: self.graph.roots(),
            status_change: &status_change,
            clocks: self.graph.clocks(),
            sources: &self.sources,
            grammar: &self.grammar,
        };
        if narrow.is_open() {
            return draw(view);
        }
        let names = Names::new(&self.checked);
        draw(view.narrowed(|id, node| {
            let requests = node.request.into_iter().chain(node.global);
            let (volume, server) = (resources.volume(id), resources.server(id));
            narrow.keeps_ids((volume, names.volume(volume)), (server, names.server(server)), requests)
        }))
    }
}

/// The names of volumes and servers, as far as the logs tell them.
struct Names<'a> {
    volumes: BTreeMap<Uuid, &'a str>,
    servers: BTreeMap<Uuid, &'a str>,
}

impl<'a> Names<'a> {
    fn new(checked: &'a Checked) -> Self {
        let volumes = checked.volumes.iter().filter_map(|volume| Some((volume.id, volume.name.as_deref()?)));
        let servers = checked.flows.iter().filter_map(|flow| Some((flow.server?, flow.server_name.as_deref()?)));
        Self { volumes: volumes.collect(), servers: servers.collect() }
    }

    fn volume(&self, id: Option<Uuid>) -> Option<&'a str> {
        self.volumes.get(&id?).copied()
    }

    fn server(&self, id: Option<Uuid>) -> Option<&'a str> {
        self.servers.get(&id?).copied()
    }
}
