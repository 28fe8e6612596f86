import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import test from 'node:test'
import { examplesOf } from '../src/commands/command.ts'
import { allOf, factsOf } from '../src/commands/command-tree.ts'
import { wholeProgram } from '../src/commands/program.ts'
import { Command, run, start, temporaryFile } from './support/command.ts'
import { connect, refused, startRawService } from './support/peer.ts'
import { runHere } from './support/run-here.ts'

const GOOD = `
listeners: [{ address: '127.0.0.1:0' }]
admin: false
services:
  users: { instances: ['\${USERS_URL:-http://127.0.0.1:1}'], health: false }
routes:
  - id: users
    match: { path: [/api/users/*, '/api/users/{id}'] }
    service: users
  - id: old
    match: { path: /old, method: PUT }
    redirect: { to: /new }
`

const BAD = `
listeners: [{ address: '127.0.0.1:0' }]
services:
  users: { instances: ['\${USERS_URL}'], balancer: random }
routes:
  - id: users
    match: { path: /api/users/* }
    service: user
`

test('check prints the routing table of a valid file and exits with 0', async (t) => {
  const { code, stdout, stderr } = await runHere(['check', await temporaryFile(t, 'good.yaml', GOOD)])
  assert.equal(code, 0)
  assert.equal(stderr, '')
  const [heading, ...rows] = stdout.trimEnd().split('\n')
  assert.match(heading!, /^HOST +PATH +WHEN +TO +POLICIES +ROUTE$/)
  assert.deepEqual(
    rows.map((row) => row.split(/ {2,}/).toSpliced(4, 1)),
    [
      ['*', '/api/users/{id}', '*', '-> users', 'users'],
      ['*', '/api/users/*', '*', '-> users', 'users'],
      ['*', '/old', 'PUT', 'redirect 307 to /new', 'old'],
    ],
  )
})

test('check prints every problem of an invalid file with its place and exits with 1', async (t) => {
  const file = await temporaryFile(t, 'bad.yaml', BAD)
  const { code, stdout, stderr } = await runHere(['check', file])
  assert.equal(code, 1)
  assert.equal(stdout, '')
  const problems = stderr.trimEnd().split('\n')
  assert.ok(
    problems.some((line) => /bad\.yaml:4:\d+: .*USERS_URL is not set/.test(line)),
    stderr,
  )
  assert.ok(
    problems.some((line) => /bad\.yaml:4:\d+: services\.users\.balancer: .*round-robin/.test(line)),
    stderr,
  )
  assert.ok(
    problems.some((line) => /bad\.yaml:8:\d+: routes\[0\]\.service: .*"users"/.test(line)),
    stderr,
  )
})

test('a missing file is reported in one line', async () => {
  for (const args of [
    ['check', 'nowhere.yaml'],
    ['start', '--config', 'nowhere.yaml'],
  ]) {
    const { code, stdout, stderr } = await runHere(args)
    assert.equal(code, 1)
    assert.equal(stdout, '')
    assert.match(stderr, /^nowhere\.yaml: no such file; name another one, or create one with "sallyport init"\n$/)
    assert.equal(stderr.trimEnd().split('\n').length, 1)
  }
})

test('start with an invalid file exits with 1 and does not listen', async (t) => {
  const { port, kill } = await startRawService(t)
  await kill()
  const file = await temporaryFile(t, 'bad.yaml', BAD.replace('127.0.0.1:0', `127.0.0.1:${port}`))
  const { code, stdout, stderr } = await runHere(['start', '--config', file])
  assert.equal(code, 1)
  assert.equal(stdout, '')
  assert.match(stderr, /environment variable USERS_URL is not set/)
  await refused(port)
})

test('unknown commands and options are usage errors', async () => {
  for (const args of [['strat'], ['start', '--confg', 'x'], ['check', '--nope']]) {
    const { code, stdout, stderr } = await run(args)
    assert.equal(code, 64)
    assert.equal(stdout, '')
    assert.match(
      stderr,
      /^error: .*\n(?:\(Did you mean .*\n)?\nUsage: sallyport.*\n\nsallyport(?: \w+)? --help lists the \w+\.\n$/,
    )
  }
})

test('check takes its file as an argument or with --config, but not both', async (t) => {
  const file = await temporaryFile(t, 'bad.yaml', BAD)
  const [argument, option] = [await runHere(['check', file]), await runHere(['check', '--config', file])]
  assert.deepEqual([option.code, option.stderr], [1, argument.stderr])
  const both = await runHere(['check', file, '-c', file])
  assert.equal(both.code, 64)
  assert.match(both.stderr, /^error: Name the file once/)
})

test('explain refuses what is no URL before it asks a gateway', async () => {
  const { code, stderr } = await runHere(['explain', 'GET', 'books', '--admin', 'http://127.0.0.1:1'])
  assert.equal(code, 64)
  assert.match(stderr, /^error: books: expected https:/)
})

test('a misspelled command gets a suggestion', async () => {
  assert.match((await run(['strat'])).stderr, /unknown command 'strat'\n.*start/)
})

test('--version prints the version of the package', async () => {
  const { version } = JSON.parse(await readFile(new URL('../package.json', import.meta.url), 'utf8')) as {
    version: string
  }
  assert.deepEqual(await run(['--version']), { code: 0, signal: null, stdout: `${version}\n`, stderr: '' })
})

test('a closed pipe, as with head, ends a command silently', async () => {
  const command = new Command(['--help'])
  command.child.stdout!.destroy()
  const { code, signal, stderr } = await command.ended
  assert.deepEqual({ code, signal, stderr }, { code: 0, signal: null, stderr: '' })
})

test('--help lists every command, and every command has its own help', async () => {
  const { code, stdout } = await run(['--help'])
  assert.equal(code, 0)
  const listed = [...stdout.matchAll(/^ {2}([a-z-]+) .*/gm)].map(([, name]) => name!)
  assert.deepEqual(listed, [
    'init',
    'start',
    'health',
    'check',
    'plan',
    'replay',
    'import',
    'top',
    'requests',
    'why',
    'explain',
    'reload',
    'limits',
    'drain',
    'undrain',
    'log-level',
    'policy',
    'password',
    'keys',
    'certificate',
    'cache',
    'completions',
    'help',
  ])
  const own = await run(['keys', 'create', '--help'])
  assert.deepEqual([own.code, own.stderr], [0, ''])
  assert.ok(own.stdout.startsWith('Usage: sallyport keys create '), own.stdout)
  const [, ...all] = allOf(factsOf(await wholeProgram()))
  assert.ok(all.length > 30)
  for (const { command, path } of all)
    assert.ok(command.helpInformation().startsWith(`Usage: sallyport ${path.join(' ')} `), path.join(' '))
})

test('every command has examples with existing options, and is in the guide', async () => {
  const guide = await readFile(new URL('../docs/command-line.md', import.meta.url), 'utf8')
  const all = allOf(factsOf(await wholeProgram())).filter(({ children }) => children.length === 0)
  assert.ok(all.length > 10)
  for (const { command, path, options } of all) {
    const examples = examplesOf(command)
    assert.ok(examples.length > 0, `${path.join(' ')} shows no example`)
    for (const [line] of examples) {
      assert.ok(line.includes(`sallyport ${path.join(' ')}`), line)
      for (const [option] of line.matchAll(/--[a-z-]+/g))
        assert.ok(
          options.some(({ long }) => long === option),
          line,
        )
    }
    assert.match(guide, new RegExp(`^\\| \`sallyport ${path[0]}\\b.*${path[1] ?? ''}`, 'm'))
  }
})

test('the exit codes in the help are those in the documentation', async () => {
  const { stdout } = await run(['--help'])
  const page = await readFile(new URL('../docs/command-line.md', import.meta.url), 'utf8')
  const codes = [...stdout.matchAll(/^ {2}(\d+) {2,}/gm)].map(([, code]) => code)
  assert.deepEqual(codes, ['0', '1', '2', '3', '64'])
  assert.deepEqual(
    [...page.matchAll(/^\| (\d+) +\|/gm)].map(([, code]) => code),
    codes,
  )
})

test('start uses environment variables, and on SIGTERM lets a slow request finish and exits with 0', async (t) => {
  const service = await startRawService(t)
  const { command, port } = await start(t, GOOD, { env: { USERS_URL: service.url } })
  const [client, idle] = [await connect(t, port), await connect(t, port)]
  client.write('GET /api/users HTTP/1.1\r\nHost: a\r\n\r\n')
  const peer = await service.accept()
  await peer.request()
  command.child.kill('SIGTERM')
  assert.equal(await idle.closed(), 'end')
  idle.end()
  await refused(port)
  peer.write('HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nlate')
  const reply = await client.reply()
  assert.equal(reply.body.toString(), 'late')
  assert.equal(reply.fields.get('Connection'), 'close')
  client.end()
  const { code, signal, stderr } = await command.ended
  assert.deepEqual([code, signal, stderr], [0, null, ''])
  assert.ok(
    command.log.some(({ message }) => message === 'API Gateway Request'),
    'the last line is not lost',
  )
})
