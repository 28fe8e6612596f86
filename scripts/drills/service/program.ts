/**
 * One instance of the drilled service, as a separate process: node program.ts <host> <port> <behavior as JSON>. It accepts changes of its
 * behavior as messages, reports each POST that arrives, and exits with its parent.
 */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { Slots } from './slots.ts'
import { behaviorSchema, idField, replyBytes } from './behavior.ts'

const [host = '127.0.0.1', port = '0', initial = ''] = process.argv.slice(2)
const half = Buffer.alloc(replyBytes / 2, 'x')
let behavior = behaviorSchema.parse(JSON.parse(initial))
let served = 0

const slots = new Slots(() => behavior)
const server = createServer({ keepAliveTimeout: 600_000 }, (request, response) => {
  if (request.url === '/health') return void response.end('well')
  const id = request.headers[idField]
  if (typeof id === 'string') process.send?.({ delivered: id })
  request.resume()
  const isHit = behavior.fault !== 'none' && Math.random() < behavior.share
  if (isHit && behavior.fault !== 'truncate') return fail(request, response)
  slots.serve(() => answer(request, response, isHit))
})
server.on('listening', () => process.send?.({ listening: true }))
listen()
process.on('message', (message) => {
  const before = behavior
  behavior = behaviorSchema.parse(message)
  if (before.listening === behavior.listening) return
  if (behavior.listening) listen()
  if (!behavior.listening) refuse()
})
process.on('disconnect', () => process.exit())

function listen(): void {
  server.listen({ host, port: Number(port), backlog: 4096 })
}

function refuse(): void {
  server.close()
  server.closeAllConnections()
}

function fail({ socket }: IncomingMessage, response: ServerResponse): void {
  const { fault, status } = behavior
  if (fault === 'reset') return void socket.resetAndDestroy()
  if (fault === 'close') return void socket.destroy()
  response.writeHead(status).end(half)
}

/** Every other reply is chunked. */
function answer({ socket }: IncomingMessage, response: ServerResponse, isTruncated: boolean): void {
  if (++served % 2 === 0) response.setHeader('Content-Length', replyBytes)
  response.write(half, () => {
    if (isTruncated) socket.destroy()
    if (!isTruncated) response.end(half)
  })
}
