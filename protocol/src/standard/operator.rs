use alloc::string::String;
use core::fmt;

use crate::at::parameter::{ParameterError, Parameters};

/// The operator whose network the module uses, and how it was chosen:
/// `+COPS: <mode>[,<format>,"<oper>"[,<AcT>]]` (27.007 section 7.3).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OperatorSelection {
    /// 0 the module chooses, 1 the host has chosen, 2 deregistered, 4 the host's choice first.
    pub mode: u8,
    /// The operator; none while the module is not registered.
    pub operator: Option<Operator>,
}

/// An operator.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Operator {
    /// How the name is written.
    pub format: OperatorFormat,
    /// The name, or the number.
    pub name: String,
    /// Access technology; 7 is LTE, 9 NB-IoT.
    pub technology: Option<u8>,
}

/// How the name of an operator is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OperatorFormat {
    /// 0: the name in full.
    Long,
    /// 1: a short name.
    Short,
    /// 2: country and network code, five or six digits.
    Number,
}

impl OperatorFormat {
    /// From the number on the wire.
    pub fn from_number(number: u8) -> Option<Self> {
        Some(match number {
            0 => Self::Long,
            1 => Self::Short,
            2 => Self::Number,
            _ => return None,
        })
    }

    /// The number on the wire.
    pub fn number(self) -> u8 {
        match self {
            Self::Long => 0,
            Self::Short => 1,
            Self::Number => 2,
        }
    }
}

impl OperatorSelection {
    pub(super) fn decode(parameters: &mut Parameters<'_>) -> Result<Self, ParameterError> {
        let mode = parameters.integer("mode", 0, 255)?;
        let format = parameters.optional_integer("format", 0, 2)?;
        let name = parameters.optional_text("oper", usize::MAX)?;
        let technology = parameters.optional_integer("AcT", 0, 255)?;
        let format = format.and_then(OperatorFormat::from_number);
        Ok(Self {
            mode,
            operator: format.zip(name).map(|(format, name)| Operator {
                format,
                name: name.into(),
                technology,
            }),
        })
    }
}

impl fmt::Display for OperatorSelection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.mode)?;
        let Some(operator) = &self.operator else {
            return Ok(());
        };
        write!(f, ",{},\"{}\"", operator.format.number(), operator.name)?;
        let mut technology = operator.technology.iter();
        technology.try_for_each(|technology| write!(f, ",{technology}"))
    }
}
