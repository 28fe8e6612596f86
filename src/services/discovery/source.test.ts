import assert from 'node:assert/strict'
import test from 'node:test'
import { ManualClock } from '../../testing/manual-clock.ts'
import { createMemoryLogger } from '../../telemetry/memory-logger.ts'
import type { Discoverer, Finder, Found } from './discoverer.ts'
import { Source } from './source.ts'

const at = (...hosts: readonly string[]): Found[] => hosts.map((host) => ({ host, port: 80, weight: 1, zone: null }))

function start() {
  const clock = new ManualClock()
  const { log, lines } = createMemoryLogger('info')
  let changes = 0
  const given: Finder[] = []
  const discover = (finder: Finder): Discoverer => {
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

test('the order of an answer is no change, and an address that is there twice has both weights', () => {
  const { source, finder, changes } = start()
  finder.found(at('10.0.0.2', '10.0.0.1', '10.0.0.1'), null)
  assert.deepEqual(addresses(source), ['10.0.0.1 2', '10.0.0.2 1'])
  const { instances } = source
  finder.found(at('10.0.0.1', '10.0.0.2', '10.0.0.1'), null)
  assert.equal(source.instances, instances)
  assert.equal(changes(), 1)
})

test('of more than a thousand instances the first thousand are taken, and that is told', () => {
  const { source, finder } = start()
  const hosts = Array.from({ length: 1200 }, (_, i) => `10.0.${i >> 8}.${i & 255}`)
  finder.found(at(...hosts), null)
  assert.equal(source.instances?.length, 1000)
  assert.equal(source.problem, '1200 instances, of which the first 1000 are used')
  finder.found(at('10.0.0.1'), null)
  assert.equal(source.problem, null)
})

test('trouble and its end are logged once each, and leave what was found', async () => {
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

test('what is not known of a part is told in other words than what fails', () => {
  const { finder, lines } = start()
  finder.found(at('10.0.0.1'), 'no answer for AAAA')
  assert.deepEqual(
    lines.map(({ message }) => message),
    ['Instances were discovered', 'Discovery is incomplete'],
  )
})

test('nothing is found any more once it has stopped', () => {
  const { source, finder, changes } = start()
  source.stop()
  finder.found(at('10.0.0.1'), null)
  finder.failed('late')
  assert.equal(source.instances, null)
  assert.equal(source.problem, null)
  assert.equal(changes(), 0)
})
