/**
 * Loaded into every process of a test: whoever listens on a port that the demo, or a server of the machine, may have, or
 * connects to one, fails and says so. A test takes port 0, or a port that was free a moment ago.
 */
import { Server, Socket } from 'node:net'

/** The demo's, the defaults of the gateway among them; those of Redis, Prometheus and the inspector; and a few that others like. */
const USUAL = new Set([8000, 8001, 8002, 8003, 8004, 8005, 8011, 8012, 8013, 9000, 6379, 9090, 9229, 3000, 8080])

/** Names of services, as in the configuration of the image, lead nowhere. */
const LOCAL = /^(?:localhost|127\.|0\.0\.0\.0|\[?::)/

const listen = Reflect.get(Server.prototype, 'listen')
Server.prototype.listen = function (...args) {
  refuse('listens on', args[0])
  return Reflect.apply(listen, this, args)
}

const connect = Reflect.get(Socket.prototype, 'connect')
Socket.prototype.connect = function (...args) {
  // Within Node the arguments come as one list.
  refuse('connects to', Array.isArray(args[0]) ? args[0][0] : args[0])
  return Reflect.apply(connect, this, args)
}

function refuse(what, target) {
  const { port, host } = typeof target === 'object' && target !== null ? target : { port: target }
  if (USUAL.has(Number(port)) && (host === undefined || LOCAL.test(host)))
    throw new Error(`a test ${what} port ${port}, which others may have: take port 0`)
}
