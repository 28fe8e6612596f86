import assert from 'node:assert/strict'
import test from 'node:test'
import * as fc from 'fast-check'
import { namesIn } from './local-path.ts'

test('names are decoded once, and a trailing slash gives an empty name', () => {
  assert.deepEqual(namesIn('/a%20b/c.txt'), ['a b', 'c.txt'])
  assert.deepEqual(namesIn('/a/'), ['a', ''])
  assert.deepEqual(namesIn('/'), [''])
  assert.deepEqual(namesIn('/.well-known/x'), ['.well-known', 'x'])
  assert.deepEqual(namesIn('/%252e'), ['%2e'])
})

test('property: no name leads outside or is a dotfile, whatever the path', () => {
  const piece = fc.constantFrom('/', '.', '..', '%2e', '%2F', '%5c', '%00', '\\', 'a', '%', '%c0%ae', '%ff', 'é', '//')
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 12 }), (pieces) => {
      for (const name of namesIn(`/${pieces.join('')}`) ?? []) {
        assert.doesNotMatch(name, /^\.(?!well-known$)|[/\\\0]/)
      }
    }),
    { numRuns: 5000 },
  )
})
