import assert from 'node:assert/strict'
import test from 'node:test'
import * as fc from 'fast-check'
import { instancesOf, parseSlice, type Slice, type WantedPort } from './slices.ts'

const endpoint = (address: string, conditions: Record<string, boolean | null> = { ready: true }) => ({
  addresses: [address, '10.9.9.9'],
  conditions,
})
const TERMINATING = { ready: false, serving: true, terminating: true }

function slice(name: string, endpoints: readonly unknown[], more: Record<string, unknown> = {}): Slice {
  const ports = [{ name: 'http', port: 8001, protocol: 'TCP' }]
  const parsed = parseSlice({ metadata: { name }, addressType: 'IPv4', endpoints, ports, ...more })
  assert.ok(parsed !== null)
  return parsed
}

const found = (slices: readonly Slice[], port?: WantedPort): string[] =>
  instancesOf(slices, port).map((each) => `${each.host} ${each.port} ${each.weight}`)

test('ready pods get requests, terminating ones that still serve only those of bound clients, and others none', () => {
  const all = slice('a', [
    endpoint('10.0.0.1'),
    endpoint('10.0.0.2', {}),
    endpoint('10.0.0.3', TERMINATING),
    endpoint('10.0.0.4', { ready: false, serving: false, terminating: true }),
    endpoint('10.0.0.5', { ready: false }),
    endpoint('10.0.0.6', { ready: false, serving: true }),
  ])
  assert.deepEqual(found([all]), ['10.0.0.1 8001 1', '10.0.0.2 8001 1', '10.0.0.3 8001 0'])
})

test('if all pods are terminating, those that still serve get the requests', () => {
  assert.deepEqual(found([slice('a', [endpoint('10.0.0.3', TERMINATING)])]), ['10.0.0.3 8001 1'])
})

test('the zone of an instance is that of its endpoint', () => {
  const all = slice('a', [{ ...endpoint('10.0.0.1'), zone: 'eu-1a' }, endpoint('10.0.0.2')])
  assert.deepEqual(
    instancesOf([all], undefined).map(({ zone }) => zone),
    ['eu-1a', null],
  )
})

test('the slices of a Service are merged, with each pod once', () => {
  const slices = [
    slice('a', [endpoint('10.0.0.1', TERMINATING)]),
    slice('b', [endpoint('10.0.0.1'), endpoint('10.0.0.2')]),
    slice('c', [endpoint('10.0.0.2', TERMINATING)]),
  ]
  assert.deepEqual(found(slices), ['10.0.0.1 8001 1', '10.0.0.2 8001 1'])
})

test('a port is selected by name, number, or as the only one, in each slice', () => {
  const one = slice('a', [endpoint('10.0.0.1')], {
    ports: [
      { name: 'http', port: 8001 },
      { name: 'admin', port: 9000 },
    ],
  })
  const other = slice('b', [endpoint('10.0.0.2')], { ports: [{ name: 'http', port: 8080 }] })
  assert.deepEqual(found([one, other], 'http'), ['10.0.0.1 8001 1', '10.0.0.2 8080 1'])
  assert.deepEqual(found([one, other], 9000), ['10.0.0.1 9000 1'])
  assert.deepEqual(found([other]), ['10.0.0.2 8080 1'])
  assert.throws(() => found([one]), /^Error: it has no port that is the only one: its ports are http, admin$/)
  assert.throws(() => found([other], 'grpc'), /^Error: it has no port grpc: its ports are http$/)
  const unnamed = slice('c', [endpoint('10.0.0.3')], {
    ports: [
      { name: '', port: 80 },
      { name: 'dns', port: 53, protocol: 'UDP' },
    ],
  })
  assert.deepEqual(found([unnamed]), ['10.0.0.3 80 1'])
  assert.deepEqual(found([slice('d', [endpoint('10.0.0.4')], { ports: null })], 8001), ['10.0.0.4 8001 1'])
})

test('a dual-stack Service has each pod once, in the family with more ready pods', () => {
  const v6 = (...hosts: string[]) =>
    slice(
      'six',
      hosts.map((host) => endpoint(host)),
      { addressType: 'IPv6' },
    )
  const v4 = slice('four', [endpoint('10.0.0.1'), endpoint('10.0.0.2')])
  assert.deepEqual(found([v6('2001:db8::1', '2001:db8::2'), v4]), ['10.0.0.1 8001 1', '10.0.0.2 8001 1'])
  assert.deepEqual(found([v6('2001:db8::1')]), ['2001:db8::1 8001 1'])
  assert.equal(found([v6('2001:db8::1', '2001:db8::2', '2001:db8::3'), v4]).length, 3)
})

test('objects other than slices of IP addresses are skipped', () => {
  assert.equal(parseSlice({ metadata: { name: 'a' }, addressType: 'FQDN', endpoints: [] }), null)
  assert.equal(parseSlice({ addressType: 'IPv4' }), null)
  assert.equal(parseSlice(null), null)
  assert.deepEqual(slice('a', [{ addresses: ['::1'] }, { addresses: [] }, {}, 7, endpoint('10.0.0.1')]).endpoints, [
    { address: '10.0.0.1', state: 'ready', zone: null },
  ])
})

test('property: any objects give valid, distinct instances, in any order of slices', () => {
  const condition = fc.option(fc.boolean(), { nil: null })
  const anything = fc.anything({ maxDepth: 2 })
  const pod = fc.record({
    addresses: fc.oneof(fc.array(fc.constantFrom('10.0.0.1', '10.0.0.2', '::1', 'x')), anything),
    conditions: fc.oneof(fc.record({ ready: condition, serving: condition, terminating: condition }), anything),
  })
  const port = fc.record({
    name: fc.constantFrom('http', '', null),
    port: fc.oneof(fc.integer({ min: -1, max: 70_000 }), anything),
    protocol: fc.constantFrom('TCP', 'UDP', null, undefined),
  })
  const object = fc.record({
    metadata: fc.record({ name: fc.constantFrom('a', 'b', 'c') }),
    addressType: fc.constantFrom('IPv4', 'IPv6', 'FQDN'),
    endpoints: fc.oneof(fc.array(fc.oneof(pod, anything)), anything),
    ports: fc.oneof(fc.array(fc.oneof(port, anything)), anything),
  })
  const wanted = fc.constantFrom(undefined, 'http', 80)
  const outcome = (slices: readonly Slice[], port_: WantedPort): readonly string[] => {
    try {
      return found(slices, port_).toSorted()
    } catch (error) {
      return [String(error).replace(/:.*/, '')]
    }
  }
  fc.assert(
    fc.property(fc.array(fc.oneof(object, anything), { maxLength: 5 }), wanted, (objects, which) => {
      const slices = objects.flatMap((each) => parseSlice(each) ?? [])
      const all = outcome(slices, which)
      assert.deepEqual(outcome(slices.toReversed(), which), all)
      assert.equal(new Set(all.map((each) => each.replace(/ \d$/, ''))).size, all.length)
      for (const each of all) assert.match(each, /^(?:Error|(?:10\.0\.0\.[12]|::1) [1-9]\d{0,4} [01]$)/)
    }),
  )
})
