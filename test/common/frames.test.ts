// The codec, without a socket: whatever the bytes and however they are cut.

import fc from 'fast-check'
import { expect, onTestFinished, test, vi } from 'vitest'
import { Failure } from '../../src/common/failure.ts'
import { encodeLine, FrameReader } from '../../src/common/wire/frames.ts'

interface Sent {
  readonly message: object
  readonly body?: Uint8Array
}

/** What a reader made of its bytes: every frame, with the body as hex so that it compares well. */
interface Heard {
  readonly frames: { message: unknown; body?: string }[]
  malformed: number
}

function reader(lineBytesMax = 4096, bodyBytesMax = 1 << 20): { reader: FrameReader; heard: Heard } {
  const heard: Heard = { frames: [], malformed: 0 }
  return {
    heard,
    reader: new FrameReader({
      lineBytesMax,
      bodyBuffer: (_message, bytes) => {
        if (bytes > bodyBytesMax) throw new Failure('protocol', 'too many bytes')
        return Buffer.alloc(bytes)
      },
      onFrame: ({ message, body }) => heard.frames.push({ message, ...asHex(body) }),
      onMalformed: () => heard.malformed++,
    }),
  }
}

function asHex(body: Uint8Array | undefined): { body?: string } {
  return body === undefined ? {} : { body: Buffer.from(body).toString('hex') }
}

function encode(sent: readonly Sent[]): Buffer {
  return Buffer.concat(
    sent.flatMap(({ message, body }) => [Buffer.from(encodeLine(message)), body ?? Buffer.alloc(0)]),
  )
}

function expected(sent: readonly Sent[]): Heard['frames'] {
  // As JSON has it: what a message looks like after a journey (-0 is 0, undefined is absent).
  return sent.map(({ message, body }) => ({ message: JSON.parse(encodeLine(message)), ...asHex(body) }))
}

const plainMessage = fc
  .dictionary(
    fc.string({ unit: 'binary', maxLength: 8 }).filter((key) => key !== 'bytes' && key !== '__proto__'),
    fc.jsonValue({ maxDepth: 2 }),
    { maxKeys: 4 },
  )
  .map((message): Sent => ({ message }))
const messageWithBody = fc
  .tuple(plainMessage, fc.uint8Array({ maxLength: 3000 }))
  .map(([{ message }, body]): Sent => ({ message: { ...message, bytes: body.length }, body }))
const conversation = fc.array(fc.oneof(plainMessage, messageWithBody), { maxLength: 6 })

test('messages and bodies come out as they went in, fed whole and byte by byte', () => {
  fc.assert(
    fc.property(conversation, (sent) => {
      const bytes = encode(sent)
      const whole = reader()
      whole.reader.feed(bytes)
      expect(whole.heard).toEqual({ frames: expected(sent), malformed: 0 })
      const single = reader()
      for (const byte of bytes) single.reader.feed(Uint8Array.of(byte))
      expect(single.heard).toEqual(whole.heard)
    }),
  )
})

test('it makes no difference where the stream is cut', () => {
  fc.assert(
    fc.property(conversation, fc.array(fc.nat({ max: 700 }), { minLength: 1 }), (sent, cuts) => {
      const { reader: split, heard } = reader()
      // One buffer for all parts, as a socket has it: what is fed may be overwritten afterwards.
      const scratch = Buffer.alloc(701)
      const bytes = encode(sent)
      for (let at = 0, turn = 0; at < bytes.length; turn++) {
        const part = bytes.subarray(at, at + 1 + (cuts[turn % cuts.length] ?? 0))
        scratch.set(part)
        split.feed(scratch.subarray(0, part.length))
        at += part.length
      }
      expect(heard).toEqual({ frames: expected(sent), malformed: 0 })
    }),
  )
})

test('a body read straight into its buffer comes out like one that was fed', () => {
  fc.assert(
    fc.property(conversation, fc.array(fc.nat({ max: 900 }), { minLength: 1 }), (sent, cuts) => {
      const { reader: direct, heard } = reader()
      const bytes = encode(sent)
      for (let at = 0, turn = 0; at < bytes.length; turn++) {
        const count = 1 + (cuts[turn % cuts.length] ?? 0)
        const rest = direct.bodyRest
        const part = bytes.subarray(at, at + (rest === undefined ? count : Math.min(count, rest.length)))
        if (rest === undefined) direct.feed(part)
        else {
          rest.set(part)
          direct.bodyReceived(part.length)
        }
        at += part.length
      }
      expect(heard).toEqual({ frames: expected(sent), malformed: 0 })
    }),
  )
})

test('a line of exactly the longest length is read, one byte more ends the stream', () => {
  const line = `"${'x'.repeat(98)}"`
  const fits = reader(100)
  fits.reader.feed(Buffer.from(`${line}\n`))
  expect(fits.heard.frames).toEqual([{ message: 'x'.repeat(98) }])
  for (const bytes of [` ${line}\n`, ` ${line}`, 'x'.repeat(101)]) {
    expect(() => reader(100).reader.feed(Buffer.from(bytes))).toThrow('longer than 100 bytes')
    const slow = reader(100).reader
    expect(() => {
      for (const byte of Buffer.from(bytes)) slow.feed(Uint8Array.of(byte))
    }).toThrow('longer than 100 bytes')
  }
})

test('the longest length of a line can be raised while reading', () => {
  const { reader: grown, heard } = reader(10)
  grown.feed(Buffer.from('{"a":1}\n'))
  grown.options.lineBytesMax = 100
  grown.feed(Buffer.from(`"${'y'.repeat(50)}"\n`))
  expect(heard.frames).toHaveLength(2)
})

test('empty lines are skipped', () => {
  const { reader: patient, heard } = reader()
  patient.feed(Buffer.from('\n\r\n{"fine":true}\r\n\n'))
  expect(heard).toEqual({ frames: [{ message: { fine: true } }], malformed: 0 })
})

// 64 KiB of lines that are not JSON were all parsed, each with an error: a third of a second for a connection that the
// first one ends.
test('behind a line that is not JSON nothing is read any more', () => {
  const { reader: done, heard } = reader()
  const parse = vi.spyOn(JSON, 'parse')
  onTestFinished(() => parse.mockRestore())
  done.feed(Buffer.from('{"fine":true}\n{oops\n{"late":true}\n{oops\n'))
  done.feed(Buffer.from('{"later":true}\n'))
  expect(heard).toEqual({ frames: [{ message: { fine: true } }], malformed: 1 })
  expect(parse).toHaveBeenCalledTimes(2)
})

// Twenty-five connections that sent empty lines without end kept a sharing client busy: a download took eight times as
// long.
test('somebody who sends nothing but empty lines is hung up on, whatever their kind and however they are cut', () => {
  for (const line of ['\n', '\r\n']) {
    const { reader: patient, heard } = reader(100)
    for (let count = 0; count < 20; count++) patient.feed(Buffer.from(`${line.repeat(40)}{"fine":true}\n`))
    expect(heard.frames).toHaveLength(20)
    patient.feed(Buffer.from(line.repeat(100 / line.length)))
    expect(() => patient.feed(Buffer.from(line))).toThrow('nothing but empty lines')
  }
})

test.each(['-1', '1.5', '"5"', 'null', 'true', '1e400', '9007199254740992', '[]', '{}'])(
  'a body of %s bytes ends the stream',
  (bytes) => {
    expect(() => reader().reader.feed(Buffer.from(`{"bytes":${bytes}}\n`))).toThrow(
      '"bytes" is not a byte count',
    )
  },
)

test('nothing is allocated for a body before it has been agreed to', () => {
  const { reader: guarded, heard } = reader(100, 1000)
  expect(() => guarded.feed(Buffer.from('{"bytes":1001}\n'))).toThrow('too many bytes')
  expect(heard.frames).toEqual([])
})

test('a body buffer of another size ends the stream and not the program', () => {
  const wrong = new FrameReader({
    lineBytesMax: 100,
    bodyBuffer: () => Buffer.alloc(3),
    onFrame: () => undefined,
    onMalformed: () => undefined,
  })
  expect(() => wrong.feed(Buffer.from('{"bytes":4}\n'))).toThrow(Failure)
})

test('no short input throws anything but a protocol failure', () => {
  // Every input of up to two bytes, and every one of three from those that mean something here.
  const telling = Buffer.from('{}[]":,0-1ntb \n\r\\\u0000\u00ff')
  const inputs: number[][] = []
  for (let first = 0; first < 256; first++) {
    inputs.push([first])
    for (let second = 0; second < 256; second++) inputs.push([first, second])
  }
  for (const first of telling) {
    for (const second of telling) for (const third of telling) inputs.push([first, second, third])
  }
  for (const bytes of inputs) expectHarmless(Uint8Array.from([...bytes, 0x0a]), 8)
})

test('no junk throws anything but a protocol failure', () => {
  fc.assert(fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => expectHarmless(bytes, 64)))
})

function expectHarmless(bytes: Uint8Array, lineBytesMax: number): void {
  try {
    reader(lineBytesMax).reader.feed(bytes)
  } catch (error) {
    if (!(error instanceof Failure) || error.code !== 'protocol') throw error
  }
}

test('a held reader begins no frame, but takes the rest of a body; then it goes on where it was', () => {
  const { reader: held, heard } = reader()
  held.feed(Buffer.from('{"a":1}\n{"bytes":6}\nabc'))
  held.hold()
  const rest = held.bodyRest
  held.feed(Buffer.from('de'))
  expect(held.bodyRest?.length).toBe(1)
  held.feed(Buffer.from('f{"b":2}\n{"c"'))
  held.feed(Buffer.from(':3}\n'))
  expect(heard.frames.map(({ message }) => message)).toEqual([{ a: 1 }, { bytes: 6 }])
  expect(Buffer.from(rest as Uint8Array).toString()).toBe('def')
  held.goOn()
  expect(heard.frames.map(({ message }) => message)).toEqual([{ a: 1 }, { bytes: 6 }, { b: 2 }, { c: 3 }])
})
