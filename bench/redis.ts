import { loadCore, start, type Child } from './children.ts'
import { freePort } from './proxy.ts'

/** Starts a Redis server without persistence on the load's core; clients retry until it listens. */
export async function startRedis(dir: string): Promise<{ port: number; child: Child }> {
  const port = await freePort()
  const args = ['--port', String(port), '--bind', '127.0.0.1', '--save', '', '--appendonly', 'no', '--dir', dir]
  return { port, child: start({ command: 'redis-server', args }, loadCore) }
}
