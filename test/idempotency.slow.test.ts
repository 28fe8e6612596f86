import assert from 'node:assert/strict'
import type { ServerResponse } from 'node:http'
import test from 'node:test'
import { type Answer, send } from './support/client.ts'
import { start } from './support/command.ts'
import { until } from './support/redis.ts'
import { startService } from './support/service.ts'

test('one of 100 concurrent requests reaches the service, in any worker', async (t) => {
  const waiting: ServerResponse[] = []
  const service = await startService(t, (incoming, response) => {
    incoming.resume().on('end', () => waiting.push(response))
  })
  const { port } = await start(
    t,
    `
workers: 2
listeners: [{ address: '127.0.0.1:0' }]
services: { backend: { instances: ['${service.url}'], health: false } }
policies: { idempotency: {} }
routes: [{ id: all, match: { path: /* }, service: backend }]
`,
  )
  const post = (): Promise<Answer> =>
    send(port, { method: 'POST', path: '/orders', body: 'a', headers: { 'Idempotency-Key': '"k"' } })
  let refused = 0
  const all = Array.from({ length: 100 }, async () => {
    const answer = await post()
    if (answer.status === 409) refused++
    return answer
  })
  // The others may be rejected before the first one has reached the service.
  await until('99 rejections, and the first request to reach the service', () => refused === 99 && waiting.length === 1)
  waiting[0]!.end('done')
  const answers = await Promise.all(all)
  assert.deepEqual(
    answers.filter(({ status }) => status === 200).map((answer) => answer.text),
    ['done'],
  )
  const again = await Promise.all(Array.from({ length: 20 }, () => post()))
  assert.deepEqual(new Set(again.map((answer) => answer.text)), new Set(['done']))
  assert.equal(service.received.length, 1)
})
