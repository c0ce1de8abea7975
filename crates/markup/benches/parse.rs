//! How long texts take to read: a line as people write it, a long message, and texts made to be slow.

use std::hint::black_box;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use parlor_markup::{Options, parse};

const LINE: &str =
    "Hi @ann, the build is *green* again :tada: see https://ci.example.com/run/42 and `make test` :)";
const PLAIN: &str = "thanks, that works for me, let us look at the rest of it tomorrow morning";

fn long_message() -> String {
    let part = "## Plan\n\n- [x] write the *parser*\n- [ ] measure it, see [the notes](https://example.com/notes_(2))\n\n\
        1. `cargo bench`\n2. compare with _last week_\n\n> as @ann said in #general\n\n```rust\nfn main() {}\n```\n\
        The rest is ordinary text that goes on for a while, as it does, without saying much of anything.\n";
    part.repeat(5_000 / part.len())
}

fn reading(criterion: &mut Criterion) {
    let options = Options::default();
    let mut group = criterion.benchmark_group("parse");
    let texts = [
        ("plain line", PLAIN.to_owned()),
        ("chat line", LINE.to_owned()),
        ("long message", long_message()),
        ("50,000 asterisks", "*".repeat(50_000)),
        ("50,000 brackets", "[".repeat(50_000)),
        ("50,000 letters", "a".repeat(50_000)),
        ("50,000 bytes of open marks", "*a_b~c".repeat(50_000 / 6)),
        ("50,000 bytes of links that end nowhere", "[a](x.com".repeat(50_000 / 9)),
        ("50,000 bytes that exhaust the budget", "-_-~~O_O".repeat(50_000 / 8)),
        ("5,000 emoji", "😀".repeat(5_000)),
    ];
    for (name, text) in &texts {
        group.throughput(Throughput::Bytes(text.len() as u64));
        group.bench_function(*name, |bencher| bencher.iter(|| parse(black_box(text), &options)));
    }
    group.finish();
}

criterion_group!(benches, reading);
criterion_main!(benches);
