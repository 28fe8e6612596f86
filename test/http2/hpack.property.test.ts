import assert from 'node:assert/strict'
import { connect, constants, type ClientHttp2Session, type ClientHttp2Stream } from 'node:http2'
import { duplexPair } from 'node:stream'
import test from 'node:test'
import * as fc from 'fast-check'
import { requestFieldNames } from '../../src/http/field-names.ts'
import { ConnectionError } from '../../src/http2/errors.ts'
import { FieldDecoder } from '../../src/http2/hpack/decoder.ts'
import { encodeReply } from '../../src/http2/hpack/encoder.ts'
import type { Field } from '../../src/http2/hpack/field.ts'
import { symbolCodes } from '../../src/http2/hpack/huffman-code.ts'
import { staticTable } from '../../src/http2/hpack/static-table.ts'
import { cases } from '../support/cases.ts'
import * as h2 from '../support/http2-frames.ts'

const naming = { names: requestFieldNames, strict: false }

/** Alternating names and values, "name: value" each. */
function decode(decoder: FieldDecoder, bytes: Buffer): string[] {
  const lines: string[] = []
  decoder.decode(bytes, 0, bytes.length, {
    field: ({ name, value }: Field) => void lines.push(`${name.text}: ${value}`),
  })
  return lines
}

// Header lists of node:http2

const token = fc.string({
  unit: fc.constantFrom(...'abcdefghijklmnopqrstuvwxyz0123456789-_.!'.split('')),
  minLength: 1,
  maxLength: 20,
})
const name = fc.oneof(
  fc.constantFrom(
    'user-agent',
    'accept',
    'cookie',
    'referer',
    'x-request-id',
    'authorization',
    'content-type',
    'x-a',
    'range',
  ),
  token.map((text) => `x-${text}`),
)
const byte = (most: number) =>
  fc
    .integer({ min: 33, max: most })
    .filter((code) => code !== 127)
    .map((code) => String.fromCharCode(code))
const value = fc.oneof(
  fc.constantFrom('', 'a', 'text/html', 'gzip, deflate, br', 'Mozilla/5.0', 'GET'),
  fc.string({ unit: byte(126), maxLength: 60 }),
  fc.string({ unit: byte(255), maxLength: 30 }),
  fc.string({ unit: fc.constantFrom('x', 'Z', '~'), minLength: 200, maxLength: 600 }),
)
/** Fields that node:http2 does not send twice. */
const list = fc.uniqueArray(fc.tuple(name, value), { maxLength: 12, selector: ([each]) => each })

/** A node:http2 client, and what it writes. */
function nodeClient(onFrame: (frame: h2.Frame, write: (...frames: Buffer[]) => void) => void): ClientHttp2Session {
  const [near, far] = duplexPair()
  const client = connect('http://a.example', { createConnection: () => near, maxSessionMemory: 100 })
  const parser = new h2.FrameParser()
  const write = (...frames: Buffer[]): void => void far.write(Buffer.concat(frames))
  let preface = 24
  far.on('data', (chunk: Buffer) => {
    const skipped = Math.min(preface, chunk.length)
    preface -= skipped
    parser.push(chunk.subarray(skipped))
    for (const frame of parser.frames.splice(0)) onFrame(frame, write)
  })
  write(h2.settings({ 3: 100_000 }))
  client.on('error', (error) => assert.fail(error))
  return client
}

const SESSIONS = cases(8)
const LISTS = 250

test('property: header lists encoded by node:http2 are decoded unchanged', async () => {
  for (let seed = 0; seed < SESSIONS; seed++) {
    const lists = fc.sample(list, { numRuns: LISTS, seed })
    const decoder = new FieldDecoder(naming)
    const decoded: string[][] = []
    let section = Buffer.alloc(0)
    const { promise, resolve } = Promise.withResolvers<void>()
    const client = nodeClient(({ type, flags, payload }) => {
      if (type !== h2.Type.headers && type !== h2.Type.continuation) return
      const priority = type === h2.Type.headers && (flags & h2.PRIORITY) !== 0 ? 5 : 0
      section = Buffer.concat([section, payload.subarray(priority)])
      if ((flags & h2.END_HEADERS) === 0) return
      decoded.push(decode(decoder, section))
      section = Buffer.alloc(0)
      if (decoded.length === LISTS) resolve()
    })
    for (const [i, fields] of lists.entries()) {
      const pairs = [...h2.request('GET', `/${i}`), ...fields].flat()
      const stream = client.request(pairs, {
        endStream: true,
      })
      stream.on('error', () => {})
    }
    await promise
    client.destroy()
    for (const [i, fields] of lists.entries())
      assert.deepEqual(
        decoded[i]!.slice(4),
        fields.map(([each, text]) => `${each}: ${text}`),
        `seed ${seed}, list ${i}`,
      )
  }
})

test('property: node:http2 decodes replies unchanged', async () => {
  const replies = fc.sample(fc.tuple(fc.integer({ min: 200, max: 599 }), list), { numRuns: 2000, seed: 7 })
  const client = nodeClient(({ type, stream }, write) => {
    if (type !== h2.Type.headers) return
    const [status, fields] = replies[(stream - 1) / 2]!
    const section = encodeReply(status, fields.map(([each, text]) => `${each}: ${text}\r\n`).join(''))
    write(h2.headers(stream, Buffer.from(section, 'latin1'), true))
  })
  const seen = replies.map(
    () =>
      new Promise<string[]>((resolve, reject) => {
        const stream: ClientHttp2Stream = client.request({ ':path': '/' }, { endStream: true })
        stream.on('error', reject)
        stream.on('response', (_headers, _flags, raw: unknown) => resolve(raw as string[]))
        stream.resume()
      }),
  )
  for (const [i, [status, fields]] of replies.entries())
    assert.deepEqual(await seen[i], [constants.HTTP2_HEADER_STATUS, String(status), ...fields.flat()], `reply ${i}`)
  client.destroy()
})

// What no encoder produces

/** RFC 7541 implemented literally, without optimizations; null if a section is not decodable. */
class PlainDecoder {
  private table: [string, string][] = []
  private most = 4096

  decode(bytes: Buffer): string[] | null {
    const lines: string[] = []
    let at = 0
    let begun = false
    const integer = (bits: number): number => {
      const mask = 2 ** bits - 1
      let number = bytes[at++]! & mask
      if (number < mask) return number
      for (let factor = 1, more = true; more; factor *= 128) {
        // What exceeds 28 bits is rejected, even if it has leading zeros.
        if (at >= bytes.length || factor > 2 ** 21) throw new RangeError('integer')
        const next = bytes[at++]!
        number += (next & 127) * factor
        more = next >= 128
      }
      return number
    }
    const string = (): string => {
      if (at >= bytes.length) throw new RangeError('cut off')
      const coded = bytes[at]! >= 128
      const length = integer(7)
      if (at + length > bytes.length) throw new RangeError('cut off')
      const text = bytes.subarray(at, at + length)
      at += length
      return coded ? uncode(text) : text.toString('latin1')
    }
    const entry = (index: number): readonly [string, string] => {
      const known = index <= 61 ? staticTable[index - 1] : this.table[index - 62]
      if (known === undefined) throw new RangeError('index')
      return known
    }
    try {
      while (at < bytes.length) {
        const first = bytes[at]!
        if (first >= 128) lines.push(entry(integer(7)).join(': '))
        else if (first >= 64 || first < 32) {
          const index = integer(first >= 64 ? 6 : 4)
          const field: [string, string] = [index === 0 ? string() : entry(index)[0], string()]
          lines.push(field.join(': '))
          if (first >= 64) this.add(field)
        } else {
          this.most = integer(5)
          if (begun || this.most > 4096) throw new RangeError('size')
          this.evict()
          continue
        }
        begun = true
      }
    } catch (error) {
      if (error instanceof RangeError) return null
      throw error
    }
    return lines
  }

  private add(field: [string, string]): void {
    this.table.unshift(field)
    this.evict()
  }

  private evict(): void {
    const size = () => this.table.reduce((sum, [one, other]) => sum + one.length + other.length + 32, 0)
    while (size() > this.most) this.table.pop()
  }
}

const symbols = new Map(
  symbolCodes().map(({ symbol, code, length }) => [code.toString(2).padStart(length, '0'), symbol]),
)

/** A string of bits, symbol by symbol. */
function uncode(bytes: Buffer): string {
  const bits = Array.from(bytes, (each) => each.toString(2).padStart(8, '0')).join('')
  let [text, code] = ['', '']
  for (const bit of bits) {
    code += bit
    const symbol = symbols.get(code)
    if (symbol === undefined) continue
    if (symbol === 256) throw new RangeError('end of string')
    text += String.fromCharCode(symbol)
    code = ''
  }
  if (code.length > 7 || code.includes('0')) throw new RangeError('padding')
  return text
}

const piece = fc.oneof(
  fc.uint8Array({ maxLength: 6 }).map((bytes) => Buffer.from(bytes)),
  fc.integer({ min: 0, max: 80 }).map((index) => Buffer.from(h2.integer(index, 7, 0x80))),
  fc.tuple(token, value).map(([each, text]) => Buffer.concat([Buffer.from([0x40]), h2.text(each), h2.text(text)])),
  fc
    .tuple(fc.integer({ min: 1, max: 70 }), value)
    .map(([index, text]) => Buffer.concat([Buffer.from(h2.integer(index, 6, 0x40)), h2.text(text)])),
  fc
    .uint8Array({ minLength: 1, maxLength: 5 })
    .map((bytes) => Buffer.from([0x00, 0x01, 0x61, 0x80 | bytes.length, ...bytes])),
  fc.integer({ min: 0, max: 5000 }).map((size) => Buffer.from(h2.integer(size, 5, 0x20))),
)
const section = fc.tuple(fc.array(piece, { maxLength: 8 }), fc.boolean()).map(([pieces, cut]) => {
  const whole = Buffer.concat(pieces)
  return cut ? whole.subarray(0, Math.floor(whole.length * 0.8)) : whole
})

test('property: malformed sections are decoded as RFC 7541 requires, or end the connection', () => {
  fc.assert(
    fc.property(fc.array(section, { minLength: 1, maxLength: 4 }), (sections) => {
      const [own, plain] = [new FieldDecoder(naming), new PlainDecoder()]
      for (const bytes of sections) {
        const expected = plain.decode(bytes)
        if (expected === null) {
          assert.throws(() => decode(own, bytes), ConnectionError)
          return
        }
        assert.deepEqual(decode(own, bytes), expected)
      }
    }),
    { numRuns: cases(2_000) },
  )
})
