import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { createHmac } from 'node:crypto'
import {
  cpSync,
  existsSync,
  globSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import test, { type TestContext } from 'node:test'
import { promisify } from 'node:util'
import { send } from './support/client.ts'
import { cleanUp } from './support/cleanup.ts'
import { start } from './support/command.ts'
import { startService } from './support/service.ts'

const root = join(import.meta.dirname, '..')
const text = readFileSync(join(root, 'CONTRIBUTING.md'), 'utf8')

/** The blocks in that language, each with the first path in the paragraph before it. */
function blocks(language: string): { file: string; block: string }[] {
  const pattern = new RegExp(
    `^[^\`\n]*\`(src/[^\`]+\\.ts)\`(?:(?!\n\n)[^])*\n\n\`\`\`${language}\n([^]*?)^\`\`\`$`,
    'gm',
  )
  return Array.from(text.matchAll(pattern), ([, file = '', block = '']) => ({ file, block }))
}

const shown = blocks('ts')
/** Of imports, and of what stands together. */
const changes = blocks('diff')

/** The source with the change applied; fails if its starting point is missing. */
function changed(source: string, change: string): string {
  const [imports = '', lines = ''] = change.trimEnd().split('\n\n')
  const part = (signs: string): string =>
    lines
      .split('\n')
      .filter((line) => signs.includes(line[0] ?? ''))
      .map((line) => line.slice(1))
      .join('\n')
  assert.match(imports, /^\+import .*$/)
  const before = part(' -')
  assert.equal(source.split(`\n${before}\n`).length, 2, `once in the file: ${before}`)
  return `${imports.slice(1)}\n${source.replace(`\n${before}\n`, `\n${part(' +')}\n`)}`
}

/** The source of the gateway in its own folder, with everything from the document. */
function extended(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'sallyport-'))
  cleanUp(t, () => rmSync(folder, { recursive: true }))
  cpSync(join(root, 'src'), join(folder, 'src'), { recursive: true, filter: (file) => !file.endsWith('.test.ts') })
  cpSync(join(root, 'package.json'), join(folder, 'package.json'))
  symlinkSync(join(root, 'node_modules'), join(folder, 'node_modules'))
  for (const { file, block } of shown) {
    assert.ok(!existsSync(join(root, file)), `${file} already exists`)
    mkdirSync(dirname(join(folder, file)), { recursive: true })
    writeFileSync(join(folder, file), block)
  }
  for (const { file, block } of changes)
    writeFileSync(join(folder, file), changed(readFileSync(join(folder, file), 'utf8'), block))
  return folder
}

test('a policy, an auth method, a balancer and a store need one file and one line each, as documented', async (t) => {
  assert.deepEqual([shown.length, changes.length], [4, 4])
  const folder = extended(t)
  const compiler = join(root, 'node_modules/.bin/tsc')
  const project = { extends: join(root, 'tsconfig.json'), include: [...shown, ...changes].map(({ file }) => file) }
  writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify(project))
  await promisify(execFile)(compiler, ['-p', folder], { cwd: folder })

  const service = await startService(t, ({ headers }, response) => void response.end(headers['x-user-id']))
  const yaml = `
listeners: [{ address: 127.0.0.1:0 }]
workers: 1
services: { users: { instances: ["${service.url}"], balancer: random } }
policies:
  sunset: { at: "2030-01-31T00:00:00Z" }
  auth: { methods: { path-signature: { secrets: { partner: 0123456789abcdef0123456789abcdef } } } }
  rate-limit: { tiers: { authenticated: 1/h }, store: none }
routes: [{ id: users, match: { path: /users }, service: users }]
`
  const { port } = await start(t, yaml, { main: join(folder, 'src/main.ts') })
  const hmac = createHmac('sha256', '0123456789abcdef0123456789abcdef').update('GET /users').digest('hex')
  const headers = { 'X-Signature': `partner:${hmac}` }
  for (let i = 0; i < 3; i++) {
    const { status, text: id, headers: answered } = await send(port, { path: '/users', headers })
    assert.deepEqual([status, id, answered['sunset']], [200, 'partner', 'Thu, 31 Jan 2030 00:00:00 GMT'])
    assert.match(String(answered['ratelimit']), /r=1\b/)
  }
  assert.equal((await send(port, { path: '/users' })).status, 401)
  const forged = { 'X-Signature': `partner:${'0'.repeat(64)}` }
  assert.equal((await send(port, { path: '/users', headers: forged })).status, 401)
})

test('every contract and list that the page names exists', () => {
  const named = new Set(Array.from(text.matchAll(/`((?:src|test|scripts|docs)\/[^`]+)`/g), ([, path = '']) => path))
  const added = new Set(shown.map(({ file }) => file))
  assert.ok(named.size > 12)
  for (const path of named) if (!added.has(path)) assert.equal(globSync(path, { cwd: root }).length, 1, path)
})
