/** Tests the images: their contents are started like a container engine would, and sent requests. */
import { hash, randomBytes } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { constants } from 'node:os'
import { createInterface } from 'node:readline'
import { setInterval } from 'node:timers/promises'
import { Redis } from 'ioredis'
import { freePorts, serviceNames, startPlatform } from '../../examples/platform/platform.ts'
import { freePorts as anyPorts, RedisServer } from '../../test/support/redis.ts'
import { type Contained, type Container, runContainer, startContainer } from './container.ts'
import { walkDemo } from './walk.ts'

const command = '/usr/bin/sallyport'
const SIGTERM = constants.signals.SIGTERM
/** The exit code of a process ended by SIGTERM. */
const TERMINATED = 128 + SIGTERM

/**
 * 1. Start the platform, Redis, and the gateway between them, with the variables that compose sets.
 * 2. Check that it has no privileges.
 * 3. Send it requests: with its health command, and with the list of the demo; check that it has counted in Redis.
 * 4. Stop it by SIGTERM; another one while it is starting, and another one by a second signal.
 */
export async function tryGateway(root: string): Promise<void> {
  // 1.
  const secret = randomBytes(32).toString('hex')
  const apiKey = randomBytes(24).toString('base64url')
  const platform = await startPlatform({ jwtSecret: secret, ports: freePorts })
  const urls = serviceNames.map((name): [string, string] => {
    return [`${name.toUpperCase().replace('-', '_')}_URL`, platform.instances[name].map(({ url }) => url).join(',')]
  })
  const redis = await startRedis()
  const env = {
    ...Object.fromEntries(urls),
    REDIS_URL: redis.url,
    JWT_SECRET: secret,
    PARTNER_KEY_SHA256: hash('sha256', apiKey),
    LOG_LEVEL: 'INFO',
    SHUTDOWN_DELAY: '0s',
    SALLYPORT_ADDRESS: '127.0.0.1:0',
    SALLYPORT_ADMIN_ADDRESS: '127.0.0.1:0',
  }
  const gateway = startContainer({ root, folder: '/etc/sallyport', command: [command, 'start'], env })
  try {
    const [, address = '', admin = ''] = await found(gateway, /"listeners":\["([^"]+)"\],"admin":"([^"]+)"/)
    await ready(`http://${address}/health/ready`)
    // 2.
    assertPowerless(gateway)
    // 3.
    const health = { ...env, SALLYPORT_ADDRESS: address }
    const code = await runContainer({ root, folder: '/etc/sallyport', command: [command, 'health'], env: health })
    if (code !== 0) throw new Error('sallyport health failed')
    const [drained] = platform.instances['inventory-service']
    const inventory = new URL(drained?.url ?? '').host
    const steps = await walkDemo({ url: `http://${address}`, adminUrl: `http://${admin}`, apiKey, inventory })
    console.log(`gateway: healthy, and the ${steps} steps of the demo succeeded`)
    await assertCounted(redis)
    // 4.
    await assertEnds(gateway)
    await assertEndsEarly({ root, folder: '/etc/sallyport', command: [command, 'start'], env })
    await assertEndsAtOnce({ root, folder: '/etc/sallyport', command: [command, 'start'], env })
    console.log('gateway: ends on SIGTERM, during the start and after it, and at once on a second one')
  } finally {
    gateway.end()
    await redis.kill()
    await platform.close()
  }
}

/** Starts each service, checks that it is healthy, and stops it. */
export async function tryServices(root: string): Promise<void> {
  for (const name of serviceNames) {
    const program = ['/usr/local/bin/node', 'serve.ts', name, '--port', '0']
    const env = { JWT_SECRET: randomBytes(32).toString('hex') }
    const service = startContainer({ root, folder: '/platform', command: program, env })
    try {
      const [, url = ''] = await found(service, /listens on (\S+)/)
      const { status } = await fetch(`${url}/health`)
      if (status !== 200) throw new Error(`The ${name} answers ${status}`)
      assertPowerless(service)
      await assertEnds(service)
    } finally {
      service.end()
    }
  }
  console.log(`services: ${serviceNames.length} are healthy`)
}

async function startRedis(): Promise<RedisServer> {
  const [port = 0] = await anyPorts(1)
  const redis = new RedisServer(port, ['--port', String(port), '--bind', '127.0.0.1', '--save', ''])
  await redis.start()
  return redis
}

async function assertCounted({ url }: RedisServer): Promise<void> {
  const client = new Redis(url)
  const counts = await client.keys('rate_limit:*')
  client.disconnect()
  if (counts.length === 0) throw new Error('The gateway has no counts in Redis')
}

/** The first match in the output of a container; the rest is discarded. */
async function found({ output }: Container, pattern: RegExp): Promise<RegExpExecArray> {
  const lines = createInterface(output)
  for await (const line of lines) {
    const match = pattern.exec(line)
    if (match === null) continue
    lines.close()
    output.resume()
    return match
  }
  throw new Error('The process has exited by itself.')
}

function assertPowerless({ first }: Container): void {
  const status = readFileSync(`/proc/${first()}/status`, 'utf8')
  for (const line of [
    /^Uid:\t65532\t65532\t65532\t/m,
    /^Gid:\t65532\t65532\t65532\t/m,
    /^CapEff:\t0+$/m,
    /^NSpid:\t\d+\t1$/m,
  ])
    if (!line.test(status))
      throw new Error(`The process is not process 1 of user 65532 without capabilities:\n${status}`)
  const mounts = readFileSync(`/proc/${first()}/mounts`, 'utf8')
  if (!/^\S+ \/ \S+ ro[, ]/m.test(mounts)) throw new Error(`Its root file system is writable:\n${mounts}`)
}

async function assertEnds({ first, ended }: Container): Promise<void> {
  process.kill(first(), 'SIGTERM')
  const code = await ended
  if (code !== 0) throw new Error(`After SIGTERM it exited with ${code}`)
}

/**
 * A signal that arrives as soon as one can be handled is not lost on process 1: it ends either the start, or the gateway, which then stops
 * as usual.
 */
async function assertEndsEarly(contained: Contained): Promise<void> {
  const gateway = startContainer(contained)
  try {
    const deadline = AbortSignal.timeout(60_000)
    for await (const _ of setInterval(5)) {
      deadline.throwIfAborted()
      const first = gateway.started()
      // SIGHUP is handled last. SIGTERM is not conclusive: Node itself has a handler for it, which does not end process 1.
      if (first !== undefined && handles(first, constants.signals.SIGHUP)) break
    }
    process.kill(gateway.first(), SIGTERM)
    const code = await gateway.ended
    if (code !== TERMINATED && code !== 0) throw new Error(`After an early SIGTERM it exited with ${code}`)
  } finally {
    gateway.end()
  }
}

/** A second signal ends what the first one is still waiting for. */
async function assertEndsAtOnce({ env, ...contained }: Contained): Promise<void> {
  const gateway = startContainer({ ...contained, env: { ...env, SHUTDOWN_DELAY: '1h' } })
  try {
    await found(gateway, /Sallyport is listening/)
    process.kill(gateway.first(), SIGTERM)
    await found(gateway, /Sallyport is stopping/)
    process.kill(gateway.first(), SIGTERM)
    const code = await gateway.ended
    if (code !== TERMINATED) throw new Error(`After a second SIGTERM it exited with ${code}`)
  } finally {
    gateway.end()
  }
}

/** Whether the process has a handler for the signal (proc_pid_status(5)). */
function handles(pid: number, signal: number): boolean {
  const mask = /^SigCgt:\t([0-9a-f]+)$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? '0'
  return ((BigInt(`0x${mask}`) >> BigInt(signal - 1)) & 1n) === 1n
}

/** Waits until a gateway accepts requests, for at most a minute. */
async function ready(url: string): Promise<void> {
  const deadline = AbortSignal.timeout(60_000)
  for await (const _ of setInterval(250)) {
    deadline.throwIfAborted()
    const response = await fetch(url)
    await response.body?.cancel()
    if (response.status === 200) return
  }
}
