//! AT framing and typed MQTT requests and result codes, in both directions, without I/O.
