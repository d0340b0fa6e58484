//! Who reads which partition: in the order of their ids, members get ranges of
//! partitions that differ in length by one at most.
//!
//! It depends on the members alone, so nothing of it is stored, and a member that comes
//! back finds what it had. Where there are more members than partitions, some get none.

use std::ops::Range;

use holdfast_state::Id;

use crate::topics::partition::Partitions;

/// The partitions of a member; none for somebody who is not among the members, which are
/// sorted.
#[must_use]
pub fn assigned(partitions: Partitions, members: &[Id], member: &Id) -> Range<u16> {
    let Ok(index) = members.binary_search(member) else { return 0..0 };
    let (all, count) = (usize::from(partitions.get()), members.len());
    let begin = |index: usize| {
        u16::try_from(index * all / count).expect("at most the number of partitions")
    };
    begin(index)..begin(index + 1)
}

/// Who reads a partition; nobody where there are no members.
#[must_use]
pub fn reader(partitions: Partitions, members: &[Id], partition: u16) -> Option<&Id> {
    members.iter().find(|member| assigned(partitions, members, member).contains(&partition))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_partition_has_one_reader_and_none_has_many_more_than_another() {
        for count in 1..20 {
            let partitions = Partitions::new(count).unwrap();
            for members in 1..25_u8 {
                let members: Vec<_> =
                    (0..members).map(|n| Id::new(&format!("m{n:02}")).unwrap()).collect();
                let of = |member| assigned(partitions, &members, member);
                let dealt: Vec<_> = members.iter().flat_map(of).collect();
                assert_eq!(dealt, partitions.all().collect::<Vec<_>>());
                let lengths = members.iter().map(|member| of(member).len());
                assert!(lengths.clone().max().unwrap() - lengths.min().unwrap() <= 1);
                for partition in partitions.all() {
                    let reader = reader(partitions, &members, partition).unwrap();
                    assert!(of(reader).contains(&partition));
                }
            }
        }
        let stranger = Id::new("x").unwrap();
        assert!(assigned(Partitions::ONE, &[], &stranger).is_empty());
        assert_eq!(reader(Partitions::ONE, &[], 0), None);
    }
}
