import assert from 'node:assert/strict'
import { mkdir, readFile, rmdir, stat, writeFile } from 'node:fs/promises'
import test, { type TestContext } from 'node:test'
import { ManualClock } from '../../src/testing/manual-clock.ts'
import type { AdminAnswer } from '../support/admin.ts'
import { temporaryFile } from '../support/command.ts'
import { quickDigestOf } from '../support/password.ts'
import { answering, startConfiguredHere, TOKEN } from '../support/configured.ts'

const POST = { method: 'POST' }

const writable = (body: string, more?: string): string => answering(body, more, true)

/** A gateway with that configuration, and requests about its configuration. */
async function startWith(t: TestContext, text: string, clock = new ManualClock()) {
  const gateway = await startConfiguredHere(t, text, { clock })
  const { ask } = gateway
  const etagOf = async (): Promise<string> => String((await ask('/config')).headers['etag'])
  /** Sends a configuration to replace that one, or the running one. */
  const put = async (body: string, query = '', etag?: string | null): Promise<AdminAnswer> => {
    const tag = etag === undefined ? await etagOf() : etag
    const headers = { 'Content-Type': 'application/yaml', ...(tag !== null && { 'If-Match': tag }) }
    return ask(`/config${query}`, { method: 'PUT', body, headers })
  }
  return { ...gateway, clock, etagOf, put }
}

test('PUT /config applies a configuration and writes it to the file, and it can be rolled back', async (t) => {
  const { ask, file, answer, log, etagOf, put } = await startWith(t, writable('one'))
  const first = await etagOf()
  const { revision } = (await ask('/config/status')).json
  const { mode } = await stat(file)
  const { status, json } = await put(writable('two'), '', first)
  assert.deepEqual([status, json['outcome'], json['generation'], json['until']], [200, 'applied', 2, null])
  assert.equal(await answer(), 'two')
  assert.deepEqual(
    [await readFile(file, 'utf8'), await readFile(`${file}.1`, 'utf8')],
    [writable('two'), writable('one')],
  )
  assert.equal((await stat(file)).mode, mode)
  assert.equal((await ask('/config/text')).headers['etag'], json['etag'])
  const stale = await put(writable('three'), '', first)
  assert.equal(stale.status, 412)
  assert.equal(await answer(), 'two')
  const earlier = (await ask('/config/status')).json['earlier'] as { revision: string }[]
  assert.deepEqual(
    earlier.map((each) => each.revision),
    [revision],
  )
  const back = await ask('/config/rollback', POST)
  assert.deepEqual([back.status, back.json['outcome'], back.json['generation']], [200, 'rolled_back', 3])
  assert.equal(await answer(), 'one')
  assert.deepEqual([await readFile(file, 'utf8'), await etagOf()], [writable('one'), first])
  assert.equal((await ask('/config/rollback', POST)).status, 409, 'there was none before')
  assert.match((await ask('/metrics')).text, /^sallyport_config_reloads_total\{outcome="rolled_back"\} 1$/m)
  const line = await log.line({ message: 'An operator has changed the configuration' })
  assert.deepEqual([line['level'], line['outcome'], line['generation']], ['warn', 'applied', 2])
  await log.line({ message: 'An operator has rolled the configuration back' })
  assert.ok(!JSON.stringify(log.lines).includes(TOKEN))
})

test('a rollback can be compared before, and leads to another text', async (t) => {
  const body = await temporaryFile(t, 'body', 'from a file')
  const { ask, file, answer, put } = await startWith(t, writable('one'))
  const planned = async (): Promise<unknown> => {
    const { status, json } = await ask('/config/plan?back=true', POST)
    return status === 200 ? json['changes'] : status
  }
  const rollback = async (): Promise<unknown> => {
    const { status, json } = await ask('/config/rollback', POST)
    return status === 200 ? json['outcome'] : status
  }
  const change = { kind: 'changed', path: 'routes.own.reply.body' }
  assert.equal(await planned(), 409)
  await put(writable(`\${file:${body}}`))
  assert.partialDeepStrictEqual(await planned(), [{ ...change, before: 'from a file', after: 'one' }])
  const headers = { 'Content-Type': 'application/yaml' }
  assert.equal((await ask('/config/plan?back=true', { ...POST, body: writable('two'), headers })).status, 400)
  await writeFile(body, 'from the same file')
  assert.equal((await ask('/config/reload', POST)).json['outcome'], 'applied')
  assert.equal(await answer(), 'from the same file')
  assert.equal(((await ask('/config/status')).json['earlier'] as object[]).length, 1, 'the text is the same')
  await writeFile(body, 'one')
  await ask('/config/reload', POST)
  assert.deepEqual(await planned(), [])
  assert.equal(await rollback(), 'unchanged')
  assert.equal(await readFile(file, 'utf8'), writable('one'))
  assert.deepEqual([await planned(), await rollback()], [409, 409])
})

test('each configuration has who asked for it, without what identifies them', async (t) => {
  const password = 'a password of theirs'
  const users = `users: [{ name: ada, password: '${quickDigestOf(password)}', role: admin }]`
  const text = (body: string): string => writable(body).replace('writable: true', `writable: true, ${users}`)
  const { admin, ask, file, put } = await startWith(t, text('one'))
  const login = await ask('/login', { method: 'POST', json: { name: 'ada', password } })
  const cookie = String(login.headers['set-cookie']).split(';', 1)[0]!
  await put(text('two'))
  await writeFile(file, text('three'))
  const headers = { Cookie: cookie, 'X-Requested-With': 'test' }
  assert.equal((await fetch(`${admin}/config/reload`, { ...POST, headers })).status, 200)
  await put(text('four'), '?confirm=1h')
  const { json, text: shown } = await ask('/config/status')
  const origins = [json, ...(json['earlier'] as Record<string, unknown>[])].map(({ origin }) => origin)
  assert.deepEqual(origins, [
    { how: 'sent', operator: null, by: 'token' },
    { how: 'reloaded', operator: 'ada', by: 'session' },
    { how: 'sent', operator: null, by: 'token' },
    { how: 'started', operator: null, by: null },
  ])
  for (const secret of [TOKEN, password, cookie.split('=')[1]!]) assert.ok(!shown.includes(secret))
})

test('a change of the text alone shows who made it, also once another configuration is in effect', async (t) => {
  const { ask, clock, file, put } = await startWith(t, writable('one'))
  const shown = async (): Promise<unknown[]> => {
    const { json } = await ask('/config/status')
    return [json, ...(json['earlier'] as Record<string, unknown>[])].map(({ rewritten }) => rewritten)
  }
  assert.deepEqual(await shown(), [null])
  clock.advance(1000)
  await put(`${writable('one')}# by the token\n`, '?confirm=1h')
  const sent = { at: new Date(clock.wall()).toISOString(), origin: { how: 'sent', operator: null, by: 'token' } }
  assert.deepEqual(await shown(), [sent])
  clock.advance(1000)
  await ask('/config/reload', POST)
  assert.deepEqual(await shown(), [sent])
  await put(writable('two'), '?confirm=1h')
  assert.deepEqual(await shown(), [null, sent])
  await ask('/config/rollback', POST)
  assert.deepEqual(await shown(), [sent])
  await writeFile(file, `${writable('one')}# with an editor\n`)
  await ask('/config/reload', POST)
  assert.partialDeepStrictEqual(await shown(), [{ origin: { how: 'reloaded', by: 'token' } }])
})

test('the last reload is what an operator did, not the reading of what the gateway wrote after it', async (t) => {
  const { ask, clock, put } = await startWith(t, writable('one'))
  const lastReload = async (): Promise<unknown> => {
    const { lastReload: last } = (await ask('/config/status')).json as { lastReload: { outcome: string; at: string } }
    return [last.outcome, Date.parse(last.at) === clock.wall()]
  }
  await put(writable('two'))
  assert.deepEqual(await lastReload(), ['applied', true])
  await put(writable('three'), '?confirm=1h')
  clock.advance(1000)
  assert.equal((await ask('/config/confirm', POST)).json['outcome'], 'confirmed')
  assert.deepEqual(await lastReload(), ['applied', false])
  await ask('/config/rollback', POST)
  assert.deepEqual(await lastReload(), ['rolled_back', true])
  assert.match((await ask('/metrics')).text, /^sallyport_config_reloads_total\{outcome="unchanged"\} 0$/m)
  await ask('/config/reload', POST)
  assert.deepEqual(await lastReload(), ['unchanged', true])
})

test('a change of comments, spaces or the order of keys is not overwritten by someone who does not know of it', async (t) => {
  const { ask, file, log, etagOf, put } = await startWith(t, writable('one'))
  const texts = [`${writable('one')}# by ada\n`, writable('one').replace(/^(.*)\n(.*)\n/m, '$2\n$1\n')]
  for (const theirs of [...texts, writable('one').replaceAll(': ', ':  ')]) {
    const { headers, json } = await ask('/config/text')
    const tags = [await etagOf(), String(headers['etag'])]
    const { revision, etag } = (await ask('/config/status')).json
    assert.deepEqual([json['etag'], etag], [headers['etag'], headers['etag']])
    const saved = await put(theirs, '', tags[1])
    assert.deepEqual([saved.json['outcome'], saved.json['revision']], ['unchanged', revision], 'it means the same')
    for (const tag of tags) assert.equal((await put(writable('two'), '', tag)).status, 412)
    const { status, json: refused } = await put(writable('two'), '', `"${String(revision)}"`)
    assert.equal(status, 412)
    assert.match(String(refused['detail']), /^If-Match has the revision, .*: send the ETag of GET \/config\/text/)
    const back = await ask('/config/rollback', { ...POST, headers: { 'If-Match': tags[0]! } })
    assert.equal(back.status, 412)
    assert.equal(await readFile(file, 'utf8'), theirs)
    // By an editor this time.
    await writeFile(file, writable('one'))
    assert.equal((await put(writable('two'))).status, 409)
    assert.equal((await ask('/config/reload', POST)).json['outcome'], 'unchanged')
  }
  assert.ok(!log.lines.some(({ message }) => message === 'Configuration applied'))
})

test('of two simultaneous changes exactly one succeeds', async (t) => {
  const { answer, file, etagOf, put } = await startWith(t, writable('one'))
  const etag = await etagOf()
  const bodies = ['two', 'three']
  const answers = await Promise.all(bodies.map((body) => put(writable(body), '', etag)))
  // Each arrives over its own connection: whichever is first.
  assert.deepEqual(
    answers.map(({ status }) => status).toSorted((a, b) => a - b),
    [200, 412],
  )
  const winner = bodies[answers.findIndex(({ status }) => status === 200)]!
  assert.equal(await answer(), winner)
  assert.equal(await readFile(file, 'utf8'), writable(winner))
})

test('a rejected configuration is not written', async (t) => {
  const { file, answer, put } = await startWith(t, writable('one'))
  const refused: [string, number, RegExp, string?, (string | null)?][] = [
    [writable('two', 'drainTimeout: soon'), 422, /"line":7,"column":15,"path":"drainTimeout"/],
    [writable('two').replace('workers: 2', 'workers: 1'), 422, /"path":"workers"/],
    [writable('two').replace(/routes:.*\n/, 'routes: []\n'), 422, /the new configuration has no routes/],
    [writable('two'), 428, /Send If-Match/, '', null],
    [writable('two'), 412, /The text of the running configuration has changed in the meantime/, '', '"0"'],
    [writable('two'), 400, /expected the ETag/, '', 'two'],
    ['', 400, /Send the text/],
    [writable('two'), 400, /confirm: expected a duration from .*1s/, '?confirm=1ms'],
    [writable('two'), 400, /confirm: expected a duration from .*1s/, '?confirm=2h'],
  ]
  for (const [text, status, reason, query, etag] of refused) {
    const reply = await put(text, query, etag)
    assert.equal(reply.status, status, reply.text)
    assert.equal(reply.headers['content-type'], 'application/problem+json')
    assert.match(reply.text, reason)
  }
  assert.equal(await answer(), 'one')
  assert.equal(await readFile(file, 'utf8'), writable('one'))
  await assert.rejects(stat(`${file}.1`), { code: 'ENOENT' })
  await writeFile(file, writable('by hand'))
  const changed = await put(writable('two'))
  assert.equal(changed.status, 409)
  assert.match(String(changed.json['detail']), /has been changed and not reloaded: .*\?force=true/)
  assert.equal((await put(writable('two'), '?force=true')).status, 200)
  assert.equal(await readFile(`${file}.1`, 'utf8'), writable('by hand'))
})

test('without admin.writable operators cannot change the configuration', async (t) => {
  const { ask, answer, put } = await startWith(t, answering('one'))
  for (const reply of [await put(answering('two')), await ask('/config/rollback', POST)]) {
    assert.equal(reply.status, 403)
    assert.match(String(reply.json['detail']), /set admin\.writable to true\.$/)
  }
  assert.equal((await ask('/config/confirm', POST)).status, 409)
  assert.equal(await answer(), 'one')
})

test('a change that is not confirmed in time is rolled back', async (t) => {
  const { ask, clock, file, answer, log, etagOf, put } = await startWith(t, writable('one'))
  const etag = await etagOf()
  const { json } = await put(writable('two'), '?confirm=1s', etag)
  assert.equal(json['outcome'], 'applied')
  assert.equal(Date.parse(String(json['until'])), clock.wall() + 1000)
  clock.advance(999)
  assert.equal(await answer(), 'two')
  clock.advance(1)
  await log.line({ message: 'A change was not confirmed in time and is rolled back' })
  await log.line({ message: 'Configuration applied', generation: 3 })
  assert.deepEqual([await answer(), await etagOf(), await readFile(file, 'utf8')], ['one', etag, writable('one')])
  const late = await ask('/config/confirm', POST)
  assert.equal(late.status, 409)
  await put(writable('three'), '?confirm=1h')
  const { awaitsConfirmation } = (await ask('/config/status')).json as { awaitsConfirmation: { until: string } | null }
  assert.equal(Date.parse(awaitsConfirmation?.until ?? ''), clock.wall() + 3_600_000)
  assert.equal(await readFile(file, 'utf8'), writable('one'))
  const confirmed = await ask('/config/confirm', POST)
  assert.deepEqual([confirmed.status, confirmed.json['outcome'], confirmed.json['until']], [200, 'confirmed', null])
  assert.deepEqual([await answer(), await readFile(file, 'utf8')], ['three', writable('three')])
})

test('a change that waits for its confirmation is kept if it is in the file that is reloaded', async (t) => {
  const { ask, clock, file, answer, put } = await startWith(t, writable('one'))
  await put(writable('two'), '?confirm=1s')
  await writeFile(file, `# By somebody else.\n${writable('two')}`)
  assert.equal((await ask('/config/confirm', POST)).status, 409)
  assert.equal((await ask('/config/reload', POST)).json['outcome'], 'unchanged')
  assert.equal((await ask('/config/status')).json['awaitsConfirmation'], null)
  clock.advance(1000)
  assert.equal((await put(writable('three'))).json['outcome'], 'applied', 'nothing was rolled back before it')
  assert.equal((await ask('/config/status')).json['generation'], 3)
  assert.equal(await answer(), 'three')
})

test('who keeps or rolls back a change that is over does neither to another one', async (t) => {
  const { ask, clock, file, answer, log, put } = await startWith(t, writable('one'))
  await put(writable('two'))
  const { json } = await put(writable('three'), '?confirm=1s')
  const headers = { 'If-Match': String(json['etag']) }
  clock.advance(1000)
  await log.line({ message: 'Configuration applied', generation: 4 })
  for (const path of ['/config/rollback', '/config/confirm'])
    assert.equal((await ask(path, { ...POST, headers })).status, 412)
  assert.equal(await answer(), 'two', 'the one before it stays')
  await put(writable('four'), '?confirm=1h')
  for (const path of ['/config/rollback', '/config/confirm'])
    assert.equal((await ask(path, { ...POST, headers })).status, 412)
  assert.deepEqual([await answer(), await readFile(file, 'utf8')], ['four', writable('two')])
})

test('a change that is not confirmed before the gateway stops is not in the file', async (t) => {
  const { file, answer, log, put, stop } = await startWith(t, writable('one'))
  await put(writable('two'), '?confirm=1h')
  assert.equal(await answer(), 'two')
  await stop()
  await log.line({
    message: 'A change that was not confirmed ends with the process: the file has the previous configuration',
  })
  assert.equal(await readFile(file, 'utf8'), writable('one'))
})

test('a rollback that cannot be written can be tried again', async (t) => {
  const { ask, file, answer, put } = await startWith(t, writable('one'))
  await put(writable('two'))
  await put(writable('three'))
  await mkdir(`${file}.5`)
  await writeFile(`${file}.4`, '')
  assert.equal((await ask('/config/rollback', POST)).status, 409)
  assert.equal(await answer(), 'three')
  await rmdir(`${file}.5`)
  assert.equal((await ask('/config/rollback', POST)).json['outcome'], 'rolled_back')
  assert.equal(await answer(), 'two')
})
