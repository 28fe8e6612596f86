import assert from 'node:assert/strict'
import { once } from 'node:events'
import { readFile, stat, writeFile } from 'node:fs/promises'
import test from 'node:test'
import type { AdminAnswer } from '../support/admin.ts'
import { startCommand } from '../support/command.ts'
import { answering, type Configured, startConfigured, TOKEN } from '../support/configured.ts'

const POST = { method: 'POST' }

const writable = (body: string, more?: string): string => answering(body, more, true)

const etagOf = async ({ ask }: Configured): Promise<string> => String((await ask('/config')).headers['etag'])

/** Sends a configuration to replace that one, or the running one. */
async function put(gateway: Configured, body: string, query = '', etag?: string | null): Promise<AdminAnswer> {
  const tag = etag === undefined ? await etagOf(gateway) : etag
  const headers = { 'Content-Type': 'application/yaml', ...(tag !== null && { 'If-Match': tag }) }
  return gateway.ask(`/config${query}`, { method: 'PUT', body, headers })
}

test('PUT /config applies a configuration in all workers and in the file, and it can be rolled back', async (t) => {
  const gateway = await startConfigured(t, writable('one'))
  const { ask, file, answer, command } = gateway
  const first = await etagOf(gateway)
  const { mode } = await stat(file)
  const { status, json } = await put(gateway, writable('two'), '', first)
  assert.deepEqual([status, json['outcome'], json['generation'], json['until']], [200, 'applied', 2, null])
  assert.equal(await answer(), 'two')
  assert.deepEqual(
    [await readFile(file, 'utf8'), await readFile(`${file}.1`, 'utf8')],
    [writable('two'), writable('one')],
  )
  assert.equal((await stat(file)).mode, mode)
  assert.equal(await etagOf(gateway), `"${String(json['revision'])}"`)
  const stale = await put(gateway, writable('three'), '', first)
  assert.equal(stale.status, 412)
  assert.equal(await answer(), 'two')
  const earlier = (await ask('/config/status')).json['earlier'] as { revision: string }[]
  assert.deepEqual(
    earlier.map(({ revision }) => `"${revision}"`),
    [first],
  )
  const back = await ask('/config/rollback', POST)
  assert.deepEqual([back.status, back.json['outcome'], back.json['generation']], [200, 'rolled_back', 3])
  assert.equal(await answer(), 'one')
  assert.deepEqual([await readFile(file, 'utf8'), await etagOf(gateway)], [writable('one'), first])
  assert.equal((await ask('/config/rollback', POST)).status, 409, 'there was none before')
  assert.match((await ask('/metrics')).text, /^sallyport_config_reloads_total\{outcome="rolled_back"\} 1$/m)
  const line = await command.line('An operator has changed the configuration')
  assert.deepEqual([line['level'], line['outcome'], line['generation']], ['warn', 'applied', 2])
  await command.line('An operator has rolled the configuration back')
  assert.ok(!JSON.stringify(command.log).includes(TOKEN))
})

test('of two simultaneous changes exactly one succeeds', async (t) => {
  const gateway = await startConfigured(t, writable('one'))
  const etag = await etagOf(gateway)
  const bodies = ['two', 'three']
  const answers = await Promise.all(bodies.map((body) => put(gateway, writable(body), '', etag)))
  // Each arrives over its own connection: whichever is first.
  assert.deepEqual(
    answers.map(({ status }) => status).toSorted((a, b) => a - b),
    [200, 412],
  )
  const winner = bodies[answers.findIndex(({ status }) => status === 200)]!
  assert.equal(await gateway.answer(), winner)
  assert.equal(await readFile(gateway.file, 'utf8'), writable(winner))
})

test('a rejected configuration is not written', async (t) => {
  const gateway = await startConfigured(t, writable('one'))
  const { file, answer } = gateway
  const refused: [string, number, RegExp, string?, (string | null)?][] = [
    [writable('two', 'drainTimeout: soon'), 422, /"line":7,"column":15,"path":"drainTimeout"/],
    [writable('two').replace('workers: 2', 'workers: 1'), 422, /"path":"workers"/],
    [writable('two').replace(/routes:.*\n/, 'routes: []\n'), 422, /the new configuration has no routes/],
    [writable('two'), 428, /Send If-Match/, '', null],
    [writable('two'), 412, /The running configuration has changed in the meantime/, '', '"0"'],
    [writable('two'), 400, /expected the ETag/, '', 'two'],
    ['', 400, /Send the text/],
    [writable('two'), 400, /confirm: expected a duration from .*1s/, '?confirm=1ms'],
    [writable('two'), 400, /confirm: expected a duration from .*1s/, '?confirm=2h'],
  ]
  for (const [text, status, reason, query, etag] of refused) {
    const reply = await put(gateway, text, query, etag)
    assert.equal(reply.status, status, reply.text)
    assert.equal(reply.headers['content-type'], 'application/problem+json')
    assert.match(reply.text, reason)
  }
  assert.equal(await answer(), 'one')
  assert.equal(await readFile(file, 'utf8'), writable('one'))
  await assert.rejects(stat(`${file}.1`), { code: 'ENOENT' })
  await writeFile(file, writable('by hand'))
  const changed = await put(gateway, writable('two'))
  assert.equal(changed.status, 409)
  assert.match(String(changed.json['detail']), /has been changed and not reloaded: .*\?force=true/)
  assert.equal((await put(gateway, writable('two'), '?force=true')).status, 200)
  assert.equal(await readFile(`${file}.1`, 'utf8'), writable('by hand'))
})

test('without admin.writable operators cannot change the configuration', async (t) => {
  const gateway = await startConfigured(t, answering('one'))
  for (const reply of [await put(gateway, answering('two')), await gateway.ask('/config/rollback', POST)]) {
    assert.equal(reply.status, 403)
    assert.match(String(reply.json['detail']), /set admin\.writable to true\.$/)
  }
  assert.equal((await gateway.ask('/config/confirm', POST)).status, 409)
  assert.equal(await gateway.answer(), 'one')
})

test('a change that is not confirmed in time is rolled back', async (t) => {
  const gateway = await startConfigured(t, writable('one'))
  const { ask, file, answer, command } = gateway
  const etag = await etagOf(gateway)
  const { json } = await put(gateway, writable('two'), '?confirm=1s', etag)
  assert.equal(json['outcome'], 'applied')
  assert.ok(Date.parse(String(json['until'])) > 0)
  await command.line('A change was not confirmed in time and is rolled back')
  await command.lines('Configuration applied', 2)
  assert.deepEqual(
    [await answer(), await etagOf(gateway), await readFile(file, 'utf8')],
    ['one', etag, writable('one')],
  )
  const late = await ask('/config/confirm', POST)
  assert.equal(late.status, 409)
  await put(gateway, writable('three'), '?confirm=1h')
  const { awaitsConfirmation } = (await ask('/config/status')).json as { awaitsConfirmation: { until: string } | null }
  assert.ok(awaitsConfirmation !== null && Date.parse(awaitsConfirmation.until) > Date.now())
  assert.equal(await readFile(file, 'utf8'), writable('one'))
  const confirmed = await ask('/config/confirm', POST)
  assert.deepEqual([confirmed.status, confirmed.json['outcome'], confirmed.json['until']], [200, 'confirmed', null])
  assert.deepEqual([await answer(), await readFile(file, 'utf8')], ['three', writable('three')])
})

test('a process that ends before the confirmation, however, restarts with the confirmed configuration', async (t) => {
  for (const signal of ['SIGTERM', 'SIGKILL'] as const) {
    const gateway = await startConfigured(t, writable('one'))
    const { file, answer, command } = gateway
    await put(gateway, writable('two'), '?confirm=1h')
    assert.equal(await answer(), 'two')
    command.child.kill(signal)
    await once(command.child, 'exit')
    assert.equal(await readFile(file, 'utf8'), writable('one'))
    const { port } = await startCommand(t, file)
    assert.equal(await (await fetch(`http://127.0.0.1:${port}/`)).text(), 'one')
  }
})
