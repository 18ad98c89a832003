//! The client example, against a server that follows a script.

use std::{
    io::{BufRead, BufReader, ErrorKind, Read, Write},
    net::{TcpListener, TcpStream},
    process::{Command, Output, Stdio},
    thread::{JoinHandle, sleep, spawn},
    time::{Duration, Instant},
};

use crate::support::{
    example::{Example, member},
    postgres::Postgres,
};

/// What the server does with one request.
enum Step {
    /// The status line and the headers of an answer; its body is `done`.
    Answer(&'static str),
    /// The connection ends in the middle of the answer.
    CutOff,
    /// No answer within the client's patience.
    Silence,
}

use Step::{Answer, CutOff, Silence};

const CREATED: Step = Answer("201 Created");

struct Seen {
    at: Instant,
    head: String,
    body: String,
}

impl Seen {
    fn key(&self) -> &str {
        let header = self.head.split("\r\n").find_map(|line| {
            let (name, value) = line.split_once(": ")?;
            name.eq_ignore_ascii_case("idempotency-key")
                .then_some(value)
        });
        header.expect("there is a key")
    }
}

/// Longer than a client pauses and a busy machine dawdles.
const LIMIT: Duration = Duration::from_secs(30);

/// Follows the script, one connection per step; whoever comes later is refused.
fn serve(listener: TcpListener, script: Vec<Step>) -> JoinHandle<Vec<Seen>> {
    spawn(move || {
        let mut silent = Vec::new();
        let mut seen = Vec::new();
        for step in script {
            let mut stream = accept(&listener);
            seen.push(read(&mut stream));
            match step {
                Answer(head) => {
                    let rest = "content-length: 4\r\nconnection: close\r\n\r\ndone";
                    write!(stream, "HTTP/1.1 {head}\r\n{rest}").unwrap();
                }
                CutOff => write!(stream, "HTTP/1.1 201 Created\r\ncontent-le").unwrap(),
                Silence => silent.push(stream),
            }
        }
        seen
    })
}

fn accept(listener: &TcpListener) -> TcpStream {
    listener.set_nonblocking(true).unwrap();
    let end = Instant::now() + LIMIT;
    loop {
        match listener.accept() {
            Ok((stream, _)) => {
                stream.set_nonblocking(false).unwrap();
                return stream;
            }
            Err(err) if err.kind() == ErrorKind::WouldBlock && Instant::now() < end => {
                sleep(Duration::from_millis(5));
            }
            Err(err) => panic!("the client does not come: {err}"),
        }
    }
}

fn read(stream: &mut TcpStream) -> Seen {
    stream.set_read_timeout(Some(LIMIT)).unwrap();
    let mut all = Vec::new();
    loop {
        let mut piece = [0; 4096];
        let count = stream.read(&mut piece).unwrap();
        assert!(count > 0, "the request is complete");
        all.extend_from_slice(&piece[..count]);
        let text = String::from_utf8_lossy(&all);
        if let Some((head, body)) = text.split_once("\r\n\r\n")
            && head.contains(&format!("content-length: {}", body.len()))
        {
            return Seen {
                at: Instant::now(),
                head: head.to_owned(),
                body: body.to_owned(),
            };
        }
    }
}

fn client(url: &str, key: Option<&str>) -> Command {
    let mut command = Command::new(member("client"));
    command.args([url, r#"{"amount":5,"to":"bob"}"#]).args(key);
    command.env("ACCOUNT", "ann").stdin(Stdio::null());
    command
}

/// Runs the client against a script to its end.
fn run(script: Vec<Step>) -> (Output, Vec<Seen>) {
    let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    // The client is there, and built if need be, before the server waits for it.
    let mut client = client(&url, None);
    let server = serve(listener, script);
    let output = client.output().unwrap();
    (output, server.join().unwrap())
}

fn said(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

fn complained(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).unwrap()
}

fn assert_equal_requests(seen: &[Seen]) {
    for request in seen {
        assert_eq!(request.key(), seen[0].key());
        assert_eq!(request.body, r#"{"amount":5,"to":"bob"}"#);
    }
    assert_eq!(seen[0].key().len(), 38, "a UUID in quotes");
}

#[test]
fn what_may_pass_is_tried_again_with_the_same_key() {
    let scripts = [
        ["408 Request Timeout", "425 Too Early"],
        ["429 Too Many Requests", "500 Internal Server Error"],
        ["502 Bad Gateway", "503 Service Unavailable"],
        ["504 Gateway Timeout", "409 Conflict\r\nretry-after: 0"],
    ];
    let mut keys = Vec::new();
    for [first, second] in scripts {
        let (output, seen) = run(vec![Answer(first), Answer(second), CREATED]);
        assert_eq!(said(&output), "201 Created\ndone\n");
        assert!(output.status.success());
        assert_equal_requests(&seen);
        keys.push(seen[0].key().to_owned());
    }
    keys.sort();
    keys.dedup();
    assert_eq!(keys.len(), 4, "each operation has its own");
}

#[test]
fn a_connection_that_is_cut_off_or_silent_is_tried_again_with_the_same_key() {
    let (output, seen) = run(vec![CutOff, Silence, CREATED]);
    assert_eq!(said(&output), "201 Created\ndone\n");
    assert_equal_requests(&seen);
}

#[test]
fn retry_after_is_obeyed() {
    let (output, seen) = run(vec![Answer("409 Conflict\r\nretry-after: 1"), CREATED]);
    assert!(output.status.success());
    assert!(seen[1].at - seen[0].at >= Duration::from_secs(1));
    assert_equal_requests(&seen);
}

#[test]
fn what_cannot_end_better_is_not_tried_again() {
    let answers = [
        "400 Bad Request",
        "401 Unauthorized",
        "402 Payment Required",
        "409 Conflict",
        "422 Unprocessable Entity",
    ];
    for answer in answers {
        // Another try would be refused, and be complained about.
        let (output, _) = run(vec![Answer(answer)]);
        assert_eq!(said(&output), format!("{answer}\ndone\n"));
        assert_eq!(complained(&output), "");
        assert!(!output.status.success());
    }
}

#[test]
fn tries_are_limited_in_number_and_in_time() {
    let unavailable = || Answer("503 Service Unavailable");
    let (output, seen) = run((0..6).map(|_| unavailable()).collect());
    assert!(!output.status.success());
    assert_equal_requests(&seen);
    let key = seen[0].key().trim_matches('"');
    let complained_of = complained(&output);
    let last = complained_of.lines().find(|line| line.contains(key));
    assert!(last.unwrap().contains("503"), "{complained_of}");

    for pause in ["3600", "18446744073709551615"] {
        let head = format!("503 Service Unavailable\r\nretry-after: {pause}");
        let begun = Instant::now();
        let (output, _) = run(vec![Answer(head.leak())]);
        assert!(!output.status.success());
        assert!(begun.elapsed() < Duration::from_secs(30));
    }
}

#[test]
fn a_server_that_comes_up_late_is_reached() {
    // Bound, so that nobody else takes the port, and refused until somebody listens.
    let socket = tokio::net::TcpSocket::new_v4().unwrap();
    socket.bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let url = format!("http://{}/", socket.local_addr().unwrap());
    let mut client = client(&url, None);
    let client = client.stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut client = client.spawn().unwrap();
    let mut stderr = BufReader::new(client.stderr.take().unwrap());
    let mut complaint = String::new();
    stderr.read_line(&mut complaint).unwrap();
    assert!(complaint.contains("refused"), "{complaint}");
    assert!(!complaint.contains(&url), "{complaint}");
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let listener = runtime.block_on(async { socket.listen(8).unwrap().into_std().unwrap() });
    let server = serve(listener, vec![CREATED]);
    let output = client.wait_with_output().unwrap();
    assert_eq!(said(&output), "201 Created\ndone\n");
    assert_equal_requests(&server.join().unwrap());
}

#[test]
fn a_crashed_client_goes_on_with_its_key_and_says_that_it_got_a_replay() {
    let postgres = Postgres::start();
    let database = postgres.url();
    let environment = [("DATABASE_URL", database.as_str())];
    let payments = Example::start(member("payments_postgres"), &environment);
    let pay = || client(payments.url(), Some("a")).output().unwrap();
    let paid = r#"{"id":1,"paid":{"amount":5,"to":"bob"}}"#;
    assert_eq!(said(&pay()), format!("201 Created\n{paid}\n"));
    assert_eq!(said(&pay()), format!("201 Created, a replay\n{paid}\n"));
}
