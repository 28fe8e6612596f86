import { parentPort, workerData } from 'node:worker_threads'
import { systemClock } from '../../src/core/clock.ts'
import { Bytes } from '../../src/http/body.ts'
import { Headers } from '../../src/http/headers.ts'
import { MemoryCacheStore } from '../../src/policies/cache/memory/memory-store.ts'
import { makeCacheEntry } from './cache-entry.ts'

/** The task of a thread that shares a memory. */
export interface TortureOrder {
  readonly buffer: SharedArrayBuffer
  /** For each key: how many invalidations of its URL were started, and how many were completed. */
  readonly purges: SharedArrayBuffer
  readonly keys: number
  readonly thread: number
  readonly steps: number
}

/** What it has observed. */
export interface TortureReport {
  readonly found: number
  readonly problems: readonly string[]
}

const order = workerData as TortureOrder
const ASKED = Headers.of()
const begun = new Int32Array(order.purges, 0, order.keys)
const done = new Int32Array(order.purges, order.keys * Int32Array.BYTES_PER_ELEMENT, order.keys)
const store = new MemoryCacheStore({ clock: systemClock, localBytes: 200_000, evictions: { add() {} } })
store.use(order.buffer, order.thread)

const random = (below: number): number => Math.floor(Math.random() * below)
const problems: string[] = []
let found = 0

/** Each part of a body contains its key and number. */
function put(key: number): void {
  const requested = systemClock.now()
  const number = Atomics.load(begun, key)
  const length = random(4) === 0 ? random(40_000) : random(600)
  const body = Bytes.fromBuffer(Buffer.alloc(length, `${key}:${number};`))
  store.put(`k${key}`, makeCacheEntry({ url: `h/${key}`, body, status: number, fields: `Key: ${key}\r\n` }), requested)
}

function find(key: number): void {
  const purged = Atomics.load(done, key)
  const entry = store.find(`h/${key}`, `k${key}`, ASKED)
  if (typeof entry === 'string') return
  found++
  const { url, status: number, fields, body } = entry
  const text = body?.toLatin1() ?? ''
  const expected = Buffer.alloc(text.length, `${key}:${number};`).toString('latin1')
  if (url !== `h/${key}` || fields !== `Key: ${key}\r\n` || text !== expected)
    problems.push(`${key} is torn: ${url} ${fields} ${text.slice(0, 20)}`)
  if (number < purged) problems.push(`${key} was forgotten ${purged} times, and has number ${number}`)
}

async function purge(key: number): Promise<void> {
  const number = Atomics.add(begun, key, 1) + 1
  await store.invalidate(`h/${key}`)
  for (let known = Atomics.load(done, key); known < number; known = Atomics.load(done, key))
    Atomics.compareExchange(done, key, known, number)
}

// A pause until others do not write any more is nothing that a thread stays for.
parentPort!.ref()
for (let i = 0; i < order.steps; i++) {
  const key = random(order.keys)
  const what = random(100)
  if (what < 30) put(key)
  else if (what < 33) await purge(key)
  else find(key)
}
parentPort!.postMessage({ found, problems: problems.slice(0, 10) } satisfies TortureReport)
parentPort!.unref()
