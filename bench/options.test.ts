import assert from 'node:assert/strict'
import test from 'node:test'
import { readOptions } from './options.ts'
import { peers } from './peers/index.ts'
import { scenarios } from './scenarios/index.ts'

const read = (...args: string[]) => readOptions(args, scenarios, peers)
const names = (list: { name: string }[]) => list.map(({ name }) => name)

test('by default everything is measured in three rounds, and may be written to docs/', () => {
  const options = read()
  assert.equal(options.complete, true)
  assert.equal(options.rounds, 3)
  assert.deepEqual(options.scenarios, scenarios)
  assert.deepEqual(options.peers, peers)
})

test('results for a subset of the scenarios or peers are never written to docs/', () => {
  assert.equal(read('--scenario', 'get-small').complete, false)
  assert.equal(read('--peer', 'haproxy').complete, false)
  assert.equal(read('--against', 'main').complete, false)
  assert.equal(read('--quick').complete, false)
})

test('nginx always takes part, since the others are compared with it', () => {
  assert.deepEqual(names(read('--peer', 'sallyport').peers), ['nginx', 'Sallyport'])
})

test('an unknown name is rejected with a list of the known ones', () => {
  assert.throws(() => read('--peer', 'apache'), /--peer: unknown apache; there are nginx, HAProxy/)
  assert.throws(() => read('--scenario', 'get-big'), /--scenario: unknown get-big; there are get-small/)
})

test('an invalid number, and too few rounds for docs/, are rejected', () => {
  assert.throws(() => read('--seconds', '0'), /--seconds: 0 is not a positive whole number/)
  assert.throws(() => read('--rounds', '2'), /at least 3/)
})
