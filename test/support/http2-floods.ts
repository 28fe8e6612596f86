import * as h2 from './http2-frames.ts'

const { Type, frame, headers, encode, request, get, post, data, ping } = h2

/** What a client can do endlessly: `begin` once, then `round` for each n from 0, which uses that many streams. */
export interface Flood {
  readonly begin?: Buffer
  readonly round: (n: number) => Buffer
}

/** The id of a client's nth stream, from 0. */
export const id = (n: number) => 2 * n + 1
const update = (stream: number, value: string) =>
  frame(Type.priorityUpdate, 0, 0, Buffer.concat([h2.int32(stream), Buffer.from(value)]))
export const BOMB = Buffer.concat([
  encode(request('GET', '/held')),
  Buffer.from([0x40, ...h2.text('x-bomb'), ...h2.text('x'.repeat(4000))]),
  Buffer.alloc(12_000, 0x80 | 62),
])

export const floods: Readonly<Record<string, Flood>> = {
  'rapid reset': { round: (n) => Buffer.concat([get(id(n), '/held'), h2.reset(id(n))]) },
  'rapid reset of uploads': {
    round: (n) => Buffer.concat([post(id(n), '/held'), data(id(n), 'abc'), h2.reset(id(n))]),
  },
  'streams that the gateway resets': {
    round: (n) => Buffer.concat([get(id(n), '/held'), h2.windowUpdate(id(n), 0)]),
  },
  'frames after the end of a stream': { round: (n) => Buffer.concat([get(id(n), '/held'), data(id(n), 'x')]) },
  'stream windows that overflow': {
    round: (n) => Buffer.concat([get(id(n), '/held'), h2.windowUpdate(id(n), 0x7fffffff)]),
  },
  'trailers without END_STREAM': { round: (n) => Buffer.concat([post(id(n), '/held'), headers(id(n), [['x', 'y']])]) },
  'more streams than allowed': { round: (n) => get(id(n), '/held') },
  'malformed requests': { round: (n) => headers(id(n), [[':method', 'GET']], true) },
  'oversized requests': { round: (n) => headers(id(n), request('GET', `/${'x'.repeat(9000)}`), true) },
  'HPACK bombs': { round: (n) => headers(id(n), BOMB, true) },
  SETTINGS: { round: () => h2.settings() },
  'long SETTINGS': {
    round: () => frame(Type.settings, 0, 0, Buffer.alloc(16_380, Buffer.from([0, 9, 0, 0, 0, 1]))),
  },
  'SETTINGS that change all windows': {
    begin: Buffer.concat(Array.from({ length: 100 }, (_, n) => get(id(n), '/held'))),
    round: (n) => h2.settings({ 4: n % 2 === 0 ? 0 : 100_000 }),
  },
  'acknowledgements of SETTINGS': { round: () => h2.SETTINGS_ACK },
  PING: { round: () => ping() },
  'acknowledgements of PING': { round: () => ping('whatever', h2.ACK) },
  'empty DATA': { begin: post(1, '/held'), round: () => data(1, '') },
  'DATA with only padding': { begin: post(1, '/held'), round: () => frame(Type.data, h2.PADDED, 1, '\0') },
  'empty DATA for a reset stream': {
    begin: Buffer.concat([post(1, '/held'), headers(1, [['x', 'y']])]),
    round: () => data(1, ''),
  },
  'DATA for a reset stream': {
    begin: Buffer.concat([post(1, '/held'), headers(1, [['x', 'y']])]),
    round: () => data(1, Buffer.alloc(1024)),
  },
  'trailers for a reset stream': {
    begin: Buffer.concat([post(1, '/held'), headers(1, [['x', 'y']])]),
    round: () => headers(1, [], true),
  },
  'RST_STREAM for a closed stream': { begin: get(1), round: () => h2.reset(1) },
  PRIORITY: { round: (n) => frame(Type.priority, 0, id(n), '\0\0\0\0\u0010') },
  PRIORITY_UPDATE: { begin: get(1, '/held'), round: () => update(1, 'u=1') },
  'long PRIORITY_UPDATE': { begin: get(1, '/held'), round: () => update(1, ', '.repeat(8000)) },
  'WINDOW_UPDATE for the connection': { round: () => h2.windowUpdate(0, 1) },
  'WINDOW_UPDATE for a stream': { begin: get(1, '/held'), round: () => h2.windowUpdate(1, 1) },
  'WINDOW_UPDATE for a closed stream': { begin: get(1), round: () => h2.windowUpdate(1, 1) },
  GOAWAY: { round: () => frame(Type.goaway, 0, 0, Buffer.alloc(8)) },
  'frames of an unknown type': { round: (n) => frame(0x20 + (n % 100), 0, n, 'x') },
  CONTINUATION: {
    begin: frame(Type.headers, 1, 1, encode(request('GET', '/'))),
    round: () => frame(Type.continuation, 0, 1, 'x'),
  },
  'empty CONTINUATION': {
    begin: frame(Type.headers, 1, 1, encode(request('GET', '/'))),
    round: () => frame(Type.continuation, 0, 1),
  },
  'long CONTINUATION': {
    begin: frame(Type.headers, 1, 1, ''),
    round: () => frame(Type.continuation, 0, 1, Buffer.alloc(16_384)),
  },
}
