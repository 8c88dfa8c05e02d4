use alloc::borrow::Cow;
use alloc::string::ToString;

use crate::Secret;

/// The hash of an HMAC signature, by its name at Alibaba Cloud (reference `clouds.md` 5).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum SignMethod {
    /// `hmacmd5`
    HmacMd5,
    /// `hmacsha1`, which EigenComm's module source has built in.
    #[default]
    HmacSha1,
    /// `hmacsha256`
    HmacSha256,
}

impl SignMethod {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::HmacMd5, Self::HmacSha1, Self::HmacSha256];

    /// The name on the wire.
    pub fn name(self) -> &'static str {
        match self {
            Self::HmacMd5 => "hmacmd5",
            Self::HmacSha1 => "hmacsha1",
            Self::HmacSha256 => "hmacsha256",
        }
    }

    /// From the name on the wire; `None` if there is no such method.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|method| method.name() == name)
    }
}

/// How a device without a secret makes itself known to Alibaba Cloud (reference `clouds.md` 5,
/// dynamic registration; documented there, as part of `aliauth` seen in ECMT source).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Registration {
    /// `register`: the platform knows the device's name and gives it a secret.
    Listed,
    /// `regnwl`: the platform does not know the name and gives the device a client id and a token.
    Unlisted,
}

impl Registration {
    /// The name on the wire.
    pub fn name(self) -> &'static str {
        match self {
            Self::Listed => "register",
            Self::Unlisted => "regnwl",
        }
    }

    /// From the name on the wire; `None` if there is no such way.
    pub fn from_name(name: &str) -> Option<Self> {
        [Self::Listed, Self::Unlisted]
            .into_iter()
            .find(|registration| registration.name() == name)
    }

    /// `securemode` of the client id.
    pub fn secure_mode(self) -> i8 {
        match self {
            Self::Listed => 2,
            Self::Unlisted => -2,
        }
    }
}

/// An Alibaba Cloud device with everything that ECMT's `aliauth` takes (reference `ecmt.md` 2.2;
/// that families like it take it too is inferred).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AliDevice<'a> {
    /// `ProductKey`
    pub product_key: Cow<'a, str>,
    /// `DeviceName`
    pub device_name: Cow<'a, str>,
    /// `DeviceSecret`; empty for a device that is to register.
    pub device_secret: Secret<'a>,
    /// `ProductName`: the client id that a registration is made under.
    pub product_name: Cow<'a, str>,
    /// `ProductSecret`, which signs a registration.
    pub product_secret: Secret<'a>,
    /// How the device registers, if it has no secret.
    pub registration: Option<Registration>,
    /// How credentials are signed; `None` is the module's own choice.
    pub sign_method: Option<SignMethod>,
    /// The platform's instance, for [`Registration::Unlisted`]; may be empty.
    pub instance_id: Cow<'a, str>,
}

impl<'a> AliDevice<'a> {
    /// A device that has a secret.
    pub fn new(
        product_key: impl Into<Cow<'a, str>>,
        device_name: impl Into<Cow<'a, str>>,
        device_secret: Secret<'a>,
    ) -> Self {
        Self {
            product_key: product_key.into(),
            device_name: device_name.into(),
            device_secret,
            product_name: Cow::Borrowed(""),
            product_secret: "".into(),
            registration: None,
            sign_method: None,
            instance_id: Cow::Borrowed(""),
        }
    }

    /// The same device, independent of what it was borrowed from.
    pub fn into_owned(self) -> AliDevice<'static> {
        let text = |text: Cow<'_, str>| Cow::Owned(text.to_string());
        AliDevice {
            product_key: text(self.product_key),
            device_name: text(self.device_name),
            device_secret: self.device_secret.into_owned(),
            product_name: text(self.product_name),
            product_secret: self.product_secret.into_owned(),
            registration: self.registration,
            sign_method: self.sign_method,
            instance_id: text(self.instance_id),
        }
    }
}
