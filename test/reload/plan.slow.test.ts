import assert from 'node:assert/strict'
import { rm, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import test from 'node:test'
import { temporaryFile } from '../support/command.ts'
import { connect } from '../support/peer.ts'
import { answering as unwritable, startConfigured, startConfiguredHere, TOKEN } from '../support/configured.ts'
import { runHere } from '../support/run-here.ts'

const answering = (body: string, more = ''): string => unwritable(body, more, true)

interface Change {
  readonly path: string
  readonly class: string
  readonly before?: unknown
  readonly after?: unknown
}

const changesOf = ({ json }: { json: Record<string, unknown> }) =>
  (json['changes'] as Change[]).map(({ path, class: cost, before, after }) => [path, cost, before, after])

const asYaml = (body: string) => ({
  method: 'POST',
  body,
  headers: { 'Content-Type': 'application/yaml', 'X-Requested-With': 'x' },
})

test('planning a sent configuration, or the file, shows the changes and applies nothing', async (t) => {
  const { ask, file, answer } = await startConfiguredHere(t, answering('one'))
  const { revision } = (await ask('/config/status')).json
  const same = await ask('/config/plan', asYaml(answering('one', '# only a comment')))
  assert.deepEqual([same.status, same.json], [200, { same: true, changes: [], warnings: [], text: 'No changes.' }])
  const text = answering('two', 'drainTimeout: 1m').replace('workers: 2', 'workers: 1')
  const other = await ask('/config/plan', asYaml(text))
  assert.deepEqual(changesOf(other), [
    ['workers', 'needs-restart', 2, 1],
    ['drainTimeout', 'live', 30_000, 60_000],
    ['routes.own.reply.body', 'live', 'one', 'two'],
  ])
  assert.match(
    String(other.json['text']),
    /drainTimeout: 30s → 1m\n[^]*\n3 changes: 1 needs-restart, 2 live\. A restart is required/,
  )
  assert.equal((await ask('/config/plan', { method: 'POST' })).json['same'], true)
  await writeFile(file, answering('three'))
  assert.deepEqual(changesOf(await ask('/config/plan', { method: 'POST' })), [
    ['routes.own.reply.body', 'live', 'one', 'three'],
  ])
  const status = (await ask('/config/status')).json
  assert.deepEqual([status['revision'], status['generation'], status['lastReload']], [revision, 1, null])
  assert.equal(await answer(), 'one')
})

test('an invalid configuration is rejected with all of its problems, without secrets', async (t) => {
  const { ask, file } = await startConfiguredHere(t, answering('one'))
  const { status, json } = await ask('/config/plan', asYaml(answering('two', 'drainTimeout: soon\nnothing: 1')))
  assert.equal(status, 422)
  assert.deepEqual(
    (json['problems'] as Record<string, unknown>[]).map((problem) => [
      problem['file'],
      problem['line'],
      problem['path'],
    ]),
    [
      [file, 7, 'drainTimeout'],
      [file, 8, 'nothing'],
    ],
  )
  const before = answering(
    'one',
    "policies: { auth: { methods: { jwt: { secret: 'tell-nobody-of-this-0123456789ab', algorithms: [HS256] } } } }",
  )
  const secret = await ask('/config/plan', asYaml(before))
  assert.equal(secret.status, 200, secret.text)
  assert.ok(!secret.text.includes('tell-nobody'), secret.text)
})

test('a body that is not text, too long, or from another origin is rejected', async (t) => {
  const { ask, admin } = await startConfiguredHere(t, answering('one'))
  const headers = { 'Content-Type': 'application/yaml', Authorization: `Bearer ${TOKEN}` }
  const plan = (body: string | Uint8Array<ArrayBuffer>, more: Record<string, string> = headers) =>
    fetch(`${admin}/config/plan`, { method: 'POST', headers: more, body })
  assert.equal((await plan(Uint8Array.from([0x61, 0x3a, 0xff]))).status, 400)
  const client = await connect(t, Number(new URL(admin).port))
  client.write(
    `POST /config/plan HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer ${TOKEN}\r\nContent-Length: ${8 * 1024 * 1024 + 1}\r\n\r\n`,
  )
  await client.until('HTTP/1.1 413')
  assert.equal((await plan('#'.repeat(1024 * 1024) + answering('one'))).status, 200)
  const foreign = { ...headers, Origin: 'http://elsewhere.example' }
  assert.equal((await plan(answering('one'), foreign)).status, 403)
  assert.equal((await plan(answering('one'), { 'X-Requested-With': 'x' })).status, 401)
  assert.equal((await plan('routes: [')).status, 422)
  const other = await ask('/log-level', { method: 'PUT', body: 'level: debug', headers })
  assert.equal(other.status, 415, 'the file is not a configuration')
})

test('a custom policy is compared as it was when applied', async (t) => {
  const policy = (mark: string) => `
import { definePolicy, z } from 'sallyport'
export default definePolicy({
  name: 'mark', summary: 'Marks.', options: z.strictObject({}),
  create: () => (next) => (exchange) => { exchange.headers.set('X-Mark', '${mark}'); return next(exchange) },
})
`
  const more = 'ownPolicies: [mark.ts]\npolicies: { mark: {} }'
  const code = await temporaryFile(t, 'mark.ts', policy('one'))
  const text = answering('one', more.replace('mark.ts', code))
  const { ask } = await startConfigured(t, text)
  assert.equal((await ask('/config/plan', asYaml(text))).json['same'], true)
  await writeFile(code, policy('two'))
  const changed = changesOf(await ask('/config/plan', asYaml(text)))
  assert.deepEqual(
    changed.map(([path, cost]) => [path, cost]),
    [['ownPolicies.mark.code', 'resets-state']],
  )
  await rm(code)
  const gone = changesOf(await ask('/config/plan', asYaml(answering('one'))))
  assert.deepEqual(
    gone.map(([path]) => path),
    ['ownPolicies.mark', 'policies.mark'],
  )
})

test('sallyport plan --against running exits with 0 for no changes, 2 for changes, and 1 if rejected', async (t) => {
  const { admin, file } = await startConfiguredHere(t, answering('one'))
  const env = { ADMIN_TOKEN: TOKEN }
  const plan = async (text: string, ...more: string[]) => {
    const other = join(dirname(file), 'other.yaml')
    await writeFile(other, text)
    return { other, ...(await runHere(['plan', other, '--against', 'running', '--admin', admin, ...more], { env })) }
  }
  const same = await plan(answering('one'))
  assert.deepEqual([same.code, same.stdout, same.stderr], [0, 'No changes.\n', ''])
  const changed = await plan(answering('two'))
  assert.equal(changed.code, 2)
  assert.match(
    changed.stdout,
    /^Live: .*\n {2}~ routes\.own\.reply\.body: one → two\n\n1 change: 1 live\. No restart is required\.\n$/,
  )
  const json = await plan(answering('two'), '--json')
  assert.equal(json.code, 2)
  const { changes, ...rest } = JSON.parse(json.stdout) as { changes: Change[] }
  assert.deepEqual(
    changes.map(({ path }) => path),
    ['routes.own.reply.body'],
  )
  assert.deepEqual(rest, { same: false, warnings: [] })
  const refused = await plan(answering('two', 'drainTimeout: soon'))
  assert.deepEqual([refused.code, refused.stdout], [1, ''])
  assert.match(refused.stderr.slice(refused.other.length), /^:7:15: drainTimeout: expected a duration/)
  const nobody = await runHere(['plan', file, '--against', 'running', '--admin', 'http://127.0.0.1:1'])
  assert.deepEqual([nobody.code, nobody.stdout], [1, ''])
  const module = await runHere(['plan', 'sallyport.config.ts', '--against', 'running', '--admin', admin])
  assert.equal(module.code, 1)
  assert.match(module.stderr, /^sallyport\.config\.ts is a module/)
})

test("without admin.writable only the gateway's own file can be planned", async (t) => {
  const { ask, admin, file } = await startConfiguredHere(t, unwritable('one'))
  const code = await temporaryFile(t, 'code.ts', 'process.exit(7)')
  const { status, json } = await ask('/config/plan', asYaml(unwritable('one', `ownPolicies: ['${code}']`)))
  assert.equal(status, 403)
  assert.match(String(json['detail']), /^This gateway does not accept configurations over HTTP/)
  await writeFile(file, unwritable('two'))
  const plan = await runHere(['plan', '--against', 'running', '--admin', admin])
  assert.equal(plan.code, 2, plan.stderr)
  assert.match(plan.stdout, /routes\.own\.reply\.body: one → two/)
  const sent = await runHere(['plan', file, '--against', 'running', '--admin', admin])
  assert.deepEqual([sent.code, sent.stdout], [1, ''])
  assert.match(sent.stderr, /answered 403: This gateway does not accept configurations over HTTP/)
})
