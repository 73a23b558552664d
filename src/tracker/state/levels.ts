// Levels of the state: which rules hold. Trackers of different versions may follow one log, and must come to the same
// state from it. So new rules hold only from a logged command on, which is appended when all trackers can follow
// them. A tracker that cannot follow ends with a sentence instead of guessing.
//
//   1   as trackers of version 0.1 have it
//   2   numbers instead of names as identity, quotas, outcomes remembered for each account, snapshots in sections;
//       accounts that end, passwords that change
//   3   folders; entries have versions, and say who put them there and when

/** The newest level that this program can follow. */
export const newestLevel = 3
