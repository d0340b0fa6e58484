//! A store that puts on a condition refuses who comes back; without the condition its put
//! replaces what was put under a newer token.

use crate::node::Running;

#[path = "../../../examples/fencing_object.rs"]
#[expect(dead_code, unreachable_pub, reason = "its `main` is not called here")]
mod fencing_object;

use fencing_object::{Put, put, read, run, store, take_over};

#[tokio::test]
async fn who_comes_back_is_refused_by_the_store() {
    let holdfast = Running::start().await;
    let url = format!("http://{}", holdfast.address);
    let once = "invoice 17 charged\n".to_owned();
    assert_eq!(run(&url, true).await.unwrap(), (Put::Refused, once));
    // The control.
    let other = Running::start().await;
    let url = format!("http://{}", other.address);
    let twice = "invoice 17 charged\ninvoice 17 charged\n".to_owned();
    assert_eq!(run(&url, false).await.unwrap(), (Put::Done, twice));
    holdfast.stop().await;
    other.stop().await;
}

#[tokio::test]
async fn from_when_it_is_taken_over_no_condition_of_before_holds() {
    let store = store().await.unwrap();
    let first = take_over(store, 5).await.unwrap().unwrap();
    assert_eq!(put(store, &first, 5, "a\n").await.unwrap(), Put::Done);
    // What it read is not what is there any more, so it reads again, as it must.
    assert_eq!(put(store, &first, 5, "b\n").await.unwrap(), Put::Refused);
    let hanging = read(store).await.unwrap();
    let second = take_over(store, 9).await.unwrap().unwrap();
    assert_eq!(second.lines, "a\n");
    // By its condition; and, had it read only now, by its token.
    assert_eq!(put(store, &hanging, 5, "a\nc\n").await.unwrap(), Put::Refused);
    let late = read(store).await.unwrap();
    assert_eq!(put(store, &late, 5, "a\nc\n").await.unwrap(), Put::Refused);
    assert!(take_over(store, 5).await.unwrap().is_none());
    assert_eq!(put(store, &late, 9, "a\nd\n").await.unwrap(), Put::Done);
}
