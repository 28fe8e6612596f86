import assert from 'node:assert/strict'
import test from 'node:test'
import { loadConfig } from '../src/config/load.ts'
import { ConfigError } from '../src/config/problems.ts'
import { send } from './support/client.ts'
import { temporaryFile } from './support/command.ts'
import { startGateway } from './support/gateway.ts'

test('a fixed reply can contain values of the request, escaped for its type', async (t) => {
  const { port } = await startGateway(t, {
    routes: [
      {
        id: 'json',
        match: { path: '/json/{id}' },
        reply: {
          headers: { 'Content-Type': 'application/json', 'X-Asked': 'user {id}' },
          body: '{"id":"{id}","host":"{hostname}","path":"{path}","literal":"{{id}}"}',
        },
      },
      {
        id: 'page',
        match: { path: '/page/{id}' },
        reply: { status: 404, headers: { 'Content-Type': 'text/html; charset=utf-8' }, body: '<p>No {id} here.</p>' },
      },
    ],
  })
  const id = '%22%7D%3Cscript%3E%E2%82%AC:%201'
  const json = await send(port, { path: `/json/${id}`, headers: { Host: 'shop.example' } })
  assert.deepEqual(JSON.parse(json.text), {
    id: '"}<script>€: 1',
    host: 'shop.example',
    path: `/json/${id}`,
    literal: '{id}',
  })
  assert.equal(json.headers['x-asked'], 'user %22%7D%3Cscript%3E%E2%82%AC%3A%201')
  const page = await send(port, { path: `/page/${id}` })
  assert.equal(page.status, 404)
  assert.match(page.text, /^<p>No &#34;&#125;&#60;script&#62;€&#58; 1 here\.<\/p>$/)
  const head = await send(port, { method: 'HEAD', path: '/page/x' })
  assert.deepEqual([head.text, head.headers['content-length']], ['', '17'])
})

test('placeholders that cannot be escaped or filled are configuration problems with their place', async (t) => {
  const problemsOf = async (reply: string): Promise<string> => {
    const file = await temporaryFile(
      t,
      'sallyport.yaml',
      `routes:\n  - id: a\n    match: { path: ['/a/{id}', /b] }\n    reply: ${reply}\n`,
    )
    const error: unknown = await loadConfig(file, {}).catch((thrown: unknown) => thrown)
    assert.ok(error instanceof ConfigError)
    return error.message
  }
  assert.match(
    await problemsOf(`{ body: '{id}' }`),
    /:4:\d+: routes\[0\]\.reply\.body: .*\{id\}, which is not a parameter/,
  )
  assert.match(await problemsOf(`{ body: '{host}' }`), /has placeholders, and no Content-Type to escape them for/)
  assert.match(await problemsOf(`{ headers: { X-A: '{nothing}' } }`), /routes\[0\]\.reply\.headers\.X-A: .*\{nothing\}/)
})
