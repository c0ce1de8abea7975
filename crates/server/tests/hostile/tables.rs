//! Every REST route, DDP method and stream of the Rocket.Chat door with something else in each field of its sample.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use futures_util::{StreamExt, stream};
use parking_lot::Mutex;
use parlor_rocketchat::{Door, Method, Route, STREAMS, Verb, Who};
use parlor_testkit::{Ddp, HostApp, Rest};
use reqwest::{RequestBuilder, multipart};
use serde_json::{Map, Value, json};

use crate::attack::{Dialect, ask, judge, wrong_error};
use crate::nasty::{Nasty, Place, TEXTS, VALUES, one, places, replaced, thorough};
use crate::people::{Caller, People, ends_sessions};
use crate::watch::Watch;
use crate::world::World;

/// Routes walked at once.
const AT_ONCE: usize = 8;

/// Everything that a sample may name, for a world that many share.
const EVERYTHING: &str = "$public $private $message $direct $team $invite $victim $sound $status $emoji";

/// What samples are about. Where everything is tried each row gets a world of its own; else a few are shared by all,
/// as what is tried is mostly refused, and what an attack unmade all the same the next one finds gone.
struct Worlds(Vec<World>);

impl Worlds {
    async fn make(people: &People) -> Self {
        const SHARED: usize = 4;
        let shared = if thorough() { 0 } else { SHARED };
        let worlds = (0..shared).map(|_| World::for_sample(people, EVERYTHING));
        Self(futures_util::future::join_all(worlds).await)
    }

    /// The sample of the nth row, each time with fresh names.
    async fn filler<'a>(
        &'a self,
        people: &'a People,
        who: Caller,
        nth: usize,
        sample: &'static str,
    ) -> impl Fn() -> String + 'a {
        let shared = (!self.0.is_empty()).then(|| &self.0[nth % self.0.len()]);
        let own = if shared.is_none() { Some(World::for_sample(people, sample).await) } else { None };
        move || {
            let world = shared.or(own.as_ref()).expect("one of the two");
            world.fill(sample, people.id(who))
        }
    }
}

/// Who gets far enough for the fields to be looked at.
fn caller(who: Who) -> Caller {
    match who {
        Who::May(_) => Caller::Administrator,
        Who::Author(_) => Caller::Member,
        _ => Caller::Owner,
    }
}

/// Names and passwords as they were, whatever an attack made of them, and fresh sessions.
async fn restore(people: &People) {
    for person in [&people.administrator, &people.owner, &people.member, &people.moderator] {
        let data = json!({"username": person.username, "password": person.password});
        let body = json!({"userId": person.id, "data": data});
        let _ = people.administrator.rest.post("users.update", body).await.ok();
    }
    people.renew().await;
}

/// One attack: what to call it, and its request.
type Shot = (String, RequestBuilder);

/// The sample of a route in parts: path, whether and how it is a form, and the rest.
struct Sample {
    path: Vec<String>,
    form: Option<String>,
    rest: String,
}

impl Sample {
    fn read(filled: &str) -> Self {
        let (mut path, mut rest) = (Vec::new(), filled);
        if let Some((values, after)) =
            filled.strip_prefix('/').and_then(|s| s.split_once(' ').or(Some((s, ""))))
        {
            path = values.split('/').map(str::to_owned).collect();
            rest = after;
        }
        let form = rest.strip_prefix("form ").and_then(|s| s.split_once(' '));
        let (form, rest) = form.map_or((None, rest), |(field, body)| (Some(field.to_owned()), body));
        Self { path, form, rest: rest.to_owned() }
    }

    /// The route's path with the values in it, one of them replaced.
    fn path(&self, route: &Route, other: Option<(usize, &str)>) -> String {
        let mut path = route.path.clone();
        for (at, value) in self.path.iter().enumerate() {
            let value = other.filter(|(place, _)| *place == at).map_or(value.as_str(), |(_, value)| value);
            let (from, to) = (path.find('{').expect("a parameter"), path.find('}').expect("a parameter"));
            path.replace_range(from..=to, value);
        }
        path
    }

    fn object(&self) -> Value {
        if self.rest.trim().is_empty() { json!({}) } else { serde_json::from_str(&self.rest).expect("JSON") }
    }

    fn parameters(&self) -> Vec<(String, String)> {
        let pairs = self.rest.split('&').filter(|pair| !pair.is_empty());
        pairs
            .map(|pair| pair.split_once('=').unwrap_or((pair, "")))
            .map(|(k, v)| (k.into(), v.into()))
            .collect()
    }
}

fn verb(verb: Verb) -> reqwest::Method {
    match verb {
        Verb::Get => reqwest::Method::GET,
        Verb::Post => reqwest::Method::POST,
        Verb::Put => reqwest::Method::PUT,
        Verb::Delete => reqwest::Method::DELETE,
    }
}

fn of_path(rest: &Rest, route: &Route, sample: &Sample, nth: usize) -> Vec<Shot> {
    let texts = |place| one(&TEXTS, nth + place).map(move |text| (place, text));
    let places = (0..sample.path.len()).flat_map(texts);
    let shot = |(place, (name, text)): (usize, &(&str, String))| {
        let mut path = sample.path(route, Some((place, text)));
        if route.verb == Verb::Get {
            path = format!("{path}?{}", sample.rest);
        }
        let request = rest.request(verb(route.verb), &path);
        let request = if route.verb == Verb::Get { request } else { request.json(&sample.object()) };
        (format!("path {place} {name}"), request)
    };
    places.map(shot).collect()
}

fn of_query(rest: &Rest, route: &Route, sample: &Sample, nth: usize) -> Vec<Shot> {
    let parameters = sample.parameters();
    // Those that any list takes, too.
    let mut all = parameters.clone();
    all.extend(
        one(&["count", "offset", "sort", "query"], nth).map(|more| ((*more).to_owned(), String::new())),
    );
    let mut shots = Vec::new();
    for place in 0..all.len() {
        for (name, text) in one(&TEXTS, nth + place) {
            let line: Vec<String> = all
                .iter()
                .enumerate()
                .filter(|(at, _)| *at < parameters.len() || *at == place)
                .map(|(at, (key, value))| format!("{key}={}", if at == place { text } else { value }))
                .collect();
            let path = format!("{}?{}", sample.path(route, None), line.join("&"));
            shots.push((format!("{} {name}", all[place].0), rest.request(verb(route.verb), &path)));
        }
    }
    shots
}

fn of_form(rest: &Rest, route: &Route, sample: &Sample, field: &str, nth: usize) -> Vec<Shot> {
    let fields: Map<String, Value> = serde_json::from_str(&sample.rest).expect("JSON");
    let names: Vec<String> = fields.keys().cloned().chain([field.to_owned(), "another".to_owned()]).collect();
    let mut shots = Vec::new();
    for (place, name) in names.iter().enumerate() {
        for nasty in one(&VALUES, nth + place) {
            let text: String = serde_json::from_str(&nasty.json).unwrap_or_else(|_| nasty.json.clone());
            let mut form = multipart::Form::new();
            for (key, value) in fields.iter().filter(|(key, _)| *key != name) {
                form = form.text(key.clone(), value.as_str().unwrap_or("1").to_owned());
            }
            if name == field {
                form = form.part(field.to_owned(), multipart::Part::text(text).file_name("a.png"));
            } else {
                let file = multipart::Part::bytes(super::PICTURE).file_name("a.png");
                form = form.part(field.to_owned(), file).text(name.clone(), text);
            }
            let request = rest.request(verb(route.verb), &sample.path(route, None)).multipart(form);
            shots.push((format!("form {name} {}", nasty.name), request));
        }
    }
    shots
}

fn of_body(rest: &Rest, route: &Route, sample: &Sample, place: &Place, nth: usize) -> Vec<Shot> {
    let shot = |nasty: &Nasty| {
        let body = replaced(&sample.object(), place, &nasty.json);
        let request = rest.request(verb(route.verb), &sample.path(route, None));
        let request = request.header("content-type", "application/json").body(body);
        (format!("{place} {}", nasty.name), request)
    };
    one(&VALUES, nth).map(shot).collect()
}

/// What was tried, and what was wrong with the answers.
#[derive(Default)]
struct Found {
    tried: AtomicUsize,
    wrong: Mutex<Vec<String>>,
}

impl Found {
    async fn fire(&self, route: &Route, shots: Vec<Shot>) {
        let dialect = if route.path.starts_with("/api/v1/") { Dialect::RocketChat } else { Dialect::Any };
        for (name, request) in shots {
            self.tried.fetch_add(1, Ordering::Relaxed);
            let name = || format!("{:?} {} {name}", route.verb, route.path);
            let wrong = ask(dialect, name, request).await;
            self.wrong.lock().extend(wrong);
        }
    }
}

async fn attack_route(people: &People, worlds: &Worlds, nth: usize, route: &Route, found: &Found) {
    let who = caller(route.who);
    let rest = people.rest(who);
    let filler = worlds.filler(people, who, nth, route.sample).await;
    let fill = || Sample::read(&filler());
    let sample = fill();
    found.fire(route, of_path(&rest, route, &sample, nth)).await;
    if route.verb == Verb::Get {
        return found.fire(route, of_query(&rest, route, &sample, nth)).await;
    }
    if let Some(field) = &sample.form {
        return found.fire(route, of_form(&rest, route, &sample, field, nth)).await;
    }
    for (at, place) in places(&sample.object()).iter().enumerate() {
        // With a fresh name each time.
        found.fire(route, of_body(&rest, route, &fill(), place, nth + at)).await;
    }
}

#[tokio::test]
async fn every_field_of_every_route_takes_anything() {
    let people = People::gather_on(HostApp::setup().start().await).await;
    let watch = Watch::begin(&people.server).await;
    let (found, worlds) = (Found::default(), Worlds::make(&people).await);
    let routes = Door::routes();
    let (last, first): (Vec<_>, Vec<_>) =
        routes.iter().enumerate().partition(|(_, route)| ends_sessions(&route.path));
    let attack = |(nth, route)| attack_route(&people, &worlds, nth, route, &found);
    stream::iter(first).for_each_concurrent(AT_ONCE, attack).await;
    for (nth, route) in last {
        restore(&people).await;
        attack_route(&people, &worlds, nth, route, &found).await;
    }
    judge("requests", found.tried.into_inner(), found.wrong.into_inner());
    watch.end(&people.server).await;
}

/// A socket that is opened again when it was ended.
struct Socket<'a> {
    people: &'a People,
    who: Caller,
    ddp: Option<Ddp>,
    calls: usize,
    used: Instant,
}

/// A socket that was not read for so long was asked in vain whether somebody is there.
const FORGOTTEN: Duration = Duration::from_secs(20);

impl<'a> Socket<'a> {
    fn of(people: &'a People, who: Caller) -> Self {
        Self { people, who, ddp: None, calls: 0, used: Instant::now() }
    }

    async fn ddp(&mut self) -> &mut Ddp {
        let idle = std::mem::replace(&mut self.used, Instant::now()).elapsed();
        if self.ddp.is_none() || idle > FORGOTTEN {
            let mut ddp = Ddp::connect(&self.people.server).await;
            if ddp.resume(self.people.rest(self.who).token().expect("a token")).await.is_err() {
                restore(self.people).await;
                let token = self.people.rest(self.who).token().expect("a token").to_owned();
                ddp.resume(&token).await.expect("a fresh token is good");
            }
            self.ddp = Some(ddp);
        }
        self.ddp.as_mut().expect("just opened")
    }

    /// Sends a frame and returns what is wrong with its answer.
    async fn ask(&mut self, frame: impl FnOnce(usize) -> String) -> Option<String> {
        self.calls += 1;
        let id = self.calls.to_string();
        let text = frame(self.calls);
        let ddp = self.ddp().await;
        ddp.send_text(&text).await;
        let answer = ddp
            .seek(|frame| {
                let own = frame["id"] == id.as_str() || frame["subs"][0] == id.as_str();
                (own && frame["msg"] != "added") || frame["msg"] == "error"
            })
            .await;
        match answer {
            None => {
                let code = ddp.close_code();
                self.ddp = None;
                Some(format!("the socket ended: {code:?}"))
            }
            Some(answer) if answer["msg"] == "error" => {
                answer["reason"].as_str().is_none().then(|| answer.to_string())
            }
            Some(answer) if answer["error"].is_null() => None,
            Some(answer) => wrong_error(&answer["error"]),
        }
    }
}

async fn attack_method(
    people: &People,
    worlds: &Worlds,
    socket: &mut Socket<'_>,
    nth: usize,
    method: &Method,
) -> (usize, Vec<String>) {
    let filled = (worlds.filler(people, socket.who, nth, method.sample).await)();
    let sample: Value = serde_json::from_str(if filled.is_empty() { "[]" } else { &filled }).expect("JSON");
    let (mut tried, mut wrong) = (0, Vec::new());
    for (at, place) in places(&sample).iter().enumerate() {
        for nasty in one(&VALUES, nth + at) {
            let params = replaced(&sample, place, &nasty.json);
            let told = socket
                .ask(|id| {
                    format!(r#"{{"msg":"method","id":"{id}","method":"{}","params":{params}}}"#, method.name)
                })
                .await;
            tried += 1;
            wrong.extend(told.map(|told| format!("{} {place} {}: {told}", method.name, nasty.name)));
        }
    }
    (tried, wrong)
}

/// Methods one after the other, on one caller's socket.
async fn attack_methods(
    people: &People,
    worlds: &Worlds,
    who: Caller,
    methods: impl Iterator<Item = (usize, &Method)>,
) -> (usize, Vec<String>) {
    let (mut tried, mut wrong) = (0, Vec::new());
    let mut socket = Socket::of(people, who);
    for (nth, method) in methods.filter(|(_, method)| caller(method.who) == who) {
        if ends_sessions(method.name) {
            restore(people).await;
            socket.ddp = None;
        }
        let found = attack_method(people, worlds, &mut socket, nth, method).await;
        tried += found.0;
        wrong.extend(found.1);
    }
    (tried, wrong)
}

#[tokio::test]
async fn every_parameter_of_every_method_and_stream_takes_anything() {
    let people = People::gather_on(HostApp::setup().start().await).await;
    let watch = Watch::begin(&people.server).await;
    let worlds = Worlds::make(&people).await;
    let methods = Door::methods();
    let (last, first): (Vec<_>, Vec<_>) =
        methods.iter().enumerate().partition(|(_, method)| ends_sessions(method.name));
    // Each caller has a socket of his own, and they go on side by side.
    let callers = [Caller::Administrator, Caller::Member, Caller::Owner];
    let side_by_side = callers.map(|who| attack_methods(&people, &worlds, who, first.iter().copied()));
    let (found, streams) =
        futures_util::join!(futures_util::future::join_all(side_by_side), attack_streams(&people, &worlds));
    let mut found: Vec<(usize, Vec<String>)> = found;
    // What ends sessions ends everybody's: one after the other.
    for who in callers {
        found.push(attack_methods(&people, &worlds, who, last.iter().copied()).await);
    }
    let tried = found.iter().map(|(tried, _)| tried).sum();
    judge("method calls", tried, found.into_iter().flat_map(|(_, wrong)| wrong).collect());
    judge("subscriptions", streams.0, streams.1);
    watch.end(&people.server).await;
}

async fn attack_streams(people: &People, worlds: &Worlds) -> (usize, Vec<String>) {
    let mut socket = Socket::of(people, Caller::Owner);
    let (mut tried, mut wrong) = (0, Vec::new());
    for (nth, stream) in STREAMS.iter().enumerate() {
        let key = (worlds.filler(people, Caller::Owner, nth, stream.key).await)();
        let sample = json!({
            "name": format!("stream-{}", stream.name),
            "params": [key, {"useCollection": false, "args": ["a"]}],
        });
        for (at, place) in places(&sample).iter().enumerate().skip(1) {
            for nasty in one(&VALUES, tried + at) {
                let body = replaced(&sample, place, &nasty.json);
                let told = socket.ask(|id| format!(r#"{{"msg":"sub","id":"{id}",{}"#, &body[1..])).await;
                tried += 1;
                wrong.extend(told.map(|told| format!("{} {place} {}: {told}", stream.name, nasty.name)));
            }
        }
        // A thousand are enough for one socket; the next stream gets a new one.
        socket.ddp = None;
    }
    (tried, wrong)
}
