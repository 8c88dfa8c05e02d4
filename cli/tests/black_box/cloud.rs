//! Devices of cloud platforms: a broker that verifies as the platform would is behind the module.

use std::collections::HashMap;
use std::fs;
use std::net::SocketAddr;

use atmq_emulator::broker::{
    AlibabaCloud, AlibabaProduct, Authenticator, Broker, Core, Limits, OneNet,
};
use tokio::runtime::Runtime;

use crate::harness::{Emulator, Finished, argument, atmq};

const SECRET: &str = "0123456789abcdef0123456789abcdef";
const KEY: &str = "KuF3NT/jUBJ62LNBB/A8XZA9CqS3Cu79B/ABmfA1UCw=";

/// A broker that runs as long as it is held, and a module whose links all lead there.
fn platform(authenticator: impl Authenticator + 'static) -> (Runtime, Broker, Emulator) {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build()
        .expect("a runtime can be had");
    let core = Core::new(Limits::default()).authenticated_by(authenticator);
    let broker = runtime.block_on(Broker::bind_core("127.0.0.1:0", core));
    let broker = broker.expect("a loopback port is free");
    let address: SocketAddr = broker.local_addr();
    (runtime, broker, Emulator::mapped_to(address))
}

#[test]
fn a_device_of_alibaba_cloud_connects_with_its_secret() {
    let devices = HashMap::from([("dev001".to_owned(), SECRET.to_owned())]);
    let product = AlibabaProduct {
        devices,
        ..AlibabaProduct::default()
    };
    let cloud = AlibabaCloud::new().with_product("a1B2c3D4e5F", product);
    let (_runtime, _broker, module) = platform(cloud);
    let publish = ["-t", "/a1B2c3D4e5F/dev001/user/t", "-q", "1", "-m", "m"];
    let device = ["--aliyun", "a1B2c3D4e5F:dev001"];
    let mut published = module.atmq("pub", publish);
    published.args(device).env("ATMQ_SECRET", SECRET).succeeds();
    let directory = tempfile::tempdir().expect("a temporary directory can be made");
    let file = directory.path().join("secret");
    fs::write(&file, format!("{SECRET}\n")).expect("a file can be written");
    let secret = ["--secret-file", &argument(&file)];
    let mut published = module.atmq("pub", publish);
    published.args(device).args(secret).succeeds();
    let mut wrong = module.atmq("pub", publish);
    let failed = wrong.args(device).env("ATMQ_SECRET", "wr0ng").fails(1);
    let failed = failed.without_output().saying(&[
        "code 4",
        "the secret",
        "--aliyun",
        "the clock of this computer",
    ]);
    assert!(!failed.line.contains("wr0ng"), "{}", failed.line);
    // Nobody is there to be asked.
    let mut silent = module.atmq("pub", publish);
    let failed = silent.args(device).fails(2).without_output();
    failed.saying(&["device secret", "--secret-file", "ATMQ_SECRET"]);
    let mut mistyped = atmq(["pub", "--port", "p", "-t", "t", "-n", "--aliyun", "pk"]);
    assert!(mistyped.is_misused().contains("PRODUCT:DEVICE"));
}

#[test]
fn a_device_of_onenet_connects_with_a_token() {
    let platform_keys = OneNet::default().with_key("products/123123/devices/mydev", KEY);
    let (_runtime, _broker, module) = platform(platform_keys);
    let publish = [
        "-t",
        "$sys/123123/mydev/dp/post/json",
        "-q",
        "1",
        "-m",
        "{}",
    ];
    let device = ["--onenet", "123123:mydev", "-h", "studio.example"];
    let mut published = module.atmq("pub", publish);
    published.args(device).env("ATMQ_SECRET", KEY).succeeds();
    let mut wrong = module.atmq("pub", publish);
    let failed = wrong.args(device).env("ATMQ_SECRET", "AAAA").fails(1);
    failed.without_output().saying(&[
        "code 4",
        "the secret",
        "--onenet",
        "the clock of this computer",
    ]);
    let mut undecodable = module.atmq("pub", publish);
    let failed = undecodable
        .args(device)
        .env("ATMQ_SECRET", "no base64!")
        .fails(2);
    let failed = failed.without_output();
    assert!(!failed.line.contains("no base64!"), "{}", failed.line);
    let mut homeless = module.atmq("pub", publish);
    homeless.args(&device[..2]).env("ATMQ_SECRET", KEY);
    homeless.fails(2).saying(&["--onenet", "-h"]);
}
