use super::{Key, Param, Spec};
use crate::at::parameter::{ParameterError, Parameters};
use crate::limits::Limits;

/// Reads what stands behind a command, one value after another, each as the table has it: its name
/// in errors, its range, how long it may be.
#[derive(Debug, Clone)]
pub struct Values<'a, 'l> {
    parameters: Parameters<'a>,
    limits: &'l Limits,
    spec: &'static Spec,
    /// The setting that it is about, where there are keys.
    key: Option<&'static Key>,
    place: usize,
    /// What the last value is called.
    name: &'static str,
}

impl Spec {
    /// Over the bytes behind `=`.
    pub fn values<'a, 'l>(&'static self, bytes: &'a [u8], limits: &'l Limits) -> Values<'a, 'l> {
        Values {
            parameters: Parameters::new(bytes),
            limits,
            spec: self,
            key: None,
            place: 0,
            name: self.name,
        }
    }
}

impl<'a> Values<'a, '_> {
    /// Whether every value has been read.
    pub fn is_empty(&self) -> bool {
        self.parameters.is_empty()
    }

    /// Errors unless every value has been read.
    pub fn end(&self) -> Result<(), ParameterError> {
        self.parameters.end()
    }

    /// Everything not yet read, commas and quotes included; `None` at the end.
    pub fn rest(&mut self) -> Option<&'a [u8]> {
        self.parameters.rest()
    }

    /// What is not yet read, for a look ahead.
    pub fn ahead(&self) -> Parameters<'a> {
        self.parameters.clone()
    }

    /// What the module accepts.
    pub fn limits(&self) -> &Limits {
        self.limits
    }

    /// The next value of the table is not there.
    pub fn pass(&mut self) {
        self.place += 1;
    }

    fn param(&mut self) -> Result<&'static Param, ParameterError> {
        let spec = self.spec;
        let place = spec.once(self.place);
        self.place += 1;
        let behind = || self.key?.values.get(place - spec.parameters.len());
        let param = spec.parameters.get(place).or_else(behind);
        let param = param.ok_or(ParameterError::TooMany)?;
        self.name = param.name;
        Ok(param)
    }

    /// The setting that the command is about. It decides which values follow.
    pub fn key(&mut self) -> Result<&'static Key, ParameterError> {
        let name = self.param()?.name;
        self.key = self.spec.key(self.parameters.required(name)?);
        self.known(self.key)
    }

    /// A number that the table has there.
    pub fn integer<T: TryFrom<i64>>(&mut self) -> Result<T, ParameterError> {
        let param = self.param()?;
        let ranges = param.ranges(self.limits);
        let min = ranges.first().map_or(i64::MIN, |(min, _)| *min);
        let max = ranges.last().map_or(i64::MAX, |(_, max)| *max);
        let value: i64 = self.parameters.integer(param.name, min, max)?;
        let between = |(min, max): &(i64, i64)| (*min..=*max).contains(&value);
        let good = ranges.is_empty() || ranges.iter().any(between);
        self.known(good.then(|| T::try_from(value).ok()).flatten())
    }

    /// A number from 0 on, where the module takes others than its test form shows.
    pub fn integer_up_to<T: TryFrom<i64>>(&mut self, max: i64) -> Result<T, ParameterError> {
        let name = self.param()?.name;
        self.parameters.integer(name, 0, max)
    }

    /// A number that the table has there, or `None` if it is left out.
    pub fn optional_integer<T: TryFrom<i64>>(&mut self) -> Result<Option<T>, ParameterError> {
        match self.is_left_out() {
            true => Ok(None),
            false => self.integer().map(Some),
        }
    }

    /// A switch: 0 is off, 1 is on.
    pub fn flag(&mut self) -> Result<bool, ParameterError> {
        Ok(self.integer::<u8>()? == 1)
    }

    /// UTF-8 text that is no longer than the table has it; it may be empty.
    pub fn text(&mut self) -> Result<&'a str, ParameterError> {
        let param = self.param()?;
        let longest = param.longest(self.limits).unwrap_or(usize::MAX);
        self.parameters.text(param.name, longest)
    }

    /// Text that is not empty.
    pub fn filled_text(&mut self) -> Result<&'a str, ParameterError> {
        match self.text()? {
            "" => Err(ParameterError::Empty { name: self.name }),
            text => Ok(text),
        }
    }

    /// Text, or `None` if it is left out.
    pub fn optional_text(&mut self) -> Result<Option<&'a str>, ParameterError> {
        match self.is_left_out() {
            true => Ok(None),
            false => self.text().map(Some),
        }
    }

    /// One of the words that something is known by; `None` if it is left out or empty.
    pub fn optional_word<T>(
        &mut self,
        meaning: impl Fn(&str) -> Option<T>,
    ) -> Result<Option<T>, ParameterError> {
        match self.optional_text()?.unwrap_or_default() {
            "" => Ok(None),
            word => self.known(meaning(word)).map(Some),
        }
    }

    /// What the value just read means; an error if it means nothing.
    pub fn known<T>(&self, meaning: Option<T>) -> Result<T, ParameterError> {
        meaning.ok_or(ParameterError::Unknown { name: self.name })
    }

    fn is_left_out(&mut self) -> bool {
        let left_out = self.parameters.skip_omitted();
        self.place += usize::from(left_out);
        left_out
    }
}
