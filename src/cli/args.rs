//! What was said on the command line. What it means is in [`super::settings`].

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum, ValueHint};

use crate::cli::exit::{FailOn, Requirement};

/// Examples under `flowcheck --help`.
const EXAMPLES: &str = "\
check is the default: `flowcheck trace.log` is `flowcheck check trace.log`. `flowcheck check --help` lists its options.
A path that is also the name of a command needs `./` in front: `flowcheck ./graph`.

Examples:
  flowcheck nova-compute.log.1.gz cinder-api.log check files, compressed or not
  flowcheck -v --volume data-01 /var/log/nova /var/log/cinder
  journalctl -u 'devstack@*' | flowcheck -      check standard input
  flowcheck --format json -o report.json logs/
  flowcheck --require attach=5 --strict logs/   a gate in a CI job
  flowcheck graph --format mermaid --request-id req-79f05250 logs/
  flowcheck explain FC0201

Exit codes:
  0  no finding at or above --fail-on, and every --require is met
  1  such a finding, or a --require not met, or with --strict anything inconclusive
  2  the work could not be done; what was readable is still reported";

/// Examples under `flowcheck check --help`.
const CHECK_EXAMPLES: &str = "\
Examples:
  flowcheck trace.log
  flowcheck --since '2026-11-22 07:30' --until '2026-11-22 08:00' logs/
  flowcheck --server web-01 --request-id req-79f05250 nova-api.log nova-compute.log
  flowcheck --fail-on warning --require attach=5 --require detach=5 --strict logs/";

/// Verify the volume attach and detach flows of an OpenStack cloud from its logs
#[derive(Debug, Parser)]
#[command(
    name = "flowcheck",
    version,
    override_usage = "flowcheck [check] [OPTIONS] PATH...\n       flowcheck COMMAND ...",
    after_help = EXAMPLES,
    arg_required_else_help = true
)]
pub struct CommandLine {
    /// The command.
    #[command(subcommand)]
    pub command: Command,
}

/// The commands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Check every attach and detach in the logs (the default command)
    #[command(after_help = CHECK_EXAMPLES)]
    Check(CheckArgs),
    /// Show who called whom: requests, RPC messages, driver calls
    Graph(GraphArgs),
    /// Explain a finding code, a flow, a step or a status
    Explain(ExplainArgs),
    /// Show, check, format or draw the flow specifications
    #[command(subcommand)]
    Spec(SpecCommand),
    /// Write a completion script for a shell
    Completions {
        /// The shell.
        shell: clap_complete::Shell,
    },
}

/// `flowcheck check`.
#[derive(Debug, Args)]
pub struct CheckArgs {
    /// What to read, and which part of it.
    #[command(flatten)]
    pub input: InputArgs,
    /// Form of the report
    #[arg(long, value_enum, default_value_t)]
    pub format: ReportFormat,
    /// From which severity on a finding makes the exit code 1
    #[arg(long, value_enum, default_value_t, value_name = "SEVERITY")]
    pub fail_on: FailOn,
    /// Exit with 1 unless at least N (default 1) flows of that name completed conformantly; may be repeated
    #[arg(long, value_name = "FLOW[=N]")]
    pub require: Vec<Requirement>,
    /// Exit with 1 if anything is inconclusive
    #[arg(long)]
    pub strict: bool,
    /// How to write.
    #[command(flatten)]
    pub output: OutputArgs,
}

/// `flowcheck graph`.
#[derive(Debug, Args)]
pub struct GraphArgs {
    /// What to read, and which part of it.
    #[command(flatten)]
    pub input: InputArgs,
    /// Form of the graph
    #[arg(long, value_enum, default_value_t)]
    pub format: GraphFormat,
    /// How to write.
    #[command(flatten)]
    pub output: OutputArgs,
}

/// `flowcheck explain`.
#[derive(Debug, Args)]
pub struct ExplainArgs {
    /// A finding code or name, a flow, a step or a status; without it, all names are listed
    pub name: Option<String>,
    /// Which specification.
    #[command(flatten)]
    pub spec: SpecArgs,
    /// How to write.
    #[command(flatten)]
    pub output: OutputArgs,
}

/// `flowcheck spec`.
#[derive(Debug, Subcommand)]
pub enum SpecCommand {
    /// List flows, steps, machines and findings
    List {
        /// Which specification.
        #[command(flatten)]
        spec: SpecArgs,
        /// How to write.
        #[command(flatten)]
        output: OutputArgs,
    },
    /// Show one item as it is written, blocks in place
    Show {
        /// The name of a flow, a step, a machine or a finding.
        name: String,
        /// Which specification.
        #[command(flatten)]
        spec: SpecArgs,
        /// How to write.
        #[command(flatten)]
        output: OutputArgs,
    },
    /// Find mistakes: names that are not there, steps that cannot be reached, rules that never apply
    Check {
        /// Which specification.
        #[command(flatten)]
        spec: SpecArgs,
        /// How to write.
        #[command(flatten)]
        output: OutputArgs,
    },
    /// Print files in the canonical form
    Fmt {
        /// The .flow files, or folders of them.
        #[arg(value_name = "FILE", required = true, value_hint = ValueHint::AnyPath)]
        files: Vec<PathBuf>,
        /// Change nothing; exit with 1 if a file is not in the canonical form
        #[arg(long)]
        check: bool,
        /// How to write.
        #[command(flatten)]
        output: OutputArgs,
    },
    /// Draw a flow or a machine
    Diagram {
        /// The name of a flow or a machine.
        name: String,
        /// Form of the drawing
        #[arg(long, value_enum, default_value_t)]
        format: DiagramFormat,
        /// Which specification.
        #[command(flatten)]
        spec: SpecArgs,
        /// How to write.
        #[command(flatten)]
        output: OutputArgs,
    },
}

/// What to read.
#[derive(Clone, Debug, Args)]
pub struct InputArgs {
    /// Log files, folders, archives or compressed logs; `-` is standard input
    #[arg(value_name = "PATH", required = true, value_hint = ValueHint::AnyPath)]
    pub paths: Vec<PathBuf>,
    /// Which specification.
    #[command(flatten)]
    pub spec: SpecArgs,
    /// Leave out records before this time, such as 2026-11-22T07:30 (on the logs' own clock)
    #[arg(long, value_name = "TIME")]
    pub since: Option<String>,
    /// Leave out records after this time
    #[arg(long, value_name = "TIME")]
    pub until: Option<String>,
    /// Only flows of this volume: name, id, or the first 4 or more characters of the id
    #[arg(long, value_name = "VOLUME")]
    pub volume: Option<String>,
    /// Only flows of this server: name, id, or the first 4 or more characters of the id
    #[arg(long, value_name = "SERVER")]
    pub server: Option<String>,
    /// Only flows with this request: id, or the first 4 or more characters of it, with or without req-
    #[arg(long, value_name = "ID")]
    pub request_id: Option<String>,
    /// Of what is found in folders and archives, read only what fits; a glob on the path or its end. May be repeated
    #[arg(long, value_name = "GLOB")]
    pub include: Vec<glob::Pattern>,
    /// Of what is found in folders and archives, leave out what fits. May be repeated
    #[arg(long, value_name = "GLOB")]
    pub exclude: Vec<glob::Pattern>,
    /// The time zone of time stamps that do not tell theirs, such as Europe/Paris or UTC
    #[arg(long, value_name = "ZONE")]
    pub tz: Option<String>,
    /// How many threads to use; default: one for each processor
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..))]
    pub threads: Option<u16>,
    /// How much is read.
    #[command(flatten)]
    pub limits: LimitArgs,
}

/// How much is read of one input. What goes beyond is an error, and the rest is checked.
#[derive(Clone, Copy, Debug, Args)]
#[command(next_help_heading = "Limits")]
pub struct LimitArgs {
    /// The most bytes that one input may give when it is decompressed
    #[arg(long, value_name = "SIZE", value_parser = size, default_value = "64G")]
    pub max_decompressed: u64,
    /// The most bytes that one compressed byte may give, from 64 MiB on
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..), default_value = "500")]
    pub max_ratio: u64,
    /// How deep archives and compressions may stand inside each other
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=64), default_value = "8")]
    pub max_nesting: u16,
    /// The most entries in the archives of one input
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..), default_value = "200000")]
    pub max_members: u64,
    /// The longest line
    #[arg(long, value_name = "SIZE", value_parser = size, default_value = "64M")]
    pub max_line: u64,
}

/// A number of bytes: `500`, `64K`, `64M`, `64G`.
fn size(text: &str) -> Result<u64, String> {
    let (digits, unit) = text.split_at(text.bytes().take_while(u8::is_ascii_digit).count());
    let shift = match unit.to_ascii_uppercase().as_str() {
        "" => Some(0),
        "K" => Some(10),
        "M" => Some(20),
        "G" => Some(30),
        _ => None,
    };
    let bytes = digits.parse::<u64>().ok().zip(shift).and_then(|(number, shift)| number.checked_mul(1 << shift));
    bytes.filter(|bytes| *bytes > 0).ok_or_else(|| "expected a number of bytes such as 500, 64K, 64M or 64G".to_owned())
}

/// Which specification to use.
#[derive(Clone, Debug, Args)]
pub struct SpecArgs {
    /// Add the .flow files of this folder; an item with the name of a built-in one replaces it. May be repeated
    #[arg(long = "spec", value_name = "DIR", value_hint = ValueHint::DirPath)]
    pub folders: Vec<PathBuf>,
}

/// How to write.
#[derive(Clone, Debug, Args)]
pub struct OutputArgs {
    /// Write to this file instead of standard output
    #[arg(short, long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub output: Option<PathBuf>,
    /// Whether to use colours
    #[arg(long, value_enum, default_value_t, value_name = "WHEN")]
    pub color: ColorWhen,
    /// Tell less: no list of flows, no notes
    #[arg(short, long, conflicts_with = "verbose")]
    pub quiet: bool,
    /// Tell more: every step, every input
    #[arg(short, long)]
    pub verbose: bool,
}

/// Forms of the report.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum ReportFormat {
    /// For readers.
    #[default]
    Text,
    /// For programs; docs/report.schema.json describes it.
    Json,
}

/// Forms of the call graph.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum GraphFormat {
    /// An indented tree.
    #[default]
    Tree,
    /// Graphviz.
    Dot,
    /// A mermaid sequence diagram.
    Mermaid,
    /// For programs.
    Json,
}

/// Forms of a drawing of the specification.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum DiagramFormat {
    /// Mermaid.
    #[default]
    Mermaid,
    /// Graphviz.
    Dot,
}

/// When to use colours.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum ColorWhen {
    /// On a terminal, unless NO_COLOR is set.
    #[default]
    Auto,
    /// Always.
    Always,
    /// Never.
    Never,
}
