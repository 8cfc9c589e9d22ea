//! The agents: which program each one is, what it plays, and how it goes on when something fails.

use std::time::Duration;

use super::client::{Client, Session};
use super::connection::{Connection, Outcome};
use super::{Stage, history};
use crate::conversation::{Conversation, Piece, Turn};
use crate::digest::Ids;

/// A call is tried so often, as the SDKs do.
const ATTEMPTS_MAX: usize = 3;
/// Between the end of an answer and the next request of a tool loop: the tools run.
const TOOLS_RUN: (u64, u64) = (250, 900);
/// Between the end of an answer and a person's next words.
const PERSON_THINKS: (u64, u64) = (1200, 2600);
/// Between two conversations.
const BREAK_MS: (u64, u64) = (1500, 2500);
/// Where nothing listens, an agent tries again after this.
const UNREACHABLE_WAIT: Duration = Duration::from_secs(1);

/// One agent.
pub(super) struct Role {
    pub(super) client: Client,
    pub(super) model: &'static str,
    /// Model of the side call for a title; none where the client makes none.
    pub(super) title_model: Option<&'static str>,
    pub(super) conversations: &'static [&'static str],
    pub(super) starts_after: Duration,
    pub(super) stream: bool,
}

/// All agents of the demo.
pub(super) const ROLES: [Role; 5] = [
    Role {
        client: Client::ClaudeCode,
        model: "claude-opus-4-5-20251101",
        title_model: Some("claude-haiku-4-5-20251001"),
        conversations: &["flaky-test", "layout-screenshot"],
        starts_after: Duration::ZERO,
        stream: true,
    },
    Role {
        client: Client::OpenAiPython,
        model: "gpt-5.1-codex",
        title_model: None,
        conversations: &["csv-import"],
        starts_after: Duration::from_millis(700),
        stream: true,
    },
    Role {
        client: Client::GeminiCli,
        model: "gemini-2.5-pro",
        title_model: None,
        conversations: &["order-timeout"],
        starts_after: Duration::from_millis(1500),
        stream: true,
    },
    Role {
        client: Client::AnthropicPython,
        model: "claude-sonnet-4-5-20250929",
        title_model: None,
        conversations: &["migration-plan"],
        starts_after: Duration::from_millis(2600),
        stream: true,
    },
    Role {
        client: Client::OpenAiPython,
        model: "gpt-5.1-mini",
        title_model: None,
        conversations: &["weekly-report"],
        starts_after: Duration::from_millis(3800),
        stream: false,
    },
];

/// Plays an agent's conversations until all rounds are done.
pub(super) async fn run(stage: &Stage, role: &Role) {
    tokio::time::sleep(stage.scaled(role.starts_after)).await;
    let mut connection = Connection::new(stage.authority.clone());
    let mut round = 0;
    while stage.rounds.is_none_or(|rounds| round < rounds) {
        for name in role.conversations {
            if let Some(conversation) = stage.library.named(name) {
                let play = Play::new(stage, role, conversation, round);
                Box::pin(play.run(&mut connection)).await;
            }
        }
        round += 1;
    }
}

/// One conversation being played.
struct Play<'a> {
    stage: &'a Stage,
    role: &'a Role,
    conversation: &'a Conversation,
    session: Session,
    ids: Ids,
}

impl<'a> Play<'a> {
    fn new(stage: &'a Stage, role: &'a Role, conversation: &'a Conversation, round: u32) -> Self {
        let salt = format!(
            "{} {} {} {round}",
            stage.seed, role.model, conversation.name
        );
        let ids = Ids::new(&salt);
        let ticket = 1000 + ids.below("ticket", 9000);
        let opening = conversation.opening().unwrap_or_default();
        Self {
            stage,
            role,
            conversation,
            session: Session {
                id: uuid(&ids.hex("session", 32)),
                opening: format!("{opening}\n\nRef: FM-{ticket}"),
            },
            ids,
        }
    }

    async fn run(&self, connection: &mut Connection) {
        if let Some(model) = self.role.title_model {
            let body = history::title(self.role.client, model, &self.session);
            self.call(connection, model, &body, true, None).await;
        }
        for (index, turn) in self.conversation.turns.iter().enumerate() {
            if index > 0 {
                let range = if turn.user.is_some() {
                    PERSON_THINKS
                } else {
                    TOOLS_RUN
                };
                self.pause(&format!("turn {index}"), range).await;
            }
            self.turn(connection, index, turn).await;
        }
        self.pause("end", BREAK_MS).await;
    }

    async fn turn(&self, connection: &mut Connection, index: usize, turn: &Turn) {
        let body = history::body(&history::Scene {
            client: self.role.client,
            model: self.role.model,
            stream: self.role.stream,
            conversation: self.conversation,
            tools: &self.stage.library.tools_of(self.conversation),
            session: &self.session,
            turn: index,
        });
        self.call(
            connection,
            self.role.model,
            &body,
            self.role.stream,
            turn.leave_after,
        )
        .await;
    }

    /// Sends a request, again where it fails in a way that passes.
    async fn call(
        &self,
        connection: &mut Connection,
        model: &str,
        body: &serde_json::Value,
        stream: bool,
        leave_after: Option<usize>,
    ) {
        for attempt in 0..ATTEMPTS_MAX {
            let target = self.role.client.target(model, stream);
            let headers = self.role.client.headers(&self.session, attempt);
            let body = body.to_string();
            let outcome = connection.send(&target, &headers, body, leave_after).await;
            self.stage.count(outcome != Outcome::Answered);
            match outcome {
                Outcome::Answered | Outcome::Left | Outcome::Refused => return,
                Outcome::TryAgain { after } => tokio::time::sleep(self.stage.scaled(after)).await,
                Outcome::Unreachable => tokio::time::sleep(UNREACHABLE_WAIT).await,
            }
        }
    }

    async fn pause(&self, label: &str, (least, spread): (u64, u64)) {
        let ms = least + self.ids.below(label, spread);
        tokio::time::sleep(self.stage.scaled(Duration::from_millis(ms))).await;
    }
}

/// Returns what an agent keeps of an answer that its user stopped: the first line.
pub(super) fn kept(turn: &Turn) -> Vec<Piece> {
    let text = turn.answer.iter().find_map(|piece| match piece {
        Piece::Text { text } => text.trim().lines().next(),
        _ => None,
    });
    let text = text.unwrap_or_default().to_owned();
    vec![Piece::Text { text }]
}

fn uuid(hex: &str) -> String {
    let part = |from: usize, to: usize| hex.get(from..to).unwrap_or_default();
    format!(
        "{}-{}-4{}-8{}-{}",
        part(0, 8),
        part(8, 12),
        part(13, 16),
        part(17, 20),
        part(20, 32)
    )
}
