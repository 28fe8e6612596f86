import assert from 'node:assert/strict'
import test from 'node:test'
import { ManualClock } from '../testing/manual-clock.ts'
import { Headers } from '../http/headers.ts'
import { callService } from './call.ts'
import type { CurrentService } from './current-service.ts'

for (const method of ['', 'GET /x HTTP/1.1\r\nX-Evil: 1\r\n\r\nGET', 'A B'])
  test(`the method ${JSON.stringify(method)} is rejected before any instance is called`, async () => {
    const request = { method, target: '/', headers: Headers.of(), body: null, timeout: 1000, limit: 10 }
    await assert.rejects(callService(new Map(), 'users', request, new ManualClock()), {
      name: 'TypeError',
      message: `${JSON.stringify(method)} is not a method`,
    })
  })

test('with a signal that has been aborted already no instance is called', async () => {
  const request = {
    method: 'GET',
    target: '/',
    headers: Headers.of(),
    body: null,
    timeout: 1000,
    limit: 10,
    signal: AbortSignal.abort(),
  }
  const users = {
    get current(): CurrentService['current'] {
      throw new Error('it was called')
    },
  } as CurrentService
  await assert.rejects(callService(new Map([['users', users]]), 'users', request, new ManualClock()), {
    code: 'client-closed',
  })
})
