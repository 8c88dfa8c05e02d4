use core::fmt;

use crate::at::parameter::{ParameterError, Parameters};

/// Received signal strength and bit error rate: `+CSQ: <rssi>,<ber>` (27.007 section 8.5).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SignalQuality {
    /// 0 to 31, or 99 if unknown.
    pub rssi: u8,
    /// 0 to 7, or 99 if unknown.
    pub ber: u8,
}

impl SignalQuality {
    /// The signal strength in dBm: -113 for 0, 2 dB a step.
    pub fn rssi_dbm(self) -> Option<i16> {
        (self.rssi <= 31).then(|| i16::from(self.rssi) * 2 - 113)
    }

    pub(super) fn decode(parameters: &mut Parameters<'_>) -> Result<Self, ParameterError> {
        Ok(Self {
            rssi: parameters.integer("rssi", 0, 255)?,
            ber: parameters.integer("ber", 0, 255)?,
        })
    }
}

impl fmt::Display for SignalQuality {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{},{}", self.rssi, self.ber)
    }
}

/// What the module measures of its cell: `+CESQ: <rxlev>,<ber>,<rscp>,<ecno>,<rsrq>,<rsrp>`
/// (27.007 section 8.69). LTE has the last two.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ExtendedSignalQuality {
    /// GSM: 0 to 63, or 99 if unknown.
    pub rxlev: u8,
    /// GSM: 0 to 7, or 99 if unknown.
    pub ber: u8,
    /// UMTS: 0 to 96, or 255 if unknown.
    pub rscp: u8,
    /// UMTS: 0 to 49, or 255 if unknown.
    pub ecno: u8,
    /// LTE, reference signal received quality: 0 to 34, or 255 if unknown.
    pub rsrq: u8,
    /// LTE, reference signal received power: 0 to 97, or 255 if unknown.
    pub rsrp: u8,
}

impl ExtendedSignalQuality {
    /// Of LTE alone, in the steps of the wire.
    pub fn lte(rsrq: u8, rsrp: u8) -> Self {
        Self {
            rxlev: 99,
            ber: 99,
            rscp: 255,
            ecno: 255,
            rsrq,
            rsrp,
        }
    }

    /// The power of the reference signal in dBm, -140 to -43; the upper end of a step of 1 dB.
    pub fn rsrp_dbm(self) -> Option<i16> {
        (self.rsrp <= 97).then(|| i16::from(self.rsrp) - 140)
    }

    /// The quality of the reference signal in dB, -19.5 to -2.5; the upper end of a step of
    /// 0.5 dB.
    pub fn rsrq_db(self) -> Option<f32> {
        (self.rsrq <= 34).then(|| f32::from(self.rsrq) * 0.5 - 19.5)
    }

    pub(super) fn decode(parameters: &mut Parameters<'_>) -> Result<Self, ParameterError> {
        let mut number = |name| parameters.integer(name, 0, 255);
        Ok(Self {
            rxlev: number("rxlev")?,
            ber: number("ber")?,
            rscp: number("rscp")?,
            ecno: number("ecno")?,
            rsrq: number("rsrq")?,
            rsrp: number("rsrp")?,
        })
    }
}

impl fmt::Display for ExtendedSignalQuality {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            rxlev,
            ber,
            rscp,
            ecno,
            rsrq,
            rsrp,
        } = self;
        write!(f, "{rxlev},{ber},{rscp},{ecno},{rsrq},{rsrp}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_signal_is_told_in_dbm() {
        let dbm = |rssi| SignalQuality { rssi, ber: 99 }.rssi_dbm();
        assert_eq!(dbm(0), Some(-113));
        assert_eq!(dbm(31), Some(-51));
        assert_eq!(dbm(99), None);
    }

    #[test]
    fn the_reference_signal_is_told_in_dbm_and_db() {
        let told = |rsrq, rsrp| {
            let quality = ExtendedSignalQuality::lte(rsrq, rsrp);
            (quality.rsrq_db(), quality.rsrp_dbm())
        };
        assert_eq!(told(0, 0), (Some(-19.5), Some(-140)));
        assert_eq!(told(23, 55), (Some(-8.0), Some(-85)));
        assert_eq!(told(34, 97), (Some(-2.5), Some(-43)));
        assert_eq!(told(255, 255), (None, None));
        assert_eq!(told(35, 98), (None, None));
    }
}
