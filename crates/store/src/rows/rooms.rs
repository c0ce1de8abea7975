//! Rooms and their heads. Memberships and teams lie beside it.

use parlor_core::{
    clock::Time,
    error::{Refusal, Result, What},
    id::{MessageId, RoomId, TeamId, UserId},
    json::Json,
    room::{Head, Room, RoomKind, RoomView},
    store::{Page, Paged, RoomFilter, RoomSort},
};
use std::sync::Arc;

use crate::params;
use crate::sql::{Param, Row, SqlError, SqlTx};

/// What reading a row gives.
pub(crate) type Sql<T> = std::result::Result<T, SqlError>;
/// How many values a list in a filter may hold; the rest is not looked for.
pub(crate) const MAX_LIST: usize = 1_000;

/// The columns of a room, read by [`read_room`].
pub(crate) const ROOM: &str = "r.id, r.kind, r.name, r.title, r.creator, r.topic, r.description, r.announcement, \
    r.flags, r.join_code, r.hidden_system, r.custom_fields, r.avatar, r.muted, r.unmuted, r.sidepanel, r.e2e_key, \
    r.parent, r.team, r.direct_key, r.members, r.created_at, r.updated_at, r.access";
/// How many they are.
pub(crate) const ROOM_COLUMNS: usize = 24;
/// The columns of a head, read by [`read_head`]; from [`HEAD_JOIN`].
pub(crate) const HEAD: &str = "h.position, h.counted, h.messages, h.last_at, x.id, h.last_seq, a.id, \
    h.last_seq_by_another, h.changed_at";
/// What a head's columns come from, beside the rooms `r`.
pub(crate) const HEAD_JOIN: &str = "JOIN room_heads h ON h.room = r.key LEFT JOIN messages x ON x.key = h.last_key \
    LEFT JOIN users a ON a.key = h.last_author";

mod flag {
    pub(super) const DEFAULT: i64 = 1;
    pub(super) const FEATURED: i64 = 2;
    pub(super) const READ_ONLY: i64 = 4;
    pub(super) const REACT: i64 = 8;
    pub(super) const BROADCAST: i64 = 16;
    pub(super) const ENCRYPTED: i64 = 32;
    pub(super) const ARCHIVED: i64 = 64;
    pub(super) const TEAM_MAIN: i64 = 128;
    pub(super) const TEAM_DEFAULT: i64 = 256;
    pub(super) const FAVOURITE: i64 = 512;
}

pub(super) fn kind_number(kind: RoomKind) -> i64 {
    match kind {
        RoomKind::Channel => 0,
        RoomKind::Group => 1,
        RoomKind::Direct => 2,
        RoomKind::Case => 3,
        RoomKind::Ticket => 4,
    }
}

pub(super) fn kind_of(number: i64) -> Sql<RoomKind> {
    Ok(match number {
        0 => RoomKind::Channel,
        1 => RoomKind::Group,
        2 => RoomKind::Direct,
        3 => RoomKind::Case,
        4 => RoomKind::Ticket,
        other => return Err(SqlError::Value(format!("no room kind has the number {other}"))),
    })
}

/// What makes two texts equal without regard to letter case.
pub(crate) fn fold(text: &str) -> String {
    text.to_lowercase()
}

/// A text to compare with. No stored text holds NUL, which no engine takes as a parameter: it finds nothing.
pub(crate) fn comparable(text: &str) -> String {
    text.replace('\0', "\u{fffd}")
}

/// A pattern for `LIKE … ESCAPE '\'` that finds this text anywhere, literally.
pub(crate) fn anywhere(text: &str) -> String {
    let mut pattern = String::from("%");
    for c in fold(&comparable(text)).chars() {
        if "%_\\".contains(c) {
            pattern.push('\\');
        }
        pattern.push(c);
    }
    pattern.push('%');
    pattern
}

/// A list of words without blanks in them, in one column.
pub(crate) fn join<T: AsRef<str>>(words: impl IntoIterator<Item = T>) -> String {
    let mut all = String::new();
    for word in words {
        if !all.is_empty() {
            all.push(' ');
        }
        all.push_str(word.as_ref());
    }
    all
}

/// Reads what [`join`] wrote.
pub(crate) fn split<T: for<'a> From<&'a str>>(text: &str) -> Vec<T> {
    text.split_ascii_whitespace().map(T::from).collect()
}

pub(crate) fn ids<T: std::ops::Deref<Target = str>>(all: &[T]) -> String {
    join(all.iter().map(|id| &**id))
}

pub(super) fn direct_key(users: &[UserId]) -> Option<String> {
    let mut sorted: Vec<&str> = users.iter().map(|id| &**id).collect();
    sorted.sort_unstable();
    sorted.dedup();
    (!sorted.is_empty()).then(|| join(sorted))
}

/// Reads [`ROOM`] from column `at` on.
pub(crate) fn read_room(row: &Row<'_>, at: usize) -> Sql<Room> {
    let flags: i64 = row.get(at + 8)?;
    let on = |bit: i64| flags & bit != 0;
    let direct: Option<String> = row.get(at + 19)?;
    Ok(Room {
        id: RoomId::new(row.get::<Arc<str>>(at)?),
        kind: kind_of(row.get(at + 1)?)?,
        name: row.get(at + 2)?,
        title: row.get(at + 3)?,
        creator: UserId::new(row.get::<Arc<str>>(at + 4)?),
        topic: row.get(at + 5)?,
        description: row.get(at + 6)?,
        announcement: row.get(at + 7)?,
        default: on(flag::DEFAULT),
        featured: on(flag::FEATURED),
        read_only: on(flag::READ_ONLY),
        react_when_read_only: on(flag::REACT),
        broadcast: on(flag::BROADCAST),
        encrypted: on(flag::ENCRYPTED),
        archived: on(flag::ARCHIVED),
        join_code: row.get(at + 9)?,
        hidden_system: split::<Box<str>>(row.text(at + 10)?).into_iter().map(String::from).collect(),
        custom_fields: Json::new(row.get::<Arc<str>>(at + 11)?),
        avatar: row.get(at + 12)?,
        muted: split(row.text(at + 13)?),
        unmuted: split(row.text(at + 14)?),
        favourite: on(flag::FAVOURITE),
        sidepanel: split::<Box<str>>(row.text(at + 15)?).into_iter().map(String::from).collect(),
        e2e_key: row.get(at + 16)?,
        parent: row.get::<Option<Arc<str>>>(at + 17)?.map(RoomId::new),
        team: row.get::<Option<Arc<str>>>(at + 18)?.map(TeamId::new),
        team_main: on(flag::TEAM_MAIN),
        team_default: on(flag::TEAM_DEFAULT),
        direct: direct.map(|key| split(&key)).unwrap_or_default(),
        members: row.get(at + 20)?,
        created_at: Time(row.get(at + 21)?),
        updated_at: Time(row.get(at + 22)?),
        access: row.get(at + 23)?,
    })
}

/// Reads [`HEAD`] from column `at` on.
pub(crate) fn read_head(row: &Row<'_>, at: usize) -> Sql<Head> {
    Ok(Head {
        position: row.get(at)?,
        counted: row.get(at + 1)?,
        messages: row.get(at + 2)?,
        last_at: row.get::<Option<i64>>(at + 3)?.map(Time),
        last_message: row.get::<Option<Arc<str>>>(at + 4)?.map(MessageId::new),
        last_seq: row.get(at + 5)?,
        last_author: row.get::<Option<Arc<str>>>(at + 6)?.map(UserId::new),
        last_seq_by_another: row.get(at + 7)?,
        changed_at: Time(row.get(at + 8)?),
    })
}

pub(super) fn flags(room: &Room) -> i64 {
    [
        (room.default, flag::DEFAULT),
        (room.featured, flag::FEATURED),
        (room.read_only, flag::READ_ONLY),
        (room.react_when_read_only, flag::REACT),
        (room.broadcast, flag::BROADCAST),
        (room.encrypted, flag::ENCRYPTED),
        (room.archived, flag::ARCHIVED),
        (room.team_main, flag::TEAM_MAIN),
        (room.team_default, flag::TEAM_DEFAULT),
        (room.favourite, flag::FAVOURITE),
    ]
    .into_iter()
    .filter_map(|(on, bit)| on.then_some(bit))
    .sum()
}

/// A taken name, direct set or id, as the core says it.
pub(super) fn taken(error: SqlError, room: &Room) -> Refusal {
    match error {
        SqlError::Constraint { kind: crate::sql::Constraint::Unique, on } if on.contains("name_key") => {
            Refusal::Taken { what: What::RoomName, value: room.name.clone().unwrap_or_default() }
        }
        SqlError::Constraint { kind: crate::sql::Constraint::Unique, .. } => {
            Refusal::Taken { what: What::Room, value: room.id.as_str().to_owned() }
        }
        other => other.into(),
    }
}

impl SqlTx<'_> {
    pub(crate) fn room_where(&mut self, clause: &str, value: &str) -> Result<Option<Room>> {
        let sql = format!("SELECT {ROOM} FROM rooms r WHERE {clause}");
        Ok(self.opt(&sql, params![value], |row| read_room(row, 0))?)
    }

    /// The rooms that a clause finds for each of these values.
    pub(crate) fn rooms_where(&mut self, clause: &str, values: &[[Param<'_>; 1]]) -> Sql<Vec<Option<Room>>> {
        self.opt_all(&format!("SELECT {ROOM} FROM rooms r WHERE {clause}"), values, |row| read_room(row, 0))
    }

    pub(crate) fn direct_room_of(&mut self, users: &[UserId]) -> Result<Option<Room>> {
        match direct_key(users) {
            Some(key) => self.room_where("r.direct_key = $1", &key),
            None => Ok(None),
        }
    }

    pub(crate) fn read_head_of(&mut self, id: &RoomId) -> Result<Option<Head>> {
        let sql = format!("SELECT {HEAD} FROM rooms r {HEAD_JOIN} WHERE r.id = $1");
        Ok(self.opt(&sql, params![id], |row| read_head(row, 0))?)
    }

    pub(crate) fn page_of_rooms(&mut self, filter: &RoomFilter, page: Page) -> Result<Paged<RoomView>> {
        let wanted = Clause::of(filter);
        let mut given: Vec<Param<'_>> = wanted.values.iter().map(|v| Param::Text(v)).collect();
        let sql = format!("SELECT CAST(COUNT(*) AS BIGINT) FROM rooms r WHERE {}", wanted.text);
        let total: i64 = self.one(&sql, &given, |row| row.get(0))?;
        let (order, heads) = match filter.sort {
            RoomSort::Name => ("COALESCE(r.title_key, r.name_key, '')", ""),
            RoomSort::Id => ("r.id", ""),
            RoomSort::CreatedAt => ("r.created_at", ""),
            RoomSort::Members => ("r.members", ""),
            RoomSort::LastMessage => ("COALESCE(h.last_at, 0)", "JOIN room_heads h ON h.room = r.key"),
        };
        let way = if filter.descending { "DESC" } else { "ASC" };
        let n = given.len();
        // What is sorted is a key and a value; only the page itself is looked up whole, with its last messages.
        let sql = format!(
            "SELECT {ROOM}, {HEAD} FROM (SELECT r.key AS page_key, {order} AS page_order FROM rooms r {heads} \
             WHERE {} ORDER BY page_order {way}, page_key {way} LIMIT ${} OFFSET ${}) p \
             JOIN rooms r ON r.key = p.page_key {HEAD_JOIN} ORDER BY p.page_order {way}, p.page_key {way}",
            wanted.text,
            n + 1,
            n + 2
        );
        given.extend([Param::Int(page.count as i64), Param::Int(page.offset as i64)]);
        let items = self.query(&sql, &given, |row| {
            let (room, head) = (read_room(row, 0)?, read_head(row, ROOM_COLUMNS)?);
            Ok(RoomView { room: Arc::new(room), head: Arc::new(head), last: None })
        })?;
        Ok(Paged { items, total: total as u64 })
    }

    pub(crate) fn store_room(&mut self, room: &Room) -> Result<()> {
        self.store_rooms(&[room]).map_err(|error| taken(error, room))
    }

    pub(crate) fn store_changed_room(&mut self, room: &Room) -> Result<()> {
        let (key, title) = (room.name.as_deref().map(fold), room.title.as_deref().map(fold));
        let (hidden, sidepanel) = (join(&room.hidden_system), join(&room.sidepanel));
        let (muted, unmuted) = (ids(&room.muted), ids(&room.unmuted));
        let sql = "UPDATE rooms SET kind = $2, name = $3, name_key = $4, title = $5, title_key = $6, creator = $7, \
            topic = $8, description = $9, announcement = $10, flags = $11, join_code = $12, hidden_system = $13, \
            custom_fields = $14, avatar = $15, muted = $16, unmuted = $17, sidepanel = $18, e2e_key = $19, \
            parent = $20, team = $21, updated_at = $22 WHERE id = $1";
        let done = self.exec(
            sql,
            params![
                room.id,
                kind_number(room.kind),
                room.name,
                key,
                room.title,
                title,
                room.creator,
                room.topic,
                room.description,
                room.announcement,
                flags(room),
                room.join_code,
                hidden,
                room.custom_fields,
                room.avatar,
                muted,
                unmuted,
                sidepanel,
                room.e2e_key,
                room.parent,
                room.team,
                room.updated_at
            ],
        );
        match done.map_err(|error| taken(error, room))? {
            0 => Err(Refusal::NotFound(What::Room)),
            _ => Ok(()),
        }
    }

    pub(crate) fn drop_room(&mut self, id: &RoomId) -> Result<()> {
        let now = self.time();
        self.exec(
            "INSERT INTO removed_rooms (key, id, at) SELECT key, id, CAST($2 AS BIGINT) FROM rooms WHERE id = $1",
            params![id, now],
        )?;
        self.exec("DELETE FROM invites WHERE room = $1", params![id])?;
        for table in ["cases", "ticket_people", "tickets"] {
            let sql = format!("DELETE FROM {table} WHERE room = (SELECT key FROM rooms WHERE id = $1)");
            self.exec(&sql, params![id])?;
        }
        self.exec("DELETE FROM room_heads WHERE room = (SELECT key FROM rooms WHERE id = $1)", params![id])?;
        match self.exec("DELETE FROM rooms WHERE id = $1", params![id])? {
            0 => Err(Refusal::NotFound(What::Room)),
            _ => Ok(()),
        }
    }
}

/// A WHERE clause with the texts it compares with.
struct Clause {
    text: String,
    values: Vec<String>,
}

impl Clause {
    fn of(filter: &RoomFilter) -> Self {
        let mut all = Self { text: String::from("1 = 1"), values: Vec::new() };
        if !filter.kinds.is_empty() {
            let kinds: Vec<_> = filter.kinds.iter().map(|k| kind_number(*k).to_string()).collect();
            all.and(&format!("r.kind IN ({})", kinds.join(", ")));
        }
        if !filter.text.is_empty() {
            let n = all.take(anywhere(&filter.text));
            all.and(&format!(
                "(r.name_key LIKE {n} ESCAPE '\\' OR r.title_key LIKE {n} ESCAPE '\\' \
                 OR LOWER(r.topic) LIKE {n} ESCAPE '\\')"
            ));
        }
        if let Some(name) = &filter.name {
            let n = all.take(fold(name));
            all.and(&format!("r.name_key = {n}"));
        }
        if let Some(user) = &filter.member {
            let n = all.take(user.to_string());
            all.and(&is_member(&n));
        }
        if let Some(user) = &filter.visible_to {
            let n = all.take(user.to_string());
            let (hidden, member) = (hidden_by_team(&n), is_member(&n));
            all.and(&format!("(r.kind = 0 AND NOT {hidden} AND NOT {} OR {member})", is_banned(&n)));
        }
        for (column, value) in [("r.parent", filter.parent.as_deref()), ("r.team", filter.team.as_deref())] {
            if let Some(value) = value {
                let n = all.take(value.to_owned());
                all.and(&format!("{column} = {n}"));
            }
        }
        if let Some((team, main)) = &filter.below_team {
            let (team, main) = (all.take(team.to_string()), all.take(main.to_string()));
            all.and(&format!("(r.team = {team} OR r.parent = {main})"));
        }
        if let Some(after) = &filter.after {
            let n = all.take(after.to_string());
            all.and(&format!("r.id > {n}"));
        }
        all.switches(filter);
        if let Some(ids) = &filter.ids {
            let list: Vec<_> = ids.iter().take(MAX_LIST).map(|id| all.take(id.to_string())).collect();
            all.and(&if list.is_empty() {
                "1 = 0".to_owned()
            } else {
                format!("r.id IN ({})", list.join(", "))
            });
        }
        all
    }

    fn switches(&mut self, filter: &RoomFilter) {
        let switches = [
            (filter.discussion, "r.parent IS NOT NULL".to_owned()),
            (filter.team_main, format!("(r.flags & {}) <> 0", flag::TEAM_MAIN)),
            (filter.in_team, format!("(r.team IS NOT NULL AND (r.flags & {}) = 0)", flag::TEAM_MAIN)),
            (filter.team_default, format!("(r.flags & {}) <> 0", flag::TEAM_DEFAULT)),
            (filter.default, format!("(r.flags & {}) <> 0", flag::DEFAULT)),
            (filter.archived, format!("(r.flags & {}) <> 0", flag::ARCHIVED)),
        ];
        for (wanted, condition) in switches {
            match wanted {
                Some(true) => self.and(&condition),
                Some(false) => self.and(&format!("NOT ({condition})")),
                None => {}
            }
        }
    }

    fn and(&mut self, condition: &str) {
        self.text.push_str(" AND ");
        self.text.push_str(condition);
    }

    /// Takes a value in; its place holder.
    fn take(&mut self, value: String) -> String {
        self.values.push(comparable(&value));
        format!("${}", self.values.len())
    }
}

/// Channels of private teams, and discussions of them, are for their members.
fn hidden_by_team(user: &str) -> String {
    let main = flag::TEAM_MAIN;
    format!(
        "((r.team IS NOT NULL OR r.parent IS NOT NULL) AND (r.flags & {main}) = 0 AND EXISTS (SELECT 1 FROM teams t \
         JOIN rooms q ON q.id = t.room WHERE t.id = COALESCE(r.team, (SELECT o.team FROM rooms o \
         WHERE o.id = r.parent)) AND t.private <> 0 AND NOT EXISTS \
         (SELECT 1 FROM memberships m WHERE m.room = q.key AND m.whom = (SELECT key FROM users WHERE id = {user}))))"
    )
}

/// As the core keeps it: a document of the room's and the user's id.
fn is_banned(user: &str) -> String {
    format!("EXISTS (SELECT 1 FROM documents b WHERE b.collection = 'bans' AND b.id = r.id || ' ' || {user})")
}

fn is_member(user: &str) -> String {
    format!(
        "EXISTS (SELECT 1 FROM memberships m WHERE m.room = r.key AND m.whom = \
         (SELECT key FROM users WHERE id = {user}))"
    )
}
