use atmq_protocol::http::{Content, Method, Request, Url};

/// The bytes of a request by a module that calls itself `agent`. Its link ends with it: one
/// request, one link.
pub(crate) fn encode(request: Request, agent: &str) -> Vec<u8> {
    let (kind, body) = match request.content {
        Content::Whole(bytes) => return bytes,
        Content::Body(kind, body) => (kind, body),
    };
    let method = match request.method {
        Method::Get => "GET",
        Method::Post => "POST",
    };
    let Url { path, .. } = &request.url;
    let authority = request.url.authority();
    let mut head = format!(
        "{method} {path} HTTP/1.1\r\nHost: {authority}\r\nUser-Agent: {agent}\r\nAccept: */*\r\nConnection: close\r\n",
    );
    if let Some((first, last)) = request.range {
        head += &format!("Range: bytes={first}-{last}\r\n");
    }
    if request.method == Method::Post {
        let length = body.len();
        head += &format!("Content-Type: {kind}\r\nContent-Length: {length}\r\n");
    }
    head += "\r\n";
    [head.as_bytes(), &body].concat()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn requests_are_written_as_http_has_them() {
        let get = Request {
            method: Method::Get,
            url: Url::parse("http://h:8080/x?y").unwrap(),
            range: Some((10, 19)),
            content: Content::Body("text/plain", Vec::new()),
            cid: 1,
            tls: 0,
            patience: Duration::from_secs(60),
        };
        let head = "Host: h:8080\r\nUser-Agent: Module\r\nAccept: */*\r\nConnection: close\r\n";
        let expected = format!("GET /x?y HTTP/1.1\r\n{head}Range: bytes=10-19\r\n\r\n");
        assert_eq!(encode(get.clone(), "Module"), expected.as_bytes());
        let post = Request {
            method: Method::Post,
            range: None,
            content: Content::Body("text/plain", b"\x00\xff".to_vec()),
            ..get.clone()
        };
        let mut expected = format!(
            "POST /x?y HTTP/1.1\r\n{head}Content-Type: text/plain\r\nContent-Length: 2\r\n\r\n"
        )
        .into_bytes();
        expected.extend(b"\x00\xff");
        assert_eq!(encode(post, "Module"), expected);
        let whole = Request {
            content: Content::Whole(b"PUT / HTTP/1.1\r\n\r\n".to_vec()),
            ..get
        };
        assert_eq!(encode(whole, "Module"), b"PUT / HTTP/1.1\r\n\r\n");
    }
}
