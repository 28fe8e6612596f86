import proxy from '@fastify/http-proxy'
import fastify from 'fastify'

const [port, backendPort, connections] = process.argv.slice(2).map(Number)

const app = fastify({ logger: false, keepAliveTimeout: 600_000, bodyLimit: 64 * 1024 * 1024 })

await app.register(proxy, {
  upstream: `http://127.0.0.1:${backendPort}`,
  undici: { connections, pipelining: 1, keepAliveTimeout: 600_000 },
  replyOptions: {
    rewriteRequestHeaders: (request, headers) => ({
      ...headers,
      'x-forwarded-for': request.ip,
      'x-forwarded-proto': request.protocol,
      'x-forwarded-host': request.host,
    }),
    // Otherwise the service's `Connection: keep-alive` is sent to a client that has asked to close.
    rewriteHeaders(headers) {
      delete headers.connection
      return headers
    },
  },
})
await app.listen({ port, host: '127.0.0.1', backlog: 4096 })
