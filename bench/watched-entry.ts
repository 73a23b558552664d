// The file at which docs/watch.svg looks on.

import type { EntryView } from '../src/client/operations.ts'
import { entryLines } from '../src/client/prompt/views/entry.ts'

const MiB = 1024 * 1024

export const watched: EntryView = {
  group: 'family',
  name: 'holiday 休暇.mov',
  state: 'running',
  sizeBytes: 200 * MiB,
  pieceCount: 400,
  piecesDone: 180,
  bytesInPerSecond: 4.2 * MiB,
  bytesOutPerSecond: 1.2 * MiB,
  map: Array.from({ length: 400 }, (_, index) => {
    if ((index * 37) % 100 < 45) return [1, 0, 0, 0]
    if ((index * 37) % 100 < 49) return [0, 1, 0, 0]
    return index > 380 ? [0, 0, 0, 1] : [0, 0, 1, 0]
  }),
  peers: [
    {
      peer: 'ann@192.168.1.20:4444',
      user: 'ann',
      pieces: 380,
      bytesInPerSecond: 3 * MiB,
      bytesOutPerSecond: 0,
      way: 'direct',
    },
    {
      peer: 'cem@192.168.1.31:4444',
      user: 'cem',
      pieces: 210,
      bytesInPerSecond: 1.2 * MiB,
      bytesOutPerSecond: 0.9 * MiB,
      way: 'lan',
    },
    {
      peer: 'dora@192.168.1.44',
      user: 'dora',
      pieces: 40,
      bytesInPerSecond: 0,
      bytesOutPerSecond: 0.3 * MiB,
      way: 'called-back',
    },
  ],
  audience: {
    whole: [],
    lacking: [
      { user: 'ben', pieces: 180, secondsLeft: 27 },
      { user: 'cem', pieces: 210, secondsLeft: 48 },
      { user: 'dora', pieces: 40, secondsLeft: 605 },
    ],
    absent: ['emil', 'fay'],
    absentCount: 2,
  },
}

/** As `watch` shows it at a terminal of 80 columns. */
export const watchedLines = entryLines(watched, { columns: 80, rows: 24 })
