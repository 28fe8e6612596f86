import assert from 'node:assert/strict'
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test, { type TestContext } from 'node:test'
import { cleanUp } from './support/cleanup.ts'
import { runHere } from './support/run-here.ts'
import { Terminal } from './support/terminal.ts'

const FILES = ['Dockerfile', 'package.json', 'policies', 'sallyport.yaml']

async function emptyFolder(t: TestContext): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'sallyport-init-'))
  cleanUp(t, () => rm(folder, { recursive: true }))
  return folder
}

test('init asks two questions, repeats them for invalid answers, and writes the configuration', async (t) => {
  const cwd = await emptyFolder(t)
  const terminal = new Terminal(t, ['init'], { cwd })
  await terminal.until(/Port of the gateway \[8000\]: /)
  terminal.type('99999\r')
  await terminal.until(/Expected a number from 1 to 65535\.[^]*Port of the gateway/)
  terminal.type('8080\r')
  await terminal.until(/URL of a service behind it \[http:\/\/127\.0\.0\.1:3000\]: /)
  terminal.type('https://books.test/path\r')
  await terminal.until(/Expected a URL without a path[^]*URL of a service/)
  terminal.type('https://books.test\r')
  assert.equal(await terminal.ended, 0)
  assert.match(terminal.shown, /curl -i http:\/\/127\.0\.0\.1:8080\/hello/)
  assert.deepEqual((await readdir(cwd)).sort(), FILES)
  const yaml = await readFile(join(cwd, 'sallyport.yaml'), 'utf8')
  assert.match(yaml, /^# yaml-language-server: \$schema=/)
  assert.match(yaml, /127\.0\.0\.1:8080\}/)
  assert.match(yaml, /instances: \['\$\{API_URL:-https:\/\/books\.test\}'\]/)
  const checked = await runHere(['check'], { cwd })
  assert.deepEqual([checked.code, checked.stderr], [0, ''])
})

test('empty answers select the defaults', async (t) => {
  const cwd = await emptyFolder(t)
  const terminal = new Terminal(t, ['init', 'new'], { cwd })
  await terminal.until(/Port/)
  terminal.type('\r')
  await terminal.until(/URL/)
  terminal.type('\r')
  assert.equal(await terminal.ended, 0)
  const asked = await readFile(join(cwd, 'new/sallyport.yaml'), 'utf8')
  await runHere(['init', 'other', '--yes'], { cwd })
  assert.equal(asked, await readFile(join(cwd, 'other/sallyport.yaml'), 'utf8'))
})

for (const [name, key] of [
  ['Control-C', '\x03'],
  ['Control-D', '\x04'],
] as const)
  test(`${name} aborts init, and nothing is written`, async (t) => {
    const cwd = await emptyFolder(t)
    const terminal = new Terminal(t, ['init'], { cwd })
    await terminal.until(/Port[^]*: /)
    terminal.type(key)
    assert.equal(await terminal.ended, 1)
    assert.match(terminal.shown, /Nothing was written\./)
    assert.doesNotMatch(terminal.shown, /^ {4}at /m)
    assert.deepEqual(await readdir(cwd), [])
  })

test('without a terminal init does not ask, and says what to do', async (t) => {
  const cwd = await emptyFolder(t)
  const { code, stderr } = await runHere(['init'], { cwd })
  assert.equal(code, 64)
  assert.match(stderr, /use --yes/)
  assert.deepEqual(await readdir(cwd), [])
})

test('init says so if the folder is a file', async (t) => {
  const cwd = await emptyFolder(t)
  await writeFile(join(cwd, 'gateway'), 'mine')
  for (const folder of ['gateway', 'gateway/below']) {
    const { code, stderr } = await runHere(['init', folder, '--yes'], { cwd })
    const why = 'cannot be written: a part of its path is a file, not a folder'
    assert.deepEqual([code, stderr], [1, `${folder}/sallyport.yaml: ${why}. Nothing was written.\n`])
  }
})

for (const file of ['sallyport.yaml', 'Dockerfile'])
  test(`init writes nothing if ${file} exists`, async (t) => {
    const cwd = await emptyFolder(t)
    await writeFile(join(cwd, file), 'mine')
    const { code, stdout, stderr } = await runHere(['init', '--yes'], { cwd })
    assert.deepEqual([code, stdout], [1, ''])
    assert.match(stderr, new RegExp(`^These already exist: ${file}\\. Nothing was written: choose another folder`))
    assert.deepEqual(await readdir(cwd), [file])
    assert.equal(await readFile(join(cwd, file), 'utf8'), 'mine')
  })

test('init leaves an existing package.json unchanged', async (t) => {
  const cwd = await emptyFolder(t)
  await writeFile(join(cwd, 'package.json'), '{}')
  const { code, stdout } = await runHere(['init', '--yes'], { cwd })
  assert.equal(code, 0)
  assert.match(stdout, /npm install sallyport/)
  assert.equal(await readFile(join(cwd, 'package.json'), 'utf8'), '{}')
})

test('the Dockerfile copies files that init writes, and uses the Node.js version of the gateway image', async (t) => {
  const cwd = await emptyFolder(t)
  await runHere(['init', '--yes'], { cwd })
  const text = await readFile(join(cwd, 'Dockerfile'), 'utf8')
  const copied = [...text.matchAll(/^COPY (\S+) /gm)].map(([, source]) => source)
  assert.deepEqual(copied, ['package*.json', 'sallyport.yaml', 'policies'])
  const image = await readFile(new URL('../deploy/docker/Dockerfile', import.meta.url), 'utf8')
  const [, major] = /node:(\d+)\./.exec(image) ?? []
  assert.ok(text.startsWith(`FROM node:${major}-bookworm-slim\n`))
})

test('policy new writes a policy and its test, says how to enable it, and overwrites nothing', async (t) => {
  const cwd = await emptyFolder(t)
  const made = await runHere(['policy', 'new', 'tenant-header'], { cwd })
  assert.equal(made.code, 0)
  assert.match(made.stdout, /ownPolicies:\n {2}- \.\/policies\/tenant-header\.ts\npolicies:\n {2}tenant-header: \{\}/)
  const yaml = `${made.stdout.slice(made.stdout.indexOf('ownPolicies:'))}routes: [{ id: all, match: { path: /* }, reply: {} }]`
  await writeFile(join(cwd, 'sallyport.yaml'), yaml)
  assert.match((await runHere(['check'], { cwd })).stdout, /tenant-header/)
  const again = await runHere(['policy', 'new', 'tenant-header'], { cwd })
  assert.equal(again.code, 1)
  assert.match(again.stderr, /^These already exist: policies\/tenant-header\.ts, .*choose another name\.\n$/)
  const builtIn = await runHere(['policy', 'new', 'cache'], { cwd })
  assert.equal(builtIn.code, 64)
  assert.match(builtIn.stderr, /"cache" is the name of a built-in policy/)
  const bad = await runHere(['policy', 'new', 'Tenant/../Header'], { cwd })
  assert.equal(bad.code, 64)
  assert.match(bad.stderr, /not a valid policy name: expected one such as/)
})
