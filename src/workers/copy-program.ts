/**
 * A program of its own: sends back over IPC a copy of each listening socket that it was started with, from descriptor 4
 * on, whose port is the argument in its place. Node has no other way to copy a descriptor. It accepts nothing: the sockets
 * are opened as if they were connections, and never read.
 */
import { Socket } from 'node:net'
import { handleOf } from '../core/node-internals.ts'
import { listeningAddress } from './listening-address.ts'

const FIRST = 4

for (const [index, port] of process.argv.slice(2).entries()) {
  const socket = new Socket({ fd: FIRST + index, readable: false, writable: false })
  // The thread whose socket it is may have ended meanwhile, and the number stand for something else.
  if (listeningAddress(socket)?.port !== Number(port)) process.exit(1)
  const handle = handleOf(socket)
  // Not among the types: sockets are sent as connections or servers, and this is to become neither here.
  // `send` is there, since the program is started with IPC.
  // oxlint-disable-next-line typescript/unbound-method -- it is called on its owner
  Reflect.apply(process.send!, process, [{ index }, handle])
}
// Stays until the other side has all of them, and disconnects.
process.on('message', () => {})
