use alloc::vec::Vec;
use core::time::Duration;

use super::{Pin, RegistrationDomain};
use crate::at::command::{Command, Form, encode_line};
use crate::at::parameter::{ParameterError, ParameterWriter, Parameters};
use crate::dialect::DecodeError;

/// A command that is not MQTT's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StandardRequest {
    /// `AT`: are you there?
    Attention,
    /// `ATE0`, `ATE1`: whether the module sends back what is typed.
    Echo(bool),
    /// `ATI`: what are you?
    Identification,
    /// `AT+CGMI`: manufacturer.
    Manufacturer,
    /// `AT+CGMM`: model.
    Model,
    /// `AT+CGMR`: firmware revision.
    Revision,
    /// `AT+LGMR`: firmware revision, in a maker's own command.
    MakersRevision,
    /// `AT+CGSN`, `=0`, `=1`: serial number or IMEI.
    SerialNumber(SerialNumber),
    /// `AT+CIMI`: IMSI of the SIM.
    Subscriber,
    /// `AT+LCCID`: ICCID of the SIM.
    CardId,
    /// `AT+CPIN?`: is the SIM ready?
    SimStatus,
    /// `AT+CPIN="<pin>"`: here is the PIN of the SIM. Each wrong one counts, and the third locks
    /// it.
    EnterPin(Pin),
    /// `AT+CSQ`: signal quality.
    SignalQuality,
    /// `AT+CESQ`: signal quality, by what LTE measures.
    ExtendedSignalQuality,
    /// `AT+COPS?`: whose network?
    QueryOperator,
    /// `AT+CEREG?`, `AT+CREG?`, `AT+CGREG?`: registration with the network.
    QueryRegistration(RegistrationDomain),
    /// `AT+CEREG=<n>`, and `+CREG`, `+CGREG` likewise: 1 reports changes of the registration, 2
    /// with the cell, 3 with the cause of a denial as well; of `+CEREG` and `+CGREG` 4 and 5 as 2
    /// and 3 with what saves power; 0 does not.
    ReportRegistration(RegistrationDomain, u8),
    /// `AT+CGATT?`: attached to the packet domain?
    QueryAttach,
    /// `AT+CGATT=<state>`: attach or detach.
    Attach(bool),
    /// `AT+CGPADDR[=<cid>]`: address of a packet data context, or of all.
    Address(Option<u8>),
    /// `AT+CCLK?`: the module's clock.
    QueryClock,
    /// `AT+CMEE?`
    QueryErrorReports,
    /// `AT+CMEE=<n>`: errors as `ERROR` (0), with a number (1), in words (2).
    ErrorReports(u8),
    /// `AT+CFUN?`
    QueryFunctionality,
    /// `AT+CFUN=<fun>[,<rst>]`: 0 minimum, 1 full, 4 radio off; with a reboot or without.
    Functionality {
        /// `<fun>`
        level: u8,
        /// `<rst>`
        reset: bool,
    },
}

/// Which serial number `AT+CGSN` asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SerialNumber {
    /// `AT+CGSN`: a bare line.
    Plain,
    /// `AT+CGSN=0`: the serial number.
    Device,
    /// `AT+CGSN=1`: the IMEI.
    Imei,
}

/// Commands without parameters, each in its one form.
const SIMPLE: [(&str, Form<'static>, StandardRequest); 21] = [
    ("", Form::Execute, StandardRequest::Attention),
    ("I", Form::Execute, StandardRequest::Identification),
    ("+CGMI", Form::Execute, StandardRequest::Manufacturer),
    ("+CGMM", Form::Execute, StandardRequest::Model),
    ("+CGMR", Form::Execute, StandardRequest::Revision),
    ("+LGMR", Form::Execute, StandardRequest::MakersRevision),
    (
        "+CGSN",
        Form::Execute,
        StandardRequest::SerialNumber(SerialNumber::Plain),
    ),
    ("+CIMI", Form::Execute, StandardRequest::Subscriber),
    ("+LCCID", Form::Execute, StandardRequest::CardId),
    ("+CPIN", Form::Read, StandardRequest::SimStatus),
    ("+CSQ", Form::Execute, StandardRequest::SignalQuality),
    (
        "+CESQ",
        Form::Execute,
        StandardRequest::ExtendedSignalQuality,
    ),
    ("+COPS", Form::Read, StandardRequest::QueryOperator),
    (
        "+CREG",
        Form::Read,
        StandardRequest::QueryRegistration(RegistrationDomain::Circuit),
    ),
    (
        "+CGREG",
        Form::Read,
        StandardRequest::QueryRegistration(RegistrationDomain::Packet),
    ),
    (
        "+CEREG",
        Form::Read,
        StandardRequest::QueryRegistration(RegistrationDomain::Eps),
    ),
    ("+CGATT", Form::Read, StandardRequest::QueryAttach),
    ("+CGPADDR", Form::Execute, StandardRequest::Address(None)),
    ("+CCLK", Form::Read, StandardRequest::QueryClock),
    ("+CMEE", Form::Read, StandardRequest::QueryErrorReports),
    ("+CFUN", Form::Read, StandardRequest::QueryFunctionality),
];

/// Commands with parameters.
const WITH_PARAMETERS: [&str; 10] = [
    "E", "+CGSN", "+CPIN", "+CREG", "+CGREG", "+CEREG", "+CGATT", "+CGPADDR", "+CMEE", "+CFUN",
];

impl StandardRequest {
    /// The longest time from the command to its final result code. 75 s for the attach is
    /// 27.007's and the reference's; 5 s is what a manual allows for a query (reference `lmqtt.md` 1.2), taken over
    /// for all others but those that wait for the SIM or the radio: 15 s (ours).
    pub fn limit(self) -> Duration {
        Duration::from_secs(match self {
            Self::QueryAttach | Self::Attach(_) => 75,
            Self::EnterPin(_) | Self::Functionality { .. } => 15,
            _ => 5,
        })
    }

    /// Whether the answer is free text: any line, and not only one with the command's name.
    pub fn is_answered_by_text(self) -> bool {
        matches!(
            self,
            Self::Identification
                | Self::Manufacturer
                | Self::Model
                | Self::Revision
                | Self::MakersRevision
        )
    }

    /// Appends the command line, from `AT` to the carriage return.
    pub fn encode(self, out: &mut Vec<u8>) {
        let mut parameters = Vec::new();
        let mut writer = ParameterWriter::new(&mut parameters);
        let name = match self {
            Self::Echo(on) => {
                writer.flag(on);
                "E"
            }
            Self::SerialNumber(SerialNumber::Device) => {
                writer.integer(0);
                "+CGSN"
            }
            Self::SerialNumber(SerialNumber::Imei) => {
                writer.integer(1);
                "+CGSN"
            }
            Self::EnterPin(pin) => {
                writer.quoted(pin.expose());
                "+CPIN"
            }
            Self::ReportRegistration(domain, n) => {
                writer.integer(n);
                domain.name()
            }
            Self::Attach(on) => {
                writer.flag(on);
                "+CGATT"
            }
            Self::Address(Some(cid)) => {
                writer.integer(cid);
                "+CGPADDR"
            }
            Self::ErrorReports(n) => {
                writer.integer(n);
                "+CMEE"
            }
            Self::Functionality { level, reset } => {
                writer.integer(level);
                if reset {
                    writer.flag(reset);
                }
                "+CFUN"
            }
            simple => {
                let found = SIMPLE.iter().find(|(.., request)| *request == simple);
                let (name, form, _) =
                    found.expect("a request without parameters stands in the table");
                encode_line(name, *form, out);
                return;
            }
        };
        encode_line(name, Form::Set(&parameters), out);
    }

    /// Reads a command; `None` if it is not one of these.
    ///
    /// # Errors
    /// What is wrong with the command.
    pub fn decode(command: &Command<'_>) -> Option<Result<Self, DecodeError>> {
        let simple = SIMPLE
            .iter()
            .find(|(name, form, _)| command.is(name) && command.form == *form);
        if let Some((.., request)) = simple {
            return Some(Ok(*request));
        }
        let known = SIMPLE.iter().any(|(name, ..)| command.is(name))
            || WITH_PARAMETERS.iter().any(|name| command.is(name));
        match command.form {
            _ if command.is("E") && command.form == Form::Execute => Some(Ok(Self::Echo(false))),
            Form::Set(parameters) if known => Some(Self::decode_set(command, parameters)),
            _ if known => Some(Err(DecodeError::Form)),
            _ => None,
        }
    }

    fn decode_set(command: &Command<'_>, parameters: &[u8]) -> Result<Self, DecodeError> {
        let mut parameters = Parameters::new(parameters);
        let request = if command.is("E") {
            Self::Echo(parameters.flag("value")?)
        } else if command.is("+CGSN") {
            Self::SerialNumber(match parameters.integer("snt", 0, 1)? {
                0u8 => SerialNumber::Device,
                _ => SerialNumber::Imei,
            })
        } else if command.is("+CPIN") {
            let pin = Pin::new(parameters.text("pin", usize::MAX)?);
            Self::EnterPin(pin.map_err(|_| ParameterError::Unknown { name: "pin" })?)
        } else if let Some(domain) = RegistrationDomain::of_command(command) {
            Self::ReportRegistration(domain, parameters.integer("n", 0, domain.most_reports())?)
        } else if command.is("+CGATT") {
            Self::Attach(parameters.flag("state")?)
        } else if command.is("+CGPADDR") {
            Self::Address(Some(parameters.integer("cid", 0, 15)?))
        } else if command.is("+CMEE") {
            Self::ErrorReports(parameters.integer("n", 0, 2)?)
        } else if command.is("+CFUN") {
            let level = parameters.integer("fun", 0, 4)?;
            let reset = parameters.optional_integer::<u8>("rst", 0, 1)?;
            Self::Functionality {
                level,
                reset: reset == Some(1),
            }
        } else {
            return Err(DecodeError::Form);
        };
        parameters.end()?;
        Ok(request)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_request_both_ways() {
        for (line, request) in [
            ("AT\r", StandardRequest::Attention),
            ("ATE0\r", StandardRequest::Echo(false)),
            ("ATE1\r", StandardRequest::Echo(true)),
            ("ATI\r", StandardRequest::Identification),
            ("AT+CGMI\r", StandardRequest::Manufacturer),
            ("AT+CGMM\r", StandardRequest::Model),
            ("AT+CGMR\r", StandardRequest::Revision),
            ("AT+LGMR\r", StandardRequest::MakersRevision),
            (
                "AT+CGSN\r",
                StandardRequest::SerialNumber(SerialNumber::Plain),
            ),
            (
                "AT+CGSN=0\r",
                StandardRequest::SerialNumber(SerialNumber::Device),
            ),
            (
                "AT+CGSN=1\r",
                StandardRequest::SerialNumber(SerialNumber::Imei),
            ),
            ("AT+CIMI\r", StandardRequest::Subscriber),
            ("AT+LCCID\r", StandardRequest::CardId),
            ("AT+CPIN?\r", StandardRequest::SimStatus),
            ("AT+CSQ\r", StandardRequest::SignalQuality),
            (
                "AT+CPIN=\"0123\"\r",
                StandardRequest::EnterPin(Pin::new("0123").unwrap()),
            ),
            ("AT+CESQ\r", StandardRequest::ExtendedSignalQuality),
            ("AT+COPS?\r", StandardRequest::QueryOperator),
            (
                "AT+CREG?\r",
                StandardRequest::QueryRegistration(RegistrationDomain::Circuit),
            ),
            (
                "AT+CGREG=2\r",
                StandardRequest::ReportRegistration(RegistrationDomain::Packet, 2),
            ),
            (
                "AT+CEREG?\r",
                StandardRequest::QueryRegistration(RegistrationDomain::Eps),
            ),
            (
                "AT+CEREG=1\r",
                StandardRequest::ReportRegistration(RegistrationDomain::Eps, 1),
            ),
            ("AT+CGATT?\r", StandardRequest::QueryAttach),
            ("AT+CGATT=1\r", StandardRequest::Attach(true)),
            ("AT+CGPADDR\r", StandardRequest::Address(None)),
            ("AT+CGPADDR=1\r", StandardRequest::Address(Some(1))),
            ("AT+CCLK?\r", StandardRequest::QueryClock),
            ("AT+CMEE?\r", StandardRequest::QueryErrorReports),
            ("AT+CMEE=2\r", StandardRequest::ErrorReports(2)),
            ("AT+CFUN?\r", StandardRequest::QueryFunctionality),
            (
                "AT+CFUN=1\r",
                StandardRequest::Functionality {
                    level: 1,
                    reset: false,
                },
            ),
            (
                "AT+CFUN=0,1\r",
                StandardRequest::Functionality {
                    level: 0,
                    reset: true,
                },
            ),
        ] {
            let mut out = Vec::new();
            request.encode(&mut out);
            assert_eq!(out, line.as_bytes());
            let body = &line.as_bytes()[2..line.len() - 1];
            let (command, rest) = Command::split_first(body, |_| false);
            assert_eq!(StandardRequest::decode(&command), Some(Ok(request)));
            assert!(rest.is_empty());
        }
    }

    #[test]
    fn what_is_no_such_command_or_form_is_refused() {
        let decode = |line: &'static str| {
            StandardRequest::decode(&Command::split_first(line.as_bytes(), |_| false).0)
        };
        assert_eq!(decode("+NOSUCH"), None);
        assert_eq!(decode("+CSQ=1"), Some(Err(DecodeError::Form)));
        assert_eq!(decode("+CPIN"), Some(Err(DecodeError::Form)));
        assert!(matches!(
            decode("+CMEE=3"),
            Some(Err(DecodeError::Parameter(_)))
        ));
        assert!(matches!(
            decode("+CPIN=\"12 4\""),
            Some(Err(DecodeError::Parameter(_)))
        ));
        assert!(matches!(decode("E2"), Some(Err(DecodeError::Parameter(_)))));
    }
}
