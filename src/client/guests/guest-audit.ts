// What became of the links for guests, one line of JSON each: made, used, ended. A line names a link by its number and
// never has its secret.

import { prepareAuditFile } from '../../common/audit-file/last-line.ts'
import { RotatingFile } from '../../common/audit-file/rotating-file.ts'

export interface GuestAct {
  /** `link_made`, `link_used`, `guest_sent` when a transfer ended, `link_ended`. */
  readonly what: string
  /** Whose link it is. */
  readonly who: string
  readonly link: number
  readonly group: string
  readonly name: string
  /** The network of the guest. */
  readonly from?: string | undefined
  readonly [name: string]: string | number | undefined
}

export interface GuestAuditOptions {
  readonly path: string
  /** Told when lines cannot be written. */
  readonly onTrouble: (sentence: string) => void
  /** Milliseconds since 1970. */
  readonly nowMs?: () => number
}

export class GuestAudit {
  readonly #file: RotatingFile
  readonly #nowMs: () => number

  private constructor({ path, onTrouble, nowMs = Date.now }: GuestAuditOptions) {
    this.#nowMs = nowMs
    const lineOfDropped = (lines: number): string => this.#text({ what: 'lines_dropped', lines })
    this.#file = new RotatingFile({ path, onTrouble, lineOfDropped })
    this.#file.begin()
  }

  /** Goes on behind what is there. Rejects with a `start` failure for a file that cannot be written, or is another's. */
  static async open(options: GuestAuditOptions): Promise<GuestAudit> {
    await prepareAuditFile(options.path, lines)
    return new GuestAudit(options)
  }

  add(act: GuestAct): void {
    this.#file.add(this.#text(act))
  }

  close(): Promise<void> {
    return this.#file.close()
  }

  #text(fields: Readonly<Record<string, string | number | undefined>>): string {
    return `${JSON.stringify({ time: new Date(this.#nowMs()).toISOString(), ...fields })}\n`
  }
}

/** How the file is recognised. */
const lines = { read: whatIn, begins: '{"time":', of: 'a client' }

function whatIn(text: string): string | undefined {
  try {
    const line: unknown = JSON.parse(text)
    const isLine = typeof line === 'object' && line !== null && 'what' in line && !('position' in line)
    return isLine ? String(line.what) : undefined
  } catch {
    return undefined
  }
}
