import assert from 'node:assert/strict'
import { X509Certificate } from 'node:crypto'
import { once } from 'node:events'
import { chmod, mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test, { type TestContext } from 'node:test'
import { connect, createServer } from 'node:tls'
import { readKeyPair } from '../src/tls/key-pair.ts'
import { cleanUp } from './support/cleanup.ts'
import { selfSigned } from './support/certificates.ts'
import { type Printed, runHere } from './support/run-here.ts'

const DAY = 24 * 3_600_000

/** Runs the command in its own folder, which also has the CA. */
async function workshop(t: TestContext) {
  const folder = await mkdtemp(join(tmpdir(), 'sallyport-'))
  cleanUp(t, () => rm(folder, { recursive: true }))
  const env = { XDG_DATA_HOME: join(folder, 'data') }
  return {
    path: (...names: string[]): string => join(folder, ...names),
    make: (...args: string[]): Promise<Printed> => runHere(['certificate', ...args], { cwd: folder, env }),
    read: (...names: string[]): Promise<string> => readFile(join(folder, ...names), 'utf8'),
  }
}

async function modeOf(file: string): Promise<number> {
  return (await stat(file)).mode & 0o777
}

test('by default it creates a certificate for localhost, accepted by clients that trust the authority', async (t) => {
  const { make, path, read } = await workshop(t)
  const { code, stdout, stderr } = await make()
  assert.deepEqual([code, stderr], [0, ''])
  assert.deepEqual((await readdir(path('tls'))).toSorted(), ['ca.pem', 'localhost-key.pem', 'localhost.pem'])
  for (const key of [path('tls', 'localhost-key.pem'), path('data', 'sallyport', 'ca-key.pem')])
    assert.equal(await modeOf(key), 0o600)
  assert.equal(await modeOf(path('data', 'sallyport')), 0o700)
  assert.match(stdout, /cert: tls\/localhost\.pem, key: tls\/localhost-key\.pem/)
  assert.match(stdout, /curl --cacert tls\/ca\.pem https:\/\/localhost:8443\//)
  const files = { cert: path('tls', 'localhost.pem'), key: path('tls', 'localhost-key.pem') }
  const { pair, problems, names, notBefore, notAfter } = readKeyPair(files, Date.now())
  assert.deepEqual([problems, names], [[], ['localhost', '127.0.0.1', '::1']])
  assert.equal(notAfter - notBefore, 825 * DAY)
  const server = createServer({ ...pair! }, (socket) => socket.end('hello'))
  cleanUp(t, () => server.close())
  await once(server.listen(0, '127.0.0.1'), 'listening')
  const { port } = server.address() as AddressInfo
  const ca = await read('tls', 'ca.pem')
  for (const servername of ['localhost', '']) {
    const socket = connect({ port, host: '127.0.0.1', servername, ca })
    assert.equal((await socket.setEncoding('utf8').toArray()).join(''), 'hello')
  }
})

test('the authority is created once, and used for all names and folders', async (t) => {
  const { make, path, read } = await workshop(t)
  assert.match((await make()).stdout, /the authority, which is new/)
  const more = await make('*.shop.test', 'münchen.test', '192.168.1.7', '--out', 'x/y', '--days', '30')
  assert.match(more.stdout, /the authority, the same as before/)
  assert.equal(await read('tls', 'ca.pem'), await read('x', 'y', 'ca.pem'))
  const made = new X509Certificate(await read('x', 'y', '_wildcard.shop.test.pem'))
  assert.equal(made.subjectAltName, 'DNS:*.shop.test, DNS:xn--mnchen-3ya.test, IP Address:192.168.1.7')
  assert.equal(made.validToDate.getTime() - made.validFromDate.getTime(), 30 * DAY)
  assert.ok(made.verify(new X509Certificate(await read('tls', 'ca.pem')).publicKey))
  assert.equal((await make('a.test', '--ca', path('other'))).code, 1)
  assert.equal((await make('a.test', '--ca', path('other'), '--out', path('third'))).code, 0)
  assert.notEqual(await read('third', 'ca.pem'), await read('tls', 'ca.pem'))
})

test('nothing is overwritten without --force', async (t) => {
  const { make, path, read } = await workshop(t)
  await make()
  const before = await Promise.all(['localhost.pem', 'localhost-key.pem'].map((name) => read('tls', name)))
  const refused = await make()
  assert.deepEqual([refused.code, refused.stdout], [1, ''])
  assert.match(
    refused.stderr,
    /^tls\/localhost\.pem already exists: overwrite it with --force, or choose another folder/,
  )
  await rm(path('tls', 'localhost.pem'))
  assert.match((await make()).stderr, /^tls\/localhost-key\.pem already exists/)
  await writeFile(path('tls', 'localhost.pem'), before[0]!)
  await chmod(path('tls', 'localhost-key.pem'), 0o644)
  assert.equal((await make('--force')).code, 0)
  assert.notEqual(await read('tls', 'localhost-key.pem'), before[1])
  assert.equal(await modeOf(path('tls', 'localhost-key.pem')), 0o600)
  await mkdir(path('own'))
  await writeFile(path('own', 'ca.pem'), 'of somebody else')
  const foreign = await make('--out', 'own')
  assert.match(foreign.stderr, /^own\/ca\.pem already exists/)
  assert.deepEqual(await readdir(path('own')), ['ca.pem'])
  // The files of the CA have these names.
  assert.equal((await make('ca', '--out', path('data', 'sallyport'))).code, 0)
  assert.equal((await make('b.test')).code, 0)
})

test('a client certificate has the name of the client, and is valid for clients only', async (t) => {
  const { make, read } = await workshop(t)
  const { code, stdout } = await make('--client', 'alice')
  assert.equal(code, 0)
  assert.doesNotMatch(stdout, /listeners/)
  const made = new X509Certificate(await read('tls', 'alice.pem'))
  assert.deepEqual([made.subject, made.subjectAltName, made.keyUsage], ['CN=alice', 'DNS:alice', ['1.3.6.1.5.5.7.3.2']])
  await make('--client', 'alice@example.com')
  const mail = new X509Certificate(await read('tls', 'alice@example.com.pem'))
  assert.deepEqual([mail.subject, mail.subjectAltName], ['CN=alice@example.com', 'email:alice@example.com'])
})

test('invalid names, days and clients are usage errors', async (t) => {
  const { make, path } = await workshop(t)
  for (const [args, problem] of [
    [['https://localhost'], '"https://localhost" is not a valid name'],
    [['a..b'], '"a..b" is not a valid name'],
    [['alice@example.com'], '"alice@example.com" is not a valid name'],
    [['*'], '"*" is not a valid name'],
    [['a.test', '--days', '826'], '--days: expected a number from 1 to 825, not "826"'],
    [['--days', '0'], '--days: expected'],
    [['--client'], '--client: expected the name of the client'],
    [['--client', 'a'.repeat(65)], 'is not a valid name'],
    [['--nonsense'], "unknown option '--nonsense'"],
  ] as const) {
    const { code, stdout, stderr } = await make(...args)
    assert.deepEqual([code, stdout], [64, ''], args.join(' '))
    assert.ok(stderr.includes(problem), stderr)
    assert.match(stderr, /Usage: sallyport certificate/)
  }
  assert.deepEqual(await readdir(path()), [])
})

test('a broken authority is reported and left alone', async (t) => {
  const { make, path, read } = await workshop(t)
  await make()
  const key = await read('data', 'sallyport', 'ca-key.pem')
  await rm(path('data', 'sallyport', 'ca-key.pem'))
  const without = await make('a.test')
  assert.deepEqual([without.code, without.stdout], [1, ''])
  assert.match(without.stderr, /^The local authority cannot be used:\n.*ca-key\.pem: no such file\nRemove both files/)
  // Not a CA: it may not sign.
  const foreign = selfSigned()
  await writeFile(path('data', 'sallyport', 'ca.pem'), foreign.cert)
  await writeFile(path('data', 'sallyport', 'ca-key.pem'), foreign.key)
  assert.match((await make('a.test')).stderr, /ca\.pem was not created by this command/)
  await writeFile(path('data', 'sallyport', 'ca.pem'), await read('tls', 'ca.pem'))
  await writeFile(path('data', 'sallyport', 'ca-key.pem'), key)
  assert.equal((await make('a.test')).code, 0)
})

test('a folder that cannot be created is reported with the system error', async (t) => {
  const { make, path } = await workshop(t)
  await writeFile(path('file'), '')
  const { code, stderr } = await make('--out', 'file/inside')
  assert.equal(code, 1)
  assert.match(stderr, /ENOTDIR.*file\/inside/)
})
