// A worker that makes the records of recipes, and looks for the blocks of recipes in other bytes.

import { parentPort } from 'node:worker_threads'
import { buildIndex, type BlockIndex, type SoughtBlocks } from '../../common/recipe/block-index.ts'
import { recordsOfPiece, type PieceRecords } from '../../common/recipe/recipe.ts'
import { findBlocks, type Found, type Window } from '../../common/recipe/scan.ts'
import { fastestSums } from '../hashing/block-match.ts'

/** What is asked of the worker. Bytes are in memory that it shares. */
export type RecipeTask =
  | { readonly kind: 'records'; readonly pieces: readonly Uint8Array[]; readonly blockBytes: number }
  | { readonly kind: 'index'; readonly sought: SoughtBlocks }
  | { readonly kind: 'find'; readonly index: BlockIndex; readonly window: Window }

export type RecipeResult =
  { readonly records: PieceRecords[] } | { readonly index: BlockIndex } | { readonly found: Found }

export function runRecipe(task: RecipeTask): RecipeResult {
  if (task.kind === 'records') {
    const { pieces, blockBytes } = task
    return { records: pieces.map((piece) => recordsOfPiece(piece, blockBytes, fastestSums.sumOf)) }
  }
  if (task.kind === 'index') return { index: buildIndex(task.sought) }
  return { found: findBlocks(task.index, task.window, fastestSums) }
}

parentPort?.on('message', (task: RecipeTask) => parentPort?.postMessage(runRecipe(task)))
