import assert from 'node:assert/strict'
import test from 'node:test'
import * as fc from 'fast-check'
import { formatPath, stepsOf } from './problems.ts'
import { anyCharacter } from '../../test/support/text.ts'

test('a formatted path parses to the same path', () => {
  const step = fc.oneof(
    fc.nat(),
    fc.string({ minLength: 1, unit: anyCharacter }),
    fc.constantFrom('api-key', 'a.b', '"', '0', '\\'),
  )
  fc.assert(
    fc.property(fc.array(step), (path) => {
      assert.deepEqual(stepsOf(formatPath(path)), path)
    }),
  )
})
