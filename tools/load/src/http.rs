use std::{
    io::{Read, Write},
    net::TcpStream,
    time::Duration,
};

use anyhow::{Context, Result, bail};

const LIMIT: Duration = Duration::from_secs(20);

/// A connection for single requests.
pub(crate) struct Connection(TcpStream);

/// What came back.
#[derive(Clone, Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    head: String,
    pub(crate) body: String,
}

impl Connection {
    /// To a server, by its URL without a path.
    pub(crate) fn to(url: &str) -> Result<Self> {
        let addr = url.strip_prefix("http://").context("not an URL")?;
        let stream = TcpStream::connect(addr)?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(LIMIT))?;
        stream.set_write_timeout(Some(LIMIT))?;
        Ok(Self(stream))
    }

    pub(crate) fn send(&mut self, request: &str) -> Result<()> {
        Ok(self.0.write_all(request.as_bytes())?)
    }

    pub(crate) fn answer(&mut self) -> Result<Answer> {
        let mut text = String::new();
        loop {
            let mut piece = [0; 4096];
            let count = self.0.read(&mut piece)?;
            if count == 0 {
                bail!("the server closed the connection");
            }
            text.push_str(str::from_utf8(&piece[..count])?);
            if let Some(answer) = Answer::in_text(&text)? {
                return Ok(answer);
            }
        }
    }
}

impl Answer {
    /// `None` when it is not complete yet.
    fn in_text(text: &str) -> Result<Option<Self>> {
        let Some((head, body)) = text.split_once("\r\n\r\n") else {
            return Ok(None);
        };
        let status = head.split(' ').nth(1).context("no status")?;
        let answer = Self {
            status: status.parse()?,
            head: head.to_owned(),
            body: body.to_owned(),
        };
        let length = answer.header("content-length").context("no length")?;
        let length: usize = length.parse()?;
        Ok((body.len() >= length).then_some(answer))
    }

    /// On the wire.
    pub(crate) fn size(&self) -> u64 {
        (self.head.len() + 4 + self.body.len()) as u64
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.head.lines().find_map(|line| {
            let (found, value) = line.split_once(": ")?;
            found.eq_ignore_ascii_case(name).then_some(value)
        })
    }
}
