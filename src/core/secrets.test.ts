import assert from 'node:assert/strict'
import { createHmac } from 'node:crypto'
import test from 'node:test'
import { deriveKeys } from './secrets.ts'

const CURRENT = 'a secret of the tests, which is long enough'
const PREVIOUS = 'another secret of the tests, long enough too'

test('each secret derives a key of 32 bytes for each purpose, the current one first', () => {
  const tickets = deriveKeys([CURRENT, PREVIOUS], 'tickets')
  assert.deepEqual(
    tickets.map(({ length }) => length),
    [32, 32],
  )
  assert.deepEqual(tickets, [...deriveKeys([CURRENT], 'tickets'), ...deriveKeys([PREVIOUS], 'tickets')])
  const all = [...tickets, ...deriveKeys([CURRENT, PREVIOUS], 'acme')].map((key) => key.toString('hex'))
  assert.equal(new Set(all).size, 4)
  assert.deepEqual(deriveKeys([], 'acme'), [])
})

test('keys are derived as in RFC 5869, sections 2.2 and 2.3', () => {
  const extracted = createHmac('sha256', Buffer.alloc(32)).update(CURRENT).digest()
  const expanded = createHmac('sha256', extracted).update('sallyport acme\u0001').digest()
  assert.deepEqual(deriveKeys([CURRENT], 'acme'), [expanded])
})
