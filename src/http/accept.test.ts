import assert from 'node:assert/strict'
import test from 'node:test'
import { weightOf } from './accept.ts'

test('the most specific matching element decides, and without one the weight is 0', () => {
  const browser = 'text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8'
  assert.equal(weightOf(browser, 'text/html'), 1)
  assert.equal(weightOf(browser, 'application/xml'), 0.9)
  assert.equal(weightOf(browser, 'application/json'), 0.8)
  assert.equal(weightOf('text/*;q=0.3, text/html;q=0.7, */*;q=0.5', 'text/html'), 0.7)
  assert.equal(weightOf('text/*;q=0.3, */*;q=0.5', 'text/html'), 0.3)
  assert.equal(weightOf('*/*;q=0.5, text/*;q=0', 'text/html'), 0)
  assert.equal(weightOf('application/json', 'text/html'), 0)
})

test('parameters and case are ignored, and malformed elements skipped', () => {
  assert.equal(weightOf('Text/HTML; charset=utf-8; Q=0.25', 'text/html'), 0.25)
  assert.equal(weightOf('text/html;level=1', 'text/html'), 1)
  assert.equal(weightOf('text, /html, ;q=1, text/html;q=2', 'text/html'), 1)
  assert.equal(weightOf('', 'text/html'), 0)
})
