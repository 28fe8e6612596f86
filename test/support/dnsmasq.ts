import { spawn } from 'node:child_process'
import { once } from 'node:events'
import type { TestContext } from 'node:test'
import { cleanUp } from './cleanup.ts'
import { TIMEOUT } from './timeout.ts'
import { freePorts } from './redis.ts'

/** Runs dnsmasq until the end of the test with only those options, ignoring the machine's configuration; returns its address and port. */
export async function startDnsmasq(t: TestContext, ...options: readonly string[]): Promise<string> {
  const [port] = await freePorts(1)
  const own = ['--keep-in-foreground', '--log-facility=-', '--conf-file=/dev/null', '--pid-file=']
  const alone = ['--no-resolv', '--no-hosts', '--no-poll', '--local=/internal/']
  const where = [`--port=${port}`, '--listen-address=127.0.0.1', '--bind-interfaces']
  const child = spawn('dnsmasq', [...own, ...alone, ...where, ...options], { stdio: ['ignore', 'ignore', 'pipe'] })
  let output = ''
  await new Promise<void>((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error(`dnsmasq does not start:\n${output}`)), TIMEOUT)
    child.stderr.on('data', (text: Buffer) => {
      output += text.toString()
      if (!output.includes('started, version')) return
      clearTimeout(timer)
      resolve()
    })
    child.once('error', reject)
    child.once('exit', () => reject(new Error(`dnsmasq ended:\n${output}`)))
  })
  cleanUp(t, async () => {
    const ended = once(child, 'exit')
    child.kill()
    await ended
  })
  return `127.0.0.1:${port}`
}
