import assert from 'node:assert/strict'
import test from 'node:test'
import { placeInCode } from './place-in-code.ts'

const FILES = ['/app/a.ts', '/app/with space.ts']

function thrown(stack: string): Error {
  return Object.assign(new Error('broken'), { stack })
}

for (const [what, stack, place] of [
  ['of a syntax error', '/app/a.ts:6\nlet x = \n\nSyntaxError: Expression expected', '/app/a.ts:6'],
  ['of an import that fails', 'file:///app/a.ts?code=0f1e:1\nimport x\n       ^', '/app/a.ts:1'],
  ['where it was thrown', 'Error: broken\n    at f (file:///app/a.ts?code=0f1e:2:7)\n    at g', '/app/a.ts:2:7'],
  ['with a space', 'Error: broken\n    at file:///app/with%20space.ts:2:7', '/app/with space.ts:2:7'],
  ['below other code', 'Error\n    at f (file:///lib/b.ts:1:1)\n    at g (/app/a.ts:3:5)', '/app/a.ts:3:5'],
  ['in other code only', 'Error\n    at f (file:///lib/b.ts:1:1)\n    at node:internal/a:1:1', null],
] as const)
  test(`the place of an error ${what} is ${place ?? 'unknown'}`, () => {
    assert.equal(placeInCode(thrown(stack), FILES), place)
  })

test('a thrown text has no place', () => {
  assert.equal(placeInCode('broken at /app/a.ts:1:1', FILES), null)
})
