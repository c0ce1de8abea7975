//! Measures a server of the ticket contract over raw WebSockets: durable sends, deliveries, connections, memory.
//!
//! `client ADDRESS PID TOKENS MODE ...`; TOKENS is a file with a token a line. Prints `name=value` pairs.

mod line;

use std::time::{Duration, Instant};

use line::{Pool, cpu, rss};

type Fault = Box<dyn std::error::Error>;

fn main() -> Result<(), Fault> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [address, pid, tokens, mode, rest @ ..] = arguments.as_slice() else {
        return Err("client ADDRESS PID TOKENS MODE ...".into());
    };
    let text = std::fs::read_to_string(tokens)?;
    let tokens: Vec<&str> = text.lines().collect();
    let number = |at: usize| -> Result<usize, Fault> { Ok(rest.get(at).ok_or("too few numbers")?.parse()?) };
    let mut run = Run { pool: Pool::new(address.parse()?)?, pid: pid.parse()?, tokens };
    match mode.as_str() {
        "sends" => run.sends(number(0)?, number(1)?, number(2)?),
        "deliver" => run.deliver(number(0)?, number(1)?, number(2)?),
        "enter" => run.enter(number(0)?, number(1)?).map(drop),
        "idle" => run.idle(number(0)?, number(1)?),
        other => Err(format!("no such mode: {other}").into()),
    }
}

struct Run<'a> {
    pool: Pool,
    pid: u32,
    tokens: Vec<&'a str>,
}

impl Run<'_> {
    /// Opens sockets, `at_once` at a time, each entering and joining the ticket that `ticket` names.
    fn open(&mut self, count: usize, at_once: usize, ticket: impl Fn(usize) -> String) -> Result<(), Fault> {
        let (mut begun, first) = (0, self.pool.len());
        while self.pool.joined() < first + count {
            while begun < count && first + begun < self.pool.joined() + at_once {
                let token = self.tokens[begun % self.tokens.len()];
                self.pool.open(token, &ticket(begun))?;
                begun += 1;
            }
            self.pool.turn(Duration::from_millis(100))?;
        }
        Ok(())
    }

    /// Durable sends: so many senders over 50 rooms, so many in flight each.
    fn sends(&mut self, senders: usize, in_flight: usize, seconds: usize) -> Result<(), Fault> {
        self.open(senders, 16, |n| format!("T-{}", n % 50))?;
        self.pool.settle()?;
        for line in 0..senders {
            for _ in 0..in_flight {
                self.pool.say(line, &format!("T-{}", line % 50));
            }
        }
        let again = |pool: &mut Pool, until: Instant| -> Result<(), Fault> {
            while Instant::now() < until {
                pool.turn(Duration::from_millis(20))?;
                for line in pool.take_acked() {
                    pool.say(line, &format!("T-{}", line % 50));
                }
            }
            Ok(())
        };
        again(&mut self.pool, Instant::now() + Duration::from_secs(1))?;
        let (began, before, already) = (Instant::now(), cpu(self.pid)?, self.pool.acks);
        again(&mut self.pool, began + Duration::from_secs(seconds as u64))?;
        let (took, used) = (began.elapsed().as_secs_f64(), cpu(self.pid)? - before);
        let acks = (self.pool.acks - already) as f64;
        println!("sends_per_s={:.0} cpu_us_per_send={:.1}", acks / took, used * 1e6 / acks);
        Ok(())
    }

    /// Deliveries to a room: bursts of this size, the next when all have the last.
    fn deliver(&mut self, listeners: usize, burst: usize, seconds: usize) -> Result<(), Fault> {
        self.open(listeners, 16, |_| "T-hall".to_owned())?;
        self.pool.settle()?;
        let mut due = self.pool.messages;
        let mut round = |pool: &mut Pool| -> Result<(), Fault> {
            for _ in 0..burst {
                pool.say(0, "T-hall");
            }
            due += burst * listeners;
            while pool.messages < due {
                pool.turn(Duration::from_millis(100))?;
            }
            Ok(())
        };
        let warm = Instant::now() + Duration::from_secs(1);
        while Instant::now() < warm {
            round(&mut self.pool)?;
        }
        let (began, before, already) = (Instant::now(), cpu(self.pid)?, self.pool.messages);
        while began.elapsed() < Duration::from_secs(seconds as u64) {
            round(&mut self.pool)?;
        }
        let (took, used) = (began.elapsed().as_secs_f64(), cpu(self.pid)? - before);
        let count = (self.pool.messages - already) as f64;
        println!("deliveries_per_s={:.0} cpu_us_per_delivery={:.2}", count / took, used * 1e6 / count);
        Ok(())
    }

    /// Connections: entered with a token, joined to a room of 50, its history read.
    fn enter(&mut self, count: usize, at_once: usize) -> Result<f64, Fault> {
        let (began, before) = (Instant::now(), cpu(self.pid)?);
        self.open(count, at_once, |n| format!("T-{}", n % 50))?;
        let (took, used) = (began.elapsed().as_secs_f64(), cpu(self.pid)? - before);
        println!("connections_per_s={:.0} cpu_us_per_connection={:.0}", count as f64 / took, used * 1e6 / count as f64);
        Ok(took)
    }

    /// Memory of idle joined connections, after so many seconds of rest.
    fn idle(&mut self, count: usize, seconds: usize) -> Result<(), Fault> {
        let ticket = |n: usize| format!("T-{}", n % 50);
        self.open(100, 16, ticket)?;
        self.pool.settle()?;
        let before = rss(self.pid)?;
        self.open(count, 16, ticket)?;
        self.pool.settle()?;
        // What was garbage when the last one entered is given a while to be collected.
        let until = Instant::now() + Duration::from_secs(seconds as u64);
        while Instant::now() < until {
            self.pool.turn(Duration::from_millis(100))?;
        }
        let after = rss(self.pid)?;
        println!("kb_per_connection={:.1} rss_mb={:.0}", (after - before) / count as f64 / 1024.0, after / 1048576.0);
        Ok(())
    }
}
