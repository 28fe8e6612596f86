import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import test from 'node:test'
import { ConfigError, type GatewayInput } from '../../src/gateway.ts'
import { send } from '../support/client.ts'
import { temporaryFile } from '../support/command.ts'
import { startGateway } from '../support/gateway.ts'

/** A policy that answers with what it imports, and its number of requests. */
const POLICY = `import { definePolicy, Reply, z } from 'sallyport'
import { mark } from './mark.ts'
let times = 0
export default definePolicy({
  name: 'mark',
  summary: 'Answers.',
  options: z.strictObject({}),
  create: () => () => () => Reply.json(200, \`\${mark} \${(times += 1)}\`),
})
`

test('gateway.reload loads changed policies again with their imports, and keeps unchanged ones', async (t) => {
  const file = await temporaryFile(t, 'mark-policy.ts', POLICY)
  const mark = join(dirname(file), 'mark.ts')
  writeFileSync(mark, "export const mark = 'a'")
  const input: GatewayInput = {
    listeners: [{ address: '127.0.0.1:0' }],
    admin: false,
    endpoints: { docs: false, openapi: false },
    ownPolicies: [file],
    policies: { mark: {} },
    routes: [{ id: 'all', match: { path: '/*' }, reply: {} }],
  }
  const { gateway, port } = await startGateway(t, input)
  const answer = async (): Promise<string> => String(JSON.parse((await send(port)).text))
  assert.equal(await answer(), 'a 1')
  const changed: GatewayInput = { ...input, drainTimeout: '3s' }
  assert.equal((await gateway.reload(changed)).outcome, 'applied')
  assert.equal(await answer(), 'a 2')
  assert.equal((await gateway.reload(changed)).outcome, 'unchanged')
  assert.equal(await answer(), 'a 3')
  writeFileSync(mark, "export const mark = 'b'")
  assert.equal((await gateway.reload(changed)).outcome, 'applied')
  assert.equal(await answer(), 'b 1')
  writeFileSync(mark, 'export const other = 1')
  await assert.rejects(gateway.reload(changed), ConfigError)
  assert.equal(await answer(), 'b 2')
  // The earlier one still exists, unchanged.
  writeFileSync(mark, "export const mark = 'a'")
  assert.equal((await gateway.reload(changed)).outcome, 'applied')
  assert.equal(await answer(), 'a 4')
})
