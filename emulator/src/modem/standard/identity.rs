//! What the module is.

use super::{Action, Definition};
use crate::modem::Modem;
use crate::modem::command::Done;
use crate::profile::Identity;

pub(super) const COMMANDS: &[Definition] = &[
    Definition::new("I")
        .execute(Action::Shared)
        .set(Action::Run(|modem, parameters, _| {
            // Dialers ask ATI0 to ATI9 and take what they get.
            parameters.integer::<u8>("value", 0, 9)?;
            parameters.end()?;
            modem.tell_information();
            Ok(Done::Answered)
        })),
    Definition::new("+CGMI").execute(Action::Shared),
    Definition::new("+CGMM").execute(Action::Shared),
    Definition::new("+CGMR").execute(Action::Shared),
    Definition::new("+LGMR").execute(Action::Shared),
    Definition::new("+CGSN")
        .execute(Action::Shared)
        .set(Action::Shared),
    // V.250's names of the same.
    Definition::new("+GMI").execute(Action::Run(|modem, _, _| {
        Ok(tell(modem, |identity| &identity.manufacturer))
    })),
    Definition::new("+GMM").execute(Action::Run(|modem, _, _| {
        Ok(tell(modem, |identity| &identity.model))
    })),
    Definition::new("+GMR").execute(Action::Run(|modem, _, _| {
        Ok(tell(modem, |identity| &identity.revision))
    })),
    Definition::new("+GSN").execute(Action::Run(|modem, _, _| {
        Ok(tell(modem, |identity| &identity.imei))
    })),
    // Modem managers tell an LTE module by these words (inferred: V.250 section 6.1.9 and what
    // they look for).
    Definition::new("+GCAP").execute(Action::Line("+CGSM,+CLTE")),
    Definition::new("+WS46"),
    Definition::new("+CSCS"),
    Definition::new("+CPAS").execute(Action::Line("0")),
];

impl Modem {
    pub(in crate::modem) fn tell_information(&mut self) {
        self.say_line(self.profile.identity.information());
    }
}

fn tell(modem: &mut Modem, which: impl Fn(&Identity) -> &str) -> Done {
    let text = which(&modem.profile.identity).to_owned();
    modem.say_line(text);
    Done::Answered
}

#[cfg(test)]
mod tests {
    use std::time::{Instant, SystemTime};

    use crate::{Profile, modem::Modem};

    #[test]
    fn a_profile_says_what_answers_ati() {
        let lines = "[\"{manufacturer}\", \"Revision: {revision}\", \"\", \"IMEI: {imei}\"]";
        let text = format!("base = \"nt26\"\n[identity]\ninformation = {lines}\n");
        let several = "\r\nLierda\r\nRevision: REV\r\n\r\nIMEI: 004999010640000\r\n\r\nOK\r\n";
        let profile = Profile::parse(&text).unwrap();
        let several = several.replace("REV", &profile.identity.revision);
        for (profile, expected) in [
            (profile, &*several),
            (Profile::nt26(), "\r\nNT26KCN\r\n\r\nOK\r\n"),
        ] {
            let now = Instant::now();
            let mut modem = Modem::new(profile.instant(), 0, now, SystemTime::now());
            modem.receive(b"ATE0\r", now);
            modem.poll_transmit();
            for line in [&b"ATI\r"[..], b"ATI0\r"] {
                modem.receive(line, now);
                let heard = modem.poll_transmit().unwrap();
                assert_eq!(String::from_utf8_lossy(&heard), expected);
            }
        }
    }
}
