//! What the module is.

use super::{Action, Definition, Field};
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
            Ok(tell(modem, |identity| &identity.model))
        })),
    Definition::plain("+CGMI", Action::Shared),
    Definition::plain("+CGMM", Action::Shared),
    Definition::plain("+CGMR", Action::Shared),
    Definition::plain("+LGMR", Action::Shared),
    Definition::new("+CGSN")
        .test(Action::Line("(0,1)"))
        .execute(Action::Shared)
        .set(Action::Shared),
    // V.250's names of the same.
    Definition::plain(
        "+GMI",
        Action::Run(|modem, _, _| Ok(tell(modem, |identity| &identity.manufacturer))),
    ),
    Definition::plain(
        "+GMM",
        Action::Run(|modem, _, _| Ok(tell(modem, |identity| &identity.model))),
    ),
    Definition::plain(
        "+GMR",
        Action::Run(|modem, _, _| Ok(tell(modem, |identity| &identity.revision))),
    ),
    Definition::plain(
        "+GSN",
        Action::Run(|modem, _, _| Ok(tell(modem, |identity| &identity.imei))),
    ),
    // Modem managers tell an LTE module by these words (inferred: V.250 section 6.1.9 and what
    // they look for).
    Definition::plain("+GCAP", Action::Line("+CGSM,+CLTE")),
    // 28 is E-UTRAN only (27.007 section 5.9).
    Definition::stored("+WS46", &[Field::Number(&[(28, 28)], 28)]),
    Definition::stored("+CSCS", &[Field::Word(&["IRA", "GSM", "UCS2"])]),
    Definition::plain("+CPAS", Action::Line("0")).test(Action::Line("(0,3,4)")),
];

fn tell(modem: &mut Modem, which: impl Fn(&Identity) -> &str) -> Done {
    let text = which(&modem.profile.identity).to_owned();
    modem.say_line(text);
    Done::Answered
}
