import assert from 'node:assert/strict'
import test from 'node:test'
import { ManualClock } from '../testing/manual-clock.ts'
import { Headers } from '../http/headers.ts'
import { callService } from './call.ts'

for (const method of ['', 'GET /x HTTP/1.1\r\nX-Evil: 1\r\n\r\nGET', 'A B'])
  test(`the method ${JSON.stringify(method)} is rejected before any instance is called`, async () => {
    const request = { method, target: '/', headers: Headers.of(), body: null, timeout: 1000, limit: 10 }
    await assert.rejects(callService(new Map(), 'users', request, new ManualClock()), {
      name: 'TypeError',
      message: `${JSON.stringify(method)} is not a method`,
    })
  })
