//! `flowcheck explain`: what a finding, a flow, a step, a status or a machine means, from the specification.
//!
//! Every item is a `Page`: a title, then keys with texts, then blocks. `flow` and `item` fill pages, this module finds
//! the items of a name and draws the pages.

mod flow;
mod item;

use crate::base::text::{did_you_mean, escape};
use crate::report::text::look::{Look, Tone};
use crate::spec::grammar::Grammar;

/// The room for the key words in front of texts.
const KEYS: usize = 12;

/// What is said about one item.
#[derive(Debug, Default)]
struct Page {
    /// `flow attach`.
    heading: String,
    /// One line for readers.
    title: String,
    /// Key words and their texts, in the order of printing.
    entries: Vec<(&'static str, Vec<String>)>,
    /// A heading and preformatted lines.
    blocks: Vec<(String, Vec<String>)>,
}

impl Page {
    fn entry(&mut self, key: &'static str, texts: Vec<String>) {
        if !texts.is_empty() {
            self.entries.push((key, texts));
        }
    }

    fn block(&mut self, heading: &str, lines: Vec<String>) {
        if !lines.is_empty() {
            self.blocks.push((heading.to_owned(), lines));
        }
    }

    fn write(&self, out: &mut String, look: &Look) {
        out.push_str(&look.paint(Tone::Strong, &escape(&self.heading)));
        out.push('\n');
        look.hanging(out, "", 2, &escape(&self.title));
        out.push('\n');
        for (key, texts) in &self.entries {
            for (number, text) in texts.iter().enumerate() {
                look.hanging(out, if number == 0 { key } else { "" }, KEYS, &escape(text));
            }
        }
        for (heading, lines) in &self.blocks {
            out.push_str(&format!("\n{}\n", look.paint(Tone::Key, &escape(heading))));
            for line in lines {
                let indent = line.len() - line.trim_start().len() + 2;
                look.hanging(out, "", indent, &escape(line.trim_start()));
            }
        }
    }
}

/// Explains a finding (by code or name), a flow, a step, a machine or a status; all that have this name. The error says that
/// there is none, and what was perhaps meant.
pub fn explain(grammar: &Grammar, name: &str, look: &Look) -> Result<String, String> {
    let name = name.trim();
    let mut pages: Vec<Page> = Vec::new();
    let findings = grammar.findings.iter();
    pages.extend(
        findings
            .filter(|finding| finding.code.eq_ignore_ascii_case(name) || finding.name == name)
            .map(|finding| item::finding(grammar, finding)),
    );
    pages.extend(grammar.flows.iter().filter(|flow| flow.name == name).map(|flow| flow::flow(grammar, flow)));
    pages.extend(grammar.step(name).map(|step| item::step(grammar, step)));
    for machine in &grammar.machines {
        if machine.name == name {
            pages.push(item::machine(grammar, machine));
        }
        if let Some(state) = machine.state(name) {
            pages.push(item::status(grammar, machine, state));
        }
    }
    if pages.is_empty() {
        return Err(unknown(grammar, name));
    }
    let mut out = String::new();
    for (number, page) in pages.iter().enumerate() {
        if number > 0 {
            out.push('\n');
        }
        page.write(&mut out, look);
    }
    Ok(out)
}

/// All names that can be explained.
pub fn names(grammar: &Grammar, look: &Look) -> String {
    let mut out = String::new();
    let mut section = |heading: &str, rows: Vec<(String, String)>| {
        if rows.is_empty() {
            return;
        }
        if !out.is_empty() {
            out.push('\n');
        }
        out.push_str(&format!("{}\n", look.paint(Tone::Strong, heading)));
        let column = rows.iter().map(|(name, _)| name.len()).max().unwrap_or(0).min(48) + 4;
        for (name, title) in rows {
            look.hanging(&mut out, &format!("  {}", escape(&name)), column, &format!("{} ", escape(&title)));
        }
    };
    let row = |name: &str, title: &str| (name.to_owned(), title.to_owned());
    section("Flows", grammar.flows.iter().map(|flow| row(&flow.name, &flow.title)).collect());
    let findings = grammar.findings.iter();
    section("Findings", findings.map(|each| row(&format!("{} {}", each.code, each.name), &each.title)).collect());
    for machine in &grammar.machines {
        let states = machine.states.iter().map(|(name, text)| row(name, text)).collect();
        section(&format!("{} ({})", escape(&machine.title), escape(&machine.name)), states);
    }
    section("Steps", grammar.steps.iter().map(|step| row(&step.name, &step.title)).collect());
    out
}

fn unknown(grammar: &Grammar, name: &str) -> String {
    let flows = grammar.flows.iter().map(|flow| flow.name.as_str());
    let findings = grammar.findings.iter().flat_map(|finding| [finding.code.as_str(), finding.name.as_str()]);
    let steps = grammar.steps.iter().map(|step| step.name.as_str());
    let machines = grammar.machines.iter().map(|machine| machine.name.as_str());
    let states = grammar.machines.iter().flat_map(|machine| machine.states.iter().map(|(state, _)| state.as_str()));
    let all = flows.chain(findings).chain(steps).chain(machines).chain(states);
    let meant = did_you_mean(name, all).map(|name| format!("; did you mean `{name}`?"));
    format!(
        "there is no finding, flow, step or status `{name}`{} (`flowcheck explain` lists all names)",
        meant.unwrap_or_default()
    )
}

/// The names of steps, joined by commas.
fn step_names(grammar: &Grammar, steps: &[crate::spec::grammar::StepId]) -> String {
    let names = steps.iter().filter_map(|step| grammar.steps.get(step.0 as usize)).map(|step| step.name.as_str());
    names.collect::<Vec<_>>().join(", ")
}
