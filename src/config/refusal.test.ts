import assert from 'node:assert/strict'
import test from 'node:test'
import { parseConfig } from './parse.ts'
import { type Judged, refusalOf } from './refusal.ts'
import { parse } from 'yaml'

function judged(text: string): Judged {
  return { config: parseConfig(parse(text) ?? {}), text }
}

const ROUTES = `routes:
  - { id: a, match: { path: /a }, reply: {} }
  - { id: b, match: { path: /b }, reply: {} }
policies:
  cors: { origins: ['https://example.com'] }
`
const whole = judged(ROUTES)

test('a configuration that removes all routes is rejected, and one that removes some is not', () => {
  const reason = /^the new configuration has no routes, but the running one has 2: nothing would be served$/
  assert.match(refusalOf(whole, judged('workers: 1\n')) ?? '', reason)
  // Also one that came as a value.
  const value = { config: parseConfig({}), text: null }
  assert.match(refusalOf({ ...whole, text: null }, value) ?? '', reason)
  assert.equal(refusalOf(whole, judged(ROUTES.replace(/ {2}- .*id: b.*\n/, ''))), null)
  assert.equal(refusalOf(judged('workers: 1\n'), judged('workers: 2\n')), null)
})

test('a truncated file is rejected even if it is valid', () => {
  let good = 0
  for (let length = 1; length < ROUTES.length; length++) {
    const text = ROUTES.slice(0, length)
    let cut: Judged
    try {
      cut = judged(text)
    } catch {
      continue
    }
    good += 1
    assert.notEqual(refusalOf(whole, cut), null, text)
  }
  assert.ok(good > 3)
})

test('a file that changed and ends within a line is rejected, unless it never ended with a newline', () => {
  const changed = ROUTES.replace('/a', '/aa')
  assert.equal(refusalOf(whole, judged(changed)), null)
  assert.match(refusalOf(whole, judged(changed.trimEnd())) ?? '', /end it with a line break/)
  assert.equal(refusalOf(judged(ROUTES.trimEnd()), judged(changed.trimEnd())), null)
  assert.equal(refusalOf(whole, judged(`${changed}  `)), null)
})
