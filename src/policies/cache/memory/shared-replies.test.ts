import assert from 'node:assert/strict'
import test from 'node:test'
import * as fc from 'fast-check'
import { makeCacheEntry } from '../../../../test/support/cache-entry.ts'
import { ManualClock } from '../../../testing/manual-clock.ts'
import { Bytes } from '../../../http/body.ts'
import type { CacheEntry } from '../store.ts'
import { HEAD, TAIL, UNIT, USED } from './layout.ts'
import { ReplyMemory } from './reply-memory.ts'
import { type KeyEntries, SharedReplies } from './shared-replies.ts'

const URLS = ['h/a', 'h/a/b', 'h/c']
const GROUPS = ['h one', 'h two']
const THREADS = 3

const thread = fc.integer({ min: 0, max: THREADS - 1 })
const anyUrl = fc.constantFrom(...URLS)
const caller = fc.integer({ min: 0, max: 9 })
const variant = fc.integer({ min: 0, max: 2 })
const size = fc.oneof(
  { weight: 5, arbitrary: fc.integer({ min: 0, max: 300 }) },
  { weight: 1, arbitrary: fc.integer({ min: 0, max: 3_000 }) },
)

const step = fc.oneof(
  { weight: 80, arbitrary: fc.record({ put: anyUrl, caller, variant, size, groups: fc.subarray(GROUPS), thread }) },
  { weight: 2, arbitrary: fc.record({ late: anyUrl, caller, variant, thread }) },
  { weight: 30, arbitrary: fc.record({ find: anyUrl, caller, thread }) },
  { weight: 20, arbitrary: fc.record({ read: thread }) },
  { weight: 1, arbitrary: fc.record({ remove: anyUrl, caller, variant, thread }) },
  { weight: 1, arbitrary: fc.record({ invalidate: anyUrl, thread }) },
  { weight: 1, arbitrary: fc.record({ group: fc.constantFrom(...GROUPS), thread }) },
  { weight: 1, arbitrary: fc.record({ prefix: fc.constantFrom('h/a', 'h/c', 'h/x'), thread }) },
)

/** A reply of its own, whose body shows from any part of it which one it is. */
function entryOf(
  url: string,
  selecting: number,
  groups: readonly string[],
  length: number,
  number: number,
): CacheEntry {
  const body = Bytes.fromBuffer(Buffer.alloc(length, `${number} `))
  return makeCacheEntry({
    url,
    vary: ['x'],
    selecting: [String(selecting)],
    groups,
    body,
    born: number,
    status: number,
  })
}

const essence = ({ body, ...entry }: CacheEntry): unknown => ({ ...entry, body: body?.toLatin1() })

interface Kept {
  readonly key: string
  readonly entry: CacheEntry
}

for (const [room, capacity] of [
  ['enough', 4_000_000],
  ['little', 12_000],
] as const)
  test(`with ${room} room: whatever several threads do, a lookup finds the entries stored last and not invalidated`, () => {
    const property = fc.property(fc.array(step, { maxLength: 300, size: 'max' }), (steps) => {
      const clock = new ManualClock()
      const buffer = ReplyMemory.create(capacity, () => 0.7)!
      const memories = Array.from({ length: THREADS }, (_, i) => new ReplyMemory(buffer, i + 1))
      const threads = memories.map((memory) => new SharedReplies(memory, clock))
      const { usage } = memories[0]!
      assert.deepEqual(usage, { entries: 0, bytes: 0 })
      /** The newest first. */
      let model: Kept[] = []
      const local: (KeyEntries | null)[] = threads.map(() => null)
      let number = 0
      const removed = (isMeant: (kept: Kept) => boolean, count: number | Promise<number>): void => {
        const meant = model.filter(isMeant)
        model = model.filter((kept) => !isMeant(kept))
        assert.equal(count, meant.length)
      }
      const isKnown = (entry: CacheEntry): boolean =>
        model.some((kept) => kept.entry.status === entry.status && isSame(kept.entry, entry))
      for (const each of steps) {
        clock.advance(1)
        if ('put' in each) {
          const key = `${each.put} ${each.caller}`
          const entry = entryOf(each.put, each.variant, each.groups, each.size, ++number)
          const evicted = threads[each.thread]!.put(key, entry, clock.now())
          assert.ok(room === 'little' || evicted === 0)
          const others = model.filter((kept) => kept.key !== key || kept.entry.selecting[0] !== entry.selecting[0])
          // What is too large is not kept, and what was there before stays.
          const isKept = threads[0]!.lookUp(key)?.variants.some(({ selecting }) => selecting[0] === entry.selecting[0])
          const found = isKept === true ? readAll(threads[0]!, key) : []
          if (found.some(({ status }) => status === number)) model = [{ key, entry }, ...others]
          else assert.ok(each.size > 700 && room === 'little')
          const isStored = model.some((kept) => kept.entry === entry)
          assert.equal(evicted !== null, isStored)
          if (evicted !== null && evicted > 0) {
            const before = model.length
            model = model.filter((kept) => readAll(threads[2]!, kept.key).some((one) => isSame(one, kept.entry)))
            assert.equal(model.length, before - evicted)
          }
        } else if ('late' in each) {
          // It was asked for before its URL was made invalid.
          const begun = clock.now()
          clock.advance(1)
          const count = threads[each.thread]!.invalidate(each.late)
          const groups = new Set(
            model.filter(({ entry }) => entry.url === each.late).flatMap(({ entry }) => entry.groups),
          )
          removed(({ entry }) => entry.url === each.late || entry.groups.some((group) => groups.has(group)), count)
          threads[0]!.put(`${each.late} ${each.caller}`, entryOf(each.late, each.variant, [], 10, ++number), begun)
        } else if ('find' in each) {
          const key = `${each.find} ${each.caller}`
          const entries = threads[each.thread]!.lookUp(key)
          local[each.thread] = entries
          threads[each.thread]!.touch(entries!)
          const there = model.filter((kept) => kept.key === key).map(({ entry }) => entry.selecting[0])
          const seen = entries!.variants.map(({ selecting }) => selecting[0])
          assert.deepEqual(seen, there)
        } else if ('read' in each) {
          // Whatever has happened since it looked.
          const entries = local[each.read] ?? null
          for (const found of entries?.variants ?? []) {
            const entry = threads[each.read]!.read(entries!, found)
            if (entry !== null) assert.ok(isKnown(entry))
          }
        } else if ('remove' in each) {
          const key = `${each.remove} ${each.caller}`
          const known = model.find((kept) => kept.key === key && kept.entry.selecting[0] === String(each.variant))
          if (known === undefined) continue
          removed((kept) => kept === known, threads[each.thread]!.remove(key, known.entry))
        } else if ('invalidate' in each) {
          const meant = model.filter(({ entry }) => entry.url === each.invalidate)
          const groups = new Set(meant.flatMap(({ entry }) => entry.groups))
          removed(
            (kept) => meant.includes(kept) || kept.entry.groups.some((group) => groups.has(group)),
            threads[each.thread]!.invalidate(each.invalidate),
          )
        } else if ('group' in each) {
          const count = threads[each.thread]!.invalidateGroup(each.group)
          removed(({ entry }) => entry.groups.includes(each.group), count)
        } else {
          const count = threads[each.thread]!.invalidatePrefix(each.prefix)
          removed(({ entry }) => entry.url.startsWith(each.prefix), count)
        }
        const { entries, bytes } = memories[0]!.usage
        assert.ok(bytes <= capacity)
        assert.equal(entries, model.length)
      }
      for (const [key, entries] of Map.groupBy(model, (kept) => kept.key)) {
        const found = readAll(threads[1]!, key).map(essence)
        assert.deepEqual(
          found,
          entries.map(({ entry }) => essence(entry)),
        )
      }
      void threads[2]!.invalidatePrefix('')
      assert.deepEqual(memories[0]!.usage, { entries: 0, bytes: 0 })
    })
    fc.assert(property, { numRuns: 50 })
  })

test('a large memory is purged by prefix in batches between which others write, and replies requested before are not stored', async () => {
  const buffer = ReplyMemory.create(32_000_000, () => 0.7)!
  const clock = new ManualClock()
  const memory = new ReplyMemory(buffer, 1)
  const [purging, other] = [memory, new ReplyMemory(buffer, 2)].map((each) => new SharedReplies(each, clock))
  const put = (url: string): unknown => other!.put(url, entryOf(url, 0, [], 10, 1), 0)
  for (let i = 0; i < 500; i++) put(`h/a/${i}`)
  put('h/b')
  clock.advance(1)
  const purged = purging!.invalidatePrefix('h/a')
  assert.ok(purged instanceof Promise)
  assert.ok(!memory.lock.isHeldBy(1))
  put('h/a/late')
  other!.put('h/a/new', entryOf('h/c', 0, [], 10, 2), clock.now())
  assert.equal(await purged, 500)
  assert.equal(memory.usage.entries, 2)
  assert.deepEqual(new Set(await other!.keys()), new Set(['h/b', 'h/a/new']))
})

test('a memory of several GiB stores entries at any position, and only allocates what it uses', () => {
  const buffer = ReplyMemory.create(8 * 1024 ** 3, () => 0.7)!
  const memory = new ReplyMemory(buffer, 1)
  const replies = new SharedReplies(memory, new ManualClock())
  for (const start of [0, 2.5, 5, 7]) {
    for (const end of [HEAD, TAIL]) memory.words[end] = (start * 1024 ** 3) / UNIT
    memory.words[USED] = 0
    // Often enough to be compiled for speed, when Node.js writes texts in another way.
    for (let number = 0; number < 3_000; number++) {
      const entry = entryOf('h/a', 0, GROUPS, number === 2_999 ? 20_000 : 10, number)
      replies.put('key', entry, 0)
      assert.deepEqual(readAll(replies, 'key').map(essence), [essence(entry)])
    }
    assert.equal(replies.invalidate('h/a'), 1)
  }
})

function readAll(replies: SharedReplies, key: string): CacheEntry[] {
  const entries = replies.lookUp(key)!
  return entries.variants.map((found) => replies.read(entries, found)!)
}

function isSame(one: CacheEntry, other: CacheEntry): boolean {
  return JSON.stringify(essence(one)) === JSON.stringify(essence(other))
}
