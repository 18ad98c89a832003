use std::{
    io::{Read, Write},
    net::TcpListener,
    sync::Arc,
    thread,
};

/// Something that speaks just enough of Redis' protocol: `answer` is asked for each command in
/// turn, by name. Returns its port.
pub(crate) fn pretend(answer: impl Fn(&str) -> String + Send + Sync + 'static) -> u16 {
    let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let port = listener.local_addr().unwrap().port();
    let answer = Arc::new(answer);
    thread::spawn(move || {
        for stream in listener.incoming() {
            let (mut stream, answer) = (stream.unwrap(), Arc::clone(&answer));
            thread::spawn(move || {
                let mut said = [0; 65536];
                while let Ok(count @ 1..) = stream.read(&mut said) {
                    let said = String::from_utf8_lossy(&said[..count]).into_owned();
                    // A command is an array whose first string is its name.
                    for command in said.split('*').filter(|command| !command.is_empty()) {
                        if let Some(name) = command.split("\r\n").nth(2) {
                            let _ = stream.write_all(answer(name).as_bytes());
                        }
                    }
                }
            });
        }
    });
    port
}

pub(crate) fn hello(version: &str) -> String {
    let length = version.len();
    format!("*4\r\n$6\r\nserver\r\n$5\r\nredis\r\n$7\r\nversion\r\n${length}\r\n{version}\r\n")
}
