import { readFile } from 'node:fs/promises'
import { type RequestOptions, request } from 'node:http'
import { request as requestSecurely } from 'node:https'
import type { Command } from 'commander'
import { importDefault } from '../config/import-module.ts'
import { ConfigError } from '../config/problems.ts'
import { fileErrorOf } from '../core/read-text.ts'
import { fieldOf, itemsOf } from '../core/value.ts'
import { readValidPart, readYaml } from '../config/yaml.ts'
import { addExamples, CommandError, configOption } from './command.ts'

/** The timeout of the request to the gateway, in milliseconds. */
const TIMEOUT = 4_000

/** The URL to request, and the token to send. */
interface Question {
  readonly url: URL
  readonly token: string | null
}

/** `sallyport health`: whether the gateway that runs with the configuration answers; for health checks of containers. */
export function defineHealth(command: Command): void {
  command
    .description('Asks the gateway on this machine whether it is alive: exits with 0 if it answers, with 1 otherwise.')
    .addOption(configOption())
    .action(async ({ config }: { config: string }) => {
      const { value, problem } = await readConfig(config)
      const url = await reach(value).catch((error: unknown) => {
        throw problem ?? error
      })
      console.log(`${url.href} answers.`)
    })
  addExamples(command, [
    ['sallyport health --config /etc/sallyport/sallyport.yaml', 'as a health check of a container'],
  ])
}

/** A configuration, and why only a part of it could be read; null if it is complete. */
interface Read {
  readonly value: unknown
  readonly problem: CommandError | null
}

/**
 * The configuration, unchecked: the running gateway has checked it, and checking it again several times a minute would take longer than
 * everything else here together. Of a file that is no longer valid YAML, the valid part is used, because the gateway keeps the
 * previous configuration.
 */
async function readConfig(file: string): Promise<Read> {
  let text = ''
  try {
    if (/\.[cm]?[jt]s$/.test(file)) return { value: await importDefault(file), problem: null }
    text = await readFile(file, 'utf8')
    return { value: readYaml(text, file, process.env).value, problem: null }
  } catch (error) {
    const why = error instanceof ConfigError ? error.message : `${file}: ${fileErrorOf(error).message}.`
    const problem = new CommandError(why, { cause: error })
    const value = error instanceof ConfigError ? readValidPart(text, file, process.env) : undefined
    // Defaults would be guesses.
    if (fieldOf(value, 'listeners') === undefined) throw problem
    return { value, problem }
  }
}

/** Resolves with the URL at which the gateway is alive. Rejects with CommandError. */
async function reach(config: unknown): Promise<URL> {
  const { url, token } = questionOf(config, process.env['ADMIN_TOKEN'] ?? '')
  const status = await ask({ url, token }, AbortSignal.timeout(TIMEOUT))
  if (status !== 200) throw new CommandError(`${url.href} answers ${status}.`)
  return url
}

/**
 * The first listener that is open to everyone and has the health endpoints, which reaches a worker; otherwise the admin listener. Throws
 * CommandError if there is neither.
 */
function questionOf(config: unknown, adminToken: string): Question {
  const path = fieldOf(fieldOf(config, 'endpoints'), 'health') ?? '/health'
  const listeners = fieldOf(config, 'listeners') === undefined ? [{}] : itemsOf(fieldOf(config, 'listeners'))
  const listener = listeners.find(isOpen)
  if (typeof path === 'string' && listener !== undefined) {
    const scheme = fieldOf(listener, 'tls') === undefined ? 'http' : 'https'
    return { url: urlOf(scheme, fieldOf(listener, 'address') ?? '0.0.0.0:8000', `${path}/live`), token: null }
  }
  const admin = fieldOf(config, 'admin')
  if (admin === false)
    throw new CommandError(
      'There is no address to ask: "admin" is false, and either "endpoints.health" is false, or every listener requires the PROXY ' +
        'protocol or client certificates.',
    )
  const token = fieldOf(admin, 'token')
  return {
    url: urlOf('http', fieldOf(admin, 'address') ?? '127.0.0.1:9000', '/health'),
    token: (typeof token === 'string' && token) || adminToken || null,
  }
}

/** Whether a listener answers clients without a certificate and without a PROXY protocol header. */
function isOpen(listener: unknown): boolean {
  if (fieldOf(listener, 'proxyProtocol') === 'required') return false
  const clients = fieldOf(fieldOf(listener, 'tls'), 'clientCertificates')
  return clients === undefined || fieldOf(clients, 'mode') === 'wanted'
}

function urlOf(scheme: 'http' | 'https', address: unknown, path: string): URL {
  const url = URL.parse(path, `${scheme}://${String(address)}`)
  if (url === null || url.port === '0') throw new CommandError(`The address ${String(address)} cannot be connected to.`)
  // If it listens on every address, it can be reached on this one.
  if (url.hostname === '0.0.0.0' || url.hostname === '[::]') url.hostname = '127.0.0.1'
  return url
}

function ask({ url, token }: Question, signal: AbortSignal): Promise<number> {
  const headers = { Connection: 'close', ...(token !== null && { Authorization: `Bearer ${token}` }) }
  return new Promise((resolve, reject) => {
    open(url, { headers, signal, agent: false })
      .on('response', (response) => {
        response.resume()
        resolve(response.statusCode ?? 0)
      })
      .on('error', (error) => {
        const reason = signal.aborted ? `no response for ${TIMEOUT / 1000} s` : error.message
        reject(new CommandError(`${url.href} does not answer: ${reason}.`, { cause: error }))
      })
      .end()
  })
}

/** The certificate is not verified: both processes are on the same machine, and nothing secret is sent. */
function open(url: URL, options: RequestOptions): ReturnType<typeof request> {
  if (url.protocol === 'http:') return request(url, options)
  return requestSecurely(url, { ...options, rejectUnauthorized: false })
}
