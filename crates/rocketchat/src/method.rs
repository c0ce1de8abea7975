//! The table of DDP methods: called over the socket and through `POST /api/v1/method.call/NAME`.

use std::{future::Future, pin::Pin, sync::Arc};

use parlor_core::{chat::Chat, second_factor::Ask, session::Actor};
use serde::Serialize;
use serde_json::{Value, value::RawValue};

use crate::{Door, refusal::Refused, who::Who};

/// What a method gives back: an EJSON value (`Null` for nothing).
pub(crate) type Answer = Result<Value, Refused>;
type Run =
    Arc<dyn Fn(Invocation) -> Pin<Box<dyn Future<Output = Result<Reply, Refused>> + Send>> + Send + Sync>;

/// What goes out: a value, or what was written as JSON right away. A page of messages costs half as much when it never
/// becomes a value.
#[derive(Serialize)]
#[serde(untagged)]
pub(crate) enum Reply {
    Value(Value),
    Written(Box<RawValue>),
}

impl Reply {
    /// As JSON.
    pub(crate) fn into_text(self) -> String {
        match self {
            Self::Value(value) => value.to_string(),
            Self::Written(json) => Box::<str>::from(json).into_string(),
        }
    }

    /// For methods that give another's answer as theirs.
    pub(crate) fn into_value(self) -> Value {
        match self {
            Self::Value(value) => value,
            // What was written as JSON is JSON.
            Self::Written(json) => serde_json::from_str(json.get()).unwrap_or_default(),
        }
    }
}

/// One method.
#[derive(Clone)]
pub struct Method {
    /// As clients write it: `sendMessage`, `subscriptions/get`.
    pub name: &'static str,
    /// Who may call it.
    pub who: Who,
    /// Parameters that are good for whoever may, as a JSON array with the placeholders of `Route::sample`.
    pub sample: &'static str,
    /// As `Route::answer`.
    pub answer: &'static str,
    /// As `Route::grave`.
    pub grave: bool,
    run: Run,
}

/// One call of a method.
pub(crate) struct Invocation {
    pub(crate) door: Arc<Door>,
    pub(crate) actor: Option<Actor>,
    pub(crate) params: Vec<Value>,
    /// The connection it came by (0 over REST): its own typing and the like are not echoed to it.
    pub(crate) origin: u64,
    /// A second factor that came with it.
    pub(crate) code: Option<parlor_core::accounts::Code>,
}

/// Declares a method.
pub(crate) fn method<F, R>(name: &'static str, who: Who, sample: &'static str, run: F) -> Method
where
    F: Fn(Invocation) -> R + Send + Sync + 'static,
    R: Future<Output = Answer> + Send + 'static,
{
    let run: Run = Arc::new(move |invocation| {
        let answer = run(invocation);
        Box::pin(async move { answer.await.map(Reply::Value) })
    });
    Method { name, who, sample, answer: "", grave: false, run }
}

/// Declares a method that writes its answer itself.
pub(crate) fn writing<F, R>(name: &'static str, who: Who, sample: &'static str, run: F) -> Method
where
    F: Fn(Invocation) -> R + Send + Sync + 'static,
    R: Future<Output = Result<Box<RawValue>, Refused>> + Send + 'static,
{
    let run: Run = Arc::new(move |invocation| {
        let answer = run(invocation);
        Box::pin(async move { answer.await.map(Reply::Written) })
    });
    Method { name, who, sample, answer: "", grave: false, run }
}

impl Method {
    /// What whoever may can be refused with, all the same.
    pub(crate) fn answering(mut self, error: &'static str) -> Self {
        self.answer = error;
        self
    }

    /// As [`Route::grave`](crate::route::Route::grave).
    pub(crate) fn grave(mut self) -> Self {
        self.grave = true;
        self
    }

    /// Runs it for whoever is let in.
    pub(crate) async fn call(&self, mut invocation: Invocation) -> Result<Reply, Refused> {
        invocation.take_code();
        if self.who != Who::Anyone {
            let actor = invocation.actor()?;
            if let Who::May(permissions) = self.who {
                let mut held = false;
                for &permission in permissions {
                    held = held || invocation.chat().may(actor, permission, None).await?;
                }
                if !held {
                    return Err(Refused::meteor("error-not-allowed", "Not allowed"));
                }
            }
        }
        if self.grave {
            invocation.confirm(Ask::WhoeverHasOne).await?;
        }
        (self.run)(invocation).await
    }
}

impl Invocation {
    pub(crate) fn chat(&self) -> &Arc<Chat> {
        &self.door.chat
    }
    /// Who calls.
    pub(crate) fn actor(&self) -> Result<&Actor, Refused> {
        self.actor.as_ref().ok_or_else(|| Refused::meteor("error-invalid-user", "Invalid user"))
    }
    /// Phones send a second factor as one more parameter behind the others.
    fn take_code(&mut self) {
        let Some(Value::Object(last)) = self.params.last() else { return };
        let text = |key| last.get(key).and_then(Value::as_str).map(str::to_owned);
        if let (Some(code), Some(method)) = (text("twoFactorCode"), text("twoFactorMethod")) {
            self.code = Some(parlor_core::accounts::Code { code, method: Some(method) });
            self.params.pop();
        }
    }
    /// Asks for a second factor before something grave. Client suites are spared.
    pub(crate) async fn confirm(&self, ask: Ask) -> Result<(), Refused> {
        if self.door.config.test_mode {
            return Ok(());
        }
        Ok(self.chat().confirm(self.actor()?, self.code.clone(), ask).await?)
    }
    /// A parameter; `null` and absent ones are `None`.
    pub(crate) fn param(&self, index: usize) -> Option<&Value> {
        self.params.get(index).filter(|v| !v.is_null())
    }
    /// A parameter that must be a text.
    pub(crate) fn text(&self, index: usize) -> Result<&str, Refused> {
        match self.params.get(index) {
            Some(Value::String(text)) => Ok(text),
            other => Err(mismatch("string", other)),
        }
    }
    /// A parameter that must be an object.
    pub(crate) fn object(&self, index: usize) -> Result<&serde_json::Map<String, Value>, Refused> {
        match self.params.get(index) {
            Some(Value::Object(object)) => Ok(object),
            other => Err(mismatch("object", other)),
        }
    }
}

/// Meteor's failed argument check.
pub(crate) fn mismatch(wanted: &str, got: Option<&Value>) -> Refused {
    let got = match got {
        None | Some(Value::Null) => "undefined",
        Some(Value::Bool(_)) => "boolean",
        Some(Value::Number(_)) => "number",
        Some(Value::String(_)) => "string",
        Some(Value::Array(_) | Value::Object(_)) => "object",
    };
    Refused::new(format!("Match error: Expected {wanted}, got {got}"))
}
