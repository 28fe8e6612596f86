import assert from 'node:assert/strict'
import test from 'node:test'
import { makeExchange } from '../../test/support/exchange.ts'
import { applyPolicy } from '../../test/support/policy.ts'
import { GatewayError } from '../core/errors.ts'
import { Headers } from '../http/headers.ts'
import { Reply } from '../http/reply.ts'
import { maintenance } from './maintenance.ts'

const answer = (): Reply => new Reply(200, Headers.of(), null)

test('every request is 503 with Retry-After', () => {
  const handle = applyPolicy(maintenance, { retryAfter: '90s', detail: 'Back at noon.' }, answer)
  assert.throws(
    () => handle(makeExchange()),
    (error) => {
      assert.ok(error instanceof GatewayError)
      assert.deepEqual([error.status, error.code, error.message], [503, 'maintenance', 'Back at noon.'])
      assert.deepEqual(error.headers, [['Retry-After', '90']])
      return true
    },
  )
})

test('requests from excepted networks continue', async () => {
  const handle = applyPolicy(maintenance, { except: ['192.0.2.0/24'] }, answer)
  assert.equal((await handle(makeExchange())).status, 200)
  const client = { ...makeExchange().client, address: '198.51.100.1' }
  assert.throws(() => handle(makeExchange({ client })), { code: 'maintenance' })
})
