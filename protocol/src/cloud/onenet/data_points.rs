use alloc::collections::BTreeMap;
use alloc::string::String;
use alloc::vec::Vec;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::frame::{DataType, Rest, json, push_counted, push_data, push_text, short};
use super::{FrameError, TextPoints, Time};

/// The bit of the first byte that tells of a time before the rest.
const WITH_TIME: u8 = 0x80;

/// Data points for [`DATA_POINTS`](super::DATA_POINTS), one variant for each type of frame (seen
/// in the platform's SDK).
///
/// | type | frame |
/// |---|---|
/// | 1 | `01`, length of two bytes, JSON of streams and their points |
/// | 2 | `02`, length of two bytes, JSON that describes the data, length of four bytes, the data |
/// | 3 | `03`, length of two bytes, `{"temperature":22.5}` |
/// | 4 | `04`, length of two bytes, `{"temperature":{"2015-03-22 22:31:12":22.5}}` |
/// | 5 | `05`, length of two bytes, `,;temperature,2015-03-22 22:31:12,22.5;pm2.5,89` |
/// | 6 | `06`, or `86` and six bytes of time; length and text as 5 |
/// | 7 | `07`, or `87` and six bytes of time; number of the stream, count, `f32` low byte first |
///
/// Other numbers have their high byte first.
#[derive(Debug, Clone, PartialEq)]
pub enum DataPoints {
    /// 1: streams and their points, each with its time.
    Json(Vec<Stream>),
    /// 2: any bytes, such as a picture.
    Binary {
        /// The stream they belong to.
        stream: String,
        /// When they were taken.
        at: Option<Time>,
        /// What they are, in the platform's `desc`; null is as none.
        description: Option<Value>,
        /// The bytes, up to 4 GiB.
        data: Vec<u8>,
    },
    /// 3: a value for each stream.
    Simple(Map<String, Value>),
    /// 4: values for each stream, by their time.
    SimpleWithTime(BTreeMap<String, BTreeMap<Time, Value>>),
    /// 5: text with separators.
    Text(TextPoints),
    /// 6: the same, and perhaps one time for all.
    TextWithTime {
        /// The time.
        at: Option<Time>,
        /// The points.
        points: TextPoints,
    },
    /// 7: numbers of one stream.
    Floats {
        /// The time of all.
        at: Option<Time>,
        /// The number of the stream.
        stream: u16,
        /// At most 65,535 numbers.
        values: Vec<f32>,
    },
}

/// A stream of [`DataPoints::Json`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Stream {
    /// What it is called.
    pub id: String,
    /// Its points.
    #[serde(rename = "datapoints")]
    pub points: Vec<Point>,
}

/// A point of a [`Stream`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Point {
    /// When it was measured; without it the platform takes the time of arrival.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at: Option<Time>,
    /// What was measured.
    pub value: Value,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Streams {
    datastreams: Vec<Stream>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Description {
    ds_id: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    at: Option<Time>,
    #[serde(default, skip_serializing_if = "is_nothing")]
    desc: Option<Value>,
}

fn is_nothing(value: &Option<Value>) -> bool {
    value.as_ref().is_none_or(Value::is_null)
}

impl DataPoints {
    /// A value for each stream, as type 3.
    pub fn simple(values: impl IntoIterator<Item = (impl Into<String>, impl Into<Value>)>) -> Self {
        let values = values.into_iter();
        Self::Simple(
            values
                .map(|(stream, value)| (stream.into(), value.into()))
                .collect(),
        )
    }

    /// A value of a stream at a time, as type 4.
    pub fn timed(stream: impl Into<String>, at: Time, value: impl Into<Value>) -> Self {
        let points = BTreeMap::from([(at, value.into())]);
        Self::SimpleWithTime(BTreeMap::from([(stream.into(), points)]))
    }

    /// Which type of frame they are written as.
    pub fn data_type(&self) -> DataType {
        match self {
            Self::Json(_) => DataType::Json,
            Self::Binary { .. } => DataType::Binary,
            Self::Simple(_) => DataType::Simple,
            Self::SimpleWithTime(_) => DataType::SimpleWithTime,
            Self::Text(_) => DataType::Text,
            Self::TextWithTime { .. } => DataType::TextWithTime,
            Self::Floats { .. } => DataType::Floats,
        }
    }

    /// The payload to publish.
    ///
    /// # Errors
    /// The frame cannot carry them: the JSON or text has more than 65,535 bytes, a part of a text
    /// holds a separator, there is no such time.
    pub fn encode(&self) -> Result<Vec<u8>, FrameError> {
        let first = self.data_type() as u8;
        let mut out = Vec::new();
        match self {
            Self::Json(streams) => {
                let streams = Streams {
                    datastreams: streams.clone(),
                };
                push_counted(first, &to_json(&streams)?, &mut out)?;
            }
            Self::Binary {
                stream,
                at,
                description,
                data,
            } => {
                let description = Description {
                    ds_id: stream.clone(),
                    at: *at,
                    desc: description.clone(),
                };
                push_counted(first, &to_json(&description)?, &mut out)?;
                push_data(data, &mut out)?;
            }
            Self::Simple(values) => push_counted(first, &to_json(values)?, &mut out)?,
            Self::SimpleWithTime(values) => push_counted(first, &to_json(values)?, &mut out)?,
            Self::Text(points) => push_counted(first, points.encode()?.as_bytes(), &mut out)?,
            Self::TextWithTime { at, points } => {
                push_time(first, *at, &mut out)?;
                push_text(points.encode()?.as_bytes(), &mut out)?;
            }
            Self::Floats { at, stream, values } => {
                push_time(first, *at, &mut out)?;
                let count = short("the list of numbers", values.len())?;
                out.extend(stream.to_be_bytes());
                out.extend(count.to_be_bytes());
                out.extend(values.iter().flat_map(|value| value.to_le_bytes()));
            }
        }
        Ok(out)
    }

    /// Reads a payload.
    ///
    /// # Errors
    /// It is no frame of the types 1 to 7.
    pub fn decode(payload: &[u8]) -> Result<Self, FrameError> {
        let mut rest = Rest(payload);
        let [first] = rest.array()?;
        let unknown = FrameError::DataType(first);
        let data_type = DataType::from_number(first & !WITH_TIME).ok_or(unknown.clone())?;
        let at = match (first & WITH_TIME != 0, data_type) {
            (false, _) => None,
            (true, DataType::TextWithTime | DataType::Floats) => {
                Some(Time::from_bytes(rest.array()?)?)
            }
            (true, _) => return Err(unknown),
        };
        let points = match data_type {
            DataType::Json => Self::Json(from_json::<Streams>(rest.text()?)?.datastreams),
            DataType::Binary => {
                let Description { ds_id, at, desc } = from_json(rest.text()?)?;
                let length = u32::from_be_bytes(rest.array()?);
                // More than the address space holds is not there either.
                let data = rest.take(usize::try_from(length).unwrap_or(usize::MAX))?;
                Self::Binary {
                    stream: ds_id,
                    at,
                    description: desc,
                    data: data.to_vec(),
                }
            }
            DataType::Simple => Self::Simple(from_json(rest.text()?)?),
            DataType::SimpleWithTime => Self::SimpleWithTime(from_json(rest.text()?)?),
            DataType::Text => Self::Text(TextPoints::decode(rest.text()?)?),
            DataType::TextWithTime => Self::TextWithTime {
                at,
                points: TextPoints::decode(rest.text()?)?,
            },
            DataType::Floats => {
                let (stream, count) = (rest.short()?, rest.short()?);
                let values = rest.take(usize::from(count) * 4)?;
                let values = values.chunks_exact(4).map(|value| {
                    f32::from_le_bytes(value.try_into().expect("a chunk has four bytes"))
                });
                Self::Floats {
                    at,
                    stream,
                    values: values.collect(),
                }
            }
        };
        rest.end()?;
        Ok(points)
    }
}

/// First byte, and six bytes of time if there is one.
fn push_time(first: u8, at: Option<Time>, out: &mut Vec<u8>) -> Result<(), FrameError> {
    match at {
        None => out.push(first),
        Some(time) => {
            out.push(first | WITH_TIME);
            out.extend(time.to_bytes()?);
        }
    }
    Ok(())
}

fn to_json(value: &impl Serialize) -> Result<Vec<u8>, FrameError> {
    serde_json::to_vec(value).map_err(json)
}

fn from_json<T: DeserializeOwned>(text: &[u8]) -> Result<T, FrameError> {
    serde_json::from_slice(text).map_err(json)
}
