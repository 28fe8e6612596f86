/** Asks for the stock of a product by gRPC: node examples/platform/inventory-service/ask-stock.ts http://127.0.0.1:8000 teapot [--ca FILE] */
import { readFileSync } from 'node:fs'
import { isIP } from 'node:net'
import { parseArgs } from 'node:util'
import { credentials, makeGenericClientConstructor, Metadata, type ServiceError } from '@grpc/grpc-js'
import { inventoryDefinition } from './grpc.ts'

const { values, positionals } = parseArgs({ options: { ca: { type: 'string' } }, allowPositionals: true })
const [address = 'http://127.0.0.1:8000', productId = 'teapot'] = positionals
const { protocol, host, hostname } = new URL(address)
const security =
  protocol === 'https:'
    ? credentials.createSsl(values.ca === undefined ? null : readFileSync(values.ca))
    : credentials.createInsecure()

// TLS asks for names only, and the certificate of the demo is for this one.
const named = protocol === 'https:' && isIP(hostname) !== 0 ? { 'grpc.ssl_target_name_override': 'localhost' } : {}

const Client = makeGenericClientConstructor(inventoryDefinition, 'Inventory')
const client = new Client(host, security, named)
const { path, requestSerialize, responseDeserialize } = inventoryDefinition['GetStock']!
const deadline = Date.now() + 5_000
client.makeUnaryRequest(
  path,
  requestSerialize,
  responseDeserialize,
  { productId },
  new Metadata(),
  { deadline },
  (error: ServiceError | null, stock?: unknown) => {
    client.close()
    if (error === null) return console.log(JSON.stringify(stock))
    console.error(error.message)
    process.exitCode = 1
  },
)
