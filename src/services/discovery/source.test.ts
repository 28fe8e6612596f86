import assert from 'node:assert/strict'
import test from 'node:test'
import { ManualClock } from '../../testing/manual-clock.ts'
import { createMemoryLogger } from '../../telemetry/memory-logger.ts'
import type { Discoverer, DiscoveryListener, DiscoveredInstance } from './discoverer.ts'
import { Source } from './source.ts'

const at = (...hosts: readonly string[]): DiscoveredInstance[] =>
  hosts.map((host) => ({ host, port: 80, weight: 1, zone: null }))

function start() {
  const clock = new ManualClock()
  const { log, lines } = createMemoryLogger('info')
  let changes = 0
  const given: DiscoveryListener[] = []
  const discover = (finder: DiscoveryListener): Discoverer => {
    given.push(finder)
    return { start() {}, stop() {} }
  }
  const changed = (): void => void changes++
  const source = new Source({ kind: 'dns', subject: 'users', discover, changed, clock, random: () => 0.5, log })
  source.start()
  const finder = given[0]!
  return { source, finder, lines, changes: () => changes, clock }
}

const addresses = ({ instances }: Source): string[] => (instances ?? []).map(({ host, weight }) => `${host} ${weight}`)

test('a different order is not a change, and a repeated address has the sum of its weights', () => {
  const { source, finder, changes } = start()
  finder.found(at('10.0.0.2', '10.0.0.1', '10.0.0.1'), null)
  assert.deepEqual(addresses(source), ['10.0.0.1 2', '10.0.0.2 1'])
  const { instances } = source
  finder.found(at('10.0.0.1', '10.0.0.2', '10.0.0.1'), null)
  assert.equal(source.instances, instances)
  assert.equal(changes(), 1)
})

test('only the first thousand instances are used, which is reported', () => {
  const { source, finder } = start()
  const hosts = Array.from({ length: 1200 }, (_, i) => `10.0.${i >> 8}.${i & 255}`)
  finder.found(at(...hosts), null)
  assert.equal(source.instances?.length, 1000)
  assert.equal(source.problem, '1200 instances, of which the first 1000 are used')
  finder.found(at('10.0.0.1'), null)
  assert.equal(source.problem, null)
})

test('a failure and its end are logged once each, and the instances are kept', async () => {
  const { source, finder, lines, changes, clock } = start()
  finder.failed('no DNS server could be reached')
  finder.failed('there is no name users')
  assert.equal(source.problem, 'there is no name users')
  assert.equal(source.lastSuccess, null)
  clock.advance(1000)
  finder.found(at('10.0.0.1'), null)
  await source.answered
  assert.equal(source.lastSuccess, clock.wall())
  finder.failed('SERVFAIL')
  assert.deepEqual(addresses(source), ['10.0.0.1 1'])
  assert.equal(changes(), 1)
  assert.deepEqual(
    lines.map(({ message }) => message),
    [
      'Discovery failed; the last result is kept',
      'Instances were discovered',
      'Discovery works again',
      'Discovery failed; the last result is kept',
    ],
  )
})

test('a partial failure has a different message from a complete one', () => {
  const { finder, lines } = start()
  finder.found(at('10.0.0.1'), 'no answer for AAAA')
  assert.deepEqual(
    lines.map(({ message }) => message),
    ['Instances were discovered', 'Discovery is incomplete'],
  )
})

test('nothing changes after stop', () => {
  const { source, finder, changes } = start()
  source.stop()
  finder.found(at('10.0.0.1'), null)
  finder.failed('late')
  assert.equal(source.instances, null)
  assert.equal(source.problem, null)
  assert.equal(changes(), 0)
})
