//! A provider of language models that is not one, and agents that talk to it.
//!
//! [`FakeProvider`] answers as OpenAI, Anthropic, Gemini, Ollama, Cohere, Bedrock and Kiro do (see [`Api`]), from
//! conversations that stand in `conversations/` of this crate. Tests ask it to misbehave (see [`Behaviour`]) and read
//! in its [`Exchange`] log what it received and sent. [`demo`] plays several agents against it, through a proxy in
//! between.
//!
//! Nothing here is meant for untrusted networks: it has no authentication and does what a request asks of it.

mod answer;
mod ask;
mod behaviour;
mod bench;
mod coding;
mod conversation;
mod delivery;
pub mod demo;
mod digest;
mod event_stream;
mod log;
mod plan;
mod provider;
mod render;
mod reply;
mod side;
mod sign;
mod socket;
mod target;

pub use behaviour::{Behaviour, BehaviourError, Cut};
pub use coding::Coding;
pub use conversation::{Conversation, Library, LibraryError, Piece, Tool, Turn};
pub use log::{End, Exchange};
pub use provider::{FakeProvider, ProviderOptions, StartError};
pub use target::Api;
