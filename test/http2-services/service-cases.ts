import * as h2 from '../support/http2-frames.ts'
import { replyHead, wholeReply } from '../support/http2-service.ts'

const { Code, Type, frame, data, encode, headers, int32 } = h2

/** What a service does that the RFCs regulate, and the expected outcome. */
export interface ServiceCase {
  /** The RFC and its section. */
  readonly rfc: string
  readonly name: string
  /** The method of the request in stream 1; GET by default. */
  readonly method?: string
  /** What is sent after SETTINGS; requests are in the streams 1 and 3. */
  readonly send: readonly Buffer[]
  /** The connection ends with this error. Without it the connection stays open, and stream 3 is answered. */
  readonly goaway?: number
  /** Stream 1 is reset with this. */
  readonly reset?: number
  /** Status and content of the reply in stream 1; null without one. */
  readonly reply?: readonly [status: number, content: string | null] | null
  /** The cause of a failure. */
  readonly why?: RegExp
}

const settingOf = (id: number, value: number): Buffer => h2.settings({ [id]: value })
const fields = (...list: (readonly [string, string])[]): Buffer => headers(1, list, true)
const OK = wholeReply(1, 'hello')
const fine = [200, 'hello'] as const
const bad = { reset: Code.protocol, reply: null }
const STATUS = [':status', '200'] as const

const framing: readonly ServiceCase[] = [
  {
    rfc: '9113 4.1',
    name: 'a frame of an unknown type is ignored',
    send: [frame(99, 255, 1, 'what?'), OK],
    reply: fine,
  },
  {
    rfc: '9113 4.2',
    name: 'a frame is longer than allowed',
    send: [frame(Type.data, 0, 1, Buffer.alloc(16_385))],
    goaway: Code.size,
  },
  {
    rfc: '9113 4.3',
    name: 'a field section cannot be decoded',
    send: [headers(1, Buffer.from([0xff, 0xff, 0xff, 0xff, 0xff, 0x7f]))],
    goaway: Code.compression,
  },
  { rfc: '9113 5.1', name: 'DATA is on an idle stream', send: [data(5, 'x')], goaway: Code.protocol },
  {
    rfc: '9113 5.1',
    name: 'HEADERS is on an idle stream',
    send: [replyHead(5, 200)],
    goaway: Code.protocol,
  },
  { rfc: '9113 5.1', name: 'RST_STREAM is on an idle stream', send: [h2.reset(5)], goaway: Code.protocol },
  {
    rfc: '9113 5.1',
    name: 'WINDOW_UPDATE is on an idle stream',
    send: [h2.windowUpdate(5, 1)],
    goaway: Code.protocol,
  },
  {
    rfc: '9113 5.1',
    name: 'HEADERS follows the end of a stream',
    send: [OK, replyHead(1, 200)],
    goaway: Code.closed,
    reply: fine,
  },
  {
    rfc: '9113 5.1',
    name: 'DATA follows the end of a stream',
    send: [OK, data(1, 'x')],
    goaway: Code.closed,
    reply: fine,
  },
  {
    rfc: '9113 5.1',
    name: 'WINDOW_UPDATE and RST_STREAM follow the end of a stream',
    send: [OK, h2.windowUpdate(1, 1), h2.reset(1, 0)],
    reply: fine,
  },
  { rfc: '9113 5.1.1', name: 'a service opens a stream', send: [replyHead(2, 200)], goaway: Code.protocol },
  { rfc: '9113 6.1', name: 'DATA is on stream 0', send: [data(0, 'x')], goaway: Code.protocol },
  {
    rfc: '9113 6.1',
    name: 'DATA is padded',
    send: [replyHead(1, 200), frame(Type.data, h2.PADDED | h2.END_STREAM, 1, '\u0003hello\0\0\0')],
    reply: fine,
  },
  {
    rfc: '9113 6.1',
    name: 'DATA is padded beyond its end',
    send: [replyHead(1, 200), frame(Type.data, h2.PADDED, 1, '\u0009hello')],
    goaway: Code.protocol,
  },
  { rfc: '9113 6.2', name: 'HEADERS is on stream 0', send: [headers(0, [STATUS], true)], goaway: Code.protocol },
  {
    rfc: '9113 6.3',
    name: 'PRIORITY is ignored',
    send: [frame(Type.priority, 0, 1, Buffer.alloc(5)), OK],
    reply: fine,
  },
  { rfc: '9113 6.4', name: 'RST_STREAM is on stream 0', send: [h2.reset(0)], goaway: Code.protocol },
  {
    rfc: '9113 6.4',
    name: 'RST_STREAM is not 4 bytes long',
    send: [frame(Type.reset, 0, 1, 'abc')],
    goaway: Code.size,
  },
  {
    rfc: '9113 6.4',
    name: 'a stream is reset',
    send: [h2.reset(1, Code.internal)],
    reply: null,
    why: /^The service reset the stream \(INTERNAL_ERROR\) without a reply\.$/,
  },
  {
    rfc: '9113 6.4',
    name: 'a stream is reset with an unknown code',
    send: [h2.reset(1, 99)],
    reply: null,
    why: /error 99/,
  },
  {
    rfc: '9113 6.4',
    name: 'a stream is reset without an error before its reply is complete',
    send: [h2.reset(1, 0)],
    reply: null,
    why: /NO_ERROR/,
  },
  {
    rfc: '9113 7',
    name: 'a service requires HTTP/1.1',
    send: [h2.reset(1, 13)],
    reply: null,
    why: /HTTP_1_1_REQUIRED/,
  },
  { rfc: '9113 6.5', name: 'SETTINGS is on a stream', send: [frame(Type.settings, 0, 1)], goaway: Code.protocol },
  {
    rfc: '9113 6.5',
    name: 'the length of SETTINGS is not a multiple of 6',
    send: [frame(Type.settings, 0, 0, 'abc')],
    goaway: Code.size,
  },
  {
    rfc: '9113 6.5',
    name: 'an acknowledgement of SETTINGS has a payload',
    send: [frame(Type.settings, h2.ACK, 0, 'abcdef')],
    goaway: Code.size,
  },
  { rfc: '9113 6.5.2', name: 'a service sends ENABLE_PUSH of 1', send: [settingOf(2, 1)], goaway: Code.protocol },
  { rfc: '9113 6.5.2', name: 'a service sends ENABLE_PUSH of 0', send: [settingOf(2, 0), OK], reply: fine },
  {
    rfc: '9113 6.5.2',
    name: 'SETTINGS_INITIAL_WINDOW_SIZE is too large',
    send: [settingOf(4, 2 ** 31)],
    goaway: Code.flow,
  },
  { rfc: '9113 6.5.2', name: 'SETTINGS_MAX_FRAME_SIZE is too small', send: [settingOf(5, 100)], goaway: Code.protocol },
  { rfc: '9113 6.5.2', name: 'an unknown setting is ignored', send: [settingOf(77, 1), OK], reply: fine },
  {
    rfc: '9113 6.6',
    name: 'a service pushes although push is disabled',
    send: [frame(Type.push, h2.END_HEADERS, 1, Buffer.concat([int32(2), encode([[':method', 'GET']])]))],
    goaway: Code.protocol,
  },
  { rfc: '9113 6.7', name: 'PING is on a stream', send: [frame(Type.ping, 0, 1, 'are you?')], goaway: Code.protocol },
  { rfc: '9113 6.7', name: 'PING is not 8 bytes long', send: [frame(Type.ping, 0, 0, 'abc')], goaway: Code.size },
  {
    rfc: '9113 6.8',
    name: 'GOAWAY is on a stream',
    send: [frame(Type.goaway, 0, 1, Buffer.alloc(8))],
    goaway: Code.protocol,
  },
  {
    rfc: '9113 6.8',
    name: 'GOAWAY has fewer than 8 bytes',
    send: [frame(Type.goaway, 0, 0, 'abc')],
    goaway: Code.size,
  },
  {
    rfc: '9113 6.9',
    name: 'a WINDOW_UPDATE of the connection is 0',
    send: [h2.windowUpdate(0, 0)],
    goaway: Code.protocol,
  },
  { rfc: '9113 6.9', name: 'a WINDOW_UPDATE of a stream is 0', send: [h2.windowUpdate(1, 0)], ...bad },
  {
    rfc: '9113 6.9.1',
    name: 'the window of the connection becomes too large',
    send: [h2.windowUpdate(0, 2 ** 31 - 1)],
    goaway: Code.flow,
  },
  {
    rfc: '9113 6.9.1',
    name: 'the window of a stream becomes too large',
    send: [h2.windowUpdate(1, 2 ** 31 - 1)],
    reset: Code.flow,
    reply: null,
  },
  {
    rfc: '9113 6.9.2',
    name: 'SETTINGS makes the window of a stream too large',
    send: [h2.windowUpdate(1, 2 ** 31 - 1 - 65_535), settingOf(4, 65_536)],
    goaway: Code.flow,
  },
  {
    rfc: '9113 6.10',
    name: 'CONTINUATION follows no field section',
    send: [frame(Type.continuation, h2.END_HEADERS, 1)],
    goaway: Code.protocol,
  },
  {
    rfc: '9113 6.10',
    name: 'another frame interrupts a field section',
    send: [frame(Type.headers, 0, 1, encode([STATUS])), h2.ping()],
    goaway: Code.protocol,
  },
  {
    rfc: '9113 6.10',
    name: 'a head spans several frames',
    send: [h2.inFrames(1, encode([STATUS, ['x-a', 'b']]), 3)],
    reply: [200, ''],
  },
  {
    rfc: '9218 7.1',
    name: 'a service sends PRIORITY_UPDATE',
    send: [frame(Type.priorityUpdate, 0, 0, Buffer.concat([int32(1), Buffer.from('u=1')]))],
    goaway: Code.protocol,
  },
]

const messages: readonly ServiceCase[] = [
  { rfc: '9113 8.1', name: 'content comes before the head', send: [data(1, 'x', true)], ...bad },
  { rfc: '9113 8.1', name: 'the stream ends before the head', send: [data(1, '', true)], ...bad },
  {
    rfc: '9113 8.1',
    name: 'trailers end the stream',
    send: [replyHead(1, 200), data(1, 'hello'), headers(1, [['x-sum', '1']], true)],
    reply: fine,
  },
  {
    rfc: '9113 8.1',
    name: 'a second head does not end the stream',
    send: [replyHead(1, 200), data(1, 'hello'), headers(1, [['x-sum', '1']])],
    reset: Code.protocol,
  },
  {
    rfc: '9113 8.1',
    name: 'trailers have a pseudo-header field',
    send: [replyHead(1, 200), headers(1, [STATUS], true)],
    reset: Code.protocol,
  },
  { rfc: '9113 8.1', name: 'an interim response ends the stream', send: [replyHead(1, 103, [], true)], ...bad },
  {
    rfc: '9110 15.2',
    name: 'interim responses come before the final one',
    send: [replyHead(1, 102), replyHead(1, 103), OK],
    reply: fine,
  },
  { rfc: '9113 8.1', name: 'the status is 101, which HTTP/2 does not have', send: [replyHead(1, 101)], ...bad },
  {
    rfc: '9113 8.1.1',
    name: 'the content is shorter than announced',
    send: [replyHead(1, 200, [['content-length', '9']]), data(1, 'hello', true)],
    ...bad,
  },
  {
    rfc: '9113 8.1.1',
    name: 'the content is longer than announced',
    send: [replyHead(1, 200, [['content-length', '4']]), data(1, 'hello', true)],
    ...bad,
  },
  {
    rfc: '9113 8.1.1',
    name: 'the content is as long as announced',
    send: [replyHead(1, 200, [['content-length', '5']]), data(1, 'hello', true)],
    reply: fine,
  },
  {
    rfc: '9113 8.1.1',
    name: 'content is announced but the stream ends',
    send: [replyHead(1, 200, [['content-length', '5']], true)],
    ...bad,
  },
  {
    rfc: '9110 8.6',
    name: 'Content-Length is repeated',
    send: [
      replyHead(1, 200, [
        ['content-length', '5'],
        ['content-length', '5'],
      ]),
      data(1, 'hello', true),
    ],
    ...bad,
  },
  {
    rfc: '9110 8.6',
    name: 'the length is not a number',
    send: [replyHead(1, 200, [['content-length', '+5']], true)],
    ...bad,
  },
  {
    rfc: '9110 9.3.2',
    name: 'a reply to HEAD has a length and no content',
    method: 'HEAD',
    send: [replyHead(1, 200, [['content-length', '5']], true)],
    reply: [200, null],
  },
  {
    rfc: '9110 9.3.2',
    name: 'a reply to HEAD ends with a separate frame',
    method: 'HEAD',
    send: [replyHead(1, 200, [['content-length', '5']]), data(1, '', true)],
    reply: [200, null],
  },
  {
    rfc: '9110 9.3.2',
    name: 'a reply to HEAD has content',
    method: 'HEAD',
    send: [replyHead(1, 200), data(1, 'hello', true)],
    reset: Code.protocol,
    reply: [200, null],
  },
  {
    rfc: '9110 15.3.5',
    name: 'a 204 has content',
    send: [replyHead(1, 204), data(1, 'x', true)],
    reset: Code.protocol,
    reply: [204, null],
  },
  {
    rfc: '9110 15.4.5',
    name: 'a 304 has a length and no content',
    send: [replyHead(1, 304, [['content-length', '5']], true)],
    reply: [304, null],
  },
  { rfc: '9113 8.2', name: 'a name is in upper case', send: [fields(STATUS, ['X-A', 'b'])], ...bad },
  { rfc: '9113 8.2.1', name: 'a name has a space', send: [fields(STATUS, ['x a', 'b'])], ...bad },
  { rfc: '9113 8.2.1', name: 'a name is empty', send: [fields(STATUS, ['', 'b'])], ...bad },
  {
    rfc: '9113 8.2.1',
    name: 'a value has a line break',
    send: [fields(STATUS, ['x-a', 'b\r\nset-cookie: c'])],
    ...bad,
  },
  { rfc: '9113 8.2.1', name: 'a value has a NUL', send: [fields(STATUS, ['x-a', 'b\0'])], ...bad },
  { rfc: '9113 8.2.1', name: 'a value ends with a space', send: [fields(STATUS, ['x-a', 'b '])], ...bad },
  ...['connection', 'keep-alive', 'proxy-connection', 'transfer-encoding', 'upgrade'].map((name) => ({
    rfc: '9113 8.2.2',
    name: `${name} is connection-specific`,
    send: [fields(STATUS, [name, 'x'])],
    reset: bad.reset,
    reply: bad.reply,
  })),
  { rfc: '9113 8.3', name: 'a pseudo-header field follows others', send: [fields(['x-a', 'b'], STATUS)], ...bad },
  {
    rfc: '9113 8.3',
    name: 'a pseudo-header field is for requests only',
    send: [fields(STATUS, [':path', '/'])],
    ...bad,
  },
  { rfc: '9113 8.3', name: 'a pseudo-header field is unknown', send: [fields(STATUS, [':what', '/'])], ...bad },
  { rfc: '9113 8.3.2', name: 'there is no :status', send: [fields(['x-a', 'b'])], ...bad },
  { rfc: '9113 8.3.2', name: 'there are two of :status', send: [fields(STATUS, STATUS)], ...bad },
  ...['99', '600', '20', '2000', '20a', '', '+20'].map((status) => ({
    rfc: '9113 8.3.2',
    name: `the status is ${JSON.stringify(status)}`,
    send: [fields([':status', status])],
    reset: bad.reset,
    reply: bad.reply,
  })),
  {
    rfc: '9113 8.4',
    name: 'a service refuses the stream',
    send: [h2.reset(1, Code.refused)],
    reply: null,
    why: /^the request was not processed: it was refused$/,
  },
  {
    rfc: '9113 6.9.1',
    name: 'a service exceeds the window',
    send: [replyHead(1, 200), ...Array.from({ length: 5 }, () => data(1, Buffer.alloc(16_384)))],
    reset: Code.flow,
  },
]

export const serviceCases: readonly ServiceCase[] = [...framing, ...messages]
