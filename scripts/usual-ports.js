/**
 * Loaded into every process of a test: listening on, or connecting to, a port that the demo or a server of the machine may use fails with
 * an error. A test uses port 0, or a port that was free a moment ago.
 */
import { Server, Socket } from 'node:net'

/** The demo's ports, which include the gateway's defaults; those of Redis, Prometheus and the inspector; and a few other popular ones. */
const USUAL = new Set([8000, 8001, 8002, 8003, 8004, 8005, 8011, 8012, 8013, 9000, 6379, 9090, 9229, 3000, 8080])

/** Service names, as in the configuration of the image, do not resolve. */
const LOCAL = /^(?:localhost|127\.|0\.0\.0\.0|\[?::)/

const listen = Reflect.get(Server.prototype, 'listen')
Server.prototype.listen = function (...args) {
  refuse('listens on', args[0])
  return Reflect.apply(listen, this, args)
}

const connect = Reflect.get(Socket.prototype, 'connect')
Socket.prototype.connect = function (...args) {
  // Node's internal calls pass the arguments as one list.
  refuse('connects to', Array.isArray(args[0]) ? args[0][0] : args[0])
  return Reflect.apply(connect, this, args)
}

function refuse(what, target) {
  const { port, host } = typeof target === 'object' && target !== null ? target : { port: target }
  if (USUAL.has(Number(port)) && (host === undefined || LOCAL.test(host)))
    throw new Error(`a test ${what} port ${port}, which may be in use: use port 0`)
}
