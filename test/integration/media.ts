// Pictures and sounds of a size, and films, for tests that look at them while they arrive.

import type { Page } from 'playwright-core'
import { crc32, deflateSync } from 'node:zlib'

/** A PNG of noise, which does not get smaller: of about so many bytes. */
export function pictureOf(sizeBytes: number): Buffer {
  const width = 1024
  const height = Math.floor(sizeBytes / (3 * width + 1))
  const header = Buffer.alloc(13)
  header.writeUInt32BE(width, 0)
  header.writeUInt32BE(height, 4)
  // Eight bits of red, green and blue.
  header.set([8, 2, 0, 0, 0], 8)
  const rows = Buffer.alloc(height * (3 * width + 1))
  for (let at = 0; at < rows.length; at++)
    rows[at] = at % (3 * width + 1) === 0 ? 0 : (at * 2654435761) >>> 24
  const signature = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a])
  return Buffer.concat([
    signature,
    chunk('IHDR', header),
    chunk('IDAT', deflateSync(rows, { level: 0 })),
    chunk('IEND', Buffer.alloc(0)),
  ])
}

function chunk(kind: string, data: Buffer): Buffer {
  const whole = Buffer.alloc(data.length + 12)
  whole.writeUInt32BE(data.length, 0)
  whole.write(kind, 4, 'latin1')
  data.copy(whole, 8)
  whole.writeUInt32BE(crc32(whole.subarray(4, data.length + 8)), data.length + 8)
  return whole
}

/** A WAV of silence. */
export function soundOf(sizeBytes: number): Buffer {
  const sound = Buffer.alloc(sizeBytes, 0x80)
  sound.write('RIFF', 0, 'latin1')
  sound.writeUInt32LE(sizeBytes - 8, 4)
  sound.write('WAVEfmt ', 8, 'latin1')
  sound.writeUInt32LE(16, 16)
  // Uncompressed, one channel of 8 bits, 8,000 times a second: slow enough to be played as it comes.
  sound.writeUInt16LE(1, 20)
  sound.writeUInt16LE(1, 22)
  sound.writeUInt32LE(8000, 24)
  sound.writeUInt32LE(8000, 28)
  sound.writeUInt16LE(1, 32)
  sound.writeUInt16LE(8, 34)
  sound.write('data', 36, 'latin1')
  sound.writeUInt32LE(sizeBytes - 44, 40)
  return sound
}

/** A WebM of this size, which says that it is an hour long: a second that the browser records from a canvas. */
export async function filmOf(page: Page, sizeBytes: number): Promise<Buffer> {
  const recorded = await page.evaluate(`new Promise((resolve) => {
    const canvas = Object.assign(document.createElement('canvas'), { width: 160, height: 120 })
    const picture = canvas.getContext('2d')
    let round = 0
    const draw = () => {
      picture.fillStyle = 'hsl(' + round++ * 7 + ' 80% 50%)'
      picture.fillRect(0, 0, 160, 120)
      if (round < 60) requestAnimationFrame(draw)
      else recorder.stop()
    }
    const recorder = new MediaRecorder(canvas.captureStream(30), { mimeType: 'video/webm;codecs=vp8' })
    const parts = []
    recorder.ondataavailable = ({ data }) => parts.push(data)
    recorder.onstop = async () => {
      const bytes = new Uint8Array(await new Blob(parts).arrayBuffer())
      resolve(Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join(''))
    }
    recorder.start()
    draw()
  })`)
  const film = Buffer.from(String(recorded), 'hex')
  // The Segment is all the rest; its size has eight bytes.
  const segmentAt = film.indexOf('18538067', 0, 'hex')
  film.writeUIntBE(sizeBytes - segmentAt - 12, segmentAt + 6, 6)
  // Chromium begins a film when what is to come will come in time. A Duration is a float, in milliseconds.
  film.writeFloatBE(3_600_000, film.indexOf('448984', 0, 'hex') + 3)
  // Players pass over a Void.
  const rest = Buffer.alloc(sizeBytes - film.length)
  rest.writeUInt8(0xec, 0)
  rest.writeBigUInt64BE((1n << 56n) + BigInt(rest.length - 9), 1)
  return Buffer.concat([film, rest])
}
