import assert from 'node:assert/strict'
import { encodeHuffman } from '../../src/http2/hpack/huffman.ts'
import * as h2 from '../support/http2-frames.ts'
import { type ConformanceCase, OWN } from './conformance-case.ts'

const { Code, headers, encode, request, integer, text } = h2

const GET = encode(request('GET', OWN))
const coded = (value: string) => {
  const bytes = encodeHuffman(value)
  return Buffer.concat([Buffer.from(integer(bytes.length, 7, 0x80)), Buffer.from(bytes, 'latin1')])
}

/** A whole section of these representations, after those of a request. */
function section(...parts: (Buffer | number[])[]): Buffer {
  return Buffer.concat([GET, ...parts.map((part) => Buffer.from(part))])
}

/** A field that the service sees: X-Seen has its value. */
function seen(rfc: string, name: string, value: string, ...sections: Buffer[]): ConformanceCase {
  const last = 2 * sections.length - 1
  return {
    rfc,
    name,
    send: sections.map((bytes, i) => headers(2 * i + 1, bytes, true)),
    check: async (peer) => assert.equal((await peer.over(last)).body.toString(), value),
  }
}

function broken(rfc: string, name: string, ...parts: (Buffer | number[])[]): ConformanceCase {
  return { rfc, name, send: [headers(1, section(...parts), true)], goaway: Code.compression }
}

const SEEN = encode(request('GET', '/seen'))
const at = (...parts: (Buffer | number[])[]) => Buffer.concat([SEEN, ...parts.map((part) => Buffer.from(part))])
const KNOWN = [0x40, ...text('x-seen'), ...text('kept')]
/** The index of "user-agent" in the static table. */
const AGENT = 58

/** RFC 7541: field sections; the service replies with X-Seen, or else User-Agent. */
export const hpackCases: readonly ConformanceCase[] = [
  {
    rfc: 'RFC 7541 6.1',
    name: 'fields of the static table',
    send: [headers(1, Buffer.from([0x82, 0x87, 0x84, 0x41, ...text('a.example')]), true)],
    replies: { 1: 200 },
  },
  seen('RFC 7541 6.2.1', 'a literal with indexing and an indexed name', 'v', at(integer(AGENT, 6, 0x40), text('v'))),
  seen(
    'RFC 7541 6.2.1',
    'a literal with indexing and an indexed name, Huffman-coded',
    'v',
    at(integer(AGENT, 6, 0x40), coded('v')),
  ),
  seen('RFC 7541 6.2.1', 'a literal with indexing and a new name', 'v', at([0x40], text('x-seen'), text('v'))),
  seen(
    'RFC 7541 6.2.1',
    'a literal with indexing and a new name, Huffman-coded',
    'v',
    at([0x40], coded('x-seen'), coded('v')),
  ),
  seen('RFC 7541 6.2.2', 'a literal without indexing and with an indexed name', 'v', at(integer(AGENT, 4), text('v'))),
  seen(
    'RFC 7541 6.2.2',
    'a literal without indexing and with an indexed name, Huffman-coded',
    'v',
    at(integer(AGENT, 4), coded('v')),
  ),
  seen('RFC 7541 6.2.2', 'a literal without indexing and with a new name', 'v', at([0], text('x-seen'), text('v'))),
  seen(
    'RFC 7541 6.2.2',
    'a literal without indexing and with a new name, Huffman-coded',
    'v',
    at([0], coded('x-seen'), coded('v')),
  ),
  seen('RFC 7541 6.2.3', 'a literal never indexed, with an indexed name', 'v', at(integer(AGENT, 4, 0x10), text('v'))),
  seen(
    'RFC 7541 6.2.3',
    'a literal never indexed, with an indexed name, Huffman-coded',
    'v',
    at(integer(AGENT, 4, 0x10), coded('v')),
  ),
  seen('RFC 7541 6.2.3', 'a literal never indexed, with a new name', 'v', at([0x10], text('x-seen'), text('v'))),
  seen(
    'RFC 7541 6.2.3',
    'a literal never indexed, with a new name, Huffman-coded',
    'v',
    at([0x10], coded('x-seen'), coded('v')),
  ),
  seen(
    'RFC 7541 6.3',
    'a table size update',
    'v',
    Buffer.concat([Buffer.from([0x20]), at([0], text('x-seen'), text('v'))]),
  ),
  seen(
    'RFC 7541 6.3',
    'two table size updates',
    'v',
    Buffer.concat([Buffer.from([0x20, ...integer(4096, 5, 0x20)]), at([0], text('x-seen'), text('v'))]),
  ),
  seen('RFC 7541 2.3.2', 'the table outlives a section', 'kept', at(KNOWN), at([0x80 | 62])),
  seen(
    'RFC 7541 2.3.3',
    'the name of an entry in the dynamic table',
    'new',
    at(KNOWN),
    at(integer(62, 4), text('new')),
  ),
  seen(
    'RFC 7541 2.3.2',
    'a field that is twice in the table',
    'kept',
    at(KNOWN, [0x40], text('x-other'), text('1'), [0x80 | 63]),
    at([0x80 | 63]),
  ),
  seen(
    'RFC 7541 4.3',
    'the table is emptied by a size of 0',
    'again',
    at(KNOWN),
    Buffer.concat([Buffer.from([0x20, ...integer(4096, 5, 0x20)]), at([0x40], text('x-seen'), text('again'))]),
    at([0x80 | 62]),
  ),
  seen('RFC 7541 5.2', 'an empty string, Huffman-coded', '', at([0], text('x-seen'), [0x80])),
  seen(
    'RFC 7541 5.2',
    'a value that is longer when Huffman-coded',
    '~~\\\\||',
    at([0], text('x-seen'), coded('~~\\\\||')),
  ),

  broken('RFC 7541 2.3.3', 'an index outside the tables', [0x80 | 62]),
  broken('RFC 7541 2.3.3', 'an index far outside the tables', integer(100_000, 7, 0x80)),
  broken('RFC 7541 2.3.3', 'a literal whose name is outside the tables', integer(62, 6, 0x40), text('v')),
  broken('RFC 7541 4.2', 'a table size update at the end', [0x20]),
  broken('RFC 7541 4.2', 'a table size update between two fields', [0x20], [0x82]),
  broken('RFC 7541 5.1', 'an endless number', [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff]),
  broken('RFC 7541 5.1', 'a truncated number', [0xff]),
  broken('RFC 7541 5.2', 'more than 7 bits of padding', [0], text('x-seen'), [0x82, 0x07, 0xff]),
  broken('RFC 7541 5.2', 'padding of zeros', [0], text('x-seen'), [0x81, 0x00]),
  broken('RFC 7541 5.2', 'EOS within a string', [0], text('x-seen'), [0x84, 0xff, 0xff, 0xff, 0xff]),
  broken('RFC 7541 5.2', 'a string that is longer than its section', [0], text('x-seen'), [0x05, 0x61]),
  broken('RFC 7541 6.1', 'index 0', [0x80]),
  {
    rfc: 'RFC 7541 6.3',
    name: 'a table size above the allowed maximum',
    send: [headers(1, Buffer.concat([Buffer.from(integer(4097, 5, 0x20)), GET]), true)],
    goaway: Code.compression,
  },
  {
    rfc: 'RFC 7541 4.3',
    name: 'an entry evicted by a size update',
    send: [
      headers(1, section(KNOWN), true),
      headers(3, Buffer.concat([Buffer.from([0x20]), section([0x80 | 62])]), true),
    ],
    goaway: Code.compression,
  },
  {
    rfc: 'RFC 7541 4.4',
    name: 'an entry larger than the table empties it',
    send: [
      headers(1, section(KNOWN, [0x40], text('x-huge'), text('x'.repeat(4096))), true),
      1,
      headers(3, section([0x80 | 62]), true),
    ],
    goaway: Code.compression,
  },
]
