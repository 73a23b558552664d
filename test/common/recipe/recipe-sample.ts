// Recipes of contents that a test has in memory.

import { lengthOfPiece, offsetOfPiece, type Manifest } from '../../../src/common/manifest.ts'
import { blockBytesFor, buildRecipe, recordsOfPiece, type Recipe } from '../../../src/common/recipe/recipe.ts'

export function recipeOf(content: Buffer, manifest: Manifest): Recipe {
  const blockBytes = blockBytesFor(manifest)
  const records = Array.from({ length: manifest.pieceCount }, (_, index) => {
    const at = offsetOfPiece(manifest, index)
    return recordsOfPiece(content.subarray(at, at + lengthOfPiece(manifest, index)), blockBytes)
  })
  return buildRecipe(manifest, blockBytes, records)
}
