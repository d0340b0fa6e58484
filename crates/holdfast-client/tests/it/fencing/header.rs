//! A receiver that keeps the highest token refuses who comes back; one that does not is switched
//! twice.

use crate::node::Running;

#[path = "../../../examples/fencing_header.rs"]
#[expect(dead_code, unreachable_pub, reason = "its `main` is not called here")]
mod fencing_header;

use fencing_header::{lamp, run, show};

#[tokio::test]
async fn who_comes_back_is_refused_by_whom_it_asks() {
    let holdfast = Running::start().await;
    let url = format!("http://{}", holdfast.address);
    assert_eq!(run(&url, true).await.unwrap(), (412, "1".to_owned()));
    // The control.
    let other = Running::start().await;
    let url = format!("http://{}", other.address);
    assert_eq!(run(&url, false).await.unwrap(), (200, "2".to_owned()));
    holdfast.stop().await;
    other.stop().await;
}

#[tokio::test]
async fn who_shows_no_token_is_refused() {
    let lamp = lamp(true).await.unwrap();
    assert_eq!(show(lamp, "POST", None).await.unwrap().status(), 428);
    assert_eq!(show(lamp, "POST", Some(7)).await.unwrap().body, "1");
    let refused = show(lamp, "POST", Some(6)).await.unwrap();
    assert_eq!((refused.status(), refused.field("Holdfast-Fencing-Token")), (412, Some("7")));
    assert_eq!(show(lamp, "POST", Some(7)).await.unwrap().body, "2");
}
