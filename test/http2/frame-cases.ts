import assert from 'node:assert/strict'
import * as h2 from '../support/http2-frames.ts'
import { type ConformanceCase, ECHO, HELD, OWN } from './conformance-case.ts'

const { Code, Type, frame, headers, request, encode, data, get, post, ping } = h2

const START = Buffer.concat([h2.PREFACE, h2.settings()])
const section = (path = OWN, method = 'GET') => encode(request(method, path))
const priority = (dependsOn: number, weight = 15) => Buffer.concat([h2.int32(dependsOn), Buffer.from([weight])])

/** RFC 9113 sections 3 to 5, and the rules of section 6 for single frames. */
export const frameCases: readonly ConformanceCase[] = [
  // 3.4 HTTP/2 connection preface
  {
    rfc: 'RFC 9113 3.4',
    name: 'the first frame of the server is SETTINGS',
    send: [get(1)],
    replies: { 1: 200 },
    check: (peer) => assert.deepEqual([peer.frames[0]?.type, peer.frames[0]?.flags], [Type.settings, 0]),
  },
  {
    rfc: 'RFC 9113 3.4',
    name: 'a preface with a wrong end',
    begin: Buffer.from('PRI * HTTP/2.0\r\n\r\nXM\r\n\r\n'),
    send: [h2.settings()],
    goaway: Code.protocol,
  },
  {
    rfc: 'RFC 9113 3.4',
    name: 'a frame other than SETTINGS comes first',
    begin: Buffer.concat([h2.PREFACE, ping()]),
    send: [],
    goaway: Code.protocol,
  },
  {
    rfc: 'RFC 9113 3.4',
    name: 'an acknowledgement of SETTINGS comes first',
    begin: Buffer.concat([h2.PREFACE, h2.SETTINGS_ACK]),
    send: [],
    goaway: Code.protocol,
  },
  {
    rfc: 'RFC 9113 3.4',
    name: 'a request right after the preface, before any reply',
    begin: Buffer.concat([START, get(1)]),
    send: [],
    replies: { 1: 200 },
  },

  // 4.1 Frame format
  {
    rfc: 'RFC 9113 4.1',
    name: 'a frame of an unknown type',
    send: [frame(0x16, 0, 0, 'whatever'), get(1)],
    replies: { 1: 200 },
  },
  {
    rfc: 'RFC 9113 4.1',
    name: 'a frame of an unknown type on an idle stream',
    send: [frame(0xfe, 0xff, 77, ''), get(1)],
    replies: { 1: 200 },
  },
  {
    rfc: 'RFC 9113 4.1',
    name: 'undefined flags',
    send: [frame(Type.ping, 0x16, 0, 'flagging')],
    check: answers('flagging'),
  },
  {
    rfc: 'RFC 9113 4.1',
    name: 'the reserved bit of the stream identifier',
    send: [frame(Type.ping, 0, 0x80000000, 'reserved')],
    check: answers('reserved'),
  },
  {
    rfc: 'RFC 9113 4.1',
    name: 'undefined flags on HEADERS',
    send: [frame(Type.headers, 0xff & ~(h2.PADDED | h2.PRIORITY), 1, section())],
    replies: { 1: 200 },
  },

  // 4.2 Frame size
  {
    rfc: 'RFC 9113 4.2',
    name: 'DATA of 16,384 bytes',
    send: [post(1, ECHO), data(1, Buffer.alloc(16_384), true)],
    replies: { 1: 200 },
    check: (peer) => assert.equal(peer.stream(1).bytes, 16_384),
  },
  {
    rfc: 'RFC 9113 4.2',
    name: 'DATA of 16,385 bytes',
    send: [post(1, HELD), data(1, Buffer.alloc(16_385), true)],
    goaway: Code.size,
  },
  {
    rfc: 'RFC 9113 4.2',
    name: 'HEADERS of 16,385 bytes',
    send: [frame(Type.headers, 5, 1, Buffer.alloc(16_385))],
    goaway: Code.size,
  },
  {
    rfc: 'RFC 9113 4.2',
    name: 'a frame that is too long is rejected by its length alone',
    send: [frame(Type.headers, 5, 1, '', 0xffffff)],
    goaway: Code.size,
  },
  {
    rfc: 'RFC 9113 4.2',
    name: 'an unknown frame that is too long',
    send: [frame(0xee, 0, 0, Buffer.alloc(16_385))],
    goaway: Code.size,
  },

  // 4.3 Field section compression
  {
    rfc: 'RFC 9113 4.3',
    name: 'an invalid field section',
    send: [headers(1, Buffer.from([0x40]), true)],
    goaway: Code.compression,
  },
  {
    rfc: 'RFC 9113 4.3',
    name: 'PRIORITY within a field section',
    send: [frame(Type.headers, 1, 1, section()), frame(Type.priority, 0, 1, priority(0))],
    goaway: Code.protocol,
  },
  {
    rfc: 'RFC 9113 4.3',
    name: 'HEADERS on another stream within a field section',
    send: [frame(Type.headers, 1, 1, section()), get(3)],
    goaway: Code.protocol,
  },
  {
    rfc: 'RFC 9113 4.3',
    name: 'HEADERS on the same stream within a field section',
    send: [frame(Type.headers, 1, 1, section()), get(1)],
    goaway: Code.protocol,
  },
  {
    rfc: 'RFC 9113 4.3',
    name: 'a rejected field section still updates the table',
    send: [
      headers(1, Buffer.concat([encode([['UPPER', 'x']]), Buffer.from([0x40]), h2.text('x-kept'), h2.text('1')]), true),
      headers(3, Buffer.concat([section(), Buffer.from([0x80 | 62])]), true),
    ],
    resets: { 1: Code.protocol },
    replies: { 3: 200 },
  },

  // 5.1 Stream states
  { rfc: 'RFC 9113 5.1', name: 'idle: DATA', send: [data(1, 'x', true)], goaway: Code.protocol },
  {
    rfc: 'RFC 9113 5.1',
    name: 'idle: DATA on a later stream',
    send: [get(1), 1, data(3, 'x', true)],
    goaway: Code.protocol,
  },
  { rfc: 'RFC 9113 5.1', name: 'idle: RST_STREAM', send: [h2.reset(1)], goaway: Code.protocol },
  { rfc: 'RFC 9113 5.1', name: 'idle: WINDOW_UPDATE', send: [h2.windowUpdate(1, 100)], goaway: Code.protocol },
  {
    rfc: 'RFC 9113 5.1',
    name: 'idle: CONTINUATION',
    send: [frame(Type.continuation, 4, 1, section())],
    goaway: Code.protocol,
  },
  {
    rfc: 'RFC 9113 5.1',
    name: 'idle, since clients use odd numbers: RST_STREAM',
    send: [get(5), 5, h2.reset(2)],
    goaway: Code.protocol,
  },
  {
    rfc: 'RFC 9113 5.1',
    name: 'idle, since clients use odd numbers: WINDOW_UPDATE',
    send: [get(5), 5, h2.windowUpdate(2, 1)],
    goaway: Code.protocol,
  },
  {
    rfc: 'RFC 9113 5.1',
    name: 'half-closed: DATA',
    send: [get(1, HELD), data(1, 'x', true)],
    resets: { 1: Code.closed },
  },
  { rfc: 'RFC 9113 5.1', name: 'half-closed: HEADERS', send: [get(1, HELD), get(1, HELD)], resets: { 1: Code.closed } },
  {
    rfc: 'RFC 9113 5.1',
    name: 'half-closed: CONTINUATION',
    send: [get(1, HELD), frame(Type.continuation, 4, 1, section())],
    goaway: Code.protocol,
  },
  {
    rfc: 'RFC 9113 5.1',
    name: 'half-closed: WINDOW_UPDATE, PRIORITY',
    send: [get(1, HELD), h2.windowUpdate(1, 5), frame(Type.priority, 0, 1, priority(0)), get(3)],
    replies: { 3: 200 },
  },
  {
    rfc: 'RFC 9113 5.1',
    name: 'half-closed: RST_STREAM',
    send: [get(1, HELD), h2.reset(1), get(3)],
    replies: { 3: 200 },
  },
  {
    rfc: 'RFC 9113 5.1',
    name: 'closed by RST_STREAM: DATA',
    send: [post(1, HELD), h2.reset(1), data(1, 'x', true)],
    goaway: Code.closed,
  },
  {
    rfc: 'RFC 9113 5.1',
    name: 'closed by RST_STREAM: HEADERS',
    send: [post(1, HELD), h2.reset(1), get(1)],
    goaway: Code.closed,
  },
  {
    rfc: 'RFC 9113 5.1',
    name: 'closed by RST_STREAM: CONTINUATION',
    send: [post(1, HELD), h2.reset(1), frame(Type.continuation, 4, 1, section())],
    goaway: Code.protocol,
  },
  { rfc: 'RFC 9113 5.1', name: 'closed: DATA', send: [get(1), 1, data(1, 'x', true)], goaway: Code.closed },
  { rfc: 'RFC 9113 5.1', name: 'closed: HEADERS', send: [get(1), 1, get(1)], goaway: Code.closed },
  {
    rfc: 'RFC 9113 5.1',
    name: 'closed: CONTINUATION',
    send: [get(1), 1, frame(Type.continuation, 4, 1, section())],
    goaway: Code.protocol,
  },
  {
    rfc: 'RFC 9113 5.1',
    name: 'closed: PRIORITY, WINDOW_UPDATE and RST_STREAM are allowed',
    send: [get(1), 1, frame(Type.priority, 0, 1, priority(0)), h2.windowUpdate(1, 10), h2.reset(1), get(3)],
    replies: { 1: 200, 3: 200 },
  },
  {
    rfc: 'RFC 9113 5.1',
    name: 'reset by the server: frames in transit are ignored, and count for the connection only',
    send: [
      post(1, HELD),
      headers(1, [['x', 'y']]),
      data(1, 'abc'),
      h2.windowUpdate(1, 7),
      headers(1, [['x', 'y']], true),
      h2.reset(1),
      get(3),
    ],
    resets: { 1: Code.protocol },
    replies: { 3: 200 },
  },

  // 5.1.1 Stream identifiers
  { rfc: 'RFC 9113 5.1.1', name: 'a stream with an even number', send: [get(2)], goaway: Code.protocol },
  {
    rfc: 'RFC 9113 5.1.1',
    name: 'a stream with a lower number than an earlier one',
    send: [get(5), 5, get(3)],
    goaway: Code.protocol,
  },
  { rfc: 'RFC 9113 5.1.1', name: 'the highest stream number', send: [get(0x7fffffff)], replies: { [0x7fffffff]: 200 } },
  {
    rfc: 'RFC 9113 5.1.1',
    name: 'stream numbers with gaps',
    send: [get(3), get(101), get(1001)],
    replies: { 3: 200, 101: 200, 1001: 200 },
  },

  // 5.1.2 Stream concurrency
  {
    rfc: 'RFC 9113 5.1.2',
    name: 'streams beyond the concurrency limit are rejected, with all their frames',
    send: [
      Buffer.concat(
        Array.from({ length: 130 }, (_, i) => Buffer.concat([post(2 * i + 1, HELD), data(2 * i + 1, 'abc')])),
      ),
      data(257, 'more', true),
      data(259, 'more'),
      headers(259, [['x', 'y']], true),
    ],
    resets: { 257: Code.refused, 259: Code.refused },
  },

  // 5.3 Prioritization
  {
    rfc: 'RFC 9113 5.3',
    name: 'PRIORITY of any kind is parsed and ignored',
    send: [
      frame(Type.priority, 0, 7, priority(0, 0)),
      frame(Type.priority, 0, 7, priority(0, 255)),
      frame(Type.priority, 0, 9, priority(7)),
      frame(Type.priority, 0, 9, priority(0x80000007)),
      get(1),
    ],
    replies: { 1: 200 },
  },
  {
    rfc: 'RFC 7540 5.3.1',
    name: 'PRIORITY of a stream that depends on itself',
    send: [frame(Type.priority, 0, 3, priority(3))],
    goaway: Code.protocol,
  },
  {
    rfc: 'RFC 7540 5.3.1',
    name: 'HEADERS of a stream that depends on itself',
    send: [frame(Type.headers, 0x25, 1, Buffer.concat([priority(1), section()]))],
    goaway: Code.protocol,
  },

  // 5.4 Error handling
  {
    rfc: 'RFC 9113 5.4.1',
    name: 'GOAWAY contains the last stream',
    send: [get(1), 1, get(7), 7, frame(Type.ping, 0, 1, 'of strea')],
    goaway: Code.protocol,
    check: (peer) => assert.equal(peer.goaways.at(-1)?.last, 7),
  },
  {
    rfc: 'RFC 9113 5.4.2',
    name: 'RST_STREAM is not answered with another',
    send: [get(1, HELD), h2.reset(1, 0xfffffff), get(3)],
    replies: { 3: 200 },
  },

  // 5.5 Extending HTTP/2
  {
    rfc: 'RFC 9113 5.5',
    name: 'an unknown setting',
    send: [h2.settings({ 0x4a: 7, 0x1a2a: 9 }), get(1)],
    replies: { 1: 200 },
  },
  {
    rfc: 'RFC 9113 5.5',
    name: 'an unknown frame within a field section',
    send: [frame(Type.headers, 1, 1, section()), frame(0x16, 0, 1, 'x')],
    goaway: Code.protocol,
  },
]

function answers(content: string) {
  return ({ pongs }: { pongs: readonly string[] }): void => assert.ok(pongs.includes(content), content)
}
