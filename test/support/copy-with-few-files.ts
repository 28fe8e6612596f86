/** A program that copies a listening socket six times while its limit of open files leaves room for as many files as its argument says. */
import { once } from 'node:events'
import { closeSync, openSync } from 'node:fs'
import { type AddressInfo, createServer } from 'node:net'
import { messageOf } from '../../src/core/error-facts.ts'
import { copySockets } from '../../src/workers/copy-sockets.ts'

const COPIES = 6

const server = createServer().listen(0, '127.0.0.1')
await once(server, 'listening')
const { port } = server.address() as AddressInfo
const { fd } = Reflect.get(server, '_handle') as { fd: number }
const opened: number[] = []
try {
  for (;;) opened.push(openSync('/dev/null', 'r'))
} catch {
  for (const descriptor of opened.slice(0, Number(process.argv[2]))) closeSync(descriptor)
}
const addresses = Array.from({ length: COPIES }, () => ({ host: '127.0.0.1', port }))
await copySockets(
  addresses.map(() => fd),
  addresses,
).then(
  (copies) => console.log(copies.length),
  (error: unknown) => console.log(messageOf(error)),
)
process.exit()
