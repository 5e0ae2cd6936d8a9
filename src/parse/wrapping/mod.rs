//! What carries the lines of a log: a container's log file, a collector's records, a mail. Each kind gives back the lines that
//! the program wrote, and what it tells of them beside their text.

mod container;
mod export;
mod json;
mod lines;
mod mail;
mod prefix;
mod session;
mod wrapped;

pub(crate) use lines::{Lines, Names as CarriedNames, Origin};

use lines::Names;

/// A kind of wrapping.
pub(crate) trait Wrapping: Send + Sync {
    /// Its name in reports.
    fn name(&self) -> &'static str;

    /// Whether a piece may begin with this line, as far as the wrapping alone tells; `None` when what it carries tells.
    fn begins(&self, _line: &[u8]) -> Option<bool> {
        None
    }

    /// The lines that these lines carry. What is not wrapped is given back as it is.
    fn unwrap(&self, wrapped: &Lines, names: &mut Names) -> Lines;
}

/// How sure it is that lines are wrapped so.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Certainty {
    /// The form itself shows it.
    Certain,
    /// Only if it makes more of the lines readable.
    Likely,
}

impl Certainty {
    /// Whether `inner` heads of records found behind the wrapping are better than the `bare` ones found without.
    pub(crate) fn outweighs(self, inner: usize, bare: usize) -> bool {
        match self {
            Self::Certain => inner > 0 && inner * 10 >= bare * 9,
            Self::Likely => inner > bare,
        }
    }
}

/// The wrappings that these lines may have.
pub(crate) fn recognised(sample: &Lines) -> Vec<(Box<dyn Wrapping>, Certainty)> {
    let certain = [
        boxed(json::recognise(sample)),
        boxed(container::recognise(sample)),
        boxed(export::recognise(sample)),
        boxed(prefix::recognise_grep(sample)),
        boxed(mail::recognise(sample)),
        boxed(wrapped::recognise(sample)),
    ];
    let likely =
        boxed(session::recognise(sample)).into_iter().chain(prefix::possible(sample).map(|it| Box::new(it) as _));
    let certain = certain.into_iter().flatten().map(|wrapping| (wrapping, Certainty::Certain));
    certain.chain(likely.map(|wrapping| (wrapping, Certainty::Likely))).collect()
}

fn boxed(wrapping: Option<impl Wrapping + 'static>) -> Option<Box<dyn Wrapping>> {
    wrapping.map(|wrapping| Box::new(wrapping) as Box<dyn Wrapping>)
}

/// Whether most of the lines that are not blank fit.
fn most(sample: &Lines, fits: impl Fn(&[u8]) -> bool) -> bool {
    let lines = sample.iter().map(|(_, line)| line.trim_ascii()).filter(|line| !line.is_empty());
    let (mut all, mut fitting) = (0_usize, 0);
    for line in lines {
        all += 1;
        fitting += usize::from(fits(line));
    }
    fitting * 2 > all
}
