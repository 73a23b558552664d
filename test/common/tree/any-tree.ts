// Random trees: few names, so that paths share folders.

import fc from 'fast-check'
import { comparePaths, SameNames } from '../../../src/common/tree/paths.ts'
import type { TreeEntry } from '../../../src/common/tree/tree.ts'

const anyName = fc.oneof(
  fc.constantFrom('a', 'b', 'src', 'read me', 'käse', '日本', '.hidden', 'a.b', 'a-b'),
  fc.stringMatching(/^[a-z]{1,12}$/),
)
const anyPath = fc.array(anyName, { minLength: 1, maxLength: 5 }).map((names) => names.join('/'))
const anySize = fc.oneof(
  fc.nat({ max: 100_000 }),
  fc.constantFrom(0, 1, 524_287, 524_288, 524_289),
  fc.nat({ max: 5_000_000 }),
)

/** `sizes`: of its files. */
export function treesOf(sizes: fc.Arbitrary<number>): fc.Arbitrary<TreeEntry[]> {
  const anyEntry: fc.Arbitrary<TreeEntry> = fc.oneof(
    {
      weight: 6,
      arbitrary: fc.record({
        path: anyPath,
        kind: fc.constantFrom('file', 'executable'),
        sizeBytes: sizes,
        mtimeSeconds: fc.integer({ min: -(2 ** 33), max: 2 ** 35 }),
      }),
    },
    { weight: 1, arbitrary: fc.record({ path: anyPath, kind: fc.constant('folder' as const) }) },
  )
  return fc.array(anyEntry, { maxLength: 40 }).map(inOrder)
}

export const anyTree = treesOf(anySize)

/** Leaves out what cannot stand beside the others. */
function inOrder(entries: readonly TreeEntry[]): TreeEntry[] {
  const names = new SameNames()
  const kept: TreeEntry[] = []
  for (const entry of entries.toSorted((one, other) => comparePaths(one.path, other.path))) {
    const last = kept.at(-1)?.path
    if (last !== undefined && (entry.path === last || entry.path.startsWith(`${last}/`))) continue
    if (names.add(entry.path) === undefined) kept.push(entry)
  }
  return kept
}
