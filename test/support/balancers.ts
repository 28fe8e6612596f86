import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { cleanUp } from './cleanup.ts'
import { freePorts, until } from './redis.ts'

/** The nginx module for balancing connections, as installed by Debian; elsewhere it is built into nginx. */
const STREAM_MODULE = '/usr/lib/nginx/modules/ngx_stream_module.so'

/** Runs HAProxy until the end of the test; `sections` returns what follows `defaults`, for the port to listen on, which is returned. */
export async function startHaproxy(t: TestContext, sections: (port: number) => string): Promise<number> {
  const [port] = await freePorts(1)
  const folder = await temporaryFolder(t)
  const file = join(folder, 'haproxy.cfg')
  const timeouts = ['connect', 'client', 'server'].map((what) => `  timeout ${what} 60s\n`).join('')
  await writeFile(file, `global\n  nbthread 1\ndefaults\n  mode http\n${timeouts}${sections(port!)}\n`)
  await run(t, port!, 'haproxy', ['-db', '-f', file])
  return port!
}

/** Runs nginx until the end of the test; `blocks` returns what is next to `events`, for the port to listen on, which is returned. */
export async function startNginx(t: TestContext, blocks: (port: number) => string): Promise<number> {
  const [port] = await freePorts(1)
  const folder = await temporaryFolder(t)
  const file = join(folder, 'nginx.conf')
  const load = existsSync(STREAM_MODULE) ? `load_module ${STREAM_MODULE};\n` : ''
  const process = `daemon off; master_process off; pid ${folder}/pid; error_log stderr;\nevents {}\n`
  await writeFile(file, `${load}${process}${blocks(port!)}\n`)
  await run(t, port!, 'nginx', ['-p', folder, '-e', 'stderr', '-c', file])
  return port!
}

/** An `http` block for nginx that writes nothing outside its folder. */
export function httpBlock(server: string): string {
  const folders = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi']
    .map((what) => `${what}_temp_path ${what};`)
    .join(' ')
  return `http { access_log off; ${folders} ${server} }`
}

async function run(t: TestContext, port: number, command: string, args: readonly string[]): Promise<void> {
  const child = spawn(command, args, { stdio: ['ignore', 'ignore', 'pipe'] })
  let output = ''
  child.stderr.on('data', (text: Buffer) => (output += text.toString()))
  cleanUp(t, async () => {
    if (child.exitCode !== null || child.signalCode !== null) return
    const ended = once(child, 'exit')
    child.kill('SIGKILL')
    await ended
  })
  await until(`${command} to listen`, async () => {
    if (child.exitCode !== null) throw new Error(`${command} ended:\n${output}`)
    return accepts(port)
  })
}

/** Whether the port accepts connections. */
function accepts(port: number): Promise<boolean> {
  const socket = connect({ port, host: '127.0.0.1' })
  return new Promise((resolve) => {
    socket.on('error', () => resolve(false))
    socket.on('connect', () => {
      socket.destroy()
      resolve(true)
    })
  })
}

/** A folder that exists until the end of the test. */
export async function temporaryFolder(t: TestContext): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'sallyport-balancer-'))
  cleanUp(t, () => rm(folder, { recursive: true }))
  return folder
}
