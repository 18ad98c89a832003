//! How the house is built: dependencies point one way.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::Path,
};

/// The rooms of the house from the ground up: folders of `src`, and those of `store` and of its Redis store
/// on their own. Each uses only those that stand before it.
const ROOMS: [&str; 26] = [
    "config",
    "fingerprint",
    "runtime",
    "store",
    "store/memory",
    "store/redis/wire",
    "store/redis/sentinel",
    "store/redis/pool",
    "store/redis/notify",
    "store/redis/cluster",
    "store/redis/commands",
    "store/redis",
    "store/sql",
    "store/conformance",
    "event",
    "testing",
    "claim",
    "problem",
    "commit",
    "middleware",
    "api_lock",
    "idempotency",
    "dedup",
    "metrics",
    "guide",
    "internals",
];

struct File {
    /// Relative to `src`.
    path: String,
    /// Without tests and comments.
    code: String,
}

fn files() -> Vec<File> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut paths = vec![root.clone()];
    let mut files = Vec::new();
    while let Some(path) = paths.pop() {
        if path.is_dir() {
            paths.extend(
                fs::read_dir(path)
                    .unwrap()
                    .map(|entry| entry.unwrap().path()),
            );
        } else if is_code(&path) {
            let text = fs::read_to_string(&path).unwrap();
            let code = text.split("\nmod tests").next().unwrap();
            let lines = code
                .lines()
                .filter(|line| !line.trim_start().starts_with("//"));
            files.push(File {
                path: path
                    .strip_prefix(&root)
                    .unwrap()
                    .to_str()
                    .unwrap()
                    .to_owned(),
                code: lines.collect::<Vec<_>>().join("\n"),
            });
        }
    }
    assert!(
        files.len() > 30,
        "{} files are not all of them",
        files.len()
    );
    files
}

fn is_code(path: &Path) -> bool {
    path.extension().is_some_and(|extension| extension == "rs") && !path.ends_with("tests.rs")
}

/// The room that a path of modules leads to: the longest that it begins with.
fn room_of(path: &str) -> &'static str {
    let leads_to = |room: &&&str| {
        let rest = path.strip_prefix(**room);
        rest.is_some_and(|rest| rest.is_empty() || rest.starts_with(['/', '.']))
    };
    let longest = ROOMS.iter().filter(leads_to).max_by_key(|room| room.len());
    longest.unwrap_or_else(|| panic!("{path} is in no room: add it to the list"))
}

fn level(room: &str) -> usize {
    ROOMS.iter().position(|it| *it == room).unwrap()
}

/// The module that a file is, as a path such as `store/redis/call`.
fn module_of(file: &str) -> &str {
    let module = file.strip_suffix(".rs").unwrap_or(file);
    module.strip_suffix("/mod").unwrap_or(module)
}

/// The paths of modules that the code names after `crate::`, and after as many `super::`s as lead out of
/// the module.
fn used(module: &str, code: &str) -> Vec<String> {
    let mut used = Vec::new();
    for (at, _) in code.match_indices("crate::") {
        used.extend(paths_in(&code[at + "crate::".len()..]));
    }
    for (at, _) in code.match_indices("super::") {
        if !code[..at].ends_with("super::") {
            let paths = paths_in(&code[at..]).into_iter();
            used.extend(paths.map(|path| resolved(&format!("{module}/{path}"))));
        }
    }
    used
}

/// A path without its `super`s: each takes away what stands before it.
fn resolved(path: &str) -> String {
    let mut parts = Vec::new();
    for part in path.split('/') {
        match part {
            "super" => drop(parts.pop()),
            part => parts.push(part),
        }
    }
    parts.join("/")
}

/// The paths that a use names: one, or those of a group.
fn paths_in(rest: &str) -> Vec<String> {
    let end = rest.find(|c: char| !c.is_alphanumeric() && !"_:".contains(c));
    let (path, rest) = rest.split_at(end.unwrap_or(rest.len()));
    let is_group = path.is_empty() || path.ends_with("::");
    let Some(group) = rest.strip_prefix('{').filter(|_| is_group) else {
        return vec![path.replace("::", "/")];
    };
    let mut depth = 0;
    let items = group[..closing(group)].split(|c| {
        depth += i32::from(c == '{') - i32::from(c == '}');
        c == ',' && depth == 0
    });
    let items = items.map(str::trim).filter(|item| !item.is_empty());
    let paths = items.flat_map(paths_in);
    let path = path.replace("::", "/");
    paths.map(|leaf| format!("{path}{leaf}")).collect()
}

fn closing(group: &str) -> usize {
    let mut depth = 1;
    let end = group.char_indices().find(|(_, c)| {
        depth += i32::from(*c == '{') - i32::from(*c == '}');
        depth == 0
    });
    end.unwrap().0
}

/// Which rooms use which, and where.
fn uses() -> BTreeMap<(&'static str, &'static str), String> {
    let mut uses = BTreeMap::new();
    for file in files().iter().filter(|file| file.path != "lib.rs") {
        let from = room_of(&file.path);
        for path in used(module_of(&file.path), &file.code) {
            let first = path.split('/').next().unwrap();
            assert!(
                first.starts_with(char::is_lowercase),
                "{} imports {path} through lib.rs: name the room that defines it",
                file.path
            );
            let to = room_of(&path);
            if to != from {
                uses.insert((from, to), format!("{} uses {path}", file.path));
            }
        }
    }
    uses
}

#[test]
fn rooms_use_only_those_below_them() {
    let uses = uses();
    for ((from, to), place) in &uses {
        assert!(level(to) < level(from), "{place}, which stands above it");
    }
    assert!(uses.len() > 40, "only {} were found", uses.len());
}

/// A stranger has to learn them all.
#[test]
fn rooms_levels_and_dependencies_stay_few() {
    let in_src = |room: &str| room.split('/').next().unwrap().to_owned();
    let rooms: BTreeSet<_> = ROOMS.iter().map(|room| in_src(room)).collect();
    let uses: BTreeSet<_> = (uses().into_keys())
        .map(|(from, to)| (in_src(from), in_src(to)))
        .filter(|(from, to)| from != to)
        .collect();
    let mut levels = BTreeMap::new();
    for room in ROOMS.map(in_src) {
        let below = uses.iter().filter(|(from, _)| *from == room);
        let below = below.map(|(_, to)| levels[to]).max();
        levels.insert(room, below.unwrap_or(0) + 1);
    }
    let highest = levels.into_values().max().unwrap();
    assert!(rooms.len() <= 20, "{} rooms", rooms.len());
    assert!(highest <= 8, "{highest} levels");
    assert!(uses.len() <= 65, "{} dependencies", uses.len());
}

#[test]
fn uses_are_found_in_groups_and_through_super() {
    let code = "use crate::{event::{A, B}, store::memory::C};\nlet d = crate::runtime::d();";
    assert_eq!(
        used("claim/guard", code),
        ["event/A", "event/B", "store/memory/C", "runtime/d"].map(str::to_owned)
    );
    let code = "use super::{x, super::y::Z};\nuse super::super::z::W;";
    let found = used("store/redis/cluster/node", code);
    for path in [
        "store/redis/cluster/x",
        "store/redis/y/Z",
        "store/redis/z/W",
    ] {
        assert!(found.contains(&path.to_owned()), "{path} in {found:?}");
    }
    assert_eq!(room_of("store/redis/z"), "store/redis");
    assert_eq!(module_of("store/redis/mod.rs"), "store/redis");
}

#[test]
fn stores_and_claims_know_no_web_framework() {
    for file in files() {
        if file.path.starts_with("store/") || file.path.starts_with("claim/") {
            for name in ["actix_web", "actix_service"] {
                assert!(!file.code.contains(name), "{} names {name}", file.path);
            }
        }
    }
}

#[test]
fn middlewares_know_no_backend() {
    for file in files() {
        // The model walks through the embedded store's decisions, and gauges show how full it is.
        let may = [
            "store/",
            "internals/",
            "claim/model/",
            "metrics/memory.rs",
            "lib.rs",
        ];
        if !may.iter().any(|path| file.path.starts_with(path)) {
            for name in ["MemoryStore", "RedisStore", "store::memory", "store::redis"] {
                assert!(!file.code.contains(name), "{} names {name}", file.path);
            }
        }
    }
}

#[test]
fn only_the_redis_store_names_redis() {
    for file in files() {
        // Who reaches in for the benches reaches into this store too.
        let may = ["store/redis/", "internals/", "lib.rs"];
        if !may.iter().any(|path| file.path.starts_with(path)) {
            for name in ["redis::", "bb8"] {
                let named = file.code.lines().any(|line| {
                    line.contains(name) && !line.trim_start().starts_with("pub(crate) mod")
                });
                assert!(!named, "{} names {name}", file.path);
            }
        }
    }
}

#[test]
fn files_stay_short() {
    for file in files() {
        let lines = file.code.lines().count();
        assert!(lines < 300, "{} has {lines} lines", file.path);
    }
}
