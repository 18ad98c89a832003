/// What a store can get wrong.
macro_rules! mistakes {
    ($($list:ident: $($mistake:ident)*;)*) => {
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub(super) enum Mistake {
            $($($mistake,)*)*
        }

        impl Mistake {
            $(pub(super) const $list: &[Self] = &[$(Self::$mistake,)*];)*
        }
    };
}

mistakes! {
    OF_STORES:
        // Claims.
        PrefixesAreIgnored
        TwoWin
        LeasesAreShort
        LeasesNeverEnd
        LocksNeverEnd
        GraceIsForgotten
        GraceNeverEnds
        ReportIsIgnored
        TakeOverIsIgnored
        OtherWorkIsTakenOver
        AttemptsAreNotCounted
        NumberingGoesOnAfterARelease
        LeaseOfAnotherTime
        RepeatedClaimIsAnother
        RepeatedClaimIsTheFirst
        RepeatedClaimIsTheNext
        OwnerIsNotTold
        OwnerIsSomeoneElse
        OtherWorkIsNotTold
        TimeLeftIsNotTold
        TimeLeftIsOfTheFirstLease
        // Renewals.
        RenewalIsAnybodys
        RenewalChangesNothing
        RenewalNeverEnds
        RenewalLosesTheGrace
        RenewalHasGraceForEver
        RenewalForgetsTheFingerprint
        RenewalOfLapsedIsRefused
        RenewalOfLocksIsRefused
        RenewalIsAlwaysConfirmed
        TimeStandsStill
        TimeRunsBackwards
        // Completions.
        CompletionIsAnybodys
        CompletionLeavesTheClaim
        CompletionOfLapsedIsRefused
        CompletionNeedsAClaim
        CompletionIsNotRepeatable
        CompletionOverwritesItself
        CompletionOverwritesOthers
        CompletionIsKnownByItsRecord
        RetentionIsTheLease
        RetentionNeverEnds
        RetentionOfTombstonesNeverEnds
        RetentionInVacantPlacesNeverEnds
        // Releases.
        ReleaseIsAnybodys
        ReleaseChangesNothing
        ReleaseEndsTheLeaseOnly
        ReleaseOfLapsedIsRefused
        ReleaseRemovesRecords
        ReleaseIsAlwaysConfirmed
        // Watches.
        WatchEndsAtOnce
        WatchNeverEnds
        WatchMissesCompletions
        WatchMissesReleases
        WatchMissesLapses
        WatchMissesLapsesOfRenewedClaims
        WatchIsOfWhateverIsThere
        // Records.
        BodiesAreText
        BodiesAreCut
        HeadersAreText
        HeadersAreUnique
        StatusIsAByte
        FingerprintOfRecordsIsLost
        LocationIsLost
        StatusOfTombstonesIsLost
        UnknownStatusIsZero
        EmptyAnswersAreTombstones;
    OF_INSPECTIONS:
        LookUpKnowsNoTimes
        LookUpKnowsNoAttempts
        LookUpKnowsNoFingerprints
        LookUpTakesLocksForClaims
        LookUpSizesTombstones
        LookUpMissesTombstones
        ListEndsAfterAPage
        ListIgnoresThePrefix
        ListMissesOneOfAPage
        ListMissesRecords
        ForcedReleaseChangesNothing
        ForcedReleaseRemovesRecords
        ForcedReleaseMissesLocks
        ForcedReleaseMissesLapsed
        DeletionMissesRecords
        DeletionMissesLocks
        DeletionIsAlwaysConfirmed
        DeletionChangesNothing;
}
