//! Devices of cloud platforms, whose credentials are computed from a secret.

use std::path::PathBuf;
use std::time::Duration;

use atmq_driver::cloud::aliyun;
use atmq_driver::cloud::onenet::studio;
use atmq_driver::{ConnectOptions, Secret};
use clap::ValueEnum;

use crate::failure::{Failure, FailureKind};
use crate::secret;

/// How long a token of OneNET is good from the connection on. The platform closes what outlives
/// it, and the program asks for a new one at each connection.
const TOKEN: Duration = Duration::from_secs(24 * 60 * 60);

/// Which device of which platform.
#[derive(Debug, clap::Args)]
#[command(next_help_heading = "Cloud")]
pub(crate) struct CloudArguments {
    /// Connect as this device of Alibaba Cloud IoT, with credentials computed from its secret;
    /// without -h, to the host of the platform
    #[arg(long, value_name = "PRODUCT_KEY:DEVICE", value_parser = product_and_device,
          conflicts_with_all = ["id", "username", "password", "onenet"])]
    aliyun: Option<(String, String)>,
    /// Region of Alibaba Cloud
    #[arg(long, value_name = "REGION", default_value = "cn-shanghai")]
    region: String,
    /// Connect as this device of OneNET Studio, with a token computed from the access key; needs -h
    #[arg(long, value_name = "PRODUCT_ID:DEVICE", value_parser = product_and_device,
          conflicts_with_all = ["id", "username", "password"])]
    onenet: Option<(String, String)>,
    /// Owner of the access key
    #[arg(long, value_name = "OWNER", value_enum, default_value = "device")]
    onenet_key: KeyOwner,
    /// Read the device secret or access key from the first line of a file; without this option, it
    /// is taken from the environment variable ATMQ_SECRET, or prompted for
    #[arg(long, value_name = "FILE")]
    secret_file: Option<PathBuf>,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum KeyOwner {
    /// The device
    Device,
    /// The product
    Product,
}

impl CloudArguments {
    /// Whether a device of a platform is to connect.
    pub(crate) fn is_given(&self) -> bool {
        self.aliyun.is_some() || self.onenet.is_some()
    }

    /// The option that names the device.
    pub(crate) fn option(&self) -> Option<&'static str> {
        match (&self.aliyun, &self.onenet) {
            (Some(_), _) => Some("--aliyun"),
            (None, Some(_)) => Some("--onenet"),
            (None, None) => None,
        }
    }

    /// Whether a device of a platform is to connect that has a host of its own.
    pub(crate) fn knows_its_host(&self) -> bool {
        self.aliyun.is_some()
    }

    /// How the device connects; `None` if it is none of a platform. `broker` is what was given.
    pub(crate) fn options(
        &self,
        broker: Option<&str>,
        port: u16,
    ) -> Result<Option<ConnectOptions>, Failure> {
        if let Some((product, device)) = &self.aliyun {
            let device = aliyun::Device::new(product, device);
            let secret = self.secret("device secret")?;
            let options = ConnectOptions::aliyun_device(device, &self.region, secret);
            return Ok(Some(match broker {
                Some(host) => options.broker(host, port),
                None => options,
            }));
        }
        let Some((product, device)) = &self.onenet else {
            return Ok(None);
        };
        let Some(host) = broker else {
            let what = "--onenet does not know the platform's host";
            return Err(Failure::new(FailureKind::Usage, what).hint("give it with -h"));
        };
        let key = self.secret("access key")?;
        let key = match self.onenet_key {
            KeyOwner::Device => studio::AccessKey::device(key.expose()),
            KeyOwner::Product => studio::AccessKey::product(key.expose()),
        };
        let key = key.map_err(|error| Failure::new(FailureKind::Usage, error))?;
        let device = studio::Device::new(product, device);
        Ok(Some(ConnectOptions::onenet_studio(
            host, port, device, key, TOKEN,
        )))
    }

    fn secret(&self, what: &str) -> Result<Secret<'static>, Failure> {
        let secret = match &self.secret_file {
            Some(file) => secret::from_file(file)?,
            None => match secret::from_environment("ATMQ_SECRET")? {
                Some(secret) => secret,
                None => {
                    let instead = "name a file with --secret-file, or set ATMQ_SECRET";
                    secret::from_terminal(what, instead)?
                }
            },
        };
        Ok(Secret::from(secret))
    }
}

/// Reads `PRODUCT:DEVICE`.
fn product_and_device(text: &str) -> Result<(String, String), String> {
    match text.split_once(':') {
        Some((product, device)) if !product.is_empty() && !device.is_empty() => {
            Ok((product.to_owned(), device.to_owned()))
        }
        _ => Err("write PRODUCT:DEVICE".into()),
    }
}
