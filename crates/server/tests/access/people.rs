//! Who calls.

use std::collections::{HashMap, hash_map::Entry};

use parlor_testkit::{Cast, Ddp, Person, Rest, Server};
use tokio::sync::{MappedMutexGuard, Mutex, MutexGuard};

/// Every kind of caller.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Caller {
    Nobody,
    Deactivated,
    Outsider,
    Member,
    Moderator,
    Owner,
    Administrator,
}

impl Caller {
    pub const ALL: [Self; 7] = [
        Self::Nobody,
        Self::Deactivated,
        Self::Outsider,
        Self::Member,
        Self::Moderator,
        Self::Owner,
        Self::Administrator,
    ];

    pub fn is_active_user(self) -> bool {
        !matches!(self, Self::Nobody | Self::Deactivated)
    }

    /// Whether it is in the room that a sample names. Only two people are in a direct room.
    pub fn is_in(self, sample: &str) -> bool {
        if sample.contains("$direct") {
            return matches!(self, Self::Owner | Self::Member);
        }
        matches!(self, Self::Owner | Self::Moderator | Self::Member)
    }

    /// Its roles in the workspace.
    pub fn roles(self) -> &'static [&'static str] {
        if self == Self::Administrator { &["admin"] } else { &["user"] }
    }

    /// Its role in the rooms of a world.
    pub fn room_role(self) -> Option<&'static str> {
        match self {
            Self::Owner => Some("owner"),
            Self::Moderator => Some("moderator"),
            _ => None,
        }
    }
}

/// Everybody, on a server.
pub struct People {
    pub server: Server,
    pub owner: Person,
    pub member: Person,
    pub administrator: Person,
    pub moderator: Person,
    /// A member of every world's rooms who calls nothing: what is done to members is done to this one.
    pub fellow: Person,
    callers: HashMap<Caller, std::sync::Mutex<Rest>>,
    ids: HashMap<Caller, String>,
    passwords: HashMap<Caller, (String, String)>,
    sockets: Mutex<HashMap<Caller, Ddp>>,
}

/// Whether a success ends sessions of the caller's.
pub fn ends_sessions(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    ["logout", "removeothertokens", "setuserpassword"].iter().any(|part| name.contains(part))
}

impl People {
    pub async fn gather() -> Self {
        Self::gather_on(Server::start().await).await
    }

    pub async fn gather_on(server: Server) -> Self {
        let cast = Cast::assemble(&server).await;
        let moderator = cast.administrator.make(&server, "moderator", "Momo Moderator").await;
        let fellow = cast.administrator.make(&server, "fellow", "Fay Fellow").await;
        let all = [
            (Caller::Deactivated, &cast.deactivated),
            (Caller::Outsider, &cast.outsider),
            (Caller::Member, &cast.member),
            (Caller::Moderator, &moderator),
            (Caller::Owner, &cast.owner),
            (Caller::Administrator, &cast.administrator),
        ];
        let mut callers: HashMap<_, _> =
            all.iter().map(|(caller, person)| (*caller, person.rest.clone().into())).collect();
        callers.insert(Caller::Nobody, server.rest().into());
        let ids = all.iter().map(|(caller, person)| (*caller, person.id.clone())).collect();
        let login = |person: &Person| (person.username.clone(), person.password.clone());
        let passwords = all.iter().map(|(caller, person)| (*caller, login(person))).collect();
        let Cast { administrator, owner, member, .. } = cast;
        // Worlds are made by sessions of their own, which no row ends.
        let owner = Person::sign_in(&server, &owner.username, &owner.password).await;
        let member = Person::sign_in(&server, &member.username, &member.password).await;
        let administrator = Person::sign_in(&server, &administrator.username, &administrator.password).await;
        Self {
            server,
            owner,
            member,
            administrator,
            moderator,
            fellow,
            callers,
            ids,
            passwords,
            sockets: Mutex::default(),
        }
    }

    pub fn rest(&self, caller: Caller) -> Rest {
        self.callers[&caller].lock().expect("nobody panics with it").clone()
    }

    pub fn id(&self, caller: Caller) -> &str {
        self.ids.get(&caller).map_or("nobody", String::as_str)
    }

    /// New sessions for everybody who calls.
    pub async fn renew(&self) {
        self.sockets.lock().await.clear();
        for (caller, (username, password)) in &self.passwords {
            if caller.is_active_user() {
                let person = Person::sign_in(&self.server, username, password).await;
                *self.callers[caller].lock().expect("nobody panics with it") = person.rest;
            }
        }
    }

    /// A caller's socket, opened when it is needed. Nobody has a socket without a login, and a deactivated user's token
    /// is refused, so that one goes on without, too.
    pub async fn socket(&self, caller: Caller) -> MappedMutexGuard<'_, Ddp> {
        let mut sockets = self.sockets.lock().await;
        if let Entry::Vacant(free) = sockets.entry(caller) {
            let mut socket = Ddp::connect(&self.server).await;
            if let Some(token) = self.rest(caller).token() {
                let login = socket.resume(token).await;
                assert_eq!(login.is_ok(), caller.is_active_user(), "{caller:?}: {login:?}");
            }
            free.insert(socket);
        }
        MutexGuard::map(sockets, |sockets| sockets.get_mut(&caller).expect("just opened"))
    }
}
