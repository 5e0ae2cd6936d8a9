//! Explanations against expectations.

mod common;

use common::{expect, grammar};
use flowcheck::report::explain::{explain, names};
use flowcheck::report::text::look::Look;

#[test]
fn every_kind_of_name_is_explained() {
    let grammar = grammar();
    let look = Look::plain(80);
    let mut all = names(&grammar, &look);
    for name in ["fc0201", "attach", "cinder.attachment.create", "volume-status", "in-use", "reserved"] {
        all.push_str(&format!("\n===== {name}\n"));
        all.push_str(&explain(&grammar, name, &look).expect("an explanation"));
    }
    expect("explain.txt", &all);
}

#[test]
fn a_near_miss_is_suggested() {
    let error = explain(&grammar(), "atach", &Look::plain(80)).expect_err("no such name");
    assert!(error.contains("did you mean `attach`?"), "{error}");
    let error = explain(&grammar(), "zebra", &Look::plain(80)).expect_err("no such name");
    assert!(!error.contains("did you mean"), "{error}");
}
