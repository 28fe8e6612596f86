import assert from 'node:assert/strict'
import test, { type TestContext } from 'node:test'
import { startCommand, temporaryFile } from './support/command.ts'
import { holdSockets } from './support/holder.ts'
import { Load } from './support/load.ts'
import { authority, writeLeaf } from './support/tls.ts'

const HANDOVERS = 2
/** The number of requests between two handovers. */
const BETWEEN = 100

interface Setup {
  readonly workers: number
  readonly secure: boolean
}

/** A held socket, and processes that take it over from each other. */
async function setUp(t: TestContext, { workers, secure }: Setup) {
  const { ports, descriptors } = await holdSockets(t)
  const port = ports[0]!
  const { cert, key } = writeLeaf(t, authority.issue())
  const tls = secure ? `, tls: { certificates: [{ cert: '${cert}', key: '${key}' }] }` : ''
  const yaml = `
workers: ${workers}
admin: false
log: { access: false }
endpoints: { docs: false, openapi: false }
listeners: [{ address: '127.0.0.1:${port}'${tls} }]
routes: [{ id: own, match: { path: /* }, reply: { status: 200, body: own } }]
`
  const file = await temporaryFile(t, 'sallyport.yaml', yaml)
  const preload = new URL('support/patient.ts', import.meta.url).href
  return { port, next: async () => (await startCommand(t, file, { preload, sockets: descriptors })).command }
}

for (const { workers, secure } of [
  { workers: 2, secure: false },
  { workers: 1, secure: true },
])
  test(`a handover between processes${secure ? ' with TLS' : ''} loses no request, workers: ${workers}`, async (t) => {
    const { port, next } = await setUp(t, { workers, secure })
    let command = await next()
    const load = new Load(t, port, { secure, keeping: 4, connecting: 4 })
    for (let i = 0; i < HANDOVERS; i++) {
      await load.more(BETWEEN)
      const [before, after] = [command, await next()]
      before.child.kill('SIGTERM')
      const { code } = await before.ended
      assert.equal(code, 0)
      command = after
    }
    await load.more(BETWEEN)
    await load.stop()
    assert.deepEqual(load.failures, [])
    assert.ok(load.moved > 0)
  })
