//! The HTTP client; what the commands do stands in [`crate::modem::http`].

use super::{Action, Definition};
use crate::modem::http;

pub(super) const COMMANDS: &[Definition] = &[
    Definition::new("+LHTTPCFG")
        .test(Action::Run(http::describe))
        .set(Action::Run(http::configure)),
    Definition::new("+LHTTPURL")
        .test(Action::Line("(1-700),(1-65535)"))
        .read(Action::Run(http::tell_url))
        .set(Action::Run(http::take_url)),
    Definition::new("+LHTTPGET")
        .test(Action::Line("(1-65535),(1-16384),(1-65535)"))
        .execute(Action::Run(http::get))
        .set(Action::Run(http::get))
        .acts(),
    Definition::new("+LHTTPGETEX")
        .test(Action::Line("(1-65535),(0-4294967295),(1-4294967295)"))
        .set(Action::Run(http::get_range))
        .acts(),
    Definition::new("+LHTTPPOST")
        .test(Action::Line("(1-16384),(1-65535),(1-65535)"))
        .set(Action::Run(http::post))
        .acts(),
    Definition::new("+LHTTPREAD")
        .test(Action::Line("(1-65535)"))
        .execute(Action::Run(http::read))
        .set(Action::Run(http::read))
        .acts(),
    Definition::plain("+LHTTPSTOP", Action::Run(http::stop)),
];
