//! The HTTP commands against a real server, with and without TLS.

use std::convert::Infallible;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;

use atmq_tests::host::Host;
use http_body_util::{BodyExt, Full};
use hyper::body::{Bytes, Incoming};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use rcgen::{CertificateParams, KeyPair};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::pki_types::PrivatePkcs8KeyDer;

const OK: &str = "\r\nOK\r\n";

/// Tells what it was asked, and how.
async fn tell(request: Request<Incoming>) -> Result<Response<Full<Bytes>>, Infallible> {
    let header = |name: &str| {
        let value = request.headers().get(name).map(|value| value.to_str());
        value.and_then(Result::ok).unwrap_or("-").to_owned()
    };
    let (host, kind, range) = (header("host"), header("content-type"), header("range"));
    let (method, path) = (request.method().clone(), request.uri().to_string());
    let body = request.into_body().collect().await.expect("a body");
    let body = String::from_utf8_lossy(&body.to_bytes()).into_owned();
    let status = match method {
        _ if range != "-" => StatusCode::PARTIAL_CONTENT,
        Method::GET | Method::POST => StatusCode::OK,
        _ => StatusCode::METHOD_NOT_ALLOWED,
    };
    let text = format!("{method} {path} {host} {kind} {range} {body}");
    let mut response = Response::new(Full::from(text));
    *response.status_mut() = status;
    Ok(response)
}

async fn serve(stream: impl AsyncRead + AsyncWrite + Unpin) {
    let served = http1::Builder::new().serve_connection(TokioIo::new(stream), service_fn(tell));
    // A host that drops a request is no failure of the server.
    let _ = served.await;
}

/// A web server on this machine; its certificate is for `web.example`.
async fn server(tls: bool) -> (SocketAddr, String) {
    let key = KeyPair::generate().expect("a key");
    let params = CertificateParams::new(["web.example".to_owned()]).expect("a name");
    let certificate = params.self_signed(&key).expect("a certificate");
    let pem = certificate.pem();
    let config = ServerConfig::builder()
        .with_no_client_auth()
        .with_single_cert(
            vec![certificate.der().clone()],
            PrivatePkcs8KeyDer::from(key.serialize_der()).into(),
        )
        .expect("a key that fits");
    let acceptor = TlsAcceptor::from(Arc::new(config));
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await;
    let listener = listener.expect("a port");
    let address = listener.local_addr().expect("an address");
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let acceptor = acceptor.clone();
            tokio::spawn(async move {
                if !tls {
                    serve(stream).await;
                } else if let Ok(stream) = acceptor.accept(stream).await {
                    serve(stream).await;
                }
            });
        }
    });
    (address, pem)
}

async fn asks_for(host: &mut Host, url: &str) {
    let line = format!("AT+LHTTPURL={},30", url.len());
    host.types(&line, "\r\nCONNECT\r\n").await;
    host.sends(url, OK).await;
}

async fn gets(host: &mut Host, command: &str, answered: &str, text: &str) {
    let (name, _) = command.split_once('=').unwrap_or((command, ""));
    let answer = format!("\r\nOK\r\n\r\n{name}: 0,{answered},{}\r\n", text.len());
    host.types(&format!("AT{command}"), &answer).await;
    reads(host, text).await;
}

async fn reads(host: &mut Host, text: &str) {
    let answer = format!("\r\nCONNECT\r\n{text}\r\nOK\r\n\r\n+LHTTPREAD: 0\r\n");
    host.types("AT+LHTTPREAD=30", &answer).await;
}

#[tokio::test]
async fn a_host_gets_and_posts() {
    let (address, _) = server(false).await;
    let mut host = Host::start(address).await;
    asks_for(&mut host, "http://web.example/a?b=c").await;
    let text = "GET /a?b=c web.example - - ";
    gets(&mut host, "+LHTTPGET=60", "200", text).await;
    let text = "GET /a?b=c web.example - bytes=2-4 ";
    gets(&mut host, "+LHTTPGETEX=60,2,3", "206", text).await;
    host.types("AT+LHTTPCFG=\"contenttype\",2", OK).await;
    host.types("AT+LHTTPPOST=5,30,60", "\r\nCONNECT\r\n").await;
    let text = "POST /a?b=c web.example application/octet-stream - hello";
    let answer = format!("\r\nOK\r\n\r\n+LHTTPPOST: 0,200,{}\r\n", text.len());
    host.sends("hello", &answer).await;
    reads(&mut host, text).await;
    // A request that the host has written.
    host.types("AT+LHTTPCFG=\"requestheader\",1", OK).await;
    let request = "GET /own HTTP/1.1\r\nHost: mine\r\n\r\n";
    let line = format!("AT+LHTTPGET=60,{},30", request.len());
    host.types(&line, "\r\nCONNECT\r\n").await;
    let text = "GET /own mine - - ";
    let answer = format!("\r\nOK\r\n\r\n+LHTTPGET: 0,200,{}\r\n", text.len());
    host.sends(request, &answer).await;
    reads(&mut host, text).await;
}

#[tokio::test]
async fn a_verified_server_needs_the_right_certificate() {
    let (address, pem) = server(true).await;
    let mut host = Host::start(address).await;
    host.types("AT+LHTTPCFG=\"sslctxid\",3", OK).await;
    asks_for(&mut host, "https://web.example/").await;
    let text = "GET / web.example - - ";
    // A context that nobody has set up verifies nothing.
    gets(&mut host, "+LHTTPGET", "200", text).await;
    host.types("AT+LSSLCFG=\"seclevel\",3,1", OK).await;
    host.types("AT+LHTTPGET", "\r\nOK\r\n\r\n+LHTTPGET: 710\r\n")
        .await;
    let line = format!("AT+LFUPL=\"ca.pem\",{}", pem.len());
    host.types(&line, "\r\nCONNECT\r\n").await;
    host.sends(&pem, OK).await;
    host.types("AT+LSSLCFG=\"cacert\",3,\"ca.pem\"", OK).await;
    gets(&mut host, "+LHTTPGET", "200", text).await;
    asks_for(&mut host, "https://other.example/").await;
    host.types("AT+LHTTPGET", "\r\nOK\r\n\r\n+LHTTPGET: 710\r\n")
        .await;
}
