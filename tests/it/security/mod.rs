//! The security review: what an attacker of a payment API would try, what holds against it, and the
//! test that says so. Tests elsewhere are named with their file; [`table`] sees to it that all exist.
//!
//! | threat | what holds against it | test |
//! |---|---|---|
//! | **Tenants** | | |
//! | Parts that collide when they are joined: `a\|b` + `c`, `a` + `b\|c` | each part of a key has its length in front | `no_two_operations_have_one_stored_key`, `parts_that_look_alike_when_joined_do_not_meet` |
//! | Another tenant's key: reading its answer, blocking it, waiting on it | the scope is a part of the key | `whatever_one_does_with_a_key_others_are_undisturbed` |
//! | Locking others out, or running beside oneself, by forged members of a payload | payloads are JSON, written by the crate | `a_lock_that_names_its_caller_blocks_nobody_else` |
//! | Scopes that read alike: Latin-1 and UTF-8, escapes | bytes that differ stay different | `scopes_of_odd_bytes_stay_apart` |
//! | No scope, an empty one, two | 401 before the store is asked | `idempotency/contract.rs`: `a_missing_scope_is_a_401_unless_sharing_was_asked_for` |
//! | Other ways of writing a path, very long paths and queries | the path counts as it came, the query by its digest | `no_way_of_writing_a_path_leads_to_the_answer_of_another` |
//! | Overriding the method, pretending to upgrade, to get past the guard | only the request's own method counts, and only a `GET` upgrades | `a_header_that_overrides_the_method_switches_nothing_off`, `a_post_that_pretends_to_upgrade_is_guarded` |
//! | A stolen key where all share one scope | nothing but the fingerprint: choose a scope | `who_shares_a_scope_shares_its_answers` |
//! | **Injection** | | |
//! | RESP, Lua, hash tags and globs in keys, headers and bodies | keys are digests; everything else is an argument of known length | `what_clients_send_reaches_redis_as_data_alone`, `idempotency/contract.rs`: `the_stored_key_is_prefix_and_digest_and_operators_can_compute_it` |
//! | Line ends, control characters, repetitions in a key | 400 before the store is asked | `a_key_with_a_line_end_in_it_runs_nothing`, `idempotency/contract.rs`: `keys_that_break_a_rule_are_a_400_and_cost_nothing` |
//! | Response splitting by a record that was tampered with | headers are checked again before a replay | `a_record_with_a_line_end_in_it_splits_no_answer`, `reliability/idempotency_faults.rs`: `a_record_that_is_no_answer_of_http_is_not_replayed` |
//! | A hostile `Location` in a problem | it is a JSON string, and no header | `a_hostile_location_is_text_in_a_problem` |
//! | Forged log lines: line ends and ANSI escapes | lines have digests in them; what an application says is escaped | `nobody_writes_log_lines_of_his_own`, `a_scenario_shows_no_secret_in_log_lines_and_problems` |
//! | **Forged replays** | | |
//! | `Idempotent-Replayed` from a client or a handler | only a replay has it, once | `a_client_cannot_claim_to_have_a_replay_or_refuse_one`, `a_handler_that_calls_its_answer_a_replay_is_not_believed_the_second_time` |
//! | An answer that looks like a refusal, so as not to be recorded | ours have a mark in memory | `an_answer_that_looks_like_ours_is_recorded_like_any_other` |
//! | Answers mixed up on one connection | – | `requests_of_one_connection_each_get_their_own_answer` |
//! | Another's session in a replay: `Set-Cookie`, `WWW-Authenticate`; headers of another connection; bytes outside ASCII | never recorded; values are bytes | `idempotency/recording.rs`: `headers_and_body_come_back_as_they_were`, `lists_of_headers_replace_the_default` |
//! | **Floods** | | |
//! | Fresh keys up to the store's bound | new claims are refused, nothing is forgotten | `a_flood_of_fresh_keys_makes_no_other_key_forgotten`, `reliability/idempotency_faults.rs`: `a_full_redis_refuses_new_claims_and_records_answers_later` |
//! | Large answers, long locations | the oldest become tombstones, then lose their location | `a_flood_of_large_answers_takes_answers_and_no_keys`, `src/store/memory/tests.rs`: `short_of_bytes_without_bodies_tombstones_forget_their_locations`, `src/store/record.rs`: `a_tombstone_keeps_no_headers_in_memory` |
//! | A crowd that waits for one key | places are counted, the rest is told 409 at once | `a_crowd_at_one_key_is_turned_away_and_keeps_nobody_from_other_keys`, `idempotency/waiting.rs`: `the_number_of_those_who_wait_is_bounded` |
//! | A store that is slow, and many who wait for it | calls in flight are counted | `lock/pressure.rs`: `when_too_many_wait_for_redis_the_next_fail_at_once` |
//! | Uploads that stall or drip | bounded in time, and they hold nothing | `many_uploads_that_stall_hold_nothing_and_keep_nobody_waiting`, `requests/body.rs`: `a_body_that_drips_is_ended_by_the_whole_timeout` |
//! | Requests that are refused, in numbers | they leave nothing in the store | `a_crowd_of_refused_requests_leaves_nothing_behind` |
//! | **Bodies** | | |
//! | JSON of any depth, breadth or repetition | 64 KiB and 128 levels are put in order, the rest counts by its bytes | `json_that_is_made_to_hurt_costs_little`, `a_closure_that_reads_any_json_is_not_brought_down_by_depth` |
//! | Forms of as many pairs as fit | a sort | `forms_that_are_made_to_hurt_cost_little` |
//! | Bodies over the limit, whatever they announce | what comes is counted | `the_limit_counts_what_comes_and_not_what_is_said`, `requests/body.rs`: `ten_megabytes_that_may_not_pass_get_their_answer` |
//! | Two lengths for one body | actix refuses them | `a_body_with_two_lengths_runs_nothing` |
//! | Decompression bombs | bodies are read as they came | `what_is_compressed_is_not_blown_up` |
//! | Two forms that are alike once they are read as UTF-8 | they compare by bytes | `src/fingerprint/canonical/form.rs`: `forms_that_are_not_utf_8_are_equal_only_byte_by_byte` |
//! | **Secrets** | | |
//! | Keys, bodies, headers, tokens, passwords in logs and problems | neither are printed | `a_scenario_shows_no_secret_in_log_lines_and_problems`, `reliability/faults.rs`: `nothing_a_client_sends_is_in_a_key_or_a_log_line`, `reliability/idempotency_faults.rs`: `no_log_line_shows_a_key_a_body_or_a_credential` |
//! | A password in an error of Redis, also where Redis repeats it | what it repeats is cut off | `no_error_of_redis_shows_a_password`, `src/store/redis/wire/error.rs`: `what_a_server_repeats_is_not_passed_on` |
//! | `Debug` and `Display` of all that is public | sizes and digests | `debug_of_every_public_type_and_display_of_every_error_show_no_secret` |
//! | **Authentication** | | |
//! | A replay to one who is nobody | authentication is wrapped outside, as documented | `authenticated_outside_nobody_is_replayed_without_credentials`, `authenticated_outside_a_stranger_locks_nothing` |
//! | Authentication in handlers, extractors, or inside | nothing, unless the scope verifies: the guide says so | `authenticated_inside_a_stolen_key_is_enough`, `a_scope_that_verifies_is_asked_for_every_replay`, `a_scope_that_clients_choose_protects_nobody` |

mod authentication;
mod bodies;
mod floods;
mod forgeries;
mod injection;
mod secrets;
mod shown;
mod shown_sql;
mod shown_stores;
mod table;
mod tenants;

use actix_web_idempotency::{Idempotency, Scope, idempotency::IdempotencyBuilder, store::Store};

use crate::support::{backend::Backend, server::Server, wire::Wire};

fn with_scope(store: impl Store, scope: Scope) -> IdempotencyBuilder {
    Idempotency::builder(store, scope)
}

/// Each tenant in a scope of its own.
fn by_tenant(backend: &Backend) -> IdempotencyBuilder {
    with_scope(backend.store(), Scope::header("x-tenant"))
}

/// Sends bytes as they are, on a connection of their own, and reads what comes back.
async fn raw(server: &Server, request: &[u8]) -> String {
    let mut wire = Wire::to(server.addr()).await;
    wire.send(request).await;
    wire.read_to_end().await
}
