import assert from 'node:assert/strict'
import { chmod, mkdtemp, readdir, readFile, rm, stat, truncate, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { acmeStoreContract } from '../../test/support/acme-store-contract.ts'
import { cleanUp } from '../../test/support/cleanup.ts'
import { ManualClock } from '../testing/manual-clock.ts'
import { FileStore } from './file-store.ts'

const MINUTE = 60_000

async function openFolder(t: TestContext) {
  const parent = await mkdtemp(join(tmpdir(), 'sallyport-acme-'))
  cleanUp(t, () => rm(parent, { recursive: true }))
  const [folder, clock] = [join(parent, 'acme'), new ManualClock(Date.now())]
  return { folder, clock, another: () => new FileStore(folder, clock), expire: () => clock.advance(60 * MINUTE) }
}

acmeStoreContract('files', () => Promise.resolve(openFolder))

test('only the owner can read the files', async (t) => {
  const { folder, another } = await openFolder(t)
  const store = another()
  const lock = (await store.acquire('shop.test', MINUTE))!
  await store.write(lock, 'certificate', 'PRIVATE KEY')
  await store.renew(lock, MINUTE)
  const token = 'a-token'
  await store.present({ type: 'http-01', domain: 'shop.test', token, keyAuthorization: 'x' }, MINUTE)
  const entries = await readdir(folder, { recursive: true, withFileTypes: true })
  for (const entry of entries) {
    const { mode } = await stat(join(entry.parentPath, entry.name))
    assert.equal((mode & 0o777).toString(8), entry.isDirectory() ? '700' : '600', entry.name)
  }
  assert.equal(entries.filter((entry) => entry.isFile()).length, 4)
})

test('a torn record is ignored in favor of the previous one', async (t) => {
  const { folder, another, expire } = await openFolder(t)
  const store = another()
  for (const text of ['first', 'second', 'third']) {
    const lock = (await store.acquire('shop.test', MINUTE))!
    await store.write(lock, 'certificate', text)
    await store.release(lock)
  }
  const place = join(folder, 'names', 'shop.test')
  assert.deepEqual((await readdir(place)).filter((file) => file.startsWith('certificate')).toSorted(), [
    'certificate.2',
    'certificate.3',
  ])
  for (const length of [7, 3, 0]) {
    await truncate(join(place, 'certificate.3'), length)
    assert.equal(await store.read('shop.test', 'certificate'), length === 7 ? 'third' : 'second')
  }
  // A lock that was torn holds nobody up for long.
  const [file] = (await readdir(place))
    .filter((name) => name.startsWith('lock'))
    .toSorted()
    .toReversed()
  await writeFile(join(place, file!), '{"own')
  assert.equal(await store.acquire('shop.test', MINUTE), null)
  expire()
  const lock = (await store.acquire('shop.test', MINUTE))!
  assert.equal(await store.write(lock, 'certificate', 'fourth'), true)
  assert.equal(await store.read('shop.test', 'certificate'), 'fourth')
})

test('a write just before the lock was lost does not hide later ones', async (t) => {
  const { folder, another, expire } = await openFolder(t)
  const store = another()
  const stale = (await store.acquire('shop.test', MINUTE))!
  expire()
  const lock = (await store.acquire('shop.test', MINUTE))!
  await store.write(lock, 'certificate', 'new')
  // The stale holder had looked at the lock in time, and its write comes late.
  await writeFile(join(folder, 'names', 'shop.test', `certificate.${stale.token}`), '5 stale')
  assert.equal(await store.read('shop.test', 'certificate'), 'new')
})

test('a lock token is never used twice, whatever files are deleted', async (t) => {
  const { folder, another } = await openFolder(t)
  const store = another()
  const place = join(folder, 'names', 'shop.test')
  for (const text of ['first', 'second']) {
    const lock = (await store.acquire('shop.test', MINUTE))!
    await store.write(lock, 'certificate', text)
    for (const file of await readdir(place)) if (file.startsWith('lock')) await rm(join(place, file))
  }
  assert.equal(await store.read('shop.test', 'certificate'), 'second')
  const account = join(folder, 'names', 'account-1')
  for (const text of ['first', 'second']) {
    const lock = (await store.acquire('account-1', MINUTE))!
    await store.write(lock, 'account', text)
    for (const file of await readdir(account)) if (file.startsWith('lock')) await rm(join(account, file))
  }
  assert.equal(await store.read('account-1', 'account'), 'second')
})

test('old challenges and half-written files are removed', async (t) => {
  const { folder, another, expire } = await openFolder(t)
  const store = another()
  await store.present({ type: 'http-01', domain: 'shop.test', token: 'a-token', keyAuthorization: 'x' }, MINUTE)
  await writeFile(join(folder, 'challenges', 'b-token~1f'), '17')
  assert.equal((await store.challenges()).length, 1)
  assert.equal((await readdir(join(folder, 'challenges'))).length, 2)
  expire()
  assert.deepEqual(await store.challenges(), [])
  assert.deepEqual(await readdir(join(folder, 'challenges')), [])
})

test('the error for an unusable folder names it', async (t) => {
  const { folder, another } = await openFolder(t)
  const store = another()
  await writeFile(folder, 'a file')
  await assert.rejects(store.acquire('shop.test', MINUTE), (error) => {
    assert.ok(error instanceof Error)
    assert.ok(error.message.startsWith(`the folder ${folder} for certificates cannot be used: ENOTDIR`), error.message)
    return true
  })
  await chmod(folder, 0o600)
  assert.equal(await readFile(folder, 'utf8'), 'a file')
})

test('a lock with a timestamp in the future expires', async (t) => {
  const { clock, another } = await openFolder(t)
  clock.step(365 * 24 * 60 * MINUTE)
  const lost = (await another().acquire('shop.test', MINUTE))!
  clock.step(-365 * 24 * 60 * MINUTE)
  const store = another()
  const lock = (await store.acquire('shop.test', MINUTE))!
  assert.ok(lock.token > lost.token)
  // A clock that is put back a little takes it from nobody.
  clock.step(-0.5 * MINUTE)
  assert.equal(await another().acquire('shop.test', MINUTE), null)
})
