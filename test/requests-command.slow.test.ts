import assert from 'node:assert/strict'
import test, { type TestContext } from 'node:test'
import { stripVTControlCharacters } from 'node:util'
import { send } from './support/client.ts'
import { start } from './support/command.ts'
import { startFromText } from './support/file-gateway.ts'
import { runHere } from './support/run-here.ts'
import { startService } from './support/service.ts'
import { Terminal } from './support/terminal.ts'

async function setUp(t: TestContext, begin: typeof start | typeof startFromText = startFromText) {
  const service = await startService(t)
  const { port, adminPort } = await begin(
    t,
    `listeners: [{ address: '127.0.0.1:0' }]
admin: { address: '127.0.0.1:0' }
workers: 2
services:
  books: { instances: ['${service.url}'], health: false }
  gone: { instances: ['http://127.0.0.1:1'], health: false, retry: false }
routes:
  - { id: books, match: { path: /books/* }, service: books }
  - { id: gone, match: { path: /gone/* }, service: gone }
  - { id: hello, match: { path: /hello }, reply: { status: 204 } }
`,
  )
  const at = ['--admin', `http://127.0.0.1:${adminPort}`]
  const requests = async (...args: string[]) => {
    const { code, stdout, stderr } = await runHere(['requests', ...at, ...args])
    assert.deepEqual([code, stderr], [0, ''])
    return stdout.split('\n').filter((line) => line !== '')
  }
  return { port, service, at, requests }
}

test('requests prints the latest requests in log format, the newest last', async (t) => {
  const { port, service, requests } = await setUp(t)
  for (const path of ['/books/1', '/hello', '/gone/1']) await send(port, { path })
  const shown = (await requests()).map((line) =>
    line
      .replace(/^[\d:]+ /, '')
      .replace(/ [\d.]+m?s /, ' TIME ')
      .trimEnd(),
  )
  assert.equal(shown[0], `200 GET /books/1 TIME books → :${service.port}`)
  assert.equal(shown[1], '204 GET /hello TIME hello')
  assert.match(shown[2]!, /^503 GET \/gone\/1 TIME gone → :1 service-unavailable correlation_id=/)
  assert.equal(shown.length, 3)
})

test('requests filters the requests of all workers by route, status, service and number', async (t) => {
  const { port, requests } = await setUp(t, start)
  for (const path of ['/books/1', '/hello', '/gone/1', '/books/2']) await send(port, { path })
  const paths = async (...args: string[]) =>
    (await requests(...args, '--json')).map((line) => (JSON.parse(line) as { path: string }).path)
  assert.deepEqual(await paths('--route', 'books'), ['/books/1', '/books/2'])
  assert.deepEqual(await paths('--status', '5xx'), ['/gone/1'])
  assert.deepEqual(await paths('--status', '204'), ['/hello'])
  assert.deepEqual(await paths('--service', 'gone'), ['/gone/1'])
  assert.deepEqual(await paths('--last', '1'), ['/books/2'])
  assert.deepEqual(await paths('--last', '0'), [])
})

test('requests says why it prints nothing', async (t) => {
  const { port, at } = await setUp(t)
  const none = await runHere(['requests', ...at])
  assert.match(none.stderr, /^The gateway remembers no requests: /)
  await send(port, { path: '/hello' })
  const unmatched = await runHere(['requests', ...at, '--route', 'bookz'])
  assert.deepEqual([unmatched.code, unmatched.stdout], [0, ''])
  assert.match(unmatched.stderr, /^None of the requests that the gateway remembers \(admin\.requests\) matches\.$/m)
})

test('requests --follow prints each request once, as it ends, until Ctrl-C', async (t) => {
  const { port, at } = await setUp(t)
  await send(port, { path: '/books/1' })
  const terminal = new Terminal(t, ['requests', '--follow', ...at])
  await terminal.until(/\/books\/1[^\n]*\n/)
  for (let i = 2; i <= 4; i++) {
    await send(port, { path: `/books/${i}` })
    await terminal.until(new RegExp(`/books/${i}[^\\n]*\\n`))
  }
  const shown = [...stripVTControlCharacters(terminal.shown).matchAll(/GET (\S+)/g)].map(([, path]) => path)
  assert.deepEqual(shown, ['/books/1', '/books/2', '/books/3', '/books/4'])
  assert.ok(terminal.shown.includes('\x1b[32m200\x1b[0m'))
  terminal.type('\x03')
  assert.equal(await terminal.ended, 130)
})

test('top shows workers, endpoints and instances, updated in a terminal and once otherwise', async (t) => {
  const { port, at } = await setUp(t)
  const once = await runHere(['top', ...at])
  assert.deepEqual([once.code, once.stderr], [0, ''])
  assert.match(
    once.stdout,
    /^sallyport \S+ {2}pid \d+ {2}ready [^]*\nWORKER +BUSY[^]*\nNo requests\.\n[^]*\ngone +127\.0\.0\.1:1 /,
  )
  const terminal = new Terminal(t, ['top', ...at])
  await terminal.until(/No requests\./)
  await send(port, { path: '/books/1' })
  await terminal.until(/\n\/books +\d+\.\d/)
  assert.ok(terminal.shown.includes('\x1b[H\x1b[J'))
  terminal.type('\x03')
  assert.equal(await terminal.ended, 130)
})

test('requests reports an invalid filter and an unreachable gateway', async (t) => {
  const { at } = await setUp(t)
  const status = await runHere(['requests', ...at, '--status', 'bad'])
  assert.equal(status.code, 1)
  assert.match(status.stderr, /answered 400: .*expected a status such as 404/)
  const last = await runHere(['requests', ...at, '--last', '-1'])
  assert.equal(last.code, 64)
  assert.match(last.stderr, /--last: expected a number from 0 to 1000/)
  const nobody = await runHere(['requests', '--admin', 'http://127.0.0.1:1'])
  assert.equal(nobody.code, 1)
  assert.match(nobody.stderr, /does not answer/)
})
