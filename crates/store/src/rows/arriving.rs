//! Many things at once, for what moves in: the statements of the one, sent together.

use parlor_core::{
    clock::Time,
    error::{Refusal, Result},
    event::Event,
    id::{RoomId, UserId},
    membership::{Membership, ReadMark},
    room::Room,
    store::{Arrivals, Secrets},
    user::User,
};

use super::{
    heads::SEQ_BITS,
    marks, messages,
    rooms::{Sql, direct_key, fold, taken},
    users,
};
use crate::{
    params,
    sql::{AsParam, Param, Row, SqlTx},
};

/// For each of these texts whether the statement finds something.
fn found(tx: &mut SqlTx<'_>, sql: &str, keys: &[String]) -> Result<Vec<bool>> {
    let rows: Vec<[Param<'_>; 1]> = keys.iter().map(|key| [key.as_param()]).collect();
    Ok(tx.opt_all(sql, &rows, |_| Ok(()))?.iter().map(Option::is_some).collect())
}

fn folded(texts: &[&str]) -> Vec<String> {
    texts.iter().map(|text| fold(text)).collect()
}

/// The keys of rooms.
fn keys(tx: &mut SqlTx<'_>, ids: impl Iterator<Item = impl AsParam>) -> Sql<Vec<Option<i64>>> {
    let ids: Vec<_> = ids.collect();
    let rows: Vec<[Param<'_>; 1]> = ids.iter().map(|id| [id.as_param()]).collect();
    tx.opt_all("SELECT key FROM rooms WHERE id = $1", &rows, |row| row.get(0))
}

fn mark(row: &Row<'_>) -> Sql<ReadMark> {
    Ok(ReadMark { seq: row.get(0)?, counted: row.get(1)?, at: None })
}

impl Arrivals for SqlTx<'_> {
    fn users_at(&mut self, ids: &[&UserId]) -> Result<Vec<Option<User>>> {
        Ok(users::by_ids(self, ids)?)
    }
    fn taken_usernames(&mut self, names: &[&str]) -> Result<Vec<bool>> {
        found(self, "SELECT 1 FROM users WHERE username_key = $1", &folded(names))
    }
    fn taken_emails(&mut self, addresses: &[&str]) -> Result<Vec<bool>> {
        found(self, "SELECT 1 FROM user_emails WHERE address_key = $1", &folded(addresses))
    }
    fn insert_users(&mut self, all: &[(&User, &Secrets)]) -> Result<()> {
        let people: Vec<&User> = all.iter().map(|(user, _)| *user).collect();
        users::insert_all(self, &people)?;
        for user in people.into_iter().filter(|user| user.host.vendor.is_some()) {
            self.put_vendor(user)?;
        }
        let secrets: Vec<_> = all.iter().map(|(user, secrets)| (&user.id, *secrets)).collect();
        users::put_secrets(self, &secrets)
    }
    fn rooms_at(&mut self, wanted: &[&Room]) -> Result<Vec<Option<Room>>> {
        let ids: Vec<[Param<'_>; 1]> = wanted.iter().map(|room| [room.id.as_param()]).collect();
        let mut all = self.rooms_where("r.id = $1", &ids)?;
        let direct: Vec<Option<String>> = wanted
            .iter()
            .zip(&all)
            .map(|(room, there)| if there.is_none() { direct_key(&room.direct) } else { None })
            .collect();
        let asked: Vec<[Param<'_>; 1]> = direct.iter().flatten().map(|key| [key.as_param()]).collect();
        let mut there = self.rooms_where("r.direct_key = $1", &asked)?.into_iter();
        for (place, _) in direct.iter().enumerate().filter(|(_, key)| key.is_some()) {
            all[place] = there.next().flatten();
        }
        Ok(all)
    }
    fn taken_room_names(&mut self, names: &[&str]) -> Result<Vec<bool>> {
        found(self, "SELECT 1 FROM rooms WHERE name_key = $1", &folded(names))
    }
    fn insert_rooms(&mut self, rooms: &[&Room]) -> Result<()> {
        let stored = self.store_rooms(rooms);
        // Which of them it was shows when each comes alone.
        stored.map_err(|error| rooms.first().map_or(Refusal::Unavailable, |room| taken(error, room)))
    }
    fn are_members(&mut self, all: &[(&RoomId, &UserId)]) -> Result<Vec<bool>> {
        let sql = "SELECT 1 FROM memberships WHERE room = (SELECT key FROM rooms WHERE id = $1)
            AND whom = (SELECT key FROM users WHERE id = $2)";
        let rows: Vec<_> = all.iter().map(|(room, user)| [room.as_param(), user.as_param()]).collect();
        Ok(self.opt_all(sql, &rows, |_| Ok(()))?.iter().map(Option::is_some).collect())
    }
    fn lock_rooms(&mut self, ids: &[&RoomId]) -> Result<Vec<Option<ReadMark>>> {
        // In one order for all, so that two can't wait for each other in a ring.
        let mut sorted = ids.to_vec();
        sorted.sort_unstable();
        let sorted: Vec<[Param<'_>; 1]> = sorted.iter().map(|id| [id.as_param()]).collect();
        self.opt_all("SELECT key FROM rooms WHERE id = $1 {lock}", &sorted, |_| Ok(()))?;
        let rows: Vec<[Param<'_>; 1]> = ids.iter().map(|id| [id.as_param()]).collect();
        let sql =
            "SELECT h.position, h.counted FROM rooms r JOIN room_heads h ON h.room = r.key WHERE r.id = $1";
        Ok(self.opt_all(sql, &rows, mark)?)
    }
    fn marks_until(&mut self, all: &[(&RoomId, Time)]) -> Result<Vec<ReadMark>> {
        let keys = keys(self, all.iter().map(|(room, _)| *room))?;
        let wanted: Vec<(i64, Time)> =
            keys.iter().zip(all).map(|(key, (_, at))| (key.unwrap_or_default(), *at)).collect();
        let spans = messages::spans_until(self, &wanted)?;
        let sql = "SELECT key, counted FROM messages WHERE key > $1 AND key < $2 ORDER BY key DESC LIMIT 1";
        let rows: Vec<_> = spans.iter().map(|span| *params![span.above, span.below]).collect();
        let last = self.opt_all(sql, &rows, mark)?;
        let place = |mark: ReadMark| ReadMark { seq: mark.seq & ((1 << SEQ_BITS) - 1), ..mark };
        let dated = |(mark, (_, at)): (Option<ReadMark>, &(&RoomId, Time))| ReadMark {
            at: Some(*at),
            ..mark.map(place).unwrap_or_default()
        };
        Ok(last.into_iter().zip(all).map(dated).collect())
    }
    fn insert_memberships(&mut self, all: &[&Membership]) -> Result<()> {
        self.store_memberships(all)
    }
    fn read_threads(&mut self, all: &[(&RoomId, &UserId, i64)]) -> Result<()> {
        let keys = keys(self, all.iter().map(|(room, _, _)| *room))?;
        let wanted = keys.iter().zip(all).filter_map(|(key, (_, user, seq))| Some(((*key)?, *user, *seq)));
        let (wanted, now) = (wanted.collect::<Vec<_>>(), self.time());
        marks::read_threads(self, &wanted, now)?;
        Ok(())
    }
    fn record_all(&mut self, events: Vec<Event>) -> Result<()> {
        self.write_down(events)
    }
}
