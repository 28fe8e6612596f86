import assert from 'node:assert/strict'
import { rename, rm, symlink, utimes, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import test, { type TestContext } from 'node:test'
import type { GatewayInput } from '../src/gateway.ts'
import { send } from './support/client.ts'
import { CHANGED, writeFolder } from './support/folder.ts'
import { startGateway } from './support/gateway.ts'
import { ManualClock } from '../src/testing/manual-clock.ts'
import { connect } from './support/peer.ts'

type Route = NonNullable<GatewayInput['routes']>[number]

/** A gateway that serves that folder with these options, with a stopped clock. */
async function show(t: TestContext, root: string, options: object = {}, route: Partial<Route> = {}) {
  const clock = new ManualClock(Date.now())
  const { port } = await startGateway(
    t,
    { routes: [{ id: 'files', match: { path: '/*' }, files: { root, ...options }, ...route }] },
    { clock },
  )
  return {
    port,
    clock,
    get: (path: string, headers: Record<string, string> = {}, method = 'GET') => send(port, { path, headers, method }),
  }
}

const SITE = {
  'index.html': '<h1>Home</h1>',
  'app.js': 'let a = 1',
  'docs/index.html': '<h1>Docs</h1>',
  'docs/a b.txt': 'a b',
  'empty.txt': '',
  'data.bin': Buffer.alloc(300_000, 'abcdefghij'),
}

test('files are sent with type, length and validators, and folders by their index', async (t) => {
  const { get } = await show(t, await writeFolder(t, SITE))
  const home = await get('/')
  assert.equal(home.text, '<h1>Home</h1>')
  assert.equal(home.headers['content-type'], 'text/html; charset=utf-8')
  assert.equal(home.headers['last-modified'], 'Thu, 15 Jan 2026 10:30:00 GMT')
  assert.equal(home.headers['cache-control'], 'no-cache')
  assert.match(home.headers.etag ?? '', /^"[0-9a-f]+-d"$/)
  assert.equal((await get('/app.js')).headers['content-type'], 'text/javascript; charset=utf-8')
  assert.equal((await get('/docs/')).text, '<h1>Docs</h1>')
  assert.equal((await get('/docs/a%20b.txt')).text, 'a b')
  assert.equal((await get('/empty.txt')).headers['content-length'], '0')
  const data = await get('/data.bin')
  assert.deepEqual(data.body, SITE['data.bin'])
  assert.equal(data.headers['content-type'], 'application/octet-stream')
})

test('HEAD has the headers of GET, without the body', async (t) => {
  const { get } = await show(t, await writeFolder(t, SITE))
  for (const path of ['/app.js', '/data.bin']) {
    const [whole, head] = [await get(path), await get(path, {}, 'HEAD')]
    assert.equal(head.status, 200)
    assert.equal(head.text, '')
    for (const name of ['content-length', 'content-type', 'etag', 'last-modified'] as const)
      assert.equal(head.headers[name], whole.headers[name])
  }
})

test('a folder without a trailing slash is redirected, keeping the query', async (t) => {
  const { get } = await show(t, await writeFolder(t, SITE))
  const reply = await get('/docs?x=1')
  assert.equal(reply.status, 308)
  assert.equal(reply.headers.location, './docs/?x=1')
})

test('a redirect to a folder leads there if a proxy has removed a prefix, and if a policy has changed the path', async (t) => {
  const root = await writeFolder(t, { 'v2/docs/index.html': 'docs' })
  const { get } = await show(t, root, {}, { policies: { transform: { request: { path: '/v2{path}' } } } })
  const { headers } = await get('/docs', { 'X-Forwarded-Prefix': '/site' })
  const { pathname } = new URL(headers.location ?? '', 'http://a.example/site/docs')
  assert.equal(pathname, '/site/docs/')
  assert.equal((await get('/docs/')).text, 'docs')
})

test('missing files and folders without an index are 404; other methods are 405', async (t) => {
  const root = await writeFolder(t, { 'a.txt': 'a', 'sub/b.txt': 'b' })
  const { get } = await show(t, root)
  for (const path of ['/', '/none', '/a.txt/', '/a.txt/b', '/sub/', '/sub/none']) {
    const reply = await get(path)
    assert.equal(reply.status, 404, path)
    assert.match(reply.text, /"There is no such file."/, path)
  }
  const refused = await get('/a.txt', {}, 'POST')
  assert.equal(refused.status, 405)
  assert.equal(refused.headers.allow, 'GET, HEAD')
})

test('the prefix of a route is stripped, and is a folder itself', async (t) => {
  const root = await writeFolder(t, SITE)
  const { get } = await show(t, root, {}, { match: { path: '/site/*' }, rewrite: { strip: '/site' } })
  assert.equal((await get('/site/docs/')).text, '<h1>Docs</h1>')
  assert.equal((await get('/site/')).text, '<h1>Home</h1>')
  assert.equal((await get('/site')).headers.location, './site/')
  assert.equal((await get('/site/docs')).headers.location, './docs/')
})

test('a folder that a rewrite leads to is redirected once', async (t) => {
  const rewritten = { match: { path: '/latest/*' }, rewrite: { path: '/docs' } }
  const { get } = await show(t, await writeFolder(t, SITE), {}, rewritten)
  const { status, headers } = await get('/latest/x')
  assert.deepEqual([status, headers.location], [308, './x/'])
  assert.equal((await get('/latest/x/')).text, '<h1>Docs</h1>')
})

test('a single-page application gets its page for its own paths, and 404 for missing files', async (t) => {
  const { get } = await show(t, await writeFolder(t, SITE), { fallback: '/index.html' })
  for (const path of ['/', '/users/7', '/users/7/']) {
    const reply = await get(path)
    assert.equal(reply.status, 200, path)
    assert.equal(reply.text, '<h1>Home</h1>', path)
  }
  assert.equal((await get('/assets/gone-123.js')).status, 404)
})

test('a fallback that is a folder without a file for folders is 404', async (t) => {
  const { get } = await show(t, await writeFolder(t, { 'app/main.js': '' }), { fallback: '/app' })
  assert.equal((await get('/users/7/')).status, 404)
})

test('files with hashed names are cacheable for a year', async (t) => {
  const root = await writeFolder(t, { 'assets/app-1.js': '1', 'index.html': '' })
  const { get } = await show(t, root, { immutable: ['/assets/*'] })
  assert.equal((await get('/assets/app-1.js')).headers['cache-control'], 'public, max-age=31536000, immutable')
  assert.equal((await get('/')).headers['cache-control'], 'no-cache')
})

test('precompressed files are sent to clients that accept the coding', async (t) => {
  const root = await writeFolder(t, {
    'app.js': 'plain',
    'app.js.br': 'as br',
    'app.js.gz': 'as gzip',
    'app.js.zst': 'as zstd',
    'other.js': 'plain',
  })
  const { get } = await show(t, root, { precompressed: ['br', 'zstd', 'gzip'] })
  const coded = async (accepted: string, path = '/app.js') => {
    const { headers, text } = await get(path, { 'Accept-Encoding': accepted })
    assert.equal(headers.vary, 'Accept-Encoding')
    assert.equal(headers['content-type'], 'text/javascript; charset=utf-8')
    return [headers['content-encoding'], text, headers.etag]
  }
  const tags = new Set<unknown>()
  for (const [accepted, coding, text] of [
    ['gzip, br', 'br', 'as br'],
    ['gzip', 'gzip', 'as gzip'],
    ['zstd, gzip;q=0.5', 'zstd', 'as zstd'],
    ['br;q=0, identity', undefined, 'plain'],
    ['deflate', undefined, 'plain'],
  ] as const) {
    const [got, content, etag] = await coded(accepted)
    assert.deepEqual([got, content], [coding, text], accepted)
    tags.add(etag)
  }
  assert.equal(tags.size, 4)
  assert.deepEqual((await coded('br', '/other.js')).slice(0, 2), [undefined, 'plain'])
  assert.equal((await get('/app.js')).text, 'plain')
})

// Each as nginx 1.22 answers it with `if_modified_since before`, but for two: it sends several ranges as multipart/byteranges, and looks at
// If-Modified-Since beside If-None-Match, which RFC 9110 section 13.1.3 forbids.
const DATE = CHANGED.toUTCString()
const EARLIER = new Date(CHANGED.getTime() - 1000).toUTCString()
const LATER = new Date(CHANGED.getTime() + 1000).toUTCString()
const CONDITIONS: readonly (readonly [headers: Record<string, string>, status: number, range?: string])[] = [
  [{}, 200],
  [{ Range: 'bytes=0-0' }, 206, 'bytes 0-0/10'],
  [{ Range: 'bytes=0-4' }, 206, 'bytes 0-4/10'],
  [{ Range: 'bytes=5-' }, 206, 'bytes 5-9/10'],
  [{ Range: 'bytes=-3' }, 206, 'bytes 7-9/10'],
  [{ Range: 'bytes=-100' }, 206, 'bytes 0-9/10'],
  [{ Range: 'bytes=0-100' }, 206, 'bytes 0-9/10'],
  [{ Range: 'bytes=9-9' }, 206, 'bytes 9-9/10'],
  [{ Range: 'bytes=10-' }, 416, 'bytes */10'],
  [{ Range: 'bytes=10-20' }, 416, 'bytes */10'],
  [{ Range: 'bytes=-0' }, 416, 'bytes */10'],
  [{ Range: 'lines=0-4' }, 200],
  [{ 'If-None-Match': 'TAG' }, 304],
  [{ 'If-None-Match': 'W/TAG' }, 304],
  [{ 'If-None-Match': '"a", TAG' }, 304],
  [{ 'If-None-Match': '*' }, 304],
  [{ 'If-None-Match': '"a"' }, 200],
  [{ 'If-None-Match': '"a"', 'If-Modified-Since': LATER }, 200],
  [{ 'If-None-Match': 'TAG', 'If-Modified-Since': EARLIER }, 304],
  [{ 'If-None-Match': 'TAG', Range: 'bytes=0-4' }, 304],
  [{ 'If-Modified-Since': DATE }, 304],
  [{ 'If-Modified-Since': LATER }, 304],
  [{ 'If-Modified-Since': EARLIER }, 200],
  [{ 'If-Modified-Since': 'some day' }, 200],
  [{ 'If-Match': 'TAG' }, 200],
  [{ 'If-Match': '*' }, 200],
  [{ 'If-Match': '"a"' }, 412],
  [{ 'If-Match': 'W/TAG' }, 412],
  [{ 'If-Match': '"a", TAG', Range: 'bytes=0-4' }, 206, 'bytes 0-4/10'],
  [{ 'If-Unmodified-Since': DATE }, 200],
  [{ 'If-Unmodified-Since': LATER }, 200],
  [{ 'If-Unmodified-Since': EARLIER }, 412],
  [{ 'If-Range': 'TAG', Range: 'bytes=0-4' }, 206, 'bytes 0-4/10'],
  [{ 'If-Range': '"a"', Range: 'bytes=0-4' }, 200],
  [{ 'If-Range': 'W/TAG', Range: 'bytes=0-4' }, 200],
  [{ 'If-Range': DATE, Range: 'bytes=0-4' }, 206, 'bytes 0-4/10'],
  [{ 'If-Range': EARLIER, Range: 'bytes=0-4' }, 200],
  [{ 'If-Range': LATER, Range: 'bytes=0-4' }, 200],
  [{ Range: 'bytes=0-1,4-5' }, 200],
]

test('conditional and range requests follow RFC 9110', async (t) => {
  const { get } = await show(t, await writeFolder(t, { 'ten.txt': '0123456789' }))
  const etag = (await get('/ten.txt')).headers.etag ?? ''
  for (const [written, status, range] of CONDITIONS) {
    const headers = Object.fromEntries(
      Object.entries(written).map(([name, value]) => [name, value.replaceAll('TAG', etag)]),
    )
    const reply = await get('/ten.txt', headers)
    const what = JSON.stringify(written)
    assert.equal(reply.status, status, what)
    assert.equal(reply.headers['content-range'], range, what)
    if (status === 200) assert.equal(reply.text, '0123456789', what)
    if (status === 304) {
      assert.equal(reply.headers.etag, etag, what)
      assert.equal(reply.headers['content-type'], undefined, what)
    }
    if (status !== 206) continue
    const [, from, to] = /(\d+)-(\d+)/.exec(range ?? '') ?? []
    assert.equal(reply.text, '0123456789'.slice(Number(from), Number(to) + 1), what)
  }
})

test('ranges of large files are sent', async (t) => {
  const { get } = await show(t, await writeFolder(t, SITE))
  const reply = await get('/data.bin', { Range: 'bytes=100001-250000' })
  assert.equal(reply.status, 206)
  assert.equal(reply.headers['content-range'], 'bytes 100001-250000/300000')
  assert.deepEqual(reply.body, SITE['data.bin'].subarray(100_001, 250_001))
})

test('files outside of the folder and dotfiles are not served', async (t) => {
  const base = await writeFolder(t, {
    'secret.txt': 'secret',
    'public/a.txt': 'a',
    'public/.env': 'secret',
    'public/.git/config': 'secret',
    'public/.well-known/security.txt': 'contact',
    'public/a.txt.d/x': 'x',
    'public-too/secret.txt': 'secret',
  })
  const root = join(base, 'public')
  await symlink(join(base, 'secret.txt'), join(root, 'leads-out'))
  await symlink(base, join(root, 'folder-out'))
  await symlink('../public-too', join(root, 'beside'))
  await symlink('.env', join(root, 'leads-to-dot'))
  await symlink('.git', join(root, 'folder-dot'))
  await symlink('loop', join(root, 'loop'))
  await symlink('a.txt', join(root, 'leads-in'))
  const { port, get } = await show(t, root, {}, { encodedSlashes: true })
  assert.equal((await get('/leads-in')).text, 'a')
  assert.equal((await get('/.well-known/security.txt')).text, 'contact')
  const client = await connect(t, port)
  for (const path of [
    '/leads-out',
    '/folder-out/secret.txt',
    '/folder-out/',
    '/beside/secret.txt',
    '/leads-to-dot',
    '/folder-dot/config',
    '/loop',
    '/.env',
    '/%2eenv',
    '/.git/config',
    '/.git/',
    '/.git',
    '/../secret.txt',
    '/%2e%2e/secret.txt',
    '/..%2fsecret.txt',
    '/..%2Fsecret.txt',
    '/..%5csecret.txt',
    '/..\\secret.txt',
    '/x/../../secret.txt',
    '/x%2f..%2f..%2fsecret.txt',
    '/%252e%252e/secret.txt',
    '/..;/secret.txt',
    '/..;x=1/secret.txt',
    '/%c0%ae%c0%ae/secret.txt',
    '/a.txt%00.html',
    '/a.txt%00',
    '/%00',
    '/a.txt%2f',
    '/A.TXT',
    '/a.txt.',
    '/a.txt::$DATA',
    '//secret.txt',
    '///etc/passwd',
    '/file:///etc/passwd',
    `/${'a/'.repeat(2000)}`,
    `/${'a'.repeat(5000)}`,
    '/%ff',
    '/public-too/secret.txt',
  ]) {
    client.write(`GET ${path} HTTP/1.1\r\nHost: example.com\r\n\r\n`)
    const { start, body } = await client.reply('GET')
    assert.match(start, /^HTTP\/1\.1 (?:400|404|414) /, path)
    assert.doesNotMatch(body.toString(), /^secret|^a$/, path)
  }
})

test('a changed file is served within a second, and a deleted one is 404', async (t) => {
  const root = await writeFolder(t, { 'a.txt': 'one', 'big.txt': 'x'.repeat(100_000) })
  const { get, clock } = await show(t, root)
  const before = await get('/a.txt')
  await writeFile(join(root, 'a.txt'), 'two')
  await utimes(join(root, 'a.txt'), CHANGED, new Date(CHANGED.getTime() + 5))
  clock.advance(1_000)
  const after = await get('/a.txt')
  assert.deepEqual([before.text, after.text], ['one', 'two'])
  assert.notEqual(after.headers.etag, before.headers.etag)
  // A file that is not kept in memory is never sent with the metadata of an earlier version.
  const big = await get('/big.txt')
  await writeFile(join(root, 'new.txt'), 'y'.repeat(90_000))
  await rename(join(root, 'new.txt'), join(root, 'big.txt'))
  const replaced = await get('/big.txt')
  assert.equal(replaced.text, 'y'.repeat(90_000))
  assert.notEqual(replaced.headers.etag, big.headers.etag)
  await rm(join(root, 'a.txt'))
  clock.advance(1_000)
  assert.equal((await get('/a.txt')).status, 404)
})

test('a folder that is a symbolic link can be switched between requests', async (t) => {
  const base = await writeFolder(t, { 'v1/a.txt': 'one', 'v2/a.txt': 'two' })
  const root = join(base, 'current')
  await symlink('v1', root)
  const { get, clock } = await show(t, root)
  assert.equal((await get('/a.txt')).text, 'one')
  await symlink('v2', join(base, 'next'))
  await rename(join(base, 'next'), root)
  clock.advance(1_000)
  assert.equal((await get('/a.txt')).text, 'two')
})

test('a slow reader gets its files unchanged, whatever else is sent meanwhile', async (t) => {
  const site = { 'a.txt': Buffer.alloc(30_000, 'a'), 'b.txt': Buffer.alloc(10_000, 'b') }
  const { port, get } = await show(t, await writeFolder(t, site))
  const slow = await connect(t, port)
  slow.socket.pause()
  const times = 400
  // More than the system buffers for a reader that does not read.
  slow.write('GET /a.txt HTTP/1.1\r\nHost: a\r\n\r\nGET /b.txt HTTP/1.1\r\nHost: a\r\n\r\n'.repeat(times))
  for (let i = 0; i < 20; i++) {
    assert.deepEqual((await get('/a.txt')).body, site['a.txt'])
    assert.deepEqual((await get('/b.txt', { Connection: 'close' })).body, site['b.txt'])
  }
  slow.socket.resume()
  for (let i = 0; i < times; i++) {
    for (const content of Object.values(site)) {
      const { start, body } = await slow.reply()
      assert.equal(start, 'HTTP/1.1 200 OK')
      assert.ok(body.equals(content))
    }
  }
})
