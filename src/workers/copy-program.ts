/**
 * A separate program: sends back over IPC a copy of each listening socket it was started with, from descriptor 4 on, provided its port
 * matches the corresponding argument, and then 'sent'. Node has no other way to duplicate a descriptor. It accepts no connections: the sockets are opened as
 * if they were connections, and never read.
 */
import { Socket } from 'node:net'
import { handleOf } from '../core/node-internals.ts'
import { listeningAddress } from './listening-address.ts'

const FIRST = 4

for (const [index, port] of process.argv.slice(2).entries()) {
  const socket = new Socket({ fd: FIRST + index, readable: false, writable: false })
  // The thread that owned the socket may have ended in the meantime, and its descriptor number may have been reused.
  if (listeningAddress(socket)?.port !== Number(port)) process.exit(1)
  const handle = handleOf(socket)
  // Sending a raw handle is not in the types: sockets are usually sent as connections or servers, and here it must become neither.
  // `send` exists, as the program is started with IPC.
  // oxlint-disable-next-line typescript/unbound-method -- it is called on its owner
  Reflect.apply(process.send!, process, [{ index }, handle])
}
// Waits until the other side has acknowledged each copy, or that it could not receive it.
process.send!('sent')
// Keeps running until the other side has received all of them and disconnects.
process.on('message', () => {})
