//! How the house is built: dependencies point one way.

use std::{fs, path::Path};

/// The modules from the ground up. Each uses only those that stand before it.
const LEVELS: [&str; 38] = [
    "hex",
    "config_error",
    "background",
    "canonical/",
    "fingerprint",
    "store/",
    "store/memory/",
    "store/redis/",
    "store/conformance/",
    "testing/",
    "span",
    "no_span",
    "fence_error",
    "settled",
    "event/",
    "claim/",
    "problem/",
    "selection",
    "policy/",
    "terms",
    "held_keys",
    "status",
    "media_type",
    "body",
    "request_view",
    "body_reader",
    "guarded_body/",
    "shadow/",
    "api_lock/",
    "idempotency/",
    "once/",
    "metrics/",
    "cors",
    "guide/",
    "promise",
    "rollout",
    "internals/",
    "model/",
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

/// The level of a module, by the longest name in the list that it begins with.
fn level(path: &str) -> usize {
    let path = path.trim_end_matches(".rs");
    let mut found =
        LEVELS
            .iter()
            .enumerate()
            .filter(|(_, module)| match module.strip_suffix('/') {
                Some(folder) => path == folder || path.starts_with(&format!("{folder}/")),
                None => path == **module,
            });
    let longest = found.by_ref().max_by_key(|(_, module)| module.len());
    longest
        .unwrap_or_else(|| panic!("{path} has no level: add it to the list"))
        .0
}

/// What stands behind `crate::` in the code: paths such as `store/memory` or `ConfigError`.
fn used(code: &str) -> Vec<String> {
    let mut paths = Vec::new();
    for rest in code.split("crate::").skip(1) {
        let text: String = match rest.strip_prefix('{') {
            Some(group) => group[..closing(group)].to_owned(),
            None => rest
                .split([';', ',', '(', ')', '<', '>', ' ', '\n'])
                .next()
                .unwrap()
                .to_owned(),
        };
        let mut depth = 0;
        let items = text.split(|c| {
            depth += i32::from(c == '{') - i32::from(c == '}');
            c == ',' && depth == 0
        });
        paths.extend(
            items
                .map(|item| item.trim().replace("::", "/"))
                .filter(|i| !i.is_empty()),
        );
    }
    paths
}

fn closing(group: &str) -> usize {
    let mut depth = 1;
    let end = group.char_indices().find(|(_, c)| {
        depth += i32::from(*c == '{') - i32::from(*c == '}');
        depth == 0
    });
    end.unwrap().0
}

/// The module that a path begins in; what `lib.rs` re-exports is looked up there.
fn module_of(path: &str, lib: &str) -> String {
    let first = path.split('/').next().unwrap();
    if first.starts_with(char::is_lowercase) {
        let two: Vec<_> = path.split('/').take(2).collect();
        let nested = two.join("/");
        let is_module = LEVELS.contains(&format!("{nested}/").as_str());
        return if is_module { nested } else { first.to_owned() };
    }
    let exported = lib.split(';').find_map(|item| {
        let (_, paths) = item.split_once("pub use self::")?;
        let paths = paths.trim_start_matches('{');
        paths.split_inclusive(['}', ',']).find_map(|part| {
            let has = part
                .split(|c: char| !c.is_alphanumeric() && c != '_')
                .any(|w| w == first);
            has.then(|| part.trim().split("::").next().unwrap().trim().to_owned())
        })
    });
    exported.unwrap_or_else(|| panic!("{first} is not re-exported"))
}

#[test]
fn a_file_uses_only_what_stands_below_it() {
    let files = files();
    let lib = &files
        .iter()
        .find(|file| file.path == "lib.rs")
        .unwrap()
        .code;
    let mut looked_at = 0;
    for file in files.iter().filter(|file| file.path != "lib.rs") {
        for path in used(&file.code) {
            let module = module_of(&path, lib);
            let (from, to) = (level(&file.path), level(&module));
            assert!(
                to <= from,
                "{} uses crate::{path}, which stands above it",
                file.path
            );
            looked_at += 1;
        }
    }
    assert!(looked_at > 40, "only {looked_at} uses were found");
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
            "model/",
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
