use alloc::format;
use alloc::string::String;

/// A command from the platform, by the topic it came on (seen in the platform's SDK).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Command<'a> {
    /// The id that the answer goes back under.
    pub id: &'a str,
}

impl<'a> Command<'a> {
    /// Reads `$creq/<id>`, or `$creq/<name>/<id>`. `None` for any other topic.
    pub fn from_topic(topic: &'a str) -> Option<Self> {
        let path = topic.strip_prefix("$creq/")?;
        let id = match path.split_once('/') {
            Some(("", _)) => return None,
            Some((_, id)) => id,
            None => path,
        };
        let is_id = !id.is_empty() && !id.contains('/');
        is_id.then_some(Self { id })
    }

    /// Where the answer is published, with any payload and quality of service 0 or 1.
    pub fn response_topic(&self) -> String {
        format!("$crsp/{}", self.id)
    }
}
