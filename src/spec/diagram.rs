//! Drawings of machines and flows, as mermaid and as dot.

use std::fmt::Write as _;

use crate::spec::grammar::{Flow, Grammar, Machine, StepUse, Target, Term, Transition, Variant};

/// The language of a drawing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DiagramLanguage {
    /// Mermaid, which many wikis and forges draw.
    Mermaid,
    /// Graphviz.
    Dot,
}

/// The transitions of a machine. Transitions to `previous` and `given` lead to states of that name.
pub fn machine(grammar: &Grammar, machine: &Machine, language: DiagramLanguage) -> String {
    let mut drawing = Drawing::new(language, &machine.title, true);
    let states: Vec<usize> = machine
        .states
        .iter()
        .enumerate()
        .map(|(index, (state, _))| {
            drawing.node(state, if machine.rest.contains(&index) { Shape::Rest } else { Shape::State })
        })
        .collect();
    let (mut any, mut previous, mut given) = (None, None, None);
    for transition in &machine.transitions {
        let to = match transition.to {
            Target::State(state) => states[state],
            Target::Previous => *previous.get_or_insert_with(|| drawing.node("previous", Shape::Pseudo)),
            Target::Given => *given.get_or_insert_with(|| drawing.node("given", Shape::Pseudo)),
        };
        let label = transition_label(grammar, transition);
        let style = if transition.legal { Style::Plain } else { Style::Dashed };
        if transition.from.is_empty() {
            let any = *any.get_or_insert_with(|| drawing.node("any", Shape::Pseudo));
            drawing.edge(any, to, &label, style);
        }
        for state in &transition.from {
            drawing.edge(states[*state], to, &label, style);
        }
    }
    drawing.finish()
}

/// The sequences of one variant of a flow.
pub fn flow(grammar: &Grammar, flow: &Flow, variant: &Variant, language: DiagramLanguage) -> String {
    let title = match &variant.name {
        Some(name) => format!("{}: {name}", flow.title),
        None => flow.title.clone(),
    };
    let mut drawing = Drawing::new(language, &title, false);
    let start = drawing.node("start", Shape::Pseudo);
    let ends = FlowDrawing { grammar, drawing: &mut drawing }.term(&variant.term, vec![(start, String::new())]);
    let end = drawing.node("end", Shape::Pseudo);
    for (from, label) in ends {
        drawing.edge(from, end, &label, Style::Plain);
    }
    drawing.finish()
}

fn transition_label(grammar: &Grammar, transition: &Transition) -> String {
    let mut label =
        transition.by.iter().map(|step| grammar.step_at(*step).name.as_str()).collect::<Vec<_>>().join(", ");
    if !transition.legal {
        label.insert_str(0, "illegal: ");
    }
    if transition.failing {
        label.push_str(" failing");
    }
    for (index, guard) in transition.guards.iter().enumerate() {
        label.push_str(if index == 0 { " if " } else { " and " });
        label.push_str(&guard.to_string());
    }
    label
}

/// Ends of a part of a drawing from which the next part goes on, with what to write at the next edge.
type Ends = Vec<(usize, String)>;

/// Draws a process tree.
struct FlowDrawing<'a> {
    grammar: &'a Grammar,
    drawing: &'a mut Drawing,
}

impl FlowDrawing<'_> {
    fn term(&mut self, term: &Term, before: Ends) -> Ends {
        match term {
            Term::Empty => before,
            Term::Step(used) => self.step(used, before),
            Term::Sequence(terms) => terms.iter().fold(before, |before, term| self.term(term, before)),
            Term::Choice(terms) => {
                let fork = self.join("choice", before);
                terms.iter().flat_map(|term| self.term(term, vec![(fork, String::new())])).collect()
            }
            Term::Optional(body) => {
                let fork = self.join("optional", before);
                let mut ends = self.term(body, vec![(fork, String::new())]);
                ends.push((fork, "without".to_owned()));
                ends
            }
            Term::AnyOrder(terms) => {
                let fork = self.join("any order", before);
                let ends: Ends = terms.iter().flat_map(|term| self.term(term, vec![(fork, String::new())])).collect();
                vec![(self.join("all done", ends), String::new())]
            }
            Term::Repeat { body, most } => {
                let times = most.map(|most| format!("repeat up to {most}")).unwrap_or_else(|| "repeat".to_owned());
                let fork = self.join(&times, before);
                for (from, _) in self.term(body, vec![(fork, String::new())]) {
                    if from != fork {
                        self.drawing.edge(from, fork, "again", Style::Plain);
                    }
                }
                vec![(fork, String::new())]
            }
            Term::Attempt { body, handler } => {
                let fork = self.join("attempt", before);
                let ends = self.term(body, vec![(fork, String::new())]);
                let failure = self.drawing.node("on failure", Shape::Fork);
                self.drawing.edge(fork, failure, "fails", Style::Dashed);
                let failed = self.term(handler, vec![(failure, String::new())]);
                let broken = self.drawing.node("failed", Shape::Pseudo);
                for (from, label) in failed {
                    self.drawing.edge(from, broken, &label, Style::Dashed);
                }
                ends
            }
            Term::Tolerate(body) => {
                let fork = self.join("tolerate", before);
                let mut ends = self.term(body, vec![(fork, String::new())]);
                ends.push((fork, "fails".to_owned()));
                ends
            }
        }
    }

    /// A step; what happens inside it hangs below it.
    fn step(&mut self, used: &StepUse, before: Ends) -> Ends {
        let step = self.grammar.step_at(used.step);
        let mut text = format!("{}\n{}", step.name, step.title);
        if let Some(retry) = &used.retry {
            text.push_str(&format!("\nup to {} times", retry.most));
        }
        if let Some(within) = used.within {
            text.push_str(&format!("\nwithin {}", duration(within)));
        }
        if let Some(age) = used.age {
            text.push_str(&format!("\non {}", age.word()));
        }
        let node = self.drawing.node(&text, Shape::State);
        for (from, label) in before {
            self.drawing.edge(from, node, &label, Style::Plain);
        }
        if used.body == Term::Empty {
            return vec![(node, String::new())];
        }
        self.term(&used.body, vec![(node, "inside".to_owned())])
    }

    /// A small node that all ends lead to.
    fn join(&mut self, text: &str, before: Ends) -> usize {
        let node = self.drawing.node(text, Shape::Fork);
        for (from, label) in before {
            self.drawing.edge(from, node, &label, Style::Plain);
        }
        node
    }
}

/// A duration in the largest unit that takes it whole.
fn duration(micros: i64) -> String {
    for (unit, word) in [(3_600_000_000, "h"), (60_000_000, "m"), (1_000_000, "s")] {
        if micros % unit == 0 {
            return format!("{}{word}", micros / unit);
        }
    }
    format!("{}ms", micros / 1_000)
}

/// What a node looks like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Shape {
    State,
    Rest,
    Pseudo,
    Fork,
}

/// What an edge looks like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Style {
    Plain,
    Dashed,
}

/// A drawing in the making.
struct Drawing {
    language: DiagramLanguage,
    is_machine: bool,
    nodes: usize,
    text: String,
}

impl Drawing {
    fn new(language: DiagramLanguage, title: &str, is_machine: bool) -> Self {
        let text = match language {
            DiagramLanguage::Mermaid => {
                let kind = if is_machine { "stateDiagram-v2" } else { "flowchart TD" };
                format!("---\ntitle: \"{}\"\n---\n{kind}\n", mermaid(title))
            }
            DiagramLanguage::Dot => {
                format!("digraph flowcheck {{\n  label=\"{}\";\n  labelloc=t;\n  node [shape=box];\n", dot(title))
            }
        };
        Self { language, is_machine, nodes: 0, text }
    }

    /// Draws a node and gives its number.
    fn node(&mut self, text: &str, shape: Shape) -> usize {
        let number = self.nodes;
        self.nodes += 1;
        let _ = match (self.language, self.is_machine) {
            (DiagramLanguage::Mermaid, true) => {
                let mark = if shape == Shape::Rest { " (at rest)" } else { "" };
                writeln!(self.text, "  state \"{}{mark}\" as n{number}", mermaid(text))
            }
            (DiagramLanguage::Mermaid, false) => {
                let (open, close) = match shape {
                    Shape::State | Shape::Rest => ("[", "]"),
                    Shape::Pseudo => ("([", "])"),
                    Shape::Fork => ("{{", "}}"),
                };
                writeln!(self.text, "  n{number}{open}\"{}\"{close}", mermaid(text))
            }
            (DiagramLanguage::Dot, _) => {
                let style = match shape {
                    Shape::State => "",
                    Shape::Rest => ", peripheries=2",
                    Shape::Pseudo => ", shape=oval, style=dotted",
                    Shape::Fork => ", shape=hexagon",
                };
                writeln!(self.text, "  n{number} [label=\"{}\"{style}];", dot(text))
            }
        };
        number
    }

    fn edge(&mut self, from: usize, to: usize, label: &str, style: Style) {
        let _ = match (self.language, self.is_machine) {
            (DiagramLanguage::Mermaid, true) => writeln!(self.text, "  n{from} --> n{to} : {}", mermaid(label)),
            (DiagramLanguage::Mermaid, false) => {
                let arrow = if style == Style::Dashed { "-.->" } else { "-->" };
                let label = if label.is_empty() { String::new() } else { format!("|\"{}\"|", mermaid(label)) };
                writeln!(self.text, "  n{from} {arrow}{label} n{to}")
            }
            (DiagramLanguage::Dot, _) => {
                let dashed = if style == Style::Dashed { ", style=dashed" } else { "" };
                writeln!(self.text, "  n{from} -> n{to} [label=\"{}\"{dashed}];", dot(label))
            }
        };
    }

    fn finish(mut self) -> String {
        if self.language == DiagramLanguage::Dot {
            self.text.push_str("}\n");
        }
        self.text
    }
}

/// A text for mermaid: what mermaid or HTML would read becomes an entity.
fn mermaid(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for character in crate::base::text::escape(&text.replace('\n', "\u{0}")).replace("\\u{0}", "\n").chars() {
        match character {
            '\n' => safe.push_str("<br>"),
            '"' | '<' | '>' | '&' | '#' | ';' | ':' | '\\' | '{' | '}' | '|' | '`' | '%' => {
                let _ = write!(safe, "#{};", u32::from(character));
            }
            other => safe.push(other),
        }
    }
    safe
}

/// A text for a dot string.
fn dot(text: &str) -> String {
    let lines = text.split('\n').map(|line| crate::base::text::escape(line).replace('\\', "\\\\").replace('"', "\\\""));
    lines.collect::<Vec<_>>().join("\\n")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::spec::load::alone;

    fn grammar() -> Grammar {
        let text = "format 1\nservice api \"s\"\nstep a.one \"the \\\"first\\\" <one>; #1\"\n  api answers GET /a with 200\n\
            step a.two \"t\"\n  api receives cast two\n\
            machine m \"t\"\n  of volume status\n  state x\n  state y\n  rest x\n  x -> y by a.one if multiattach and connector\n  illegal any -> previous by a.two failing\n\
            flow f \"t\"\n  starts a.one\n  a.one\n    repeat up to 2\n      a.two within 5s\n  attempt\n    optional a.two\n  on failure\n    a.one\n";
        alone(&[("a.flow".to_owned(), text.to_owned())]).unwrap_or_else(|errors| panic!("{errors}")).grammar
    }

    #[test]
    fn a_machine_is_drawn() {
        let grammar = grammar();
        let drawn = machine(&grammar, &grammar.machines[0], DiagramLanguage::Mermaid);
        assert!(drawn.contains("stateDiagram-v2\n  state \"x (at rest)\" as n0\n"), "{drawn}");
        assert!(drawn.contains("n0 --> n1 : a.one if multiattach and connector\n"), "{drawn}");
        assert!(
            drawn.contains("state \"previous\" as n2\n") && drawn.contains("n3 --> n2 : illegal#58; a.two failing"),
            "{drawn}"
        );
        let drawn = machine(&grammar, &grammar.machines[0], DiagramLanguage::Dot);
        assert!(drawn.contains("n0 [label=\"x\", peripheries=2];") && drawn.ends_with("}\n"), "{drawn}");
        assert!(drawn.contains("n3 -> n2 [label=\"illegal: a.two failing\", style=dashed];"), "{drawn}");
    }

    #[test]
    fn a_flow_is_drawn_with_its_texts_escaped() {
        let grammar = grammar();
        let drawn = flow(&grammar, &grammar.flows[0], &grammar.flows[0].variants[0], DiagramLanguage::Mermaid);
        assert!(drawn.contains("n1[\"a.one<br>the #34;first#34; #60;one#62;#59; #35;1\"]"), "{drawn}");
        assert!(drawn.contains("n1 -->|\"inside\"| n2") && drawn.contains("n3 -->|\"again\"| n2"), "{drawn}");
        assert!(drawn.contains("-.->|\"fails\"|") && drawn.contains("within 5s"), "{drawn}");
        let drawn = flow(&grammar, &grammar.flows[0], &grammar.flows[0].variants[0], DiagramLanguage::Dot);
        assert!(drawn.contains("n1 [label=\"a.one\\nthe \\\"first\\\" <one>; #1\"];"), "{drawn}");
    }
}
