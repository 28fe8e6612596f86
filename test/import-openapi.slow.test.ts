import assert from 'node:assert/strict'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test from 'node:test'
import { cleanUp } from './support/cleanup.ts'
import { startFromFile } from './support/file-gateway.ts'
import { runHere } from './support/run-here.ts'
import { startService } from './support/service.ts'

const DOCUMENT = `
openapi: 3.1.0
info: { title: Orders, version: '1' }
servers: [{ url: https://api.test/v1 }]
paths:
  /orders/{id}:
    get:
      parameters: [{ name: id, in: path, required: true, schema: { type: integer } }]
      responses: { '200': { description: OK } }
`

test('an imported document gives a gateway that accepts its requests and no others', async (t) => {
  const service = await startService(t)
  const folder = await mkdtemp(join(tmpdir(), 'sallyport-'))
  cleanUp(t, () => rm(folder, { recursive: true }))
  await writeFile(join(folder, 'orders.yaml'), DOCUMENT)
  const { code, stdout, stderr } = await runHere(
    ['import', 'openapi', 'orders.yaml', '--service', `orders=${service.url}`, '--out', 'gateway.yaml', '--strict'],
    { cwd: folder },
  )
  assert.deepEqual([code, stderr], [0, ''])
  assert.match(
    stdout,
    /orders\.yaml:7:5: exact +operation GET \/orders\/\{id\}|orders\.yaml:8:7: exact +operation GET \/orders\/\{id\}/,
  )
  const checked = await runHere(['check', 'gateway.yaml'], { cwd: folder })
  assert.equal(checked.code, 0, checked.stderr)

  const file = join(folder, 'gateway.yaml')
  const yaml = await readFile(file, 'utf8')
  await writeFile(
    file,
    `admin: false\nendpoints: { docs: false, openapi: false }\n${yaml.replace('0.0.0.0:8000', '127.0.0.1:0')}`,
  )
  const { port } = await startFromFile(t, file)
  const statusOf = async (path: string) => (await fetch(`http://127.0.0.1:${port}${path}`)).status
  assert.equal(await statusOf('/v1/orders/7'), 200)
  assert.equal(await statusOf('/v1/orders/seven'), 400)
  assert.equal(await statusOf('/v1/others'), 404)
  assert.deepEqual(
    service.received.map(({ url }) => url),
    ['/v1/orders/7'],
  )
})

test('an invalid --service is a usage error', async () => {
  const { code, stderr } = await runHere(['import', 'openapi', 'a.yaml', '--service', 'orders'])
  assert.equal(code, 64)
  assert.match(stderr, /expected a name and a URL without a path/)
})
