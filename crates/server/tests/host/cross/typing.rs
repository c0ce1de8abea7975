//! Typing over time: said again and again it is told now and then, and it ends by itself.

use std::time::{Duration, Instant};

use super::{
    doors::{Door, Hands},
    ears::{Seen, ears},
    stage::{Kind, Stage},
};

/// S2-6, S3-6, S4-42: typing ends 6 seconds after it was last said; said again it is told at most once in 3 seconds.
#[tokio::test]
async fn s2_6_s3_6_s4_42_typing_ends_by_itself_and_is_not_repeated_all_the_time() {
    let stage = Stage::set(Kind::Ticket).await;
    let mut ann = Hands::of(&stage, &stage.ann).await;
    let mut ears = ears(&stage, &stage.ben).await;
    let typing = |on: bool| Seen::Typing { who: "u-ann".to_owned(), on };
    let begun = Instant::now();
    ann.typing(Door::TicketsSocket, true).await;
    // As often as somebody types, for as long as it would take to be told again.
    let mut said = 1;
    while begun.elapsed() < Duration::from_millis(2_500) {
        ann.typing(Door::TicketsSocket, true).await;
        said += 1;
    }
    let last = Instant::now();
    assert!(said > 2);
    for ear in ears.iter_mut().filter(|ear| ear.hears(&typing(true))) {
        ear.expect(&typing(true)).await;
        assert_eq!(ear.next().await, typing(false), "by {}", ear.name());
        let after = last.elapsed();
        assert!(after > Duration::from_secs(5) && after < Duration::from_secs(12), "{after:?}");
    }
}
