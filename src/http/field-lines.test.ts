import assert from 'node:assert/strict'
import test from 'node:test'
import { fieldLine, knownLine, linesOf } from './field-lines.ts'

test('a line is a name and a value with CR LF', () => {
  assert.equal(fieldLine('X-A', 'b c'), 'X-A: b c\r\n')
  assert.equal(knownLine('X-A', ''), 'X-A: \r\n')
})

test('invalid names and values are rejected', () => {
  assert.throws(() => fieldLine('X A', 'b'), TypeError)
  assert.throws(() => fieldLine('X-A', 'b\r\nX-B: c'), TypeError)
  assert.throws(() => fieldLine('Host', 'a'), TypeError)
})

test('lines with a varying value come after the constant ones', () => {
  assert.equal(linesOf('X-A')('b'), 'X-A: b\r\n')
  assert.equal(linesOf('X-A', knownLine('X-B', 'c'))('d'), 'X-B: c\r\nX-A: d\r\n')
})
