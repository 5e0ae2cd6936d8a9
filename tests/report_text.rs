//! The terminal report against expectations.

mod common;

use common::{expect, line, world};
use flowcheck::check::verdict::Checked;
use flowcheck::report::text::{Detail, look::Look, render};
use textwrap::core::display_width;

fn rendered(look: Look, detail: Detail) -> String {
    let errors = ["logs/broken.gz: unexpected end of file".to_owned()];
    render(&world().subject(), &line, &errors, &look, detail)
}

#[test]
fn the_report_looks_as_expected() {
    expect("text-80.txt", &rendered(Look::plain(80), Detail::Normal));
    expect("text-160.txt", &rendered(Look::plain(160), Detail::Normal));
    expect("text-100-verbose.txt", &rendered(Look { unicode: true, ..Look::plain(100) }, Detail::Verbose));
    expect("text-80-quiet.txt", &rendered(Look::plain(80), Detail::Quiet));
}

#[test]
fn no_line_is_wider_than_the_terminal() {
    for width in [60, 80, 100, 160, 240] {
        for line in rendered(Look::plain(width), Detail::Verbose).lines() {
            assert!(display_width(line) <= width, "{width}: {line}");
        }
    }
}

#[test]
fn colour_changes_no_text() {
    let look = Look { width: 100, colour: true, unicode: false };
    let coloured = rendered(look, Detail::Verbose);
    let plain = rendered(Look { colour: false, ..look }, Detail::Verbose);
    assert!(coloured.contains("\u{1b}["));
    assert_eq!(anstream::adapter::strip_str(&coloured).to_string(), plain);
}

#[test]
fn an_empty_log_says_so() {
    let mut world = world();
    world.checked = Checked::default();
    let text = render(&world.subject(), &line, &[], &Look::plain(80), Detail::Normal);
    assert!(text.contains("No attach or detach of a volume was found"), "{text}");
    assert!(text.ends_with("0 flows.\n"), "{text}");
}

#[test]
fn many_good_flows_are_counted() {
    let mut world = world();
    let good = world.checked.flows[0].clone();
    world.checked.flows.extend(std::iter::repeat_n(good, 100));
    let text = render(&world.subject(), &line, &[], &Look::plain(80), Detail::Normal);
    assert!(text.contains("102 conformant flows not shown"), "{text}");
    assert!(text.contains("attach-2"));
}
