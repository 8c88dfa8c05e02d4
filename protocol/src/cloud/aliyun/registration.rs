use alloc::format;
use alloc::string::String;

use serde_json::Value;
use thiserror::Error;

use super::{Device, Signing, check_client_id, signature};
use crate::Secret;
use crate::cloud::credentials::check;
use crate::cloud::{Credentials, CredentialsError};
use crate::mqtt::{Registration, SignMethod};

/// The topic of the answer to [`Registration::Listed`].
const LISTED: &str = "/ext/register";

/// The topic of the answer to [`Registration::Unlisted`].
const UNLISTED: &str = "/ext/regnwl";

/// How a device without a secret asks for one: by `hmacsha1`, unless told otherwise.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RegistrationRequest {
    client_id: String,
    registration: Registration,
    random: u64,
    method: SignMethod,
    instance_id: Option<String>,
    upper_case: bool,
}

impl RegistrationRequest {
    /// With this client id, 1 to 64 characters, and a random number of the caller's.
    pub fn new(client_id: impl Into<String>, registration: Registration, random: u64) -> Self {
        Self {
            client_id: client_id.into(),
            registration,
            random,
            method: SignMethod::default(),
            instance_id: None,
            upper_case: false,
        }
    }

    /// By which hash.
    pub fn method(mut self, method: SignMethod) -> Self {
        self.method = method;
        self
    }

    /// The platform's instance, for [`Registration::Unlisted`] where it is not the public one.
    pub fn instance_id(mut self, id: impl Into<String>) -> Self {
        self.instance_id = Some(id.into());
        self
    }

    /// Whether the signature is written in upper-case digits. The platform takes both.
    pub fn upper_case(mut self, upper_case: bool) -> Self {
        self.upper_case = upper_case;
        self
    }

    /// Which way the device registers.
    pub fn registration(&self) -> Registration {
        self.registration
    }
}

/// What the platform has given to a device that registered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Registered {
    /// A secret: the device signs with it from now on.
    Secret(Secret<'static>),
    /// A client id and a token, which are presented as they are.
    Token {
        /// The client id.
        client_id: String,
        /// The token.
        token: Secret<'static>,
    },
}

impl From<Secret<'static>> for Registered {
    fn from(secret: Secret<'static>) -> Self {
        Self::Secret(secret)
    }
}

/// Why a message is no answer to a registration.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum AnswerError {
    /// It has another topic.
    #[error("the topic is neither {LISTED} nor {UNLISTED}")]
    Topic,
    /// It is no JSON object.
    #[error("the answer to the registration is no JSON object")]
    Json,
    /// A field is missing, or is no text.
    #[error("the answer to the registration has no {0}")]
    Missing(&'static str),
    /// It is for another device.
    #[error("the answer to the registration is for {device_name} of {product_key}")]
    OtherDevice {
        /// Its `ProductKey`.
        product_key: String,
        /// Its `DeviceName`.
        device_name: String,
    },
}

impl Device {
    /// The credentials by which a device without a secret registers, signed with its product's
    /// (`ProductSecret`). The platform takes them over TLS only.
    ///
    /// # Errors
    /// A name, the client id or the secret is one that the platform cannot take.
    pub fn registration(
        &self,
        product_secret: &Secret<'_>,
        request: &RegistrationRequest,
    ) -> Result<Credentials, CredentialsError> {
        self.check()?;
        check_client_id(&request.client_id)?;
        check("the product secret", product_secret.expose(), &[])?;
        if let Some(id) = &request.instance_id {
            check("the instance id", id, &['|', ','])?;
        }
        Ok(self.sign_registration(product_secret, request))
    }

    /// As [`registration`](Self::registration), but whether the platform can take them is not
    /// looked at: so a module signs what its host gives it.
    ///
    /// The password is an HMAC over names and random number.
    pub fn sign_registration(
        &self,
        product_secret: &Secret<'_>,
        request: &RegistrationRequest,
    ) -> Credentials {
        let RegistrationRequest {
            client_id,
            registration,
            random,
            method,
            instance_id,
            upper_case,
        } = request;
        let instance = match instance_id {
            Some(id) => format!(",instanceId={id}"),
            None => String::new(),
        };
        let content = format!(
            "deviceName{}productKey{}random{random}",
            self.device_name, self.product_key
        );
        let (mode, kind, name) = (
            registration.secure_mode(),
            registration.name(),
            method.name(),
        );
        Credentials {
            client_id: format!(
                "{client_id}|securemode={mode},authType={kind},random={random},\
                 signmethod={name}{instance}|"
            ),
            username: self.username(),
            password: signature(product_secret, *method, &content, *upper_case),
        }
    }
}

impl Registered {
    /// Reads the message by which the platform answers the registration of `device`. It comes
    /// without a subscription.
    ///
    /// # Errors
    /// It is another message, or for another device.
    pub fn parse(device: &Device, topic: &str, payload: &[u8]) -> Result<Self, AnswerError> {
        if ![LISTED, UNLISTED].contains(&topic) {
            return Err(AnswerError::Topic);
        }
        let answer: Value = serde_json::from_slice(payload).map_err(|_| AnswerError::Json)?;
        let answer = answer.as_object().ok_or(AnswerError::Json)?;
        let text = |key| {
            let value = answer.get(key).and_then(Value::as_str);
            value
                .filter(|text| !text.is_empty())
                .ok_or(AnswerError::Missing(key))
        };
        let (product_key, device_name) = (text("productKey")?, text("deviceName")?);
        if (product_key, device_name) != (&*device.product_key, &*device.device_name) {
            return Err(AnswerError::OtherDevice {
                product_key: product_key.into(),
                device_name: device_name.into(),
            });
        }
        let secret = |key| Ok(Secret::from(String::from(text(key)?)));
        if topic == LISTED {
            return Ok(Self::Secret(secret("deviceSecret")?));
        }
        Ok(Self::Token {
            client_id: text("clientId")?.into(),
            token: secret("deviceToken")?,
        })
    }

    /// The credentials with which the device connects from now on. A token does not need
    /// `signing`.
    ///
    /// # Errors
    /// As for [`Device::credentials`].
    pub fn credentials(
        &self,
        device: &Device,
        signing: &Signing,
    ) -> Result<Credentials, CredentialsError> {
        device.check()?;
        match self {
            Self::Secret(secret) => device.credentials(secret, signing),
            Self::Token { client_id, token } => {
                // How long the client id may be is the affair of the platform, which gave it.
                check("the client id", client_id, &['|'])?;
                check("the token", token.expose(), &[])?;
                Ok(self.sign(device, signing))
            }
        }
    }

    /// As [`credentials`](Self::credentials), but whether the platform can take them is not looked
    /// at: so a module signs what its host gives it.
    pub fn sign(&self, device: &Device, signing: &Signing) -> Credentials {
        match self {
            Self::Secret(secret) => device.sign(secret, signing),
            Self::Token { client_id, token } => Credentials {
                client_id: format!("{client_id}|securemode=-2,authType=connwl|"),
                username: device.username(),
                password: token.clone(),
            },
        }
    }
}
