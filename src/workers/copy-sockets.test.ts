import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { type AddressInfo, createServer } from 'node:net'
import { once } from 'node:events'
import test from 'node:test'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { copySockets } from './copy-sockets.ts'

const FEW_FILES = fileURLToPath(new URL('../../test/support/copy-with-few-files.ts', import.meta.url))

/** Timers that keep the process. */
const timers = (): number => process.getActiveResourcesInfo().filter((resource) => resource === 'Timeout').length

test('a copy listens on the port of its socket, and leaves no timer behind', async (t) => {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.after(() => server.close())
  const { port } = server.address() as AddressInfo
  const { fd } = Reflect.get(server, '_handle') as { fd: number }
  const before = timers()
  const [copy] = await copySockets([fd], [{ host: '127.0.0.1', port }])
  assert.notEqual(copy!.fd, fd)
  // Those of earlier tests may end meanwhile.
  assert.ok(timers() <= before)
  copy!.close()
})

test('a closed descriptor, or one that is no socket, rejects rather than throws', async () => {
  for (const descriptor of [100_000, 0])
    await assert.rejects(copySockets([descriptor], [{ host: '127.0.0.1', port: 1 }]))
})

for (const [room, where] of [
  [0, 'for the program that copies'],
  [6, 'for all copies'],
] as const)
  test(`without descriptors ${where} it fails at once, and says what to do`, async () => {
    const limited = ['-c', 'ulimit -n 100; exec "$0" "$@"', process.execPath, FEW_FILES, String(room)]
    const { stdout } = await promisify(execFile)('sh', limited)
    assert.equal(
      stdout,
      'the listening sockets could not be copied: too many files are open; raise the limit (ulimit -Hn, LimitNOFILE), or lower limits.connections\n',
    )
  })
