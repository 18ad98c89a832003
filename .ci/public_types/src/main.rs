//! Reads what rustdoc knows of the crate, as JSON, and compares the crates whose types stand in the
//! public API with a list of those that may: `public_types JSON LIST`.

use std::{
    collections::{BTreeMap, BTreeSet},
    env, fs,
    process::ExitCode,
};

use anyhow::{Context, Result, ensure};
use serde_json::Value;

/// Part of the language.
const STD: [&str; 3] = ["alloc", "core", "std"];

fn main() -> Result<ExitCode> {
    let paths: Vec<_> = env::args().skip(1).collect();
    let [json, list] = paths.as_slice() else {
        anyhow::bail!("public_types JSON LIST");
    };
    let docs: Value = serde_json::from_str(&read(json)?)?;
    let used = foreign_types(&docs)?;
    let list = read(list)?;
    let allowed = allowed(&list)?;

    let mut is_right = true;
    for (name, types) in &used {
        let types: Vec<_> = types.iter().map(String::as_str).collect();
        println!("{name}: {}", types.join(", "));
        if !allowed.contains(name.as_str()) {
            println!("  {name} is not in the list");
            is_right = false;
        }
    }
    for name in allowed.iter().filter(|name| !used.contains_key(**name)) {
        println!("{name} is in the list, and nothing of it in the API");
        is_right = false;
    }
    Ok(ExitCode::from(u8::from(!is_right)))
}

fn read(path: &str) -> Result<String> {
    fs::read_to_string(path).with_context(|| path.to_owned())
}

/// The first word of each line; behind it stands why.
fn allowed(list: &str) -> Result<BTreeSet<&str>> {
    let lines = list.lines().filter(|line| !line.starts_with('#'));
    let entries = lines.map(|line| {
        let (name, why) = line.split_once(' ').unwrap_or((line, ""));
        ensure!(!why.trim().is_empty(), "{name} is allowed without a reason");
        Ok(name)
    });
    entries.collect()
}

/// The paths of all that public signatures name, by crate.
fn foreign_types(docs: &Value) -> Result<BTreeMap<String, BTreeSet<String>>> {
    let items = docs["index"].as_object().context("no index")?;
    let mut ids = BTreeSet::new();
    for item in items.values().filter(|item| is_own(item)) {
        named(&item["inner"], &mut ids);
    }
    let mut found = BTreeMap::<_, BTreeSet<_>>::new();
    for id in ids {
        let item = &docs["paths"][id.to_string()];
        let name = &docs["external_crates"][item["crate_id"].to_string()]["name"];
        let Some(name) = name.as_str().filter(|name| !STD.contains(name)) else {
            continue;
        };
        let path = item["path"].as_array().context("no path")?;
        let path: Vec<_> = path.iter().filter_map(Value::as_str).collect();
        found
            .entry(name.to_owned())
            .or_default()
            .insert(path.join("::"));
    }
    ensure!(
        !found.is_empty(),
        "nothing was found: has the format changed?"
    );
    Ok(found)
}

/// Whether somebody wrote it here. What follows from others' blanket impls promises nothing.
fn is_own(item: &Value) -> bool {
    let block = &item["inner"]["impl"];
    item["crate_id"] == 0 && block["is_synthetic"] != true && block["blanket_impl"].is_null()
}

/// Collects the ids of the types, traits and re-exports that something names.
fn named(value: &Value, ids: &mut BTreeSet<u64>) {
    match value {
        Value::Object(members) => {
            let is_name = members.contains_key("path") || members.contains_key("source");
            ids.extend(
                members
                    .get("id")
                    .filter(|_| is_name)
                    .and_then(Value::as_u64),
            );
            members.values().for_each(|member| named(member, ids));
        }
        Value::Array(items) => items.iter().for_each(|item| named(item, ids)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}
