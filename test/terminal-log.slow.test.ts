import assert from 'node:assert/strict'
import test, { type TestContext } from 'node:test'
import { stripVTControlCharacters } from 'node:util'
import { send } from './support/client.ts'
import { start, temporaryFile } from './support/command.ts'
import { connect } from './support/peer.ts'
import { startService } from './support/service.ts'
import { Terminal } from './support/terminal.ts'

const config = (url: string): string => `
listeners: [{ address: '127.0.0.1:0' }]
admin: false
workers: 1
endpoints: { docs: false, openapi: false }
services:
  books: { instances: ['${url}'], health: false }
  gone: { instances: ['http://127.0.0.1:1'], health: false, retry: false }
routes:
  - { id: books, match: { path: /books/* }, service: books, policies: { cache: { ttl: 1h } } }
  - { id: gone, match: { path: /gone }, service: gone }
  - { id: hello, match: { path: /hello }, reply: { status: 204 } }
`

/** `sallyport start` in a terminal, once it listens. */
async function startInTerminal(t: TestContext, env: Record<string, string> = {}) {
  const service = await startService(t)
  const file = await temporaryFile(t, 'sallyport.yaml', config(service.url))
  const terminal = new Terminal(t, ['start', '--config', file], { env })
  const [, port = ''] = await terminal.until(/listening.*listeners.*\[127\.0\.0\.1:(\d+)\]/)
  return { terminal, service, port: Number(port) }
}

test('in a terminal a request is one colored line with its destination and cache status', async (t) => {
  const { terminal, service, port } = await startInTerminal(t)
  await send(port, { path: '/books/1' })
  await send(port, { path: '/hello' })
  await send(port, { path: '/nowhere' })
  await terminal.until(/nowhere[^\n]*\n/)
  const lines = stripVTControlCharacters(terminal.shown).trimEnd().split('\n').slice(-3)
  const expected = [
    `200 GET /books/1 TIME books → :${service.port} MISS`,
    '204 GET /hello TIME hello',
    '404 GET /nowhere TIME not-found',
  ]
  assert.deepEqual(
    lines.map((line) =>
      line
        .replace(/^\d\d:\d\d:\d\d /, '')
        .replace(/ [\d.]+m?s /, ' TIME ')
        .trimEnd(),
    ),
    expected,
  )
  assert.ok(terminal.shown.includes('\x1b[32m200\x1b[0m'))
  assert.ok(terminal.shown.includes('\x1b[33m404\x1b[0m'))
})

test('lines are printed at once, so lines of all workers are in order', async (t) => {
  const main = new URL('support/logging-terminal.ts', import.meta.url).pathname
  const terminal = new Terminal(t, [], { main })
  await terminal.ended
  assert.match(stripVTControlCharacters(terminal.shown), /INFO {2}One\n.*WARN {2}Two\n/)
})

test('a failure is printed with its cause, and the shutdown as well', async (t) => {
  const { terminal, port } = await startInTerminal(t)
  assert.equal((await send(port, { path: '/gone' })).status, 503)
  await terminal.until(/cause[^\n]*ECONNREFUSED[^\n]*\n/)
  assert.match(stripVTControlCharacters(terminal.shown), /\d 503 GET \/gone [^\n]* gone → :1 [^\n]*correlation_id=/)
  assert.match(
    stripVTControlCharacters(terminal.shown),
    /WARN {2}Request failed in the service [^\n]*cause="connect ECONNREFUSED/,
  )
  terminal.type('\x03')
  assert.equal(await terminal.ended, 0)
  assert.match(stripVTControlCharacters(terminal.shown), /INFO {2}Sallyport is stopping signal=SIGINT/)
})

test('NO_COLOR only removes the colors, and data from clients cannot control the terminal', async (t) => {
  const { terminal, port } = await startInTerminal(t, { NO_COLOR: '1' })
  await send(port, { path: '/hello' })
  await terminal.until(/204 GET \/hello [^\n]*\n/)
  const client = await connect(t, port)
  client.write(Buffer.from('GET /hello?\x1b[2J\x9b31m HTTP/1.1\r\nHost: a\r\n\r\n', 'latin1'))
  await client.closed()
  await send(port, { path: '/hello?last', headers: { 'User-Agent': 'a\tb', 'X-Correlation-ID': 'c\u009b31m' } })
  await terminal.until(/204 GET \/hello\?last [^\n]*\n/)
  // oxlint-disable-next-line no-control-regex -- they are what is looked for
  assert.doesNotMatch(terminal.shown, /[\x00-\x08\x0b-\x1f\x7f-\x9f]/)
})

test('without a terminal lines are JSON, also for cached replies', async (t) => {
  const service = await startService(t)
  const { command, port } = await start(t, config(service.url))
  await send(port, { path: '/books/1' })
  const line = await command.line('API Gateway Request')
  assert.equal(line['status_code'], 200)
  assert.ok(!('cache' in line))
})
