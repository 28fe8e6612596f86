import { closeSync, fstatSync, openSync, readSync } from 'node:fs'
import { join } from 'node:path'

/** Maximum number of bytes read of a system table, and the size of one read. */
const MAX_READ = 65_536
const PAGE = 4096
/** The state of a listening socket. */
const LISTENS = '0A'
const HEADING = 'sl'

/**
 * Tells how many connections wait to be accepted, according to /proc/net/tcp and tcp6 of Linux (proc_net_tcp.rst of the
 * kernel): listening sockets come first there, and their receive queue is the number of waiting connections.
 */
export class AcceptQueue {
  private readonly tables: readonly string[]
  private readonly page = Buffer.allocUnsafeSlow(PAGE)

  constructor(folder = '/proc/net') {
    this.tables = [join(folder, 'tcp'), join(folder, 'tcp6')]
  }

  /** How many connections wait for the listening socket with that descriptor; 0 where this is unknown. */
  of(descriptor: number): number {
    try {
      const inode = String(fstatSync(descriptor).ino)
      for (const table of this.tables) {
        const waiting = this.find(table, inode)
        if (waiting !== null) return waiting
      }
    } catch {
      // Another operating system, or no permission to read the tables.
    }
    return 0
  }

  private find(path: string, inode: string): number | null {
    const table = openSync(path, 'r')
    try {
      let rest = ''
      for (let read = 0; read < MAX_READ;) {
        const bytes = readSync(table, this.page, 0, PAGE, null)
        if (bytes === 0) return null
        read += bytes
        const lines = (rest + this.page.toString('latin1', 0, bytes)).split('\n')
        rest = lines.pop() ?? ''
        for (const line of lines) {
          const [number, , , state, queues = '', , , , , socket] = line.trim().split(/\s+/)
          if (number === HEADING) continue
          if (state !== LISTENS) return null
          if (socket === inode) return Number.parseInt(queues.slice(queues.indexOf(':') + 1), 16)
        }
      }
      return null
    } finally {
      closeSync(table)
    }
  }
}
