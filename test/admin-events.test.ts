import assert from 'node:assert/strict'
import { get, type IncomingMessage } from 'node:http'
import { once } from 'node:events'
import test, { type TestContext } from 'node:test'
import { startAdminGateway } from './support/admin.ts'
import { cleanUp } from './support/cleanup.ts'
import { send } from './support/client.ts'
import { proxyTo } from './support/gateway.ts'
import { startService } from './support/service.ts'

interface Event {
  readonly name: string
  readonly data: Record<string, unknown>
}

/** Events as they arrive. */
async function follow(t: TestContext, port: number, query = '') {
  const request = get({ host: '127.0.0.1', port, path: `/events${query}`, agent: false })
  cleanUp(t, () => void request.destroy())
  const [response] = (await once(request, 'response')) as [IncomingMessage]
  const parts = eventsOf(response)
  return {
    response,
    request,
    next: async (name: string): Promise<Event['data']> => {
      for (;;) {
        const { value, done } = await parts.next()
        if (done === true) throw new Error(`the stream is over before ${name}`)
        if (value.name === name) return value.data
      }
    },
  }
}

async function* eventsOf(response: IncomingMessage): AsyncGenerator<Event, void> {
  let text = ''
  for await (const part of response.setEncoding('utf8')) {
    text += String(part)
    const events = text.split('\n\n')
    text = events.pop() ?? ''
    for (const event of events) {
      const [, name = '', data = ''] = /^event: (.*)\ndata: (.*)$/.exec(event) ?? []
      yield { name, data: JSON.parse(data) as Event['data'] }
    }
  }
}

test('the stream has counts by route and instance, and the requests as they end', async (t) => {
  const service = await startService(t)
  const { port, adminPort } = await startAdminGateway(t, proxyTo(service.url))
  const { response, next } = await follow(t, adminPort, '?requests=true')
  assert.match(response.headers['content-type']!, /^text\/event-stream/)
  assert.equal(response.headers['cache-control'], 'no-store')
  const { bounds } = await next('hello')
  assert.ok(Array.isArray(bounds))
  await send(port, { path: '/a?token=hush' })
  const { requests } = (await next('requests')) as { requests: Record<string, unknown>[] }
  assert.deepEqual(
    requests.map(({ path, query, status, route, attempts }) => [path, query, status, route, attempts]),
    [['/a', '?token=[redacted]', 200, 'all', 1]],
  )
})

test('each window has the counts of its second', async (t) => {
  const service = await startService(t, (_, response) => void response.writeHead(503).end())
  const { port, adminPort } = await startAdminGateway(t, proxyTo(service.url))
  const { next } = await follow(t, adminPort)
  await next('hello')
  await send(port)
  for (;;) {
    const { routes, instances } = (await next('window')) as {
      routes: Record<string, number[]>
      instances: Record<string, Record<string, number[]>>
    }
    if (routes['all'] === undefined) continue
    assert.deepEqual(routes['all'].slice(0, 3), [1, 0, 1])
    assert.deepEqual(instances['backend']![service.address]!.slice(0, 3), [1, 0, 1])
    return
  }
})

test('the number of streams is limited, they end with their clients, and they do not delay shutdown', async (t) => {
  const { gateway, adminPort } = await startAdminGateway(t, {})
  const all = await Promise.all(Array.from({ length: 24 }, () => follow(t, adminPort)))
  const refused = await send(adminPort, { path: '/events' })
  assert.equal(refused.status, 503)
  all[0]!.request.destroy()
  await once(all[0]!.request, 'close')
  for (;;) {
    const { response, request } = await follow(t, adminPort)
    if (response.statusCode === 200) break
    request.destroy()
  }
  const ended = all.slice(1).map(({ response }) => once(response.resume(), 'end'))
  await gateway.close()
  await Promise.all(ended)
})

test('streams require the token, and invalid filters get 400', async (t) => {
  const { adminPort } = await startAdminGateway(t, { admin: { token: 'correct-horse-battery' } })
  assert.equal((await send(adminPort, { path: '/events' })).status, 401)
  const headers = { Authorization: 'Bearer correct-horse-battery' }
  assert.equal((await send(adminPort, { path: '/events?status=many', headers })).status, 400)
  assert.equal((await send(adminPort, { path: '/events?nothing=1', headers })).status, 400)
})
