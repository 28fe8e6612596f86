import assert from 'node:assert/strict'
import test from 'node:test'
import { temporaryFile } from './support/command.ts'
import { runHere } from './support/run-here.ts'

const WORTH_WARNINGS = `admin: false
services:
  users: { instances: ['http://127.0.0.1:1'] }
  orders: { instances: ['http://127.0.0.1:2'] }
policies:
  auth: { methods: { api-key: {} } }
routes:
  - id: users
    match: { path: /users/* }
    service: users
    rewrite: { strip: /api }
`

test('check --json prints problems and warnings as JSON, whatever it finds', async (t) => {
  const worth = await temporaryFile(t, 'a.yaml', WORTH_WARNINGS)
  const warned = await runHere(['check', '--json', worth])
  assert.deepEqual([warned.code, warned.stderr], [0, ''])
  const { problems, warnings } = JSON.parse(warned.stdout) as { problems: object[]; warnings: object[] }
  assert.deepEqual(problems, [])
  const [{ message, ...first }] = warnings as [{ message: string }]
  assert.deepEqual(first, { file: worth, line: 4, column: 11, path: 'services.orders' })
  assert.match(message, /^is not used/)
  assert.equal((await runHere(['check', '--json', '--strict', worth])).code, 1)

  const bad = await temporaryFile(t, 'bad.yaml', WORTH_WARNINGS.replace('service: users', 'service: user'))
  const refused = await runHere(['check', '--json', bad])
  assert.deepEqual([refused.code, refused.stderr], [1, ''])
  const found = JSON.parse(refused.stdout) as { problems: { line: number; path: string }[]; warnings: object[] }
  assert.deepEqual(
    [found.problems.map(({ line, path }) => [line, path]), found.warnings],
    [[[10, 'routes[0].service']], []],
  )

  const missing = await runHere(['check', '--json', 'nowhere.yaml'])
  assert.equal(missing.code, 1)
  assert.deepEqual(JSON.parse(missing.stdout), {
    problems: [
      {
        file: 'nowhere.yaml',
        line: null,
        column: null,
        path: '',
        message: 'no such file; name another one, or create one with "sallyport init"',
      },
    ],
    warnings: [],
  })
})

test('a configuration without routes causes a warning', async (t) => {
  const { code, stderr } = await runHere(['check', await temporaryFile(t, 'a.yaml', 'admin: false\n')])
  assert.equal(code, 0)
  assert.match(stderr, /warning: routes: none: every request gets 404/)
})

test('the configurations that come with the gateway cause no warnings', async () => {
  const env = {
    ...Object.fromEntries(
      ['USER', 'ORDER', 'INVENTORY', 'PAYMENT', 'NOTIFICATION'].map((name) => [`${name}_SERVICE_URL`, '']),
    ),
    REDIS_URL: 'redis://127.0.0.1:6379',
    JWT_SECRET: 'q4uyyDzpm8Sg9yTF6h0hJ0OPmJq7gJcQv3Pp0b7B2nE=',
  }
  for (const name of ['sallyport.yaml', 'deploy/docker/sallyport.yaml']) {
    const file = new URL(`../${name}`, import.meta.url).pathname
    const { code, stderr } = await runHere(['check', '--strict', file], { env })
    assert.deepEqual([code, stderr], [0, ''], name)
  }
})
