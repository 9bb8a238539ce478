//! Which room of `src/` may use which. The table below is the architecture in twenty lines: imports point downwards only, the
//! rooms at the bottom use nothing, and a few abilities (tch, clocks, files, `unsafe`) live in named rooms.
//! What ships is checked; tests may reach further.

use super::rust::{self, Token};
use super::{File, Finding};

struct Room {
    name: &'static str,
    /// Besides itself and `error`.
    may_use: &'static [&'static str],
    /// Computes from its arguments alone: no clock, no files, no network.
    pure: bool,
}

const ANYTHING: &[&str] = &["*"];

const fn room(name: &'static str, may_use: &'static [&'static str]) -> Room {
    Room { name, may_use, pure: false }
}

const fn pure(name: &'static str, may_use: &'static [&'static str]) -> Room {
    Room { name, may_use, pure: true }
}

const ROOMS: &[Room] = &[
    room("main", ANYTHING),
    room("bin", ANYTHING),
    room("lib", ANYTHING),
    room("cli", ANYTHING),
    room("engine", &["trainer", "data", "plan", "arch", "weights", "metrics", "run", "event", "command", "wire"]),
    room("trainer", &["data", "plan", "arch", "run", "state", "picture", "metrics", "event", "command"]),
    room("tui", &["state", "wire", "picture", "text", "config", "event", "command"]),
    room("wire", &["run", "event", "command"]),
    pure("state", &["event", "command"]),
    room("run", &["plan", "event", "command"]),
    room("data", &["config"]),
    room("weights", &["plan", "config", "arch"]),
    room("export", &["weights", "plan", "arch"]),
    pure("plan", &["config", "arch", "data"]),
    pure("metrics", &[]),
    pure("picture", &[]),
    pure("text", &[]),
    pure("config", &["arch"]),
    pure("arch", &[]),
    pure("event", &["command"]),
    pure("command", &[]),
    room("error", &[]),
];

/// Words that only some rooms may say, and why.
struct Ability {
    words: &'static [&'static str],
    /// Rooms, or single files.
    rooms: &'static [&'static str],
    why: &'static str,
}

const ABILITIES: &[Ability] = &[
    Ability {
        words: &["tch", "torch_sys"],
        rooms: &["engine"],
        why: "only `engine` names tch, so that the front end starts without libtorch",
    },
    Ability {
        words: &["unsafe"],
        rooms: &[
            "engine",
            "run",
            "cli",
            "bin",
            "src/data/cache/file.rs",
            "src/data/augment/avx2.rs",
            "src/weights/bytes.rs",
        ],
        why: "`unsafe` is for libtorch in `engine`, for system calls in `run` and `cli`, for the mapping of files, and for a processor's vectors",
    },
];

const CLOCKS: &[&str] = &["Instant", "SystemTime", "Zoned", "Timestamp"];

/// The room of a file under `src/`: `src/tui/view.rs` and `src/tui.rs` are in `tui`.
fn room_of(path: &str) -> Option<&str> {
    let inside = path.strip_prefix("src/")?;
    let first = inside.split('/').next()?;
    Some(first.strip_suffix(".rs").unwrap_or(first))
}

pub fn check(file: &File) -> Vec<Finding> {
    let (Some(name), true, Some(text)) = (room_of(&file.path), file.is_rust(), file.text()) else {
        return Vec::new();
    };
    let Some(room) = ROOMS.iter().find(|room| room.name == name) else {
        return vec![Finding::new(file, 0, format!("`{name}` has no place in the table of xtask/src/tidy/layers.rs"))];
    };
    if file.name() == "tests.rs" {
        return Vec::new();
    }
    let tokens = rust::tokens(rust::shipped(text));
    let mut findings = Vec::new();
    let mut last = (0, "");
    for (line, used) in uses(&tokens, &modules_of(&file.path)) {
        let is_room = ROOMS.iter().any(|room| room.name == used);
        let allowed = used == name || used == "error" || room.may_use == ANYTHING || room.may_use.contains(&used);
        if is_room && !allowed && (line, used) != last {
            last = (line, used);
            findings.push(Finding::new(file, line, format!("`{name}` may not use `{used}`{}", allowance(room))));
        }
    }
    findings.extend(abilities(file, room, &tokens));
    findings
}

fn allowance(room: &Room) -> String {
    match room.may_use {
        [] => ": it stands on nothing but `error`".to_owned(),
        rooms => format!(": it stands on {} and `error`", rooms.join(", ")),
    }
}

fn abilities(file: &File, room: &Room, tokens: &[Token<'_>]) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (at, token) in tokens.iter().enumerate() {
        for ability in ABILITIES {
            let is_at_home = ability.rooms.contains(&room.name) || ability.rooms.contains(&file.path.as_str());
            if ability.words.contains(&token.text) && !is_at_home && names_a_path(tokens, at) {
                findings.push(Finding::new(file, token.line, ability.why));
            }
        }
        let asks_the_clock = CLOCKS.contains(&token.text) && after(tokens, at) == Some("now");
        let asks_the_system =
            token.text == "std" && matches!(after(tokens, at), Some("fs" | "net" | "env" | "process" | "thread"));
        // A configuration comes from a file, and a plan looks whether one is there; neither asks what time it is.
        let reads = asks_the_system && !matches!(room.name, "config" | "plan");
        if room.pure && (asks_the_clock || reads) {
            let what = format!(
                "`{}` is pure: give it the {} as an argument",
                room.name,
                if reads { "content" } else { "time" }
            );
            findings.push(Finding::new(file, token.line, what));
        }
    }
    findings
}

/// `tch::…` and `use tch`, but not a variable or a feature of that name; `unsafe` always counts.
fn names_a_path(tokens: &[Token<'_>], at: usize) -> bool {
    let before = at.checked_sub(1).map(|before| tokens[before].text);
    tokens[at].text == "unsafe"
        || before == Some("use")
        || (before != Some("::") && tokens.get(at + 1).is_some_and(|next| next.text == "::"))
}

/// The word after `word::`.
fn after<'a>(tokens: &[Token<'a>], at: usize) -> Option<&'a str> {
    let separator = tokens.get(at + 1)?;
    (separator.text == "::").then(|| tokens.get(at + 2).map(|token| token.text)).flatten()
}

/// The modules around the code of a file: `src/tui/view/mod.rs` → `tui`, `view`.
fn modules_of(path: &str) -> Vec<&str> {
    let inside = path.strip_prefix("src/").unwrap_or(path);
    let inside = inside.strip_suffix(".rs").unwrap_or(inside);
    let mut modules: Vec<&str> = inside.split('/').collect();
    if matches!(modules.last(), Some(&("mod" | "lib" | "main"))) {
        modules.pop();
    }
    modules
}

/// First segments below the crate's root that the code names: through `crate::`, through `frostline::` in the binaries, and through
/// as many `super::` as lead up to the root.
fn uses<'a>(tokens: &[Token<'a>], modules: &[&str]) -> Vec<(usize, &'a str)> {
    let mut found = Vec::new();
    let mut inline = Vec::new();
    let mut braces = 0_usize;
    let mut at = 0;
    while at < tokens.len() {
        match tokens[at].text {
            "mod" if tokens.get(at + 2).is_some_and(|token| token.text == "{") => inline.push(braces),
            "{" => braces += 1,
            "}" => {
                braces = braces.saturating_sub(1);
                inline.retain(|depth| *depth < braces);
            }
            "crate" | "frostline" if is_path(tokens, at) => found.extend(heads(tokens, at + 2)),
            "super" if is_path(tokens, at) => {
                let mut levels = 1;
                while tokens.get(at + 2).is_some_and(|token| token.text == "super") && is_path(tokens, at + 2) {
                    levels += 1;
                    at += 2;
                }
                if levels >= modules.len() + inline.len() {
                    found.extend(heads(tokens, at + 2));
                }
            }
            _ => {}
        }
        at += 1;
    }
    found
}

fn is_path(tokens: &[Token<'_>], at: usize) -> bool {
    let follows = at.checked_sub(1).is_some_and(|before| tokens[before].text == "::");
    !follows && tokens.get(at + 1).is_some_and(|next| next.text == "::")
        || tokens[at].text == "super" && tokens.get(at + 1).is_some_and(|next| next.text == "::")
}

/// The word at `at`, or each first word of the group `{a::b, c::{d}}` there.
fn heads<'a>(tokens: &[Token<'a>], at: usize) -> Vec<(usize, &'a str)> {
    let Some(first) = tokens.get(at) else { return Vec::new() };
    if first.text != "{" {
        return vec![(first.line, first.text)];
    }
    let mut heads = Vec::new();
    let mut depth = 0;
    let mut expects = false;
    for token in &tokens[at..] {
        match token.text {
            "{" => {
                depth += 1;
                expects = depth == 1;
            }
            "}" => {
                depth -= 1;
                if depth == 0 {
                    break;
                }
            }
            "," => expects = depth == 1,
            word => {
                if expects {
                    heads.push((token.line, word));
                }
                expects = false;
            }
        }
    }
    heads
}

#[cfg(test)]
mod tests {
    use super::super::tests::{file, said};
    use super::*;

    fn found(path: &str, text: &str) -> Vec<String> {
        said(check(&file(path, text)))
    }

    #[test]
    fn a_room_may_use_what_lies_below_it_and_nothing_above() {
        assert_eq!(found("src/tui/view.rs", "use crate::state::RunState;\nuse crate::error::Class;"), [""; 0]);
        let up = found("src/state/mod.rs", "//! x\n\nuse crate::event::Event;\nuse crate::tui::Model;");
        assert_eq!(up, ["4: `state` may not use `tui`: it stands on event, command and `error`"]);
        let sideways = found("src/arch.rs", "fn f() -> crate::plan::Plan {}");
        assert_eq!(sideways, ["1: `arch` may not use `plan`: it stands on nothing but `error`"]);
    }

    #[test]
    fn groups_and_paths_in_code_are_seen() {
        let group = found("src/event.rs", "use crate::{\n    error::{Class, Explain},\n    run::journal,\n};");
        assert_eq!(group, ["3: `event` may not use `run`: it stands on command and `error`"]);
        let code = found("src/wire/server.rs", "fn f() { let x = crate::engine::start(); }");
        assert_eq!(code, ["1: `wire` may not use `engine`: it stands on run, event, command and `error`"]);
    }

    #[test]
    fn super_counts_only_when_it_leads_to_the_root() {
        let text = "use super::engine::X;";
        assert_eq!(found("src/state/curves.rs", text), [""; 0]);
        let expected = ["1: `state` may not use `engine`: it stands on event, command and `error`"];
        assert_eq!(found("src/state.rs", text), expected);
        assert_eq!(found("src/state/mod.rs", text), expected);
        assert_eq!(found("src/state/curves.rs", "use super::super::engine::X;"), expected);
        assert_eq!(found("src/state.rs", "mod inner {\n use super::engine::X;\n}"), [""; 0]);
        assert_eq!(found("src/state.rs", "mod inner { fn f() {} }\nuse super::engine::X;").len(), 1);
    }

    #[test]
    fn tests_and_comments_may_name_anything() {
        assert_eq!(found("src/event.rs", "// crate::tui\n#[cfg(test)]\nmod tests {\n use crate::tui::X;\n}"), [""; 0]);
        assert_eq!(found("src/trainer/tests.rs", "use crate::wire::X;"), [""; 0]);
    }

    #[test]
    fn binaries_and_the_command_line_may_use_anything() {
        assert_eq!(found("src/main.rs", "use frostline::cli::main;"), [""; 0]);
        assert_eq!(found("src/cli/train.rs", "use crate::tui::run; unsafe { f() }"), [""; 0]);
    }

    #[test]
    fn a_new_room_must_take_its_place() {
        assert_eq!(
            found("src/cellar/mod.rs", ""),
            ["0: `cellar` has no place in the table of xtask/src/tidy/layers.rs"]
        );
    }

    #[test]
    fn tch_stays_in_the_engine() {
        assert_eq!(found("src/engine/net.rs", "use tch::Tensor;"), [""; 0]);
        assert_eq!(found("src/trainer/mod.rs", "fn f(x: &tch::Tensor) {}").len(), 1);
        assert_eq!(found("src/trainer/mod.rs", "use tch;").len(), 1);
        assert_eq!(found("src/trainer/mod.rs", "let tch = 1;"), [""; 0]);
    }

    #[test]
    fn pure_rooms_ask_neither_the_clock_nor_the_disk() {
        let clock = found("src/plan/mod.rs", "let t = Instant::now();");
        assert_eq!(clock, ["1: `plan` is pure: give it the time as an argument"]);
        assert_eq!(found("src/plan/mod.rs", "fn f(t: Instant) { t.elapsed(); }"), [""; 0]);
        assert_eq!(found("src/state/mod.rs", "use std::fs;").len(), 1);
        assert_eq!(found("src/config/mod.rs", "use std::fs;"), [""; 0]);
        assert_eq!(found("src/trainer/mod.rs", "let t = Instant::now();"), [""; 0]);
    }

    #[test]
    fn unsafe_stays_where_it_is_needed() {
        assert_eq!(found("src/data/mod.rs", "unsafe { f() }").len(), 1);
        assert_eq!(found("src/data/cache/folder.rs", "unsafe { f() }").len(), 1);
        assert_eq!(found("src/data/cache/file.rs", "unsafe { f() }"), [""; 0]);
        assert_eq!(found("src/engine/ffi.rs", "unsafe { f() }"), [""; 0]);
    }
}
