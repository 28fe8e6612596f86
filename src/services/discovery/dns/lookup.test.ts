import assert from 'node:assert/strict'
import test from 'node:test'
import * as fc from 'fast-check'
import { Lookup } from './lookup.ts'
import { type Addresses, type Names, NoRecords } from './names.ts'
import { dnsOptions } from './options.ts'
import type { SrvRecord } from './srv.ts'

/** What is answered: addresses with a TTL, that the name has none, that there is no such name, or nothing. */
type Said = Addresses | 'none' | 'unknown' | 'silence'

const answer = (...addresses: string[]): Addresses => ({ addresses, ttl: 5_000 })

/** Names that are answered like that: "4 users" -> what is said. */
function names(said: Readonly<Record<string, Said>>, records: readonly SrvRecord[] = []): Pick<Names, keyof Names> {
  return {
    addresses: (name, family) => {
      const each = said[`${family} ${name}`] ?? 'unknown'
      if (each === 'silence') return Promise.reject(new Error('no DNS server has answered in time'))
      if (typeof each === 'object') return Promise.resolve(each)
      return Promise.reject(new NoRecords(each === 'none', name, family === 4 ? 'A' : 'AAAA'))
    },
    services: (name) =>
      records.length > 0 ? Promise.resolve(records) : Promise.reject(new NoRecords(false, name, 'SRV')),
  }
}

const users = () => new Lookup(dnsOptions.parse({ name: 'users', port: 80 }))
const srv = () => new Lookup(dnsOptions.parse({ name: '_http._tcp.users', type: 'SRV' }))

async function hosts(lookup: Lookup, ...asked: Parameters<typeof names>): Promise<readonly string[]> {
  const { instances } = await lookup.by(names(...asked) as Names)
  return instances.map(({ host, port, weight }) => `${host} ${port} ${weight}`)
}

test('the addresses of both families are instances, and a family may be empty', async () => {
  const lookup = users()
  assert.deepEqual(await hosts(lookup, { '4 users': answer('10.0.0.1'), '6 users': answer('2001:db8::1') }), [
    '10.0.0.1 80 1',
    '2001:db8::1 80 1',
  ])
  assert.deepEqual(await hosts(lookup, { '4 users': answer('10.0.0.1'), '6 users': 'none' }), ['10.0.0.1 80 1'])
  assert.deepEqual(await hosts(lookup, { '4 users': 'none', '6 users': 'none' }), [])
})

test('a family without an answer keeps its previous addresses, and the problem is reported', async () => {
  const lookup = users()
  await hosts(lookup, { '4 users': answer('10.0.0.1'), '6 users': answer('2001:db8::1') })
  const { instances, problem } = await lookup.by(
    names({ '4 users': answer('10.0.0.2'), '6 users': 'silence' }) as Names,
  )
  assert.deepEqual(
    instances.map(({ host }) => host),
    ['10.0.0.2', '2001:db8::1'],
  )
  assert.equal(problem, 'no DNS server has answered in time')
})

test('if no family is answered, or the name does not exist, the lookup fails', async () => {
  const lookup = users()
  await hosts(lookup, { '4 users': answer('10.0.0.1'), '6 users': 'none' })
  await assert.rejects(hosts(lookup, { '4 users': 'silence', '6 users': 'silence' }), /no DNS server has answered/)
  await assert.rejects(hosts(lookup, { '4 users': 'silence', '6 users': 'none' }), /no DNS server has answered/)
  await assert.rejects(hosts(lookup, {}), /the name users does not exist/)
})

test('SRV targets are absolute names, and one without an answer keeps its previous addresses', async () => {
  const records = [
    { name: 'a.local', port: 8001, priority: 0, weight: 2 },
    { name: 'b.local', port: 8002, priority: 0, weight: 1 },
  ]
  const [a, b] = [
    { '4 a.local.': answer('10.0.0.1'), '6 a.local.': 'none' },
    { '4 b.local.': answer('10.0.0.2') },
  ] as const
  const lookup = srv()
  assert.deepEqual(await hosts(lookup, { ...a, ...b }, records), ['10.0.0.1 8001 2', '10.0.0.2 8002 1'])
  assert.deepEqual(await hosts(lookup, { ...a, '4 b.local.': 'silence', '6 b.local.': 'silence' }, records), [
    '10.0.0.1 8001 2',
    '10.0.0.2 8002 1',
  ])
  assert.deepEqual(await hosts(lookup, a, records), ['10.0.0.1 8001 1'])
  await assert.rejects(hosts(lookup, {}, records), /the name a\.local\. does not exist/)
})

test('property: each instance is in the current or a previous answer, and no address is lost through a missing answer', async () => {
  const output: fc.Arbitrary<Said> = fc.oneof(
    fc.constantFrom('none' as const, 'unknown' as const, 'silence' as const),
    fc.array(fc.constantFrom('10.0.0.1', '10.0.0.2', '10.0.0.3'), { minLength: 1 }).map((all) => answer(...all)),
  )
  const round = fc.record({ '4 users': output, '6 users': output })
  await fc.assert(
    fc.asyncProperty(fc.array(round, { maxLength: 6 }), async (rounds) => {
      const lookup = users()
      const last = new Map<string, readonly string[]>()
      for (const each of rounds) {
        const expected = new Set(
          Object.entries(each).flatMap(([key, what]) => {
            if (typeof what === 'object') return what.addresses
            return what === 'silence' ? (last.get(key) ?? []) : []
          }),
        )
        try {
          const { instances } = await lookup.by(names(each) as Names)
          assert.deepEqual(new Set(instances.map(({ host }) => host)), expected)
        } catch (error) {
          assert.ok(error instanceof Error && /does not exist|no DNS server/.test(error.message), String(error))
          assert.ok(Object.values(each).every((what) => typeof what === 'string'))
          continue
        }
        for (const [key, what] of Object.entries(each)) {
          if (typeof what === 'object') last.set(key, what.addresses)
          else if (what !== 'silence') last.set(key, [])
        }
      }
    }),
  )
})
