//! Frames of the AWS event stream.
//!
//! | bytes | hold |
//! | --- | --- |
//! | 4 | length of the frame, big-endian as all numbers here |
//! | 4 | length of the headers |
//! | 4 | CRC-32 of the eight bytes before |
//! | … | headers: length of the name in one byte, name, `7` for a string, length in two bytes, string |
//! | … | payload |
//! | 4 | CRC-32 of everything before |
//!
//! Only what the provider sends: headers that are strings, and payloads of JSON.

use bytes::{BufMut as _, Bytes, BytesMut};

/// Lengths and checksums of a frame, without its headers and its payload.
const FRAME_BYTES: usize = 16;
const STRING: u8 = 7;

/// Which of the two kinds of frame it is. An exception ends the stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Message {
    Event,
    Exception,
}

/// Returns the frame of an event or an exception of that type.
pub(crate) fn frame(message: Message, kind: &str, payload: &[u8]) -> Bytes {
    let (kind_name, message) = match message {
        Message::Event => (":event-type", "event"),
        Message::Exception => (":exception-type", "exception"),
    };
    let mut headers = BytesMut::new();
    for (name, value) in [
        (kind_name, kind),
        (":content-type", "application/json"),
        (":message-type", message),
    ] {
        put_header(&mut headers, name, value);
    }
    let length = FRAME_BYTES + headers.len() + payload.len();
    let mut frame = BytesMut::with_capacity(length);
    frame.put_u32(u32::try_from(length).unwrap_or(u32::MAX));
    frame.put_u32(u32::try_from(headers.len()).unwrap_or(u32::MAX));
    frame.put_u32(crc(&frame));
    frame.put(headers);
    frame.put(payload);
    frame.put_u32(crc(&frame));
    frame.freeze()
}

/// Adds a header. Names and values are words of this crate, all shorter than their length field allows.
fn put_header(headers: &mut BytesMut, name: &str, value: &str) {
    headers.put_u8(u8::try_from(name.len()).unwrap_or(u8::MAX));
    headers.put(name.as_bytes());
    headers.put_u8(STRING);
    headers.put_u16(u16::try_from(value.len()).unwrap_or(u16::MAX));
    headers.put(value.as_bytes());
}

fn crc(bytes: &[u8]) -> u32 {
    let mut crc = flate2::Crc::new();
    crc.update(bytes);
    crc.sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_checksum_is_the_common_one() {
        assert_eq!(crc(b"123456789"), 0xCBF4_3926);
    }

    #[test]
    fn an_event_has_the_bytes_of_the_wire() {
        let frame = frame(
            Message::Event,
            "assistantResponseEvent",
            br#"{"content":"Hi"}"#,
        );
        let mut expect = b"\x00\x00\x00\x7c\x00\x00\x00\x5c\x3b\xdd\xcf\x78".to_vec();
        expect.extend_from_slice(b"\x0b:event-type\x07\x00\x16assistantResponseEvent");
        expect.extend_from_slice(b"\x0d:content-type\x07\x00\x10application/json");
        expect.extend_from_slice(b"\x0d:message-type\x07\x00\x05event");
        expect.extend_from_slice(b"{\"content\":\"Hi\"}\xb0\x2b\xab\xdc");
        assert_eq!(&*frame, &*expect);
    }

    #[test]
    fn an_exception_says_so() {
        let frame = frame(Message::Exception, "throttlingException", b"{}");
        let holds = |text: &[u8]| frame.windows(text.len()).any(|window| window == text);
        assert!(holds(b"\x0f:exception-type\x07\x00\x13throttlingException"));
        assert!(holds(b"\x0d:message-type\x07\x00\x09exception"));
    }
}
