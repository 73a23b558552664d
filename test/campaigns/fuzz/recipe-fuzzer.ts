// Changed recipes, and outlines of them: each is read as one or refused, and what is read finds only groups and blocks that
// are there, quickly.

import { buildManifest } from '../../../src/common/manifest.ts'
import { buildIndex, isBlock, type SoughtBlocks } from '../../../src/common/recipe/block-index.ts'
import { lengthsOf } from '../../../src/common/recipe/block-layout.ts'
import { findBlocks } from '../../../src/common/recipe/scan.ts'
import { parseOutline, parseRecipe, type Outline } from '../../../src/common/recipe/recipe.ts'
import { recipeOf } from '../../common/recipe/recipe-sample.ts'
import type { Draw } from './tree-fuzzer.ts'

/** Of two groups, with blocks that are the same, others that are not, and a shorter one. */
const content = Buffer.from(Uint8Array.from({ length: 19 * 4096 + 100 }, (_, at) => at))
for (let at = 4096; at < 3 * 4096; at++) content[at] = Math.imul(at, 0x9e3779b1) >>> 24
const manifest = buildManifest(content.length, Buffer.alloc(52, 7))
const donor = Buffer.concat([Buffer.from('a line\n'), content.subarray(0, 17 * 4096)])

/** What a mistake that is planted breaks on. */
const plantedByte = 0xfe

export class RecipeFuzzer {
  readonly #draw: Draw
  readonly #plant: boolean
  readonly #recipe = recipeOf(content, manifest)

  /** `plant`: with a mistake in it, which has to be found. */
  constructor(draw: Draw, plant: boolean) {
    this.#draw = draw
    this.#plant = plant
  }

  /** Another input: the recipe, or its outline, with a few places changed. */
  next(): Buffer {
    const { bytes: whole, outline } = this.#recipe
    let bytes: Buffer = Buffer.from(this.#draw.below(2) === 0 ? whole : outline.bytes)
    for (let changes = this.#draw.below(5); changes > 0; changes--) bytes = this.#change(bytes)
    return bytes
  }

  /** What is wrong with how an input is read; undefined when nothing is. */
  bugIn(bytes: Buffer): string | undefined {
    try {
      if (this.#plant && bytes.includes(plantedByte)) return 'the mistake that was planted'
      const recipe = parseRecipe(bytes, manifest)
      const outline = recipe?.outline ?? parseOutline(bytes, manifest)
      if (outline === undefined) return undefined
      return (
        bugInFinding(groupsOf(outline)) ?? (recipe && bugInFinding(blocksOf(recipe.outline, recipe.blocks)))
      )
    } catch (error) {
      return String(error)
    }
  }

  #change(bytes: Buffer): Buffer {
    const at = this.#draw.below(bytes.length + 1)
    switch (this.#draw.below(6)) {
      case 0:
        return Buffer.concat([bytes.subarray(0, at), bytes.subarray(at + 1 + this.#draw.below(13))])
      case 1:
        return Buffer.concat([bytes.subarray(0, at), Buffer.of(this.#draw.below(256)), bytes.subarray(at)])
      case 2:
        // The record of one block for another one, or a part of it.
        bytes.copyWithin(at, this.#draw.below(bytes.length), bytes.length)
        return bytes
      default:
        if (at < bytes.length) bytes[at] = this.#draw.below(256)
        return bytes
    }
  }
}

function groupsOf({ layout, groups: records }: Outline): SoughtBlocks {
  const { blockBytes: partBytes, groupBytes: blockBytes, firstGroups: firsts } = layout
  return { blockBytes, partBytes, records, lengths: lengthsOf(manifest, [0], { bytes: blockBytes, firsts }) }
}

function blocksOf({ layout }: Outline, records: Buffer): SoughtBlocks {
  const { blockBytes, firstBlocks: firsts } = layout
  return { blockBytes, records, lengths: lengthsOf(manifest, [0], { bytes: blockBytes, firsts }) }
}

function bugInFinding(sought: SoughtBlocks): string | undefined {
  const index = buildIndex(sought)
  const { hits } = findBlocks(index, { bytes: donor, inRuns: false })
  for (let at = 0; at < hits.length; at += 2) {
    const [place = 0, offset = 0] = [hits[at], hits[at + 1]]
    const block = place >= 0 ? (index.order[place] ?? -1) : -1 - place
    const end = offset + (sought.lengths[block] ?? 0)
    if (end > donor.length || !isBlock(index, block, donor.subarray(offset, end)))
      return `block ${block} of ${sought.blockBytes} bytes was found where it is not, at ${offset}`
  }
  return undefined
}
