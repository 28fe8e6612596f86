import assert from 'node:assert/strict'
import test from 'node:test'
import { follow, isReference, stepsIn, within } from './references.ts'

const document = {
  a: { 'b/c': { 'd~e': 1 }, list: [{ x: 'y' }], '%': 2 },
  first: { $ref: '#/second' },
  second: { $ref: '#/a' },
  loop: { $ref: '#/loop' },
}
const resolve = within(document)

for (const [reference, found] of [
  ['#', document],
  ['#/a/b~1c/d~0e', 1],
  ['#/a/b%2Fc/d~0e', 1],
  ['#/a/b%2fc/d%7E0e', 1],
  ['#/a/list/0/x', 'y'],
  ['#/a/%', 2],
  ['#/a/list/length', undefined],
  ['#/a/list/00000000000', undefined],
  ['#/a/toString', undefined],
  ['#/none/at/all', undefined],
  ['#a', undefined],
  ['a.yaml#/a', undefined],
  ['', undefined],
] as const)
  test(`${JSON.stringify(reference)} resolves to ${JSON.stringify(found)}`, () =>
    assert.equal(resolve(reference), found))

test('a reference within the document is split into steps', () => {
  assert.deepEqual(stepsIn('#/paths/~1a%20b/get'), ['paths', '/a b', 'get'])
  assert.deepEqual(stepsIn('#'), [])
  assert.equal(stepsIn('other.yaml#/a'), undefined)
})

test('references are followed to their target, and cycles have none', () => {
  assert.equal(follow({ $ref: '#/first' }, resolve), document.a)
  assert.equal(follow({ $ref: '#/none' }, resolve), undefined)
  assert.equal(follow('a text', resolve), 'a text')
  assert.ok(isReference(follow({ $ref: '#/loop' }, resolve)))
})
