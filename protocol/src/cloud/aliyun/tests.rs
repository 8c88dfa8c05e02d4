use alloc::string::ToString as _;

use super::*;

const SECRET: &str = "0123456789abcdef0123456789abcdef";
const PRODUCT_SECRET: &str = "abcdef0123456789";

fn device() -> Device {
    Device::new("a1B2c3D4e5F", "dev001")
}

fn signed(signing: &Signing) -> Credentials {
    let credentials = device().credentials(&SECRET.into(), signing);
    credentials.expect("the platform takes it")
}

/// The worked examples of the reference, computed there by other means, every row.
#[test]
fn signatures_are_the_worked_examples() {
    use SignMethod::{HmacMd5, HmacSha1, HmacSha256};
    for (client_id, method, timestamp, password) in [
        (
            "dev001",
            HmacSha1,
            Some(20_130_219),
            "60d415e9845147836193e221bba594b01b20b7a8",
        ),
        (
            "dev001",
            HmacMd5,
            Some(20_130_219),
            "fcb63280f0d2c72b6b110ab25ae3e8b9",
        ),
        (
            "dev001",
            HmacSha256,
            Some(20_130_219),
            "29484a77e49dda8d6afd292c48d74448572a4c6712e4ec52947b350549a47025",
        ),
        (
            "dev001",
            HmacSha1,
            None,
            "a86252ef321b2087265d6bccdc7dc1d6013cb9de",
        ),
        (
            "dev001",
            HmacSha1,
            Some(1_700_000_000_000),
            "59bb48845b62ba122730fcdbb26a14f87a1ee446",
        ),
        (
            "NT35E",
            HmacSha1,
            Some(20_130_219),
            "aa2617bb0f173b93f85f19c7f68e38c42d884cc6",
        ),
    ] {
        let mut signing = Signing::new(client_id).method(method);
        signing.timestamp = timestamp;
        assert_eq!(signed(&signing).password.expose(), password, "{signing:?}");
    }
    let textbook = Device::new("pk", "device").credentials(
        &"secret".into(),
        &Signing::new("12345").timestamp(789).upper_case(true),
    );
    assert_eq!(
        textbook.unwrap().password.expose(),
        "FAFD82A3D602B37FB0FA8B7892F24A477F851A14"
    );
}

#[test]
fn the_client_id_tells_how_it_was_signed() {
    let signing = Signing::new("dev001").timestamp(20_130_219);
    let credentials = signed(&signing);
    assert_eq!(
        credentials.client_id,
        "dev001|securemode=3,signmethod=hmacsha1,timestamp=20130219|"
    );
    assert_eq!(credentials.username, "dev001&a1B2c3D4e5F");
    let signing = Signing::new("id").method(SignMethod::HmacMd5).tls(true);
    assert_eq!(
        signed(&signing).client_id,
        "id|securemode=2,signmethod=hmacmd5|"
    );
}

/// The worked examples of the reference, computed there by other means, every row.
#[test]
fn registrations_are_the_worked_examples() {
    use SignMethod::{HmacMd5, HmacSha1, HmacSha256};
    for (method, random, password) in [
        (
            HmacSha1,
            567_345,
            "9b6c33f8018767085f0fd6bb2569acca5f5a1006",
        ),
        (
            HmacSha256,
            567_345,
            "b50f12b2286ed4601d4a1df20bac7f5a9f7eff7868f308ccc7c00faa1d724085",
        ),
        (HmacMd5, 567_345, "042e40a5cb6e45b4c47eba0242e157a9"),
        (
            HmacSha1,
            20_130_219,
            "fe14fccbbe4e6c944586f455db30d9f013262a80",
        ),
    ] {
        let request = RegistrationRequest::new("pn", Registration::Listed, random).method(method);
        let credentials = device().registration(&PRODUCT_SECRET.into(), &request);
        assert_eq!(credentials.unwrap().password.expose(), password);
    }
}

#[test]
fn a_registration_tells_its_kind() {
    let client_id = |request: &RegistrationRequest| {
        let credentials = device().registration(&PRODUCT_SECRET.into(), request);
        credentials.unwrap().client_id
    };
    let listed = RegistrationRequest::new("pn", Registration::Listed, 567_345);
    assert_eq!(
        client_id(&listed),
        "pn|securemode=2,authType=register,random=567345,signmethod=hmacsha1|"
    );
    let unlisted = RegistrationRequest::new("pn", Registration::Unlisted, 1).instance_id("i-1");
    assert_eq!(
        client_id(&unlisted),
        "pn|securemode=-2,authType=regnwl,random=1,signmethod=hmacsha1,instanceId=i-1|"
    );
}

#[test]
fn the_answer_to_a_registration_is_for_this_device_only() {
    let answer =
        |topic: &str, payload: &str| Registered::parse(&device(), topic, payload.as_bytes());
    let secret = r#"{"productKey":"a1B2c3D4e5F","deviceName":"dev001","deviceSecret":"s"}"#;
    let token = r#"{"productKey":"a1B2c3D4e5F","deviceName":"dev001","clientId":"c",
        "deviceToken":"t"}"#;
    assert_eq!(
        answer("/ext/register", secret),
        Ok(Registered::Secret("s".into()))
    );
    assert_eq!(
        answer("/ext/regnwl", token),
        Ok(Registered::Token {
            client_id: "c".into(),
            token: "t".into(),
        })
    );
    assert_eq!(
        answer("/ext/regnwl", secret),
        Err(AnswerError::Missing("clientId"))
    );
    assert_eq!(
        answer("/ext/register", token),
        Err(AnswerError::Missing("deviceSecret"))
    );
    assert_eq!(answer("/ext/other", secret), Err(AnswerError::Topic));
    assert_eq!(answer("/ext/register", "{"), Err(AnswerError::Json));
    assert_eq!(answer("/ext/register", "[]"), Err(AnswerError::Json));
    assert_eq!(
        answer("/ext/register", &secret.replace("\"s\"", "\"\"")),
        Err(AnswerError::Missing("deviceSecret"))
    );
    assert_eq!(
        answer("/ext/register", &secret.replace("dev001", "dev002")),
        Err(AnswerError::OtherDevice {
            product_key: "a1B2c3D4e5F".into(),
            device_name: "dev002".into(),
        })
    );
}

#[test]
fn a_device_connects_with_what_it_was_given() {
    let signing = Signing::new("dev001");
    let secret = Registered::Secret(SECRET.into());
    assert_eq!(
        secret.credentials(&device(), &signing).unwrap(),
        signed(&signing)
    );
    let token = Registered::Token {
        client_id: "assigned".into(),
        token: "token".into(),
    };
    let credentials = token.credentials(&device(), &signing).unwrap();
    assert_eq!(
        credentials.client_id,
        "assigned|securemode=-2,authType=connwl|"
    );
    assert_eq!(credentials.username, "dev001&a1B2c3D4e5F");
    assert_eq!(credentials.password.expose(), "token");
}

#[test]
fn what_the_platform_cannot_take_is_refused() {
    let refused = |device: Device, secret: &str, client_id: &str| {
        let credentials = device.credentials(&Secret::from(secret), &Signing::new(client_id));
        credentials.unwrap_err().to_string()
    };
    for (error, expected) in [
        (refused(device(), SECRET, ""), "the client id is empty"),
        (
            refused(device(), SECRET, &"x".repeat(65)),
            "the client id has 65 characters, the platform takes at most 64",
        ),
        (
            refused(device(), SECRET, "a|b"),
            "the client id holds '|', which the platform would take for its end",
        ),
        (refused(device(), "", "id"), "the device secret is empty"),
        (
            refused(Device::new("", "dn"), SECRET, "id"),
            "the product key is empty",
        ),
        (
            refused(Device::new("pk", ""), SECRET, "id"),
            "the device name is empty",
        ),
        (
            refused(Device::new("pk", "a&b"), SECRET, "id"),
            "the device name holds '&', which the platform would take for its end",
        ),
    ] {
        assert_eq!(error, expected);
    }
    assert!(check_client_id(&"\u{4e2d}".repeat(64)).is_ok());
    let request = RegistrationRequest::new("id", Registration::Unlisted, 1).instance_id("a,b");
    assert!(
        device()
            .registration(&PRODUCT_SECRET.into(), &request)
            .is_err()
    );
}

#[test]
fn the_keepalive_has_limits() {
    for seconds in [30, 60, 1200] {
        assert_eq!(check_keep_alive(seconds), Ok(()));
    }
    for seconds in [0, 29, 1201, u64::MAX] {
        let error = check_keep_alive(seconds).unwrap_err();
        assert_eq!(
            error.to_string(),
            alloc::format!("the keepalive is {seconds} s, the platform takes 30 to 1200 s")
        );
    }
}

#[test]
fn debug_output_hides_secrets() {
    let registered = Registered::Token {
        client_id: "assigned".into(),
        token: "hunter2".into(),
    };
    let credentials = registered
        .credentials(&device(), &Signing::new("id"))
        .unwrap();
    for text in [
        alloc::format!("{registered:?}"),
        alloc::format!("{credentials:?}"),
        alloc::format!("{:?}", Registered::Secret("hunter2".into())),
    ] {
        assert!(text.contains("***") && !text.contains("hunter2"), "{text}");
    }
}
