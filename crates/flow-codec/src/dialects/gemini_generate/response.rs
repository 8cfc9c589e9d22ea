//! Responses: whole ones, and the chunks of a stream, which have the same shape.

use flow_model::Part;

use crate::answer::{Answer, Call, Piece, Speech};
use crate::dialects::merge;
use crate::json::{Json, Kind, Text};

use super::partial::PartialArgs;
use super::{RawPart, fields, finish_reason, owned, same_name, signature_part, stop_reason};

/// Reads the chunks of a stream.
#[derive(Clone, Debug, Default)]
pub(crate) struct Stream {
    /// The call whose arguments arrive in pieces: the answer's number and the arguments so far.
    partial: Option<(u64, PartialArgs)>,
}

/// Reads a whole response; the cursor stands at the object.
pub(crate) fn read_whole(json: &mut Json<'_>, answer: &mut Answer) {
    let mut stream = Stream::default();
    stream.event(json, answer);
    stream.finish(answer);
}

// === impl Stream ===

impl Stream {
    /// Reads one chunk; the cursor stands at its object.
    pub(crate) fn event(&mut self, json: &mut Json<'_>, answer: &mut Answer) {
        while let Some(name) = json.member() {
            let is = |known: &str| same_name(&name, known);
            match json.kind() {
                Kind::String if is("responseId") => first(&mut answer.id, json),
                Kind::String if is("modelVersion") => first(&mut answer.model, json),
                Kind::Object if is("usageMetadata") => answer.count(json),
                Kind::Object if is("promptFeedback") => {
                    if let Some([Some(mut reason)]) = fields(json, ["blockReason"]) {
                        answer.block_reason = reason.word();
                    }
                }
                Kind::Object if is("error") => {
                    let error = json.error_value();
                    answer.fail(&error);
                }
                Kind::Array if is("candidates") => {
                    json.array();
                    while json.element() {
                        self.candidate(json, answer);
                    }
                }
                _ => {}
            }
        }
    }

    /// Ends a call whose last piece did not come.
    pub(crate) fn finish(&mut self, answer: &mut Answer) {
        self.close_call(answer);
    }

    fn candidate(&mut self, json: &mut Json<'_>, answer: &mut Answer) {
        let names = [
            "index",
            "content",
            "finishReason",
            "logprobsResult",
            "citationMetadata",
            "groundingMetadata",
        ];
        let Some([index, content, reason, logprobs, citations, grounding]) = fields(json, names)
        else {
            return;
        };
        let index = index.and_then(|mut index| index.number()).unwrap_or(0);
        answer.draft(index);
        if let Some([Some(mut parts)]) = content.and_then(|mut json| fields(&mut json, ["parts"]))
            && parts.array()
        {
            while parts.element() {
                self.part(index, &mut parts, answer);
            }
        }
        cite(index, citations, grounding, answer);
        let logprobs = logprobs.and_then(|mut logprobs| answer.keep(&mut logprobs));
        let reason = reason.and_then(|mut reason| finish_reason(&mut reason));
        let Some(draft) = answer.draft(index) else {
            return;
        };
        if let Some(reason) = reason {
            draft.stop = Some(stop_reason(&reason));
            draft.stop_reason = Some(reason);
        }
        if let Some(logprobs) = logprobs {
            merge(&mut draft.logprobs, logprobs);
        }
    }

    fn part(&mut self, index: u64, json: &mut Json<'_>, answer: &mut Answer) {
        let document = json.document();
        let bytes = json.width();
        let Some(raw) = RawPart::read(json) else {
            return;
        };
        let text = raw.text.and_then(|mut text| text.string());
        if raw.thought {
            if let Some(token) = text {
                answer.say(index, Speech::Thinking, token, document);
            }
            if raw.signed {
                sign_thought(index, answer);
            }
        } else {
            if raw.signed {
                answer.part(index, signature_part(), 0);
            }
            if let Some(token) = text {
                answer.say(index, Speech::Text, token, document);
            }
        }
        if let Some(mut call) = raw.call {
            self.call(index, &mut call, answer);
        }
        if let Some(other) = raw.other {
            // The bytes of media stay in the body, so they do not count as kept.
            let kept = match &other {
                Part::Image { .. } | Part::Audio { .. } | Part::File { .. } => 0,
                _ => bytes,
            };
            answer.part(index, other, kept);
        }
    }

    fn call(&mut self, index: u64, json: &mut Json<'_>, answer: &mut Answer) {
        let bytes = json.width();
        let names = ["name", "id", "args", "partialArgs", "willContinue"];
        let Some([name, id, args, pieces, more]) = fields(json, names) else {
            return;
        };
        if !answer.admits(bytes) {
            return;
        }
        let name = owned(name).filter(|name| !name.is_empty());
        let continues = self
            .partial
            .as_ref()
            .is_some_and(|(open, _)| *open == index);
        if name.is_some() || !continues {
            self.close_call(answer);
            let whole = args.map(|mut args| args.compact());
            let draft = answer.draft(index);
            let pushed = draft.and_then(|draft| {
                draft.push(Piece::Call(Call {
                    id: owned(id),
                    name: name.unwrap_or_default(),
                    initial: Some(whole.clone().unwrap_or_else(|| "{}".to_owned())),
                    ..Call::default()
                }))
            });
            if pushed.is_none() {
                return;
            }
            if whole.is_some() {
                answer.spoke();
            }
            self.partial = Some((index, PartialArgs::default()));
        }
        if let (Some(mut pieces), Some((_, partial))) = (pieces, &mut self.partial)
            && partial.read(&mut pieces)
        {
            answer.spoke();
        }
        if more.and_then(|mut more| more.bool()) != Some(true) {
            self.close_call(answer);
        }
    }

    /// Writes the arguments that came in pieces into their call.
    fn close_call(&mut self, answer: &mut Answer) {
        let Some((index, partial)) = self.partial.take() else {
            return;
        };
        let call = answer
            .draft(index)
            .and_then(|draft| draft.calls().next_back());
        if let (Some(call), Some(text)) = (call, partial.text()) {
            call.arguments = Text::from(text);
        }
    }
}

fn first(slot: &mut Option<String>, json: &mut Json<'_>) {
    if slot.is_none() {
        *slot = json.owned().filter(|text| !text.is_empty());
    }
}

/// Marks the last thought as signed; a signature without a thought stands for one without text.
fn sign_thought(index: u64, answer: &mut Answer) {
    let last = answer
        .draft(index)
        .and_then(|draft| draft.pieces.last_mut());
    match last {
        Some(Piece::Thinking { signed, .. }) if !*signed => *signed = true,
        _ => answer.part(index, signature_part(), 0),
    }
}

/// Attaches the sources of an answer to its text.
fn cite(index: u64, citations: Option<Json<'_>>, grounding: Option<Json<'_>>, answer: &mut Answer) {
    let cited = citations.and_then(|mut json| fields(&mut json, ["citations", "citationSources"]));
    let [one, other] = cited.unwrap_or_default();
    let chunks = grounding.and_then(|mut json| fields(&mut json, ["groundingChunks"]));
    let [chunks] = chunks.unwrap_or_default();
    for mut list in [one.or(other), chunks].into_iter().flatten() {
        if list.array() {
            while list.element() {
                answer.cite(index, &mut list);
            }
        }
    }
}
