/** Relays bytes between each client and a dedicated connection to the service, without looking at them. */
import net from 'node:net'

const [port, backendPort] = process.argv.slice(2).map(Number)

const server = net.createServer({ noDelay: true }, (client) => {
  const service = net.connect({ port: backendPort, host: '127.0.0.1', noDelay: true })
  pass(client, service)
  pass(service, client)
})
server.listen(port, '127.0.0.1', 4096)

function pass(from, to) {
  from.on('data', (bytes) => {
    if (!to.write(bytes)) from.pause()
  })
  to.on('drain', () => from.resume())
  from.on('error', () => to.destroy())
  from.on('close', () => to.destroySoon())
}
