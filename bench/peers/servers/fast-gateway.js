import http from 'node:http'
import gateway from 'fast-gateway'
import restana from 'restana'

const [port, backendPort, connections] = process.argv.slice(2).map(Number)

const server = http.createServer({ keepAliveTimeout: 600_000 })

await gateway({
  server: restana({ server }),
  routes: [
    {
      prefix: '/',
      prefixRewrite: '/',
      pathRegex: '*',
      target: `http://127.0.0.1:${backendPort}`,
      proxyConfig: { maxSockets: connections, maxFreeSockets: connections },
      hooks: {
        rewriteRequestHeaders(req, headers) {
          headers['x-forwarded-for'] = req.socket.remoteAddress
          headers['x-forwarded-proto'] = 'http'
          return headers
        },
        // Otherwise the reply for a client that has disconnected is never read, and its socket never returns to the pool.
        onClientConnectionTerminated(res, error, response) {
          response?.stream.destroy()
        },
      },
    },
  ],
}).start(port, '127.0.0.1', 4096)
