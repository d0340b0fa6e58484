//! The example, run as it stands.

#[path = "../../examples/embedding.rs"]
#[expect(dead_code, unreachable_pub, reason = "its `main` is not called here")]
mod embedding;

async fn told(data: &std::path::Path) -> String {
    let mut out = Vec::new();
    embedding::run(data, &mut out).await.unwrap();
    String::from_utf8(out).unwrap()
}

#[tokio::test]
async fn a_trip_is_booked_once_and_a_refused_one_leaves_nothing() {
    let temporary = tempfile::tempdir().unwrap();
    let data = temporary.path().join("data");
    let expected = "\
trip-1: booked, 258 points
  the guest has 74200 cents and 258 points
trip-1: booked, 258 points, answered again
  the guest has 74200 cents and 258 points
trip-2: sold_out
  the guest has 74200 cents and 258 points
";
    assert_eq!(told(&data).await, expected);
    // In another life of the process every answer is one of the first.
    let again = told(&data).await;
    let lines: Vec<_> = again.lines().filter(|line| line.starts_with("trip")).collect();
    assert_eq!(lines.len(), 3);
    assert!(lines.iter().all(|line| line.ends_with(", answered again")), "{again}");
    assert!(again.ends_with("  the guest has 74200 cents and 258 points\n"), "{again}");
}
