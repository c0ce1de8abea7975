//! The walk: every REST route, DDP method and stream is tried as every kind of caller, with the sample that its
//! declaration gives, and must let in and turn away whom it says.

mod judge;
mod people;
mod world;

use axum::http::Method as HttpMethod;
use futures_util::{StreamExt, stream};
use parking_lot::Mutex;
use parlor_rocketchat::{Door, Route, STREAMS, Verb, Who};
use parlor_testkit::rest::{self, Answer};
use serde_json::{Map, Value, json};

use judge::{Judge, Row};
use people::{Caller, People};
use world::World;

/// Rows walked at once: the server has more to do than the walk.
const AT_ONCE: usize = 8;

/// The smallest picture, for forms.
const PICTURE: &[u8] = &[
    0x89, b'P', b'N', b'G', 0x0d, 0x0a, 0x1a, 0x0a, 0, 0, 0, 0x0d, b'I', b'H', b'D', b'R', 0, 0, 0, 1, 0, 0,
    0, 1, 8, 4, 0, 0, 0, 0xb5, 0x1c, 0x0c, 2, 0, 0, 0, 0x0b, b'I', b'D', b'A', b'T', 0x78, 0xda, 0x63, 0x64,
    0x60, 0, 0, 0, 6, 0, 2, 0x30, 0x81, 0xd0, 0x2f, 0, 0, 0, 0, b'I', b'E', b'N', b'D', 0xae, 0x42, 0x60,
    0x82,
];

/// What a caller was told: whether it was let in, and the words.
struct Told {
    let_in: bool,
    words: String,
}

impl Told {
    fn never(sample: &str) -> Self {
        Self { let_in: false, words: format!("nothing, because its sample is no JSON: {sample}") }
    }
}

impl From<Answer> for Told {
    fn from(answer: Answer) -> Self {
        let refused =
            answer.body["success"] == false || answer.body["status"] == "error" || answer.status >= 400;
        Self { let_in: !refused, words: format!("{} {:.300}", answer.status, answer.text()) }
    }
}

impl From<Result<Value, Value>> for Told {
    fn from(result: Result<Value, Value>) -> Self {
        match result {
            Ok(value) => Self { let_in: true, words: format!("{:.300}", value.to_string()) },
            Err(error) => Self { let_in: false, words: format!("{:.300}", error.to_string()) },
        }
    }
}

/// Walks one row as everybody and returns what was wrong. First those who are to be turned away, in one world that
/// they must not change; then each of the others in a fresh one.
async fn walk<F>(people: &People, judge: &Judge, row: &Row, ask: impl Fn(Caller, String) -> F) -> Vec<String>
where
    F: Future<Output = Told>,
{
    let mut wrong = Vec::new();
    let mut shared: Option<World> = None;
    let (may, may_not): (Vec<_>, Vec<_>) =
        Caller::ALL.into_iter().partition(|caller| judge.lets_in(*caller, row));
    for caller in may_not.into_iter().chain(may) {
        let expected = judge.lets_in(caller, row);
        if expected && row.changes {
            shared = None;
        }
        let world = match &mut shared {
            Some(world) => world,
            none => none.insert(World::for_sample(people, row.sample).await),
        };
        let told = ask(caller, world.fill(row.sample, people.id(caller))).await;
        // Whoever may can still be told that it is not possible, in the words of the declaration.
        let told_so = !row.answer.is_empty() && told.words.contains(row.answer);
        let right = told.let_in == expected || (expected && told_so);
        if !right {
            let be = if expected { "be let in" } else { "be turned away" };
            wrong.push(format!(
                "{} ({:?}): {caller:?} was to {be}, and was told {}",
                row.name, row.who, told.words
            ));
        }
    }
    wrong
}

/// What an outsider is told of a room that is not known to it, and of one that does not exist: the same. Returns what
/// was different.
async fn compare<F>(people: &People, row: &Row, ask: impl Fn(Caller, String) -> F) -> Option<String>
where
    F: Future<Output = Told>,
{
    let hidden = ["$private", "$message"].iter().any(|one| row.sample.contains(one));
    if !hidden || matches!(row.who, Who::May(_) | Who::User | Who::Anyone) {
        return None;
    }
    let world = World::for_sample(people, row.sample).await;
    let me = people.id(Caller::Outsider);
    let real = ask(Caller::Outsider, world.fill(row.sample, me)).await.words;
    let none = ask(Caller::Outsider, World::of_nothing(people).fill(row.sample, me)).await.words;
    let (real, none) = (world.without_ids(&real), world.without_ids(&none));
    (real != none).then(|| format!("{} ({:?}): hidden: {real}, unknown: {none}", row.name, row.who))
}

async fn request(people: &People, verb: Verb, path: &str, caller: Caller, sample: String) -> Told {
    let client = people.rest(caller);
    let (mut path, mut sample) = (path.to_owned(), sample.as_str());
    if let Some((values, rest)) = sample.strip_prefix('/').and_then(|s| s.split_once(' ').or(Some((s, "")))) {
        for value in values.split('/') {
            let (from, to) = (path.find('{').expect("a parameter"), path.find('}').expect("a parameter"));
            path.replace_range(from..=to, value);
        }
        sample = rest;
    }
    if let Some((field, body)) = sample.strip_prefix("form ").and_then(|s| s.split_once(' ')) {
        let body: Map<String, Value> = serde_json::from_str(body).expect("a sample is JSON");
        let fields: Vec<(&str, &str)> =
            body.iter().map(|(k, v)| (k.as_str(), v.as_str().unwrap_or("1"))).collect();
        return client.upload(&path, field, ("picture.png", "image/png", PICTURE), &fields).await.into();
    }
    let request = match verb {
        Verb::Get => client.request(HttpMethod::GET, format!("{path}?{sample}").trim_end_matches(['?', ' '])),
        Verb::Post => client.request(HttpMethod::POST, &path).json(&body(sample)),
        Verb::Put => client.request(HttpMethod::PUT, &path).json(&body(sample)),
        Verb::Delete => client.request(HttpMethod::DELETE, &path).json(&body(sample)),
    };
    rest::answer(request).await.into()
}

fn body(sample: &str) -> Value {
    if sample.trim().is_empty() {
        json!({})
    } else {
        serde_json::from_str(sample).unwrap_or("no JSON".into())
    }
}

fn report(what: &str, walked: usize, mut wrong: Vec<String>) {
    wrong.sort();
    assert!(
        wrong.is_empty(),
        "{} of {walked} {what} let in or turned away the wrong people:\n{}",
        wrong.len(),
        wrong.join("\n")
    );
}

async fn walk_route(people: &People, judge: &Judge, route: &Route) -> Vec<String> {
    let changes = route.verb != Verb::Get;
    let name = format!("{:?} {}", route.verb, route.path);
    let row = Row { name, who: route.who, sample: route.sample, answer: route.answer, changes };
    let ask = |caller, sample| request(people, route.verb, &route.path, caller, sample);
    let mut wrong = walk(people, judge, &row, ask).await;
    wrong.extend(compare(people, &row, ask).await);
    wrong
}

#[tokio::test]
async fn every_route_lets_in_and_turns_away_whom_it_says() {
    let people = People::gather().await;
    let judge = Judge::learn(&people).await;
    let wrong = Mutex::new(Vec::new());
    let mut routes = Door::routes();
    // Reads first, while everybody is in few rooms.
    routes.sort_by_key(|route| route.verb != Verb::Get);
    // What ends sessions, or the one direct room of two people, is walked last and alone.
    let alone = |route: &&Route| people::ends_sessions(&route.path) || route.sample.contains("$direct");
    let (mut last, first): (Vec<_>, Vec<_>) = routes.iter().partition(alone);
    last.sort_by_key(|route| people::ends_sessions(&route.path));
    let each = async |route| {
        let found = walk_route(&people, &judge, route).await;
        wrong.lock().extend(found);
    };
    stream::iter(first).for_each_concurrent(AT_ONCE, each).await;
    for route in last {
        if people::ends_sessions(&route.path) {
            people.renew().await;
        }
        let found = walk_route(&people, &judge, route).await;
        wrong.lock().extend(found);
    }
    report("routes", routes.len(), wrong.into_inner());
}

#[tokio::test]
async fn every_method_lets_in_and_turns_away_whom_it_says() {
    let people = People::gather().await;
    let judge = Judge::learn(&people).await;
    let mut wrong = Vec::new();
    let mut methods = Door::methods();
    methods.sort_by_key(|method| people::ends_sessions(method.name));
    for method in &methods {
        let (name, who, sample, answer) = (method.name.to_owned(), method.who, method.sample, method.answer);
        let row = Row { name, who, sample, answer, changes: true };
        if people::ends_sessions(method.name) {
            people.renew().await;
        }
        let people = &people;
        let ask = |caller, sample: String| async move {
            let params = if sample.is_empty() { "[]" } else { &sample };
            let Ok(params) = serde_json::from_str(params) else { return Told::never(params) };
            people.socket(caller).await.method(method.name, params).await.into()
        };
        wrong.extend(walk(people, &judge, &row, ask).await);
        wrong.extend(compare(people, &row, ask).await);
    }
    report("methods", methods.len(), wrong);
}

#[tokio::test]
async fn every_stream_lets_in_and_turns_away_whom_it_says() {
    let people = People::gather().await;
    let judge = Judge::learn(&people).await;
    let mut wrong = Vec::new();
    for stream in STREAMS {
        let name = format!("{} {}", stream.name, stream.key);
        let row = Row { name, who: stream.who, sample: stream.key, answer: "", changes: false };
        let people = &people;
        let found = walk(people, &judge, &row, |caller, key| async move {
            people.socket(caller).await.stream(stream.name, &key).await.map(Value::from).into()
        });
        wrong.extend(found.await);
    }
    report("streams", STREAMS.len(), wrong);
}

#[test]
fn nothing_is_declared_twice_and_only_what_stands_in_a_room_names_one() {
    let routes = Door::routes();
    let mut names: Vec<String> =
        routes.iter().map(|route| format!("{:?} {}", route.verb, route.path)).collect();
    names.extend(Door::methods().iter().map(|method| method.name.to_owned()));
    names.sort();
    let twice: Vec<_> =
        names.windows(2).filter(|pair| pair[0] == pair[1]).map(|pair| pair[0].clone()).collect();
    assert!(twice.is_empty(), "{twice:?}");
    let methods = Door::methods();
    let rows = routes
        .iter()
        .map(|r| (r.path.as_str(), r.who, r.sample))
        .chain(methods.iter().map(|m| (m.name, m.who, m.sample)));
    for (name, who, sample) in rows {
        if matches!(who, Who::Reader | Who::Member | Who::MayInRoom(_) | Who::Author(_)) {
            assert!(
                sample.contains('$'),
                "{name} is for people of a room: its sample must name one, or a message in it"
            );
        }
    }
}
