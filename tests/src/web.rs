//! A web site of three pages, for a bench without sockets.

/// The answer to a request, once all of it has come. `/hello` is greeted, `/mute` is not answered,
/// what is posted to `/echo` comes back in chunks, and anything else is not found.
pub fn answer(request: &[u8]) -> Option<Vec<u8>> {
    let text = String::from_utf8_lossy(request);
    let (head, body) = text.split_once("\r\n\r\n")?;
    let header = |name: &str| {
        let mut lines = head.lines();
        lines.find_map(|line| line.strip_prefix(name))
    };
    let length = header("Content-Length: ").map_or(0, |length| {
        length.parse().expect("the module writes a number")
    });
    if body.len() < length {
        return None;
    }
    let answer = match head.lines().next()? {
        "GET /hello HTTP/1.1" => {
            let all = "Hello, world!";
            match header("Range: bytes=").and_then(|range| range.split_once('-')) {
                None => sized("200 OK", all),
                Some((first, last)) => {
                    let place = |text: &str| text.parse::<usize>().expect("a place is a number");
                    sized("206 Partial Content", &all[place(first)..=place(last)])
                }
            }
        }
        "GET /mute HTTP/1.1" => return None,
        "POST /echo HTTP/1.1" => {
            let head = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
            format!("{head}{length:x}\r\n{body}\r\n0\r\n\r\n")
        }
        _ => sized("404 Not Found", ""),
    };
    Some(answer.into_bytes())
}

fn sized(status: &str, body: &str) -> String {
    let length = body.len();
    format!("HTTP/1.1 {status}\r\nContent-Length: {length}\r\n\r\n{body}")
}
