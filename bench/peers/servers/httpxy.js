import http from 'node:http'
import { createProxyServer } from 'httpxy'

const [port, backendPort, connections] = process.argv.slice(2).map(Number)

const proxy = createProxyServer({
  target: `http://127.0.0.1:${backendPort}`,
  xfwd: true,
  agent: new http.Agent({ keepAlive: true, maxSockets: connections, maxFreeSockets: connections }),
})

const server = http.createServer({ keepAliveTimeout: 600_000 }, (req, res) => {
  proxy.web(req, res).catch(() => res.writeHead(502).end())
})
server.listen(port, '127.0.0.1', 4096)
