import assert from 'node:assert/strict'
import * as h2 from '../support/http2-frames.ts'
import type { Http2Peer } from '../support/http2-peer.ts'
import { type ConformanceCase, ECHO, HELD, LARGE, OWN, UNREAD } from './conformance-case.ts'

const { Code, Type, frame, headers, request, encode, data, get, post, ping } = h2

const section = (path = OWN, method = 'GET') => encode(request(method, path))
const priority = (dependsOn: number, weight = 15) => Buffer.concat([h2.int32(dependsOn), Buffer.from([weight])])
const padded = (padding: number, content: Uint8Array | string, rest = padding) =>
  Buffer.concat([Buffer.from([padding]), Buffer.from(content), Buffer.alloc(rest)])
const framesOf = (peer: Http2Peer, type: number, stream: number) =>
  peer.frames.filter((each) => each.type === type && each.stream === stream)

/** RFC 9113 section 6: what each type of frame may contain. */
export const typeCases: readonly ConformanceCase[] = [
  // 6.1 DATA
  { rfc: 'RFC 9113 6.1', name: 'DATA on stream 0', send: [data(0, 'x', true)], goaway: Code.protocol },
  {
    rfc: 'RFC 9113 6.1',
    name: 'DATA with padding',
    send: [post(1, ECHO), frame(Type.data, 9, 1, padded(6, 'hello'))],
    replies: { 1: 200 },
    check: (peer) => assert.equal(peer.stream(1).body.toString(), 'hello'),
  },
  {
    rfc: 'RFC 9113 6.1',
    name: 'DATA with only padding',
    send: [
      post(1, ECHO),
      frame(Type.data, 8, 1, padded(255, '')),
      frame(Type.data, 8, 1, padded(0, '')),
      data(1, 'end', true),
    ],
    replies: { 1: 200 },
    check: (peer) => assert.equal(peer.stream(1).body.toString(), 'end'),
  },
  {
    rfc: 'RFC 9113 6.1',
    name: 'several DATA frames, with an empty one at the end',
    send: [post(1, ECHO), data(1, 'one '), data(1, 'two'), data(1, '', true)],
    replies: { 1: 200 },
    check: (peer) => assert.equal(peer.stream(1).body.toString(), 'one two'),
  },
  {
    rfc: 'RFC 9113 6.1',
    name: 'DATA with as much padding as its length',
    send: [post(1, HELD), frame(Type.data, 9, 1, padded(6, 'hello', 0))],
    goaway: Code.protocol,
  },
  {
    rfc: 'RFC 9113 6.1',
    name: 'DATA with more padding than its length',
    send: [post(1, HELD), frame(Type.data, 9, 1, padded(200, 'hello', 0))],
    goaway: Code.protocol,
  },
  {
    rfc: 'RFC 9113 6.1',
    name: 'DATA with the padding flag and no bytes',
    send: [post(1, HELD), frame(Type.data, 9, 1)],
    goaway: Code.size,
  },

  // 6.2 HEADERS
  { rfc: 'RFC 9113 6.2', name: 'HEADERS on stream 0', send: [get(0)], goaway: Code.protocol },
  {
    rfc: 'RFC 9113 6.2',
    name: 'HEADERS with padding',
    send: [frame(Type.headers, 0x0d, 1, padded(9, section()))],
    replies: { 1: 200 },
  },
  {
    rfc: 'RFC 9113 6.2',
    name: 'HEADERS with a priority',
    send: [frame(Type.headers, 0x25, 1, Buffer.concat([priority(0x80000000, 255), section()]))],
    replies: { 1: 200 },
  },
  {
    rfc: 'RFC 9113 6.2',
    name: 'HEADERS with padding and a priority',
    send: [frame(Type.headers, 0x2d, 1, padded(3, Buffer.concat([priority(0), section()])))],
    replies: { 1: 200 },
  },
  {
    rfc: 'RFC 9113 6.2',
    name: 'HEADERS with more padding than its length',
    send: [frame(Type.headers, 0x0d, 1, padded(200, 'xy', 0))],
    goaway: Code.protocol,
  },
  {
    rfc: 'RFC 9113 6.2',
    name: 'HEADERS whose padding reaches into its priority',
    send: [frame(Type.headers, 0x2d, 1, padded(4, priority(0), 0))],
    goaway: Code.protocol,
  },
  {
    rfc: 'RFC 9113 6.2',
    name: 'HEADERS that is too short for its priority',
    send: [frame(Type.headers, 0x25, 1, 'abcd')],
    goaway: Code.size,
  },
  {
    rfc: 'RFC 9113 6.2',
    name: 'HEADERS with an empty field section',
    send: [headers(1, Buffer.alloc(0), true), get(3)],
    resets: { 1: Code.protocol },
    replies: { 3: 200 },
  },

  // 6.3 PRIORITY
  {
    rfc: 'RFC 9113 6.3',
    name: 'PRIORITY on stream 0',
    send: [frame(Type.priority, 0, 0, priority(1))],
    goaway: Code.protocol,
  },
  { rfc: 'RFC 9113 6.3', name: 'PRIORITY of 4 bytes', send: [frame(Type.priority, 0, 1, 'abcd')], goaway: Code.size },
  {
    rfc: 'RFC 9113 6.3',
    name: 'PRIORITY of 6 bytes',
    send: [frame(Type.priority, 0, 1, 'abcdef')],
    goaway: Code.size,
  },
  {
    rfc: 'RFC 9113 6.3',
    name: 'PRIORITY does not open a stream: a lower number may follow',
    send: [frame(Type.priority, 0, 9, priority(1)), get(1)],
    replies: { 1: 200 },
  },

  // 6.4 RST_STREAM
  { rfc: 'RFC 9113 6.4', name: 'RST_STREAM on stream 0', send: [h2.reset(0)], goaway: Code.protocol },
  {
    rfc: 'RFC 9113 6.4',
    name: 'RST_STREAM of 3 bytes',
    send: [get(1, HELD), frame(Type.reset, 0, 1, 'abc')],
    goaway: Code.size,
  },
  {
    rfc: 'RFC 9113 6.4',
    name: 'RST_STREAM of 5 bytes',
    send: [get(1, HELD), frame(Type.reset, 0, 1, 'abcde')],
    goaway: Code.size,
  },

  // 6.5 SETTINGS
  {
    rfc: 'RFC 9113 6.5',
    name: 'an acknowledgement with a payload',
    send: [frame(Type.settings, 1, 0, 'abcdef')],
    goaway: Code.size,
  },
  { rfc: 'RFC 9113 6.5', name: 'SETTINGS on a stream', send: [frame(Type.settings, 0, 1)], goaway: Code.protocol },
  { rfc: 'RFC 9113 6.5', name: 'SETTINGS of 3 bytes', send: [frame(Type.settings, 0, 0, 'abc')], goaway: Code.size },
  {
    rfc: 'RFC 9113 6.5',
    name: 'SETTINGS of 7 bytes',
    send: [frame(Type.settings, 0, 0, Buffer.alloc(7))],
    goaway: Code.size,
  },
  { rfc: 'RFC 9113 6.5.2', name: 'ENABLE_PUSH of 2', send: [h2.settings({ 2: 2 })], goaway: Code.protocol },
  {
    rfc: 'RFC 9113 6.5.2',
    name: 'ENABLE_PUSH of 0 and 1',
    send: [h2.settings({ 2: 0 }), h2.settings({ 2: 1 }), get(1)],
    replies: { 1: 200 },
  },
  {
    rfc: 'RFC 9113 6.5.2',
    name: 'INITIAL_WINDOW_SIZE of 2^31',
    send: [h2.settings({ 4: 2 ** 31 })],
    goaway: Code.flow,
  },
  {
    rfc: 'RFC 9113 6.5.2',
    name: 'INITIAL_WINDOW_SIZE of 2^31 - 1',
    send: [h2.settings({ 4: 2 ** 31 - 1 }), get(1)],
    replies: { 1: 200 },
  },
  {
    rfc: 'RFC 9113 6.5.2',
    name: 'MAX_FRAME_SIZE of 16,383',
    send: [h2.settings({ 5: 16_383 })],
    goaway: Code.protocol,
  },
  { rfc: 'RFC 9113 6.5.2', name: 'MAX_FRAME_SIZE of 2^24', send: [h2.settings({ 5: 2 ** 24 })], goaway: Code.protocol },
  {
    rfc: 'RFC 9113 6.5.2',
    name: 'MAX_FRAME_SIZE of 2^24 - 1',
    send: [h2.settings({ 5: 2 ** 24 - 1 }), get(1)],
    replies: { 1: 200 },
  },
  { rfc: 'RFC 8441 3', name: 'ENABLE_CONNECT_PROTOCOL of 2', send: [h2.settings({ 8: 2 })], goaway: Code.protocol },
  {
    rfc: 'RFC 9113 6.5.3',
    name: 'each SETTINGS is acknowledged',
    send: [h2.settings(), h2.settings()],
    check: (peer) => assert.equal(peer.settingsAcks, 3),
  },
  {
    rfc: 'RFC 9113 6.5.3',
    name: 'the last of two values applies',
    settings: { 4: 0 },
    send: [frame(Type.settings, 0, 0, Buffer.from([0, 4, 0, 0, 0, 100, 0, 4, 0, 0, 0, 1])), get(1)],
    check: async (peer) => {
      await peer.until('content', () => peer.bytes > 0)
      await peer.settled()
      assert.equal(peer.stream(1).bytes, 1)
    },
  },

  // 6.6 PUSH_PROMISE
  {
    rfc: 'RFC 9113 8.4',
    name: 'PUSH_PROMISE from a client',
    send: [get(1, HELD), frame(Type.push, 4, 1, Buffer.concat([h2.int32(2), section()]))],
    goaway: Code.protocol,
  },

  // 6.7 PING
  {
    rfc: 'RFC 9113 6.7',
    name: 'PING is answered with the same payload',
    send: [ping('\0\u0001\u00feabcd\u00ff')],
    check: (peer) => assert.ok(peer.pongs.includes('\0\u0001\u00feabcd\u00ff')),
  },
  {
    rfc: 'RFC 9113 6.7',
    name: 'a PING acknowledgement is not answered',
    send: [ping('not this', h2.ACK)],
    check: (peer) => assert.ok(!peer.pongs.includes('not this')),
  },
  { rfc: 'RFC 9113 6.7', name: 'PING on a stream', send: [frame(Type.ping, 0, 1, '12345678')], goaway: Code.protocol },
  { rfc: 'RFC 9113 6.7', name: 'PING of 6 bytes', send: [frame(Type.ping, 0, 0, '123456')], goaway: Code.size },
  { rfc: 'RFC 9113 6.7', name: 'PING of 9 bytes', send: [frame(Type.ping, 0, 0, '123456789')], goaway: Code.size },

  // 6.8 GOAWAY
  {
    rfc: 'RFC 9113 6.8',
    name: 'GOAWAY on a stream',
    send: [frame(Type.goaway, 0, 1, Buffer.alloc(8))],
    goaway: Code.protocol,
  },
  {
    rfc: 'RFC 9113 6.8',
    name: 'GOAWAY of 7 bytes',
    send: [frame(Type.goaway, 0, 0, Buffer.alloc(7))],
    goaway: Code.size,
  },
  {
    rfc: 'RFC 9113 6.8',
    name: 'requests sent before GOAWAY are answered',
    send: [get(1), frame(Type.goaway, 0, 0, Buffer.from('\0\0\0\0\0\0\0\0bye'))],
    replies: { 1: 200 },
  },

  // 6.9 WINDOW_UPDATE
  { rfc: 'RFC 9113 6.9', name: 'WINDOW_UPDATE of 0', send: [h2.windowUpdate(0, 0)], goaway: Code.protocol },
  {
    rfc: 'RFC 9113 6.9',
    name: 'WINDOW_UPDATE of 0 on a stream',
    send: [get(1, HELD), h2.windowUpdate(1, 0)],
    resets: { 1: Code.protocol },
  },
  {
    rfc: 'RFC 9113 6.9',
    name: 'WINDOW_UPDATE of 3 bytes',
    send: [frame(Type.window, 0, 0, 'abc')],
    goaway: Code.size,
  },
  {
    rfc: 'RFC 9113 6.9',
    name: 'WINDOW_UPDATE of 5 bytes',
    send: [frame(Type.window, 0, 0, 'abcde')],
    goaway: Code.size,
  },
  {
    rfc: 'RFC 9113 6.9',
    name: 'the reserved bit of WINDOW_UPDATE',
    send: [frame(Type.window, 0, 0, h2.int32(0x80000001)), get(1)],
    replies: { 1: 200 },
  },
  {
    rfc: 'RFC 9113 6.9.1',
    name: 'a connection window above 2^31 - 1',
    send: [h2.windowUpdate(0, 0x7fffffff), h2.windowUpdate(0, 0x7fffffff)],
    goaway: Code.flow,
  },
  {
    rfc: 'RFC 9113 6.9.1',
    name: 'a stream window above 2^31 - 1',
    send: [get(1, HELD), h2.windowUpdate(1, 0x7fffffff), h2.windowUpdate(1, 0x7fffffff)],
    resets: { 1: Code.flow },
  },
  {
    rfc: 'RFC 9113 6.9.1',
    name: 'a window of 1 lets one byte through',
    settings: { 4: 1 },
    send: [get(1)],
    check: async (peer) => {
      await peer.until('content', () => peer.bytes > 0)
      await peer.settled()
      assert.deepEqual(
        framesOf(peer, Type.data, 1).map(({ payload, flags }) => [payload.length, flags]),
        [[1, 0]],
      )
      peer.write(h2.windowUpdate(1, 4))
      await peer.over(1)
      assert.equal(peer.stream(1).body.toString(), 'hello')
    },
  },
  {
    rfc: 'RFC 9113 6.9.1',
    name: 'exceeding the stream window is a stream error',
    send: [post(1, UNREAD), ...Array.from({ length: 5 }, () => data(1, Buffer.alloc(16_384)))],
    resets: { 1: Code.flow },
  },
  {
    rfc: 'RFC 9113 6.9.1',
    name: 'padding counts against the window',
    send: [post(1, HELD), ...Array.from({ length: 257 }, () => frame(Type.data, 8, 1, padded(255, '')))],
    resets: {},
    check: (peer) => assert.ok(peer.stream(1).windowUpdates.length > 0),
  },
  {
    rfc: 'RFC 9113 6.9.2',
    name: 'a change of INITIAL_WINDOW_SIZE applies to open streams',
    settings: { 4: 0 },
    send: [get(1), h2.settings({ 4: 3 })],
    check: async (peer) => {
      await peer.until('content', () => peer.bytes > 0)
      await peer.settled()
      assert.equal(peer.stream(1).body.toString(), 'hel')
    },
  },
  {
    rfc: 'RFC 9113 6.9.2',
    name: 'a window may become negative, and nothing is sent until it is positive again',
    settings: { 4: 3 },
    send: [get(1)],
    check: async (peer) => {
      await peer.until('content', () => peer.bytes === 3)
      peer.write(h2.settings({ 4: 2 }), h2.windowUpdate(1, 1))
      await peer.settled()
      assert.equal(peer.bytes, 3)
      peer.write(h2.windowUpdate(1, 1))
      await peer.until('another byte', () => peer.bytes === 4)
      peer.write(h2.windowUpdate(1, 1))
      assert.equal((await peer.over(1)).body.toString(), 'hello')
    },
  },
  {
    rfc: 'RFC 9113 6.9.2',
    name: 'INITIAL_WINDOW_SIZE that makes a stream window too large',
    send: [get(1, HELD), h2.windowUpdate(1, 0x7fffffff - 65_535), h2.settings({ 4: 65_536 })],
    goaway: Code.flow,
  },
  {
    rfc: 'RFC 9113 6.9.2',
    name: 'INITIAL_WINDOW_SIZE does not apply to the connection',
    settings: { 4: 2 ** 20 },
    send: [get(1, LARGE)],
    check: async (peer) => {
      await peer.until('a window of content', () => peer.bytes === 65_535)
      await peer.settled()
      assert.equal(peer.bytes, 65_535)
      peer.write(h2.windowUpdate(0, 2 ** 20))
      assert.equal((await peer.over(1)).bytes, 100_000)
    },
  },

  // 6.10 CONTINUATION
  {
    rfc: 'RFC 9113 6.10',
    name: 'a field section in many frames',
    send: [h2.inFrames(1, section(ECHO), 8)],
    replies: { 1: 200 },
  },
  {
    rfc: 'RFC 9113 6.10',
    name: 'empty CONTINUATION frames',
    send: [frame(Type.headers, 1, 1, section()), frame(Type.continuation, 0, 1), frame(Type.continuation, 4, 1)],
    replies: { 1: 200 },
  },
  {
    rfc: 'RFC 9113 6.10',
    name: 'DATA within a field section',
    send: [frame(Type.headers, 0, 1, section()), data(1, 'x')],
    goaway: Code.protocol,
  },
  {
    rfc: 'RFC 9113 6.10',
    name: 'PING within a field section',
    send: [frame(Type.headers, 1, 1, section()), ping()],
    goaway: Code.protocol,
  },
  {
    rfc: 'RFC 9113 6.10',
    name: 'SETTINGS within a field section',
    send: [frame(Type.headers, 1, 1, section()), h2.settings()],
    goaway: Code.protocol,
  },
  {
    rfc: 'RFC 9113 6.10',
    name: 'CONTINUATION on stream 0',
    send: [frame(Type.headers, 1, 1, section()), frame(Type.continuation, 4, 0, '')],
    goaway: Code.protocol,
  },
  {
    rfc: 'RFC 9113 6.10',
    name: 'CONTINUATION on another stream',
    send: [frame(Type.headers, 1, 1, section()), frame(Type.continuation, 4, 3, '')],
    goaway: Code.protocol,
  },
  {
    rfc: 'RFC 9113 6.10',
    name: 'CONTINUATION after complete HEADERS',
    send: [get(1, HELD), frame(Type.continuation, 4, 1, section())],
    goaway: Code.protocol,
  },
  {
    rfc: 'RFC 9113 6.10',
    name: 'CONTINUATION after the last one',
    send: [frame(Type.headers, 1, 1, section(HELD)), frame(Type.continuation, 4, 1), frame(Type.continuation, 4, 1)],
    goaway: Code.protocol,
  },
  {
    rfc: 'RFC 9113 6.10',
    name: 'CONTINUATION after DATA',
    send: [post(1, HELD), data(1, 'x'), frame(Type.continuation, 4, 1, section())],
    goaway: Code.protocol,
  },

  // 7 Error codes
  {
    rfc: 'RFC 9113 7',
    name: 'GOAWAY with an unknown code',
    send: [frame(Type.goaway, 0, 0, Buffer.from([0, 0, 0, 0, 0, 0, 0, 0xff]))],
  },
  {
    rfc: 'RFC 9113 7',
    name: 'RST_STREAM with an unknown code',
    send: [get(1, HELD), h2.reset(1, 0xff), get(3)],
    replies: { 3: 200 },
  },

  // RFC 9218
  {
    rfc: 'RFC 9218 7.1',
    name: 'PRIORITY_UPDATE for an idle stream',
    send: [frame(Type.priorityUpdate, 0, 0, Buffer.concat([h2.int32(1), Buffer.from('u=1, i')])), get(1)],
    replies: { 1: 200 },
  },
  {
    rfc: 'RFC 9218 7.1',
    name: 'a malformed PRIORITY_UPDATE',
    send: [
      get(1, HELD),
      frame(Type.priorityUpdate, 0, 0, Buffer.concat([h2.int32(1), Buffer.from('u=99,,\xff')])),
      get(3),
    ],
    replies: { 3: 200 },
  },
  {
    rfc: 'RFC 9218 7.1',
    name: 'PRIORITY_UPDATE on a stream',
    send: [frame(Type.priorityUpdate, 0, 1, h2.int32(1))],
    goaway: Code.protocol,
  },
  {
    rfc: 'RFC 9218 7.1',
    name: 'PRIORITY_UPDATE for stream 0',
    send: [frame(Type.priorityUpdate, 0, 0, h2.int32(0))],
    goaway: Code.protocol,
  },
  {
    rfc: 'RFC 9218 7.1',
    name: 'PRIORITY_UPDATE of 3 bytes',
    send: [frame(Type.priorityUpdate, 0, 0, 'abc')],
    goaway: Code.size,
  },
]
