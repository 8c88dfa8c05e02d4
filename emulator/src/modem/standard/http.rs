//! The HTTP client; what the commands do stands in [`crate::modem::http`].

use super::{Action, Definition};
use crate::modem::http;

pub(super) const COMMANDS: &[Definition] = &[
    Definition::new("+LHTTPCFG").set(Action::Run(http::configure)),
    Definition::new("+LHTTPURL")
        .read(Action::Run(http::tell_url))
        .set(Action::Run(http::take_url)),
    Definition::new("+LHTTPGET")
        .execute(Action::Run(http::get))
        .set(Action::Run(http::get)),
    Definition::new("+LHTTPGETEX").set(Action::Run(http::get_range)),
    Definition::new("+LHTTPPOST").set(Action::Run(http::post)),
    Definition::new("+LHTTPREAD")
        .execute(Action::Run(http::read))
        .set(Action::Run(http::read)),
    Definition::new("+LHTTPSTOP").execute(Action::Run(http::stop)),
];
