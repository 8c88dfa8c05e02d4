use super::Url;

/// What is asked of the server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Method {
    Get,
    Post,
}

/// A request that the module writes itself.
pub(crate) struct Request<'a> {
    pub(crate) method: Method,
    pub(crate) url: &'a Url,
    /// What the module calls itself.
    pub(crate) agent: &'a str,
    /// First and last byte wanted.
    pub(crate) range: Option<(u64, u64)>,
    /// Type of the body.
    pub(crate) content_type: &'a str,
    pub(crate) body: &'a [u8],
}

impl Request<'_> {
    /// The bytes of the request. Its link ends with it: one request, one link.
    pub(crate) fn encode(&self) -> Vec<u8> {
        let method = match self.method {
            Method::Get => "GET",
            Method::Post => "POST",
        };
        let Url { path, .. } = self.url;
        let mut head = format!(
            "{method} {path} HTTP/1.1\r\nHost: {}\r\nUser-Agent: {}\r\nAccept: */*\r\nConnection: close\r\n",
            self.url.authority(),
            self.agent,
        );
        if let Some((first, last)) = self.range {
            head += &format!("Range: bytes={first}-{last}\r\n");
        }
        if self.method == Method::Post {
            let (kind, length) = (self.content_type, self.body.len());
            head += &format!("Content-Type: {kind}\r\nContent-Length: {length}\r\n");
        }
        head += "\r\n";
        let mut bytes = head.into_bytes();
        bytes.extend_from_slice(self.body);
        bytes
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_are_written_as_http_has_them() {
        let url = Url::parse("http://h:8080/x?y").unwrap();
        let get = Request {
            method: Method::Get,
            url: &url,
            agent: "Module",
            range: Some((10, 19)),
            content_type: "text/plain",
            body: b"",
        };
        let head = "Host: h:8080\r\nUser-Agent: Module\r\nAccept: */*\r\nConnection: close\r\n";
        let expected = format!("GET /x?y HTTP/1.1\r\n{head}Range: bytes=10-19\r\n\r\n");
        assert_eq!(get.encode(), expected.as_bytes());
        let post = Request {
            method: Method::Post,
            range: None,
            body: b"\x00\xff",
            ..get
        };
        let mut expected = format!(
            "POST /x?y HTTP/1.1\r\n{head}Content-Type: text/plain\r\nContent-Length: 2\r\n\r\n"
        )
        .into_bytes();
        expected.extend(b"\x00\xff");
        assert_eq!(post.encode(), expected);
    }
}
