import { writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { once } from 'node:events'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { type Child, proxyCore, start } from '../../bench/children.ts'
import { freePort } from '../../bench/proxy.ts'

const HOST = '127.0.0.1'
const main = join(import.meta.dirname, '../../src/main.ts')

/** A gateway to be flooded. */
export interface Target {
  readonly child: Child
  readonly port: number
}

/**
 * Starts a gateway with one worker on the benchmark's core: it answers "/" itself, and everything else waits for a service that never
 * replies.
 */
export async function startTarget(dir: string): Promise<Target> {
  const silent = await freePort()
  const service = createServer(() => {})
  service.listen(silent, HOST).unref()
  await once(service, 'listening')
  const port = await freePort()
  const config = {
    listeners: [{ address: `${HOST}:${port}` }],
    admin: false,
    workers: 1,
    log: { level: 'error', access: false },
    endpoints: { docs: false, openapi: false },
    services: { silent: { instances: [`http://${HOST}:${silent}`], health: false } },
    routes: [
      { id: 'hello', match: { path: '/' }, reply: { body: 'hello' } },
      { id: 'held', match: { path: '/*' }, service: 'silent' },
    ],
  }
  const file = join(dir, 'sallyport.yaml')
  writeFileSync(file, JSON.stringify(config))
  const child = start(
    { command: process.execPath, args: [main, 'start', '--config', file], env: { NODE_ENV: 'production' } },
    proxyCore,
  )
  for (let tries = 0; tries < 150; tries++) {
    const answers = await fetch(`http://${HOST}:${port}/`).then(
      ({ ok }) => ok,
      () => false,
    )
    if (answers) return { child, port }
    await delay(100)
  }
  throw new Error(`the gateway has not started: ${child.output().slice(-500)}`)
}
