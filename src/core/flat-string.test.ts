import assert from 'node:assert/strict'
import test from 'node:test'
import { flatString } from './flat-string.ts'

test('the text stays the same, however it was built', () => {
  for (const text of ['', 'a', ['X-Name: ', 'value'].join(''), 'é\u{1f600}\0ÿ'.repeat(20)])
    assert.equal(flatString(text), text)
})
