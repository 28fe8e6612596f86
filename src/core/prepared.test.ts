import assert from 'node:assert/strict'
import test from 'node:test'
import { type Prepared, prepareAll } from './prepared.ts'

/** Changes that say what becomes of them. */
function setUp() {
  const reported: string[] = []
  const change = (name: string) => (): Prepared => {
    reported.push(`${name} ready`)
    return { commit: () => void reported.push(`${name} made`), abandon: () => void reported.push(`${name} abandoned`) }
  }
  return { reported, change }
}

test('several changes are prepared one after the other, and committed in that order', async () => {
  const { reported, change } = setUp()
  const all = await prepareAll([change('a'), async () => change('b')(), change('c')])
  all.commit()
  assert.deepEqual(reported, ['a ready', 'b ready', 'c ready', 'a made', 'b made', 'c made'])
})

test('changes are abandoned in reverse order', async () => {
  const { reported, change } = setUp()
  const all = await prepareAll([change('a'), change('b')])
  all.abandon()
  assert.deepEqual(reported, ['a ready', 'b ready', 'b abandoned', 'a abandoned'])
})

test('a failed preparation abandons the previous ones, and later ones are not prepared', async () => {
  const { reported, change } = setUp()
  const taken = new Error('the port is taken')
  const refuse = (): Promise<Prepared> => Promise.reject(taken)
  await assert.rejects(prepareAll([change('a'), change('b'), refuse, change('c')]), taken)
  assert.deepEqual(reported, ['a ready', 'b ready', 'b abandoned', 'a abandoned'])
})
