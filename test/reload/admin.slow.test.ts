import assert from 'node:assert/strict'
import { writeFile } from 'node:fs/promises'
import test from 'node:test'
import { startAdminGateway } from '../support/admin.ts'
import { temporaryFile } from '../support/command.ts'
import { answering as yaml, startConfigured, startConfiguredHere as start } from '../support/configured.ts'
import { runHere } from '../support/run-here.ts'

const POST = { method: 'POST' }

test('POST /config/reload reads the file again, and shows the generation of each worker', async (t) => {
  const { ask, file, answer, command } = await startConfigured(t, yaml('one'))
  const before = (await ask('/config/status')).json
  assert.deepEqual([before['generation'], before['lastReload']], [1, null])
  assert.deepEqual(generations(before), [1, 1])
  await writeFile(file, yaml('two'))
  const { status, json } = await ask('/config/reload', POST)
  assert.deepEqual([status, json['outcome'], json['generation']], [200, 'applied', 2])
  assert.equal(await answer(), 'two')
  const after = (await ask('/config/status')).json
  assert.equal(after['revision'], json['revision'])
  assert.notEqual(after['revision'], before['revision'])
  assert.deepEqual(generations(after), [2, 2])
  assert.ok(Date.parse(String(after['since'])) > Date.parse(String(before['since'])))
  const line = await command.line('An operator has asked for a reload')
  assert.deepEqual([line['level'], line['outcome'], line['force']], ['warn', 'applied', false])
  const again = await ask('/config/reload', POST)
  assert.deepEqual([again.status, again.json], [200, { ...json, outcome: 'unchanged' }])
})

function generations({ workers }: Record<string, unknown>): number[] {
  return (workers as { generation: number }[]).map(({ generation }) => generation)
}

test('simultaneous reloads apply the file once, and all of them report it', async (t) => {
  const { ask, file, log } = await start(t, yaml('one'))
  await writeFile(file, yaml('two'))
  const answers = await Promise.all([1, 2, 3].map(() => ask('/config/reload', POST)))
  const { json } = await ask('/config/status')
  assert.deepEqual(generations(json), [2])
  assert.deepEqual(
    answers.map(({ status, json: told }) => [status, told['revision'], told['generation']]),
    answers.map(() => [200, json['revision'], 2]),
  )
  assert.match((await ask('/metrics')).text, /^sallyport_config_reloads_total\{outcome="applied"\} 1$/m)
  // A request before the file is read gets the result of that reading, and a later one that of a reading without
  // changes.
  const outcomes = log.lines
    .filter(({ message }) => message === 'An operator has asked for a reload')
    .map(({ outcome }) => String(outcome))
  assert.equal(outcomes.length, 3)
  assert.ok(outcomes.includes('applied'), outcomes.join())
  assert.ok(
    outcomes.every((outcome) => outcome === 'applied' || outcome === 'unchanged'),
    outcomes.join(),
  )
})

test('an invalid file is rejected with all of its problems, which the status shows until it is fixed', async (t) => {
  const { ask, file, answer } = await start(t, yaml('one'))
  const { revision } = (await ask('/config/status')).json
  await writeFile(file, yaml('two', 'drainTimeout: soon\nworkerTimeout: never'))
  const refused = await ask('/config/reload', POST)
  assert.equal(refused.status, 422)
  assert.equal(refused.headers['content-type'], 'application/problem+json')
  assert.match(
    String(refused.json['detail']),
    /^The configuration was refused because of 2 problems; nothing has changed/,
  )
  const problems = refused.json['problems'] as Record<string, unknown>[]
  assert.deepEqual(
    problems.map((problem) => [problem['file'], problem['line'], problem['column'], problem['path']]),
    [
      [file, 7, 15, 'drainTimeout'],
      [file, 8, 16, 'workerTimeout'],
    ],
  )
  assert.match(String(problems[0]!['message']), /^expected a duration such as .* not "soon"$/)
  assert.equal(await answer(), 'one')
  const { json } = await ask('/config/status')
  const { at, ...last } = json['lastReload'] as Record<string, unknown>
  assert.deepEqual([json['generation'], json['revision'], last], [1, revision, { outcome: 'refused', problems }])
  assert.ok(Date.parse(String(at)) > 0)
  assert.equal(json['current'], false)
  const currentOf = async () => ((await ask('/status')).json['configuration'] as { current: boolean }).current
  assert.equal(await currentOf(), false)
  assert.match((await ask('/metrics')).text, /^sallyport_config_last_reload_successful 0$/m)
  await writeFile(file, yaml('one'))
  assert.equal((await ask('/config/reload', POST)).json['outcome'], 'unchanged')
  assert.equal(await currentOf(), true)
})

test('a file that seems truncated or has lost all routes is only applied with force', async (t) => {
  const { ask, file, answer } = await start(t, yaml('one'))
  await writeFile(file, yaml('one').replace(/routes:.*\n/, 'routes: []\n'))
  const refused = await ask('/config/reload', POST)
  assert.equal(refused.status, 422)
  assert.match(refused.text, /the new configuration has no routes, but the running one has 1/)
  assert.equal(await answer(), 'one')
  const forced = await ask('/config/reload?force=true', POST)
  assert.deepEqual([forced.status, forced.json['outcome']], [200, 'applied'])
})

test('a change that needs a restart is rejected and named', async (t) => {
  const { ask, file } = await start(t, yaml('one'))
  await writeFile(file, yaml('two').replace('workers: 2', 'workers: 1'))
  const { status, json } = await ask('/config/reload?force=true', POST)
  const problem = { file: null, line: null, column: null, path: 'workers' }
  const message = 'has changed, and that needs a restart: restart the gateway, or change it back'
  assert.deepEqual([status, json['problems']], [422, [{ ...problem, message }]])
})

test('GET /config shows the running configuration, whose ETag changes with it', async (t) => {
  const { ask, file } = await start(t, yaml('one'))
  const bodyOf = ({ json }: { json: Record<string, unknown> }) =>
    (json['routes'] as { reply: { body: string } }[])[0]!.reply.body
  const before = await ask('/config')
  await writeFile(file, yaml('two', 'drainTimeout: soon'))
  await ask('/config/reload', POST)
  const same = await ask('/config')
  assert.deepEqual([bodyOf(same), same.headers['etag']], ['one', before.headers['etag']])
  await writeFile(file, yaml('two'))
  await ask('/config/reload', POST)
  const after = await ask('/config')
  assert.equal(bodyOf(after), 'two')
  assert.notEqual(after.headers['etag'], before.headers['etag'])
})

test('secrets of a rejected configuration appear in no reply and no log line', async (t) => {
  const { ask, file, log } = await start(t, yaml('one'))
  const secret = 'tell-nobody-0123456789'
  const auth = `policies: { auth: { methods: { jwt: { secret: ${secret}, algorithms: [HS257] } } } }`
  const broken = [
    auth,
    `admin2: { token: ${secret} }\n${auth}`,
    `policies: { auth: { methods: { jwt: { secret: ["${secret}`,
  ]
  for (const text of broken) {
    await writeFile(file, yaml('two', text))
    const { status, text: reply } = await ask('/config/reload', POST)
    assert.equal(status, 422)
    assert.ok(!reply.includes(secret), reply)
  }
  assert.ok(!(await ask('/config/status')).text.includes(secret))
  assert.ok(!JSON.stringify(log.lines).includes(secret))
})

test('a gateway configured by a program cannot be reloaded from a file', async (t) => {
  const { ask, gateway } = await startAdminGateway(t, {})
  const { status, json } = await ask('/config/reload', POST)
  assert.equal(status, 409)
  assert.match(String(json['detail']), /call reload\(\) there\.$/)
  const listeners = [{ address: '127.0.0.1:0' }]
  const { revision } = await gateway.reload({ listeners, admin: { address: '127.0.0.1:0' } })
  const shown = (await ask('/config/status')).json
  assert.deepEqual([shown['revision'], generations(shown)], [revision, [2]])
})

test('sallyport reload applies the file, and prints the problems of an invalid one', async (t) => {
  const { file, admin, answer } = await start(t, yaml('one'))
  const reload = (...more: string[]) => runHere(['reload', '--admin', admin, ...more])
  await writeFile(file, yaml('two'))
  const applied = await reload()
  assert.equal(applied.code, 0, applied.stderr)
  assert.match(applied.stdout, /^Configuration applied: revision [0-9a-f]{64}\n$/)
  assert.equal(await answer(), 'two')
  assert.match((await reload()).stdout, /^Configuration unchanged: revision [0-9a-f]{64}\n$/)
  await writeFile(file, yaml('three', 'drainTimeout: soon'))
  const refused = await reload()
  assert.deepEqual([refused.code, refused.stdout], [1, ''])
  const [problem, summary] = refused.stderr.trimEnd().split('\n')
  assert.match(problem!.slice(file.length), /^:7:15: drainTimeout: expected a duration/)
  assert.equal(summary, 'Configuration refused: the running one is kept.')
  await writeFile(file, yaml('three').replace(/routes:.*\n/, 'routes: []\n'))
  assert.deepEqual([(await reload()).code, (await reload('--force')).code], [1, 0])
})

test('sallyport reload finds the admin listener even if the rest of the file is broken or variables are missing', async (t) => {
  const { file, admin } = await start(t, yaml('one'))
  const address = new URL(admin).host
  const beside = (more: string) =>
    temporaryFile(t, 'sallyport.yaml', `admin: { address: '${address}' }\nroutes: []\n${more}\n`)
  await writeFile(file, yaml('two'))
  const first = await runHere(['reload', '--config', await beside("secrets: ['${NOWHERE_TO_BE_FOUND}']")])
  assert.equal(first.code, 0, first.stderr)
  assert.match(first.stdout, /^Configuration applied/)
  const second = await runHere(['reload', '--config', await beside('nonsense: 1')])
  assert.equal(second.code, 0, second.stderr)
  const nobody = await runHere(['reload', '--admin', 'http://127.0.0.1:1'])
  assert.deepEqual([nobody.code, nobody.stdout], [1, ''])
  assert.match(nobody.stderr, /^http:\/\/127\.0\.0\.1:1 does not answer: /)
})
