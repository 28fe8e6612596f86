import assert from 'node:assert/strict'
import { writeFile } from 'node:fs/promises'
import type { ServerHttp2Stream } from 'node:http2'
import { join } from 'node:path'
import test, { type TestContext } from 'node:test'
import { send } from './support/client.ts'
import { startCollector } from './support/collector.ts'
import { startHttp2Service } from './support/http2-service.ts'
import { proxyTo, startGateway } from './support/gateway.ts'
import { temporaryFolder } from './support/redis.ts'
import { startService } from './support/service.ts'
import { authority, leaf } from './support/tls-service.ts'

/** Exports the spans of one request to a collector that wants a client certificate; resolves with how many it has, and the log. */
async function exportWith(t: TestContext, given: readonly string[]) {
  const collector = await startCollector(t, 200, { ...leaf, ca: authority.cert, requestCert: true })
  const folder = await temporaryFolder(t)
  const client = authority.issueClient()
  const files: Record<string, string> = {
    OTEL_EXPORTER_OTLP_CERTIFICATE: authority.cert,
    OTEL_EXPORTER_OTLP_CLIENT_CERTIFICATE: client.cert,
    OTEL_EXPORTER_OTLP_CLIENT_KEY: client.key,
  }
  const variables: Record<string, string> = {
    OTEL_EXPORTER_OTLP_ENDPOINT: collector.url,
    OTEL_EXPORTER_OTLP_TIMEOUT: '500',
  }
  for (const name of given) {
    variables[name] = join(folder, name)
    await writeFile(variables[name], files[name]!)
  }
  for (const name of Object.keys(variables)) t.after(() => delete process.env[name])
  Object.assign(process.env, variables)
  const service = await startService(t)
  const { gateway, port, log } = await startGateway(t, proxyTo(service.url))
  await send(port)
  await gateway.close()
  return { spans: collector.spans.length, log: JSON.stringify(log.lines) }
}

test('spans are exported to a collector with a custom CA that requires a client certificate', async (t) => {
  const names = ['CERTIFICATE', 'CLIENT_CERTIFICATE', 'CLIENT_KEY'].map((name) => `OTEL_EXPORTER_OTLP_${name}`)
  assert.equal((await exportWith(t, names)).spans, 2)
})

test('without the CA nothing is exported, and the log says why', async (t) => {
  const { spans, log } = await exportWith(t, [])
  assert.equal(spans, 0)
  assert.match(log, /unable to verify the first certificate|self-signed certificate/)
})

test('the span of an attempt has the scheme and the version of HTTP of the service', async (t) => {
  const collector = await startCollector(t)
  t.after(() => delete process.env['OTEL_EXPORTER_OTLP_ENDPOINT'])
  process.env['OTEL_EXPORTER_OTLP_ENDPOINT'] = collector.url
  const answer = (stream: ServerHttp2Stream): void => stream.respond({ ':status': 204 }, { endStream: true })
  const service = await startHttp2Service(t, answer, { secure: true })
  const tls = { ca: authority.cert }
  const { gateway, port } = await startGateway(t, proxyTo(service.url, { service: { http2: true, tls } }))
  assert.equal((await send(port, { path: '/users' })).status, 204)
  await gateway.close()
  const { attributes } = collector.spans.find(({ kind }) => kind === 'client')!
  assert.deepEqual([attributes['url.full'], attributes['network.protocol.version']], [`${service.url}/users`, '2'])
})
