//! Every mistake that a grammar file can hold, and what is said of it.

use flowcheck::spec::{SpecErrors, alone, format, load};

/// Items for the mistakes to refer to.
const BASE: &str = r#"format 1
service api "a REST front"
step a.one "an HTTP request"
  api answers GET /volumes/{volume} with 200
step a.two "a cast"
  api receives cast two
step a.three "a function"
  api runs three
machine status "of volumes"
  of volume status
  state idle
  state busy
  idle -> busy by a.one
"#;

fn read(text: &str) -> Result<(), SpecErrors> {
    let files = [("base.flow".to_owned(), BASE.to_owned()), ("test.flow".to_owned(), text.to_owned())];
    alone(&files).map(|_| ())
}

/// The file has exactly this mistake: `LINE:COLUMN: MESSAGE (HELP)`.
#[track_caller]
fn exactly(text: &str, expected: &str) {
    let errors = read(text).err().map(|errors| errors.to_string()).unwrap_or_default();
    assert_eq!(errors, format!("test.flow:{expected}"), "\n{text}");
}

/// The text, with `format 1` before it, has exactly this mistake.
#[track_caller]
fn mistake(text: &str, expected: &str) {
    exactly(&format!("format 1\n{text}"), expected);
}

/// A mistake in a flow whose head is sound; the first line of `text` is line 4.
#[track_caller]
fn flow_mistake(text: &str, expected: &str) {
    mistake(&format!("flow f \"t\"\n  starts a.one\n{text}"), expected);
}

/// A mistake in a step that is sound otherwise; the first line of `text` is line 4.
#[track_caller]
fn step_mistake(text: &str, expected: &str) {
    mistake(&format!("step a.new \"t\"\n  api runs new\n{text}"), expected);
}

/// A mistake in a machine that is sound otherwise; the first line of `text` is line 6.
#[track_caller]
fn machine_mistake(text: &str, expected: &str) {
    mistake(&format!("machine m \"t\"\n  of attachment status\n  state x\n  state y\n{text}"), expected);
}

/// A mistake in a finding that is sound otherwise; the first line of `text` is line 5.
#[track_caller]
fn finding_mistake(text: &str, expected: &str) {
    mistake(&format!("finding FC0001 n \"t\"\n  severity note\n  when stuck\n{text}"), expected);
}

const ITEMS: &str = "an item begins with one of: layer, service, step, machine, block, flow, finding";

#[test]
fn the_form_of_a_file() {
    let missing = "1:1: the file does not begin with `format 1` (write `format 1` on the first line)";
    exactly("step a.new \"t\"\n  api runs new\n", missing);
    exactly("", missing);
    exactly("format 2\n", "1:8: format `2` is not known (this release reads `format 1`)");
    exactly("format\n", "1:7: the number of the format is missing");
    exactly("format 1 2\n", "1:10: `2` is too much here");
    mistake("format 1\n", "2:1: `format` stands here twice");
    mistake("machin m \"t\"\n", "2:1: unknown item `machin` (did you mean `machine`?)");
    mistake("zebra m \"t\"\n", &format!("2:1: unknown item `zebra` ({ITEMS})"));
    mistake("\"zebra\"\n", &format!("2:1: expected an item, found a text ({ITEMS})"));
    mistake("block\n", "2:6: the name of the block is missing");
    mistake("service other\n", "2:14: a title is missing (a title is one line in double quotes)");
    mistake("service other \"t\" more\n", "2:19: `more` is too much here");
    let names = "names are made of letters, digits, `.`, `-`, `_` and `@`";
    mistake("service ot/her \"t\"\n", &format!("2:9: `ot/her` is not a name ({names})"));
}

#[test]
fn indentation() {
    let indent = "indent by two blanks a level";
    flow_mistake("   a.one\n", &format!("4:1: an indentation of 3 blanks ({indent})"));
    flow_mistake("\ta.one\n", &format!("4:1: a tab in the indentation ({indent})"));
    flow_mistake("  a.one\n      a.two\n", "5:1: indented too far (at most 4 blanks can stand here)");
    exactly("  format 1\n", "1:1: the first line of a file is indented (at most 0 blanks can stand here)");
    let deep: String = (1..=33).map(|level| format!("{}repeat\n", "  ".repeat(level))).collect();
    let errors = read(&format!("format 1\nflow f \"t\"\n  starts a.one\n{deep}")).expect_err("too deep").to_string();
    let expected = "nested more than 32 levels deep (put the inner lines into a `block` and `use` it)";
    assert!(errors.contains(expected), "{errors}");
    step_mistake("  lock a\n    lock b\n", "5:5: nothing can be nested under `lock` (indent it like the line above)");
}

#[test]
fn words_and_texts() {
    step_mistake("  about \"no end\n", "4:9: this text does not end (end it with `\"` on the same line)");
    let escapes = "only `\\\"` and `\\\\` are known; write `\\\\` for a backslash";
    step_mistake("  about \"\\n\"\n", &format!("4:10: unknown escape in a text ({escapes})"));
    step_mistake("  about \"a\u{202e}b\"\n", "4:11: the hidden character `\\u{202e}` (remove it)");
    step_mistake("  about\t\"b\"\n", "4:8: a tab between words (use blanks)");
    step_mistake("  about word\n", "4:9: expected a sentence, found `word` (texts stand in double quotes)");
    step_mistake("  lock a,\n", "4:10: the name of a function is missing");
    step_mistake("  lock a b\n", "4:10: `b` is too much here");
    step_mistake("  lock a, , b\n", "4:11: expected the name of a function, found a comma");
    step_mistake("  lock a \"b\"\n", "4:10: a text is too much here");
}

#[test]
fn items_that_stand_twice() {
    let twice = |what: &str| format!("{what} stands here twice (rename or remove one of them)");
    mistake("service api \"t\"\n", &twice("2:9: service `api`"));
    mistake("step a.one \"t\"\n  api runs one\n", &twice("2:6: step `a.one`"));
    mistake("block b\n  a.one\nblock b\n  a.one\n", &twice("4:7: block `b`"));
}

#[test]
fn services() {
    let known = "these are known here: loggers, programs, topics, routes, layer, source, about";
    mistake("service other \"t\"\n  topic a\n", "3:3: unknown statement `topic` (did you mean `topics`?)");
    mistake("service other \"t\"\n  zebra a\n", &format!("3:3: unknown statement `zebra` ({known})"));
    mistake(
        "service b \"t\"\n  loggers x\nservice c \"t\"\n  loggers x\n",
        "5:11: logger `x` stands here twice (a logger belongs to one service only)",
    );
}

#[test]
fn layers() {
    let layer = |text: &str, expected: &str| mistake(&format!("layer l \"t\"\n{text}"), expected);
    layer("  modulse a\n", "3:3: unknown statement `modulse` (did you mean `modules`?)");
    layer("  carries loads\n", "3:11: expected `messages`, found `loads`");
    layer("  modules a\n    b\n", "4:5: nothing can be nested under `modules` (indent it like the line above)");
    layer("  modules a, a\n", "3:14: module `a` stands here twice (a module belongs to one layer only)");
    layer(
        "layer m \"t\"\n  carries messages\nlayer n \"t\"\n  carries messages\n",
        "6:3: two layers carry messages (one layer is between all services)",
    );
    mistake("service s \"t\"\n  layer api\n  layer api\n", "4:9: the service is in two layers (remove one of them)");
    mistake("service s \"t\"\n  layer apl\n", "3:9: unknown layer `apl` (did you mean `api`?)");
    step_mistake("  layer api\n  layer api\n", "5:3: the step is in two layers (remove one of them)");
    step_mistake(
        "  layer none\n",
        "4:9: unknown layer `none` (a layer needs an item: `layer NAME \"title\"`; every service in no layer is one by itself)",
    );
}

#[test]
fn what_a_step_is() {
    let first = "the step does not begin with what it is (write `SERVICE answers METHOD /path with STATUS`, `SERVICE \
                 answers call METHOD`, `SERVICE receives cast METHOD`, `SERVICE runs FUNCTION` or `client runs WORDS` first)";
    mistake("step a.new \"t\"\n  lock a\n", &format!("3:3: {first}"));
    mistake("step a.new \"t\"\n", &format!("2:1: {first}"));
    mistake("step a.new \"t\"\n  lock a\n  api runs b\n", &format!("3:3: {first}"));
    step_mistake("  api runs b\n", "4:3: the step says twice what it is (write a step of its own for it)");
    let dot = "2:6: the step's name `new` has no dot (name it by its place, as in `nova.new`)";
    mistake("step new \"t\"\n  api runs new\n", dot);
    step_mistake("  lokc a\n", "4:3: unknown statement `lokc` (did you mean `lock`?)");
    step_mistake("  lock a.b\n", "4:8: the lock `a.b` has a dot (write the last component of the function only: `b`)");
    step_mistake("  lock a, a\n", "4:11: `a` stands here twice (remove one of them)");
}

#[test]
fn forms_of_steps() {
    let is = |form: &str, expected: &str| mistake(&format!("step a.new \"t\"\n  {form}\n"), expected);
    is("apo runs new", "3:3: unknown service `apo` (did you mean `api`?)");
    is("zebra runs new", "3:3: unknown service `zebra` (every service needs an item: `service NAME \"title\"`)");
    is("api answer GET /a with 200", "3:7: `answer` is not what a service does (did you mean `answers`?)");
    let method = "is not `call` or the method of an HTTP request";
    is("api answers GAT /a with 200", &format!("3:15: `GAT` {method} (did you mean `GET`?)"));
    let path = "a path is `/` and words or `{names}` between `/`, as in `/volumes/{volume}/action`";
    is("api answers GET volumes with 200", &format!("3:19: `volumes` is not a path ({path})"));
    is("api answers GET /a", "3:21: `with` is missing (say which statuses mean success: `with 200, 202`)");
    let status = "an HTTP status is a number from 100 to 599";
    is("api answers GET /a with 99", &format!("3:27: `99` is not an HTTP status ({status})"));
    is("api answers GET /a with 200, 200", "3:32: status 200 stands here twice");
    is("api receives call new", "3:16: expected `cast`, found `call`");
    is("api runs new more", "3:16: `more` is too much here");
}

#[test]
fn messages() {
    let logger = "    logger l at INFO\n";
    let message = |text: &str, lines: &str, expected: &str| {
        step_mistake(&format!("  message \"{text}\"\n{lines}"), expected);
    };
    message("m", "", "4:11: the message has no logger (nest `logger NAME at LEVEL` under it)");
    message("m", "    logger l at INFA\n", "5:17: `INFA` is not a level (did you mean `INFO`?)");
    let levels = "it is one of: DEBUG, INFO, WARNING, ERROR";
    message("m", "    logger l at LOUD\n", &format!("5:17: `LOUD` is not a level ({levels})"));
    message("m", "    logger l\n", "5:13: `at` is missing");
    message("m", &format!("{logger}    begin\n"), "6:5: unknown statement `begin` (did you mean `begins`?)");
    let twice = "7:5: the message says this twice (write a message of its own for it)";
    message("m", &format!("{logger}    begins\n    ends\n"), twice);
    let shown = "6:18: the message has no placeholder `{statsu}` (did you mean `status`?)";
    message("m {status}", &format!("{logger}    shows volume {{statsu}}\n"), shown);
    message("m", &format!("{logger}    shows volume bussy\n"), "6:18: unknown state `bussy` (did you mean `busy`?)");
    let adjacent = "nothing stands between `{b}` and the placeholder before it (leave one of them out)";
    message("m {a}{b}", logger, &format!("4:11: {adjacent}"));
    message("m {a} {a}", logger, "4:11: the placeholder `{a}` stands here twice (give one of them another name)");
    let empty = "the message has no text of its own (write what the log says besides the placeholders)";
    message("{a} {b}", logger, &format!("4:11: {empty}"));
    let same = "the same message of the same logger stands here twice (a message belongs to one step only)";
    message("m\"\n    logger l at INFO\n  message \"m", logger, &format!("6:11: {same}"));
}

#[test]
fn the_states_of_machines() {
    let of = "nest `of volume status`, `of volume attach_status`, `of volume migration_status` or `of attachment status` under it";
    mistake(
        "machine m \"t\"\n  state x\n  state y\nmachine n \"t\"\n  of attachment status\n",
        &format!("2:1: the machine does not say whose status it tells ({of})"),
    );
    let status = "3:13: `stat` is not `status`, `attach_status` or `migration_status` (did you mean `status`?)";
    mistake("machine m \"t\"\n  of volume stat\n", status);
    let second =
        "2:1: a second machine of the same status as `status` (put their states and transitions into one machine)";
    mistake("machine m \"t\"\n  of volume status\n", second);
    machine_mistake("  of attachment status\n", "6:3: `of` stands here twice (a machine tells of one status)");
    machine_mistake("  state x\n", "6:9: state `x` stands here twice (remove one of them)");
    let reserved = "`any`, `previous` and `given` are for transitions";
    machine_mistake("  state any\n", &format!("6:9: `any` is not a name for a state ({reserved})"));
    machine_mistake("  rest zebra\n", "6:8: unknown state `zebra` (every state needs a line: `state zebra`)");
    machine_mistake("  initial zebra\n", "6:11: unknown state `zebra` (every state needs a line: `state zebra`)");
    machine_mistake("  final x, zebra\n", "6:12: unknown state `zebra` (every state needs a line: `state zebra`)");
    machine_mistake("  initial x\n  initial y\n", "7:11: a second initial state (a machine begins in one state)");
    machine_mistake("  listed x\n  listed y\n", "7:10: a second listed state (a list shows what is in one state)");
    machine_mistake("  sate x\n", "6:3: unknown statement `sate` (did you mean `state`?)");
}

#[test]
fn transitions() {
    machine_mistake("  x -> zebra by a.one\n", "6:8: unknown state `zebra` (every state needs a line: `state zebra`)");
    machine_mistake("  zebra -> x by a.one\n", "6:3: unknown state `zebra` (every state needs a line: `state zebra`)");
    machine_mistake("  any, x -> y by a.one\n", "6:3: `any` beside other states (write `any` alone, or the states)");
    machine_mistake("  x -> y by a.oen\n", "6:13: unknown step `a.oen` (did you mean `a.one`?)");
    machine_mistake("  x -> y\n", "6:9: `by` is missing");
    machine_mistake("  illegal x by a.one\n", "6:3: a transition without `->` (write `FROM -> TO by STEP`)");
    let guard = "6:22: `multiatach` is not a guard (did you mean `multiattach`?)";
    machine_mistake("  x -> y by a.one if multiatach\n", guard);
    machine_mistake("  x -> y by a.one if others zebra\n", "6:29: unknown state `zebra` (the states are: x, y)");
    machine_mistake("  x -> y by a.one if no other\n", "6:25: expected `others`, found `other`");
    machine_mistake(
        "  x -> y by a.one fails\n",
        "6:19: expected `failing`, `if` or the end of the line, found `fails`",
    );
    let and = "6:32: expected `and` or the end of the line, found `multiattach`";
    machine_mistake("  x -> y by a.one if connector multiattach\n", and);
    machine_mistake("  unchanged a.one\n", "6:13: expected `by`, found `a.one`");
}

#[test]
fn the_head_of_a_flow() {
    mistake("flow f \"t\"\n  a.one\n", "2:1: the flow does not say what starts it (nest `starts STEP` under it)");
    mistake("flow f \"t\"\n  starts a.oen\n", "3:10: unknown step `a.oen` (did you mean `a.one`?)");
    let units = "a duration is a number and `ms`, `s`, `m` or `h`, as in `60s`";
    flow_mistake("  deadline 10\n", &format!("4:12: `10` is not a duration ({units})"));
    flow_mistake("  deadline 1s\n  deadline 2s\n", "5:3: `deadline` stands here twice (remove one of them)");
    let known = "it has to be a `state` of the machine `of volume status`";
    flow_mistake("  begins late\n", &format!("4:10: unknown status `late` ({known})"));
    flow_mistake("  begins busi\n", "4:10: unknown status `busi` (did you mean `busy`?)");
    flow_mistake("  begins idle\n  begins busy\n", "5:3: `begins` stands here twice (remove one of them)");
    flow_mistake("  goals a.one\n", "4:3: unknown statement `goals` (did you mean `goal`?)");
    mistake("block b\n  starts a.one\n", "3:3: `starts` in a block (put it into the flow)");
}

#[test]
fn steps_in_flows() {
    flow_mistake("  a.two wthin 5s\n", "4:9: `wthin` is too much here (did you mean `within`?)");
    let behind = "behind a step stand `with STATUSES`, `retry up to N on STATUSES`, `within DURATION` and `on old`";
    flow_mistake("  a.two zebra\n", &format!("4:9: `zebra` is too much here ({behind})"));
    let on = "`on old`: an attachment that was there before the flow; `on new`: one that the flow made";
    flow_mistake("  a.two on his\n", &format!("4:12: `on` what? ({on})"));
    flow_mistake("  a.two within 5s within 6s\n", "4:19: `within` stands here twice");
    flow_mistake("  a.one within 5s\n", "4:9: `within` behind `a.one`, which is no cast (remove it)");
    flow_mistake("  a.two with 200\n", "4:9: `with` behind `a.two`, which is no HTTP request (remove it)");
    let retry = "4:11: `retry` behind `a.three`, which is no HTTP request (remove it)";
    flow_mistake("  a.three retry up to 2 on 500\n", retry);
    flow_mistake("  a.one retry up to 1 on 500\n", "4:21: `1` is not a number of times");
    flow_mistake("  a.one retry 5 on 500\n", "4:15: expected `up`, found `5`");
    flow_mistake("  a.oen\n", "4:3: unknown step `a.oen` (did you mean `a.one`?)");
    let alone = "`optional` alone on its line takes a block of other statements";
    flow_mistake("  optional use b\n", &format!("4:12: `use` is not a step ({alone})"));
}

#[test]
fn sequences() {
    let empty = "an empty block (nest its lines under it, or remove it)";
    flow_mistake("  repeat\n", &format!("4:3: {empty}"));
    flow_mistake("  choice\n", &format!("4:3: {empty}"));
    flow_mistake("  repeat up to 0\n    a.one\n", "4:16: `0` is not a number of times");
    flow_mistake("  any oder\n    a.one\n", "4:7: expected `order`, found `oder`");
    flow_mistake("  use b\n", "4:7: unknown block `b` (every block needs an item: `block b`)");
    flow_mistake("  repaet\n    a.one\n", "4:3: unknown statement `repaet` (did you mean `repeat`?)");
    let known = "write the name of a step, or one of: implied, optional, choice, any order, repeat, attempt, on failure, \
                 tolerate, use, source, about";
    flow_mistake("  repeat\n    zebras\n", &format!("5:5: unknown statement `zebras` ({known})"));
    let follows = "`on failure` and a block stand on the next line of the same indentation; `tolerate` needs none";
    flow_mistake("  attempt\n    a.one\n  a.two\n", &format!("4:3: `attempt` without `on failure` ({follows})"));
    let before = "`attempt` and its block stand just before it, at the same indentation";
    flow_mistake("  a.one\n  on failure\n    a.two\n", &format!("5:3: `on failure` without `attempt` ({before})"));
    let circle = "take the `use` that closes the circle out, or put what is repeated under `repeat`";
    mistake("block b\n  repeat\n    use b\n", &format!("2:7: block `b` uses itself ({circle})"));
    let deep: String = (0..9).map(|level| format!("block b{level}\n  use b{}\n", level + 1)).collect();
    flow_mistake(
        &format!("  use b0\n{deep}block b9\n  a.one\n"),
        "2:1: blocks use blocks more than 8 deep (write the lines of the inner blocks out)",
    );
}

#[test]
fn choices() {
    flow_mistake("  variant x\n    a.one\n", "4:3: `variant` outside of `choice` (nest it under `choice`)");
    flow_mistake("  option\n    a.one\n", "4:3: `option` outside of `choice` (nest it under `choice`)");
    let under = "only `option` and `variant NAME` stand under `choice`; nest the line under one of them";
    flow_mistake("  choice\n    a.one\n", &format!("5:5: unknown statement `a.one` ({under})"));
    flow_mistake(
        "  choice\n    variant x\n      a.one\n    variant x\n      a.two\n",
        "7:13: `x` stands here twice (remove one of them)",
    );
    flow_mistake(
        "  choice\n    variant x\n      a.one\n    variant y\n      a.two\n  choice\n    variant x\n      a.one\n",
        "10:13: variant `y` is missing here (add `variant y`, or an `option` for all other variants)",
    );
    let many: String = (0..65).map(|number| format!("    variant v{number}\n      a.one\n")).collect();
    let option = "use `option` where choices do not depend on each other";
    flow_mistake(&format!("  choice\n{many}"), &format!("2:1: the flow has 65 variants ({option})"));
}

#[test]
fn the_head_of_a_finding() {
    let lines = "  severity note\n  when stuck\n";
    let code = "2:9: `FC1` is not a code (a code is `FC` and four digits, as in `FC0201`)";
    mistake(&format!("finding FC1 n \"t\"\n{lines}"), code);
    mistake(
        &format!("finding FC0001 n \"t\"\n{lines}finding FC0001 m \"t\"\n{lines}"),
        "5:9: the code `FC0001` is taken (take a number that no finding has had)",
    );
    let severity = "nest `severity error`, `severity warning` or `severity note` under it";
    mistake("finding FC0001 n \"t\"\n  when stuck\n", &format!("2:1: the finding has no severity ({severity})"));
    let when = "nest `when WHAT` under it, as in `when stuck at STEP`";
    mistake(
        "finding FC0001 n \"t\"\n  severity note\n",
        &format!("2:1: the finding does not say when it is raised ({when})"),
    );
    finding_mistake("  severity error\n", "5:3: `severity` stands here twice (remove one of them)");
    finding_mistake("  severity bad\n", "5:12: `bad` is not a severity (it is one of: error, warning, note)");
}

#[test]
fn signs_of_messages() {
    finding_mistake("  when logged\n", "5:14: the sign of a message is missing");
    let help = "nest `sign NAME` under a message of a step";
    finding_mistake("  when logged odd\n", &format!("5:15: unknown sign `odd` ({help})"));
    finding_mistake("  when stuck with odd\n", &format!("5:19: unknown sign `odd` ({help})"));
    finding_mistake("  when stuck without odd\n", &format!("5:22: unknown sign `odd` ({help})"));
}

#[test]
fn bugs_of_findings() {
    let bug = "a bug is `LP` and its number on Launchpad, as in `\"LP 1960401\"`";
    finding_mistake("  bug \"1960401\"\n", &format!("5:7: `1960401` is no bug ({bug})"));
    finding_mistake("  bug \"LP x\"\n", &format!("5:7: `LP x` is no bug ({bug})"));
    let release = "a release is a project and three numbers, as in `\"nova 25.0.0\"`";
    finding_mistake(
        "  bug \"LP 1\" fixed \"nova 25.0.0\", \"nova\"\n",
        &format!("5:35: `nova` is no release ({release})"),
    );
    finding_mistake("  bug \"LP 1\" fixed \"nova 25.0\"\n", &format!("5:20: `nova 25.0` is no release ({release})"));
    finding_mistake("  bug \"LP 1\" fixed\n", "5:19: a release is missing (texts stand in double quotes)");
    finding_mistake("  bug \"LP 1\" until \"nova 25.0.0\"\n", "5:14: `until` is too much here");
}

#[test]
fn triggers_and_texts_of_findings() {
    finding_mistake("  when mising\n", "5:8: nothing is wrong in the way `mising` (did you mean `missing`?)");
    let wrongs = "it is one of: missing, stuck, unexpected, out of order, about another, illegal transition, left behind, \
                  not rolled back, late, timed out, no effect, status contradiction, failed, logged, done late, overlapping";
    finding_mistake("  when zebra\n", &format!("5:8: nothing is wrong in the way `zebra` ({wrongs})"));
    finding_mistake("  when late at a.tow\n", "5:16: unknown step `a.tow` (did you mean `a.two`?)");
    finding_mistake("  when late in f\n", "5:16: unknown flow `f` (there is no flow yet)");
    finding_mistake("  when left behind state bussy\n", "5:26: unknown state `bussy` (did you mean `busy`?)");
    let order = "they stand in this order: `at STEP, STEP in FLOW, FLOW state STATE, STATE with SIGN without SIGN`";
    let words = "`at`, `in`, `state`, `with`, `without` or the end of the line";
    let expected = format!("5:18: expected {words}, found `at` ({order})");
    finding_mistake("  when late in f at a.two\n", &expected);
    finding_mistake("  cause \"{hots}\"\n", "5:9: unknown placeholder `{hots}` (did you mean `host`?)");
    finding_mistake("  simptom \"s\"\n", "5:3: unknown statement `simptom` (did you mean `symptom`?)");
}

#[test]
fn all_mistakes_of_all_files_are_told_at_once() {
    let first = "format 1\nstep a.one \"t\"\n  lokc x\n  api runs\nflow f \"t\"\n  starts b.two\n  zebra\n".to_owned();
    let second = "service api \"no end\n  routes\nfinding X n \"t\"\n".to_owned();
    let errors = alone(&[("one.flow".to_owned(), first), ("two.flow".to_owned(), second)]).expect_err("many mistakes");
    let text = errors.to_string();
    let places: Vec<&str> = text.lines().filter_map(|line| line.split(": ").next()).collect();
    let expected = [
        "one.flow:3:3",
        "one.flow:4:11",
        "one.flow:6:10",
        "one.flow:7:3",
        "two.flow:1:1",
        "two.flow:1:13",
        "two.flow:2:9",
        "two.flow:3:1",
        "two.flow:3:1",
        "two.flow:3:9",
    ];
    assert_eq!(places, expected, "{errors}");
    assert_eq!(errors.reports().len(), expected.len());
}

#[test]
fn files_of_ones_own_are_added_to_the_built_in_ones() {
    let extra = |text: &str| [("own.flow".to_owned(), text.to_owned())];
    let before = load(&[]).expect("the built-in specification");
    let name = before
        .steps
        .iter()
        .find(|step| step.success.is_empty() && !matches!(step.kind, flowcheck::spec::grammar::StepKind::Cast { .. }))
        .map_or("own.step".to_owned(), |step| step.name.clone());
    let service = before.vocabulary.services[0].name.clone();
    let after =
        load(&extra(&format!("format 1\nstep {name} \"mine\"\n  {service} runs mine\n"))).expect("a specification");
    let step = after.step(&name).expect("the step");
    assert_eq!((before.step(&name).unwrap_or(step), after.step_at(step).title.as_str()), (step, "mine"));
    assert!(load(&extra(&format!("format 1\nstep {name} \"mine\"\n  {service} walks mine\n"))).is_err());
}

#[test]
fn the_examples_of_the_reference_are_well_formed() {
    let page = include_str!("../docs/flow-language.md");
    let blocks: Vec<&str> = page.split("```flow\n").skip(1).filter_map(|rest| rest.split("```").next()).collect();
    assert!(blocks.len() >= 5);
    for block in blocks {
        let text = format!("format 1\n\n{block}");
        let printed =
            format::format("docs/flow-language.md", &text).unwrap_or_else(|errors| panic!("{errors}\n{text}"));
        assert_eq!(printed, text, "not in its canonical form");
    }
}
