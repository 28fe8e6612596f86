import assert from 'node:assert/strict'
import test from 'node:test'
import { statusText } from './change-text.ts'

test('where no status is known, what replies is named instead', () => {
  const ending = { route: 'a', service: null, status: null, code: null }
  assert.equal(statusText({ ...ending, service: 'books' }), 'whatever books replies')
  assert.equal(statusText(ending), 'whatever the route replies')
})
