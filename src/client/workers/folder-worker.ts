// A worker that looks through folders, and reads pieces from their files: many short calls that wait for a disk, which
// in a thread take a third of the time that promises take.

import { parentPort } from 'node:worker_threads'
import { sentenceOf, systemCode } from '../../common/failure.ts'
import { accept, refuse, type Answer } from '../../common/refusal.ts'
import { encodeTree, parseTree } from '../../common/tree/tree.ts'
import { stampsAt } from '../folder/files-on-disk.ts'
import type { FolderStamps, Spellings } from '../folder/folder-stamps.ts'
import { atOnce } from '../folder/in-slices.ts'
import { readPacked, type PackedSegments } from '../folder/packed-segments.ts'
import type { SegmentFault } from '../folder/read-segments.ts'
import { scanFolder, type FolderScan, type ScanOptions } from '../folder/scan.ts'

/** What is asked of the worker. */
export type FolderTask =
  | { readonly kind: 'scan'; readonly root: string; readonly options: ScanOptions }
  | {
      readonly kind: 'stamps'
      readonly root: string
      /** Encoded. */
      readonly tree: Uint8Array
      readonly spellings: Spellings
    }
  | {
      readonly kind: 'read'
      readonly root: string
      readonly segments: PackedSegments
      readonly stamps: FolderStamps
      /** The piece is written to its start. */
      readonly into: SharedArrayBuffer
    }

/** A folder that was looked through, its tree encoded. */
export type EncodedScan = Omit<FolderScan, 'entries'> & { readonly tree: Uint8Array }

/** `problem`: the system did not allow it, for a reason that lies in no file; `errno` is libuv's number. */
export type FolderResult =
  | { readonly scan: Answer<EncodedScan> }
  | { readonly stamps: FolderStamps }
  | { readonly faults: readonly SegmentFault[] }
  | { readonly problem: string; readonly errno: number | undefined }

export function encodedScan({ entries, ...scan }: FolderScan): Answer<EncodedScan> {
  try {
    return accept({ ...scan, tree: encodeTree(entries) })
  } catch (error) {
    if (!(error instanceof RangeError)) throw error
    return refuse('local-file', 'the list of the files in this folder is too long')
  }
}

function runFolder(task: FolderTask): FolderResult {
  try {
    if (task.kind === 'read') {
      const into = new Uint8Array(task.into)
      return { faults: readPacked(task.root, task.segments, task.stamps, into) }
    }
    if (task.kind === 'scan') {
      const scan = atOnce(scanFolder(task.root, task.options))
      return { scan: scan.ok ? encodedScan(scan.value) : scan }
    }
    const entries = parseTree(task.tree)
    if ('problem' in entries) throw new Error(entries.problem)
    return { stamps: atOnce(stampsAt(task.root, entries, task.spellings)) }
  } catch (error) {
    if (systemCode(error) === undefined) throw error
    return { problem: sentenceOf(error), errno: (error as NodeJS.ErrnoException).errno }
  }
}

parentPort?.on('message', (task: FolderTask) => parentPort?.postMessage(runFolder(task)))
