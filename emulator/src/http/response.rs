use atmq_protocol::http::Response;
use httparse::Status;

/// Bytes of a response's head, and headers in it. Ours.
const HEAD_LIMIT: usize = 8 * 1024;
const HEADERS: usize = 64;

/// Bytes of a body that the module keeps until the host reads it. Ours; larger files are to be
/// read in ranges.
pub(crate) const BODY_LIMIT: usize = 256 * 1024;

/// Why there is no response.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum ResponseError {
    #[error("the server does not speak HTTP/1")]
    Malformed,
    #[error("the head of the response has more than {HEAD_LIMIT} bytes")]
    HeadTooLong,
    #[error("the body of the response has more than {BODY_LIMIT} bytes")]
    BodyTooLong,
    #[error("the link ended within the response")]
    Truncated,
}

/// Puts a response together from the bytes of a link, cut anywhere.
#[derive(Debug, Default)]
pub(crate) struct ResponseReader {
    buffer: Vec<u8>,
    found: Begun,
}

/// A response whose head has come, and how its body ends.
type Begun = Option<(Response, BodyEnd)>;

#[derive(Debug)]
enum BodyEnd {
    Length(usize),
    /// The next chunk, or the trailer behind the last.
    Chunk,
    Trailer,
    /// With the link.
    Link,
}

impl ResponseReader {
    /// Takes bytes; the response if they have completed it. What comes behind it is not looked at.
    pub(crate) fn receive(&mut self, bytes: &[u8]) -> Result<Option<Response>, ResponseError> {
        self.buffer.extend_from_slice(bytes);
        while self.found.is_none() {
            match read_head(&self.buffer)? {
                None => return Ok(None),
                Some((length, found)) => {
                    self.buffer.drain(..length);
                    // 1xx is no answer yet.
                    self.found = found;
                }
            }
        }
        self.read_body()
    }

    /// The link has ended; the response if that completes it.
    pub(crate) fn finish(&mut self) -> Result<Response, ResponseError> {
        match self.found.take() {
            Some((response, BodyEnd::Link)) => Ok(response),
            _ => Err(ResponseError::Truncated),
        }
    }

    fn read_body(&mut self) -> Result<Option<Response>, ResponseError> {
        let Some((response, end)) = &mut self.found else {
            return Ok(None);
        };
        loop {
            match end {
                BodyEnd::Length(left) => {
                    let taken = (*left).min(self.buffer.len());
                    response.body.extend(self.buffer.drain(..taken));
                    *left -= taken;
                    if *left > 0 {
                        return Ok(None);
                    }
                    break;
                }
                BodyEnd::Link => {
                    response.body.append(&mut self.buffer);
                    if response.body.len() > BODY_LIMIT {
                        return Err(ResponseError::BodyTooLong);
                    }
                    return Ok(None);
                }
                BodyEnd::Chunk => {
                    let (at, size) = match httparse::parse_chunk_size(&self.buffer) {
                        Ok(Status::Complete(found)) => found,
                        Ok(Status::Partial) if self.buffer.len() < HEAD_LIMIT => return Ok(None),
                        _ => return Err(ResponseError::Malformed),
                    };
                    let size = usize::try_from(size).unwrap_or(usize::MAX);
                    if size > BODY_LIMIT - response.body.len() {
                        return Err(ResponseError::BodyTooLong);
                    }
                    if size == 0 {
                        self.buffer.drain(..at);
                        *end = BodyEnd::Trailer;
                        continue;
                    }
                    let Some(behind) = self.buffer.get(at + size..at + size + 2) else {
                        return Ok(None);
                    };
                    if behind != b"\r\n" {
                        return Err(ResponseError::Malformed);
                    }
                    response.body.extend_from_slice(&self.buffer[at..at + size]);
                    self.buffer.drain(..at + size + 2);
                }
                BodyEnd::Trailer => {
                    let line_end = self.buffer.windows(2).position(|pair| pair == b"\r\n");
                    match line_end {
                        Some(0) => break,
                        Some(at) => drop(self.buffer.drain(..at + 2)),
                        None if self.buffer.len() > HEAD_LIMIT => {
                            return Err(ResponseError::Malformed);
                        }
                        None => return Ok(None),
                    }
                }
            }
        }
        Ok(self.found.take().map(|(response, _)| response))
    }
}

/// The head at the beginning of the bytes: its length, and the response that it begins; none for
/// a code below 200.
fn read_head(bytes: &[u8]) -> Result<Option<(usize, Begun)>, ResponseError> {
    let mut headers = [httparse::EMPTY_HEADER; HEADERS];
    let mut head = httparse::Response::new(&mut headers);
    let parsed = head.parse(bytes).map_err(|_| ResponseError::Malformed)?;
    let Status::Complete(length) = parsed else {
        return if bytes.len() > HEAD_LIMIT {
            Err(ResponseError::HeadTooLong)
        } else {
            Ok(None)
        };
    };
    if length > HEAD_LIMIT {
        return Err(ResponseError::HeadTooLong);
    }
    let code = head.code.ok_or(ResponseError::Malformed)?;
    if code < 200 {
        return Ok(Some((length, None)));
    }
    let value = |name: &str| {
        let header = head
            .headers
            .iter()
            .find(|header| header.name.eq_ignore_ascii_case(name))?;
        str::from_utf8(header.value).ok().map(str::trim)
    };
    let chunked = value("transfer-encoding").is_some_and(|coding| {
        let last = coding.rsplit(',').next().unwrap_or_default().trim();
        last.eq_ignore_ascii_case("chunked")
    });
    let told = match value("content-length") {
        Some(text) => Some(
            text.parse::<usize>()
                .map_err(|_| ResponseError::Malformed)?,
        ),
        None => None,
    };
    let end = match told {
        _ if matches!(code, 204 | 304) => BodyEnd::Length(0),
        _ if chunked => BodyEnd::Chunk,
        Some(length) if length > BODY_LIMIT => return Err(ResponseError::BodyTooLong),
        Some(length) => BodyEnd::Length(length),
        None => BodyEnd::Link,
    };
    let response = Response {
        code,
        head: bytes[..length].to_vec(),
        body: Vec::new(),
        length: told,
    };
    Ok(Some((length, Some((response, end)))))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// The response in pieces of this size, the link closed behind them.
    fn read(bytes: &[u8], size: usize) -> Result<Response, ResponseError> {
        let mut reader = ResponseReader::default();
        for piece in bytes.chunks(size) {
            if let Some(response) = reader.receive(piece)? {
                return Ok(response);
            }
        }
        reader.finish()
    }

    #[test]
    fn a_body_ends_as_its_head_says() {
        for (bytes, code, body, length) in [
            (
                &b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nab\r\nxx"[..],
                200,
                &b"ab\r\n"[..],
                Some(4),
            ),
            (b"HTTP/1.0 404 Not Found\r\n\r\ngone", 404, b"gone", None),
            (
                b"HTTP/1.1 200 OK\r\ntransfer-encoding: gzip, Chunked\r\n\r\n2;x\r\nab\r\n1\r\nc\r\n0\r\nT: u\r\n\r\n",
                200,
                b"abc",
                None,
            ),
            (b"HTTP/1.1 204 No Content\r\n\r\n", 204, b"", None),
            (
                b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 206 Partial Content\r\nContent-Length: 0\r\n\r\n",
                206,
                b"",
                Some(0),
            ),
        ] {
            for size in [1, 3, bytes.len()] {
                let response = read(bytes, size).unwrap();
                assert_eq!((response.code, &*response.body), (code, body));
                assert_eq!(response.length, length);
            }
        }
    }

    #[test]
    fn what_is_no_response_is_told() {
        let long_head = format!("HTTP/1.1 200 OK\r\nX: {}", "x".repeat(HEAD_LIMIT));
        let long_body = format!(
            "HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n",
            BODY_LIMIT + 1
        );
        for (bytes, error) in [
            (&b"SSH-2.0-x\r\n"[..], ResponseError::Malformed),
            (
                b"HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\n",
                ResponseError::Malformed,
            ),
            (
                b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nabc",
                ResponseError::Malformed,
            ),
            (
                b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nfffffff\r\n",
                ResponseError::BodyTooLong,
            ),
            (long_head.as_bytes(), ResponseError::HeadTooLong),
            (long_body.as_bytes(), ResponseError::BodyTooLong),
            (
                b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nab",
                ResponseError::Truncated,
            ),
            (b"HTTP/1.1 200", ResponseError::Truncated),
        ] {
            assert_eq!(read(bytes, bytes.len()), Err(error));
        }
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic(
            head in prop::bool::ANY,
            bytes in prop::collection::vec(any::<u8>(), 0..200),
            size in 1usize..20,
        ) {
            let mut all = Vec::new();
            if head {
                all.extend_from_slice(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n");
            }
            all.extend(bytes);
            // Whether what is behind the last chunk is noticed depends on the cuts, else nothing.
            let _ = read(&all, size);
        }
    }
}
