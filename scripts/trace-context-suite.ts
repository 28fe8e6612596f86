/**
 * Runs the public test suite w3c/trace-context against the gateway and prints its report:
 * node scripts/trace-context-suite.ts <folder of the suite> [names of tests]
 *
 * The gateway is in both directions: the suite calls a service through it, and the service's requests to the suite pass through it again,
 * with no trace headers except those that the gateway sent to the service. It needs Python with aiohttp; the variable PYTHON names the
 * interpreter if it is not python3.
 */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { json } from 'node:stream/consumers'
import { z } from 'zod'
import { createGateway } from '../src/gateway.ts'

const HARNESS = '127.0.0.1:7777'

const actionsSchema = z.array(z.object({ url: z.string(), arguments: z.unknown() }))

const [folder, ...names] = process.argv.slice(2)
if (folder === undefined) throw new Error('Usage: node scripts/trace-context-suite.ts <folder> [names of tests]')

let gatewayPort = 0
const service = createServer((incoming, response) => {
  const { traceparent, tracestate } = incoming.headers
  const trace = {
    ...(typeof traceparent === 'string' && { traceparent }),
    ...(typeof tracestate === 'string' && { tracestate }),
  }
  void json(incoming)
    .then(async (actions) => {
      for (const action of actionsSchema.parse(actions)) await post(action.url, action.arguments, trace)
    })
    .then(
      () => response.end('{}'),
      (error: unknown) => response.writeHead(500).end(String(error)),
    )
})
service.listen(0, '127.0.0.1')
await once(service, 'listening')

const gateway = await createGateway({
  listeners: [{ address: '127.0.0.1:0' }],
  log: { access: false, level: 'warn' },
  services: {
    service: { instances: [`http://127.0.0.1:${addressOf(service.address()).port}`], health: false },
    suite: { instances: [`http://${HARNESS}`], health: false },
  },
  routes: [
    { id: 'service', match: { path: '/test' }, service: 'service' },
    { id: 'suite', match: { path: '/*' }, service: 'suite' },
  ],
})
gatewayPort = gateway.addresses[0]!.port

const suite = spawn(process.env['PYTHON'] ?? 'python3', ['test.py', `http://127.0.0.1:${gatewayPort}/test`, ...names], {
  cwd: join(folder, 'test'),
  env: { ...process.env, SPEC_LEVEL: '2', STRICT_LEVEL: '2' },
  stdio: 'inherit',
})
await once(suite, 'exit')
process.exitCode = suite.exitCode ?? 1
await gateway.close()
service.close()

/** Sends the requests that the suite asks for, through the gateway. */
async function post(url: string, body: unknown, headers: Record<string, string>): Promise<void> {
  const { host, pathname } = new URL(url)
  if (host !== HARNESS) throw new Error(`${url} is not the suite's`)
  const response = await fetch(`http://127.0.0.1:${gatewayPort}${pathname}`, {
    method: 'POST',
    headers: { ...headers, 'Content-Type': 'application/json' },
    body: JSON.stringify(body),
  })
  await response.arrayBuffer()
}

function addressOf(address: string | AddressInfo | null): AddressInfo {
  if (address === null || typeof address === 'string') throw new Error('the service has no port')
  return address
}
