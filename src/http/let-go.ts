import type { Socket } from 'node:net'
import { readSymbolsOf } from '../core/node-internals.ts'

/**
 * Removes all listeners of the socket, and whatever reads from it, once it is closed and they have been told.
 *
 * Every stream of Node that can be written to has a function assigned to a property (`WritableState.onwrite`). V8
 * allocates such a function in the old generation right away, so no scavenge frees it, or the socket that it refers to:
 * both wait for the next full collection. This keeps the connection, with its last exchange, from waiting with them.
 */
export function letGoOnClose(socket: Socket): void {
  socket.on('close', letGo)
}

function letGo(this: Socket): void {
  this.removeAllListeners()
  this.on('error', ignore)
  const symbols = readSymbolsOf(this)
  if (symbols === null) return
  Reflect.set(this, symbols.buffer, null)
  Reflect.set(this, symbols.next, null)
  Reflect.set(this, symbols.take, null)
}

function ignore(): void {}
