import assert from 'node:assert/strict'
import test from 'node:test'
import { type SlicedWork, runToEnd } from '../../core/time-slices.ts'
import { describeDocument } from './openapi.ts'
import { compileSchema } from './inline.ts'
import { MadeOnce } from './made-once.ts'

test('equal documents share one result, and different ones do not', () => {
  const once = new MadeOnce<{ number: number }>()
  let number = 0
  const make = function* (): SlicedWork<{ number: number }> {
    yield
    return { number: ++number }
  }
  const [one, equal, other] = [{ a: [1] }, { a: [1] }, { a: [2] }]
  const made = runToEnd(once.get(one, make))
  assert.equal(runToEnd(once.get(one, make)), made)
  assert.equal(runToEnd(once.get(equal, make)), made)
  assert.notEqual(runToEnd(once.get(other, make)), made)
  assert.equal(number, 2)
})

test('after a failure the next call tries again', () => {
  const once = new MadeOnce<object>()
  const broken = function* (): SlicedWork<object> {
    yield
    throw new Error('it is broken')
  }
  assert.throws(() => runToEnd(once.get({ a: 1 }, broken)), /it is broken/)
  const made = {}
  const make = function* (): SlicedWork<object> {
    yield
    return made
  }
  assert.equal(runToEnd(once.get({ a: 1 }, make)), made)
})

test('the next configuration reuses what was compiled from equal documents', () => {
  const schema = () => ({ type: 'object', properties: { a: { type: 'string' } } })
  assert.equal(compileSchema(schema()), compileSchema(schema()))
  const api = () => ({
    openapi: '3.1.0',
    info: { title: 'A', version: '1' },
    paths: { '/a': { get: { responses: {} } } },
  })
  assert.equal(describeDocument(api()), describeDocument(api()))
})
