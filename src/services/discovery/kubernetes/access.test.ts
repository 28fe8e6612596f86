import assert from 'node:assert/strict'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test, { type TestContext } from 'node:test'
import { cleanUp } from '../../../../test/support/cleanup.ts'
import { accessOf } from './access.ts'

async function mount(t: TestContext): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'sallyport-mount-'))
  cleanUp(t, () => rm(folder, { recursive: true }))
  await writeFile(join(folder, 'token'), 'first\n')
  await writeFile(join(folder, 'ca.crt'), 'authority')
  await writeFile(join(folder, 'namespace'), 'shop')
  return folder
}

const ENV = { KUBERNETES_SERVICE_HOST: '10.96.0.1', KUBERNETES_SERVICE_PORT: '6443' }

test('in a pod the API server and credentials are those of the cluster, read each time', async (t) => {
  const folder = await mount(t)
  assert.deepEqual(await accessOf({}, ENV, folder), {
    server: 'https://10.96.0.1:6443',
    token: 'first',
    ca: 'authority',
    namespace: 'shop',
  })
  await writeFile(join(folder, 'token'), 'second')
  const access = await accessOf({ namespace: 'other' }, { KUBERNETES_SERVICE_HOST: 'fd00::1' }, folder)
  assert.deepEqual([access.server, access.token, access.namespace], ['https://[fd00::1]:443', 'second', 'other'])
})

test('outside of a cluster the options are used, and mounted credentials are not sent to another server', async (t) => {
  const folder = await mount(t)
  const access = await accessOf({ server: 'http://127.0.0.1:8001/', namespace: 'shop' }, ENV, folder)
  assert.deepEqual(access, { server: 'http://127.0.0.1:8001', token: null, ca: null, namespace: 'shop' })
})

test('missing options are reported', async () => {
  await assert.rejects(
    accessOf({ namespace: 'shop' }, ENV, '/nowhere'),
    /^Error: \/nowhere\/token cannot be read \(ENOENT/,
  )
  await assert.rejects(
    accessOf({ namespace: 'shop' }, {}, import.meta.dirname).catch((error: unknown) => Promise.reject(error)),
    /cannot be read/,
  )
})

test('without a cluster the error says so', async (t) => {
  const folder = await mount(t)
  await assert.rejects(accessOf({}, {}, folder), /not in a cluster, as KUBERNETES_SERVICE_HOST is not set/)
})
