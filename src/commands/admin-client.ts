import { existsSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { type Command, Option } from 'commander'
import type { z } from 'zod'
import { adminPlaceSchema, withAdminToken } from '../config/admin-schema.ts'
import { isModule } from '../config/is-module.ts'
import { ConfigError } from '../config/problems.ts'
import type { GatewayConfig } from '../config/schema.ts'
import { codeOf } from '../core/error-facts.ts'
import { fieldOf, isFields } from '../core/value.ts'
import { readYaml } from '../config/yaml.ts'
import { type Address, formatAddress } from '../core/address.ts'
import { CommandError, DEFAULT_FILE, UsageError } from './command.ts'

/** The address of the admin listener unless the configuration or the command sets another one. */
const ADMIN = 'http://127.0.0.1:9000'

/** How the user selects a gateway. */
export interface AdminOptions {
  readonly admin?: string
  readonly config?: string
}

/** The options of a command that calls a running gateway. */
function adminOptions(): readonly Option[] {
  return [
    new Option(
      '-c, --config <file>',
      `configuration with the address of the admin listener (default: ${DEFAULT_FILE}, if it exists)`,
    ),
    new Option(
      '--admin <url>',
      'URL of the admin listener, instead of the one in the configuration; the token is read from ADMIN_TOKEN',
    ),
  ]
}

/** Adds those options to a command. */
export function addAdminOptions(command: Command): Command {
  for (const option of adminOptions()) command.addOption(option)
  return command
}

/** A request to the admin listener. */
export interface AdminRequest {
  readonly path: string
  /** POST by default. */
  readonly method?: 'GET' | 'POST' | 'PUT' | 'DELETE'
  readonly body?: string
  /** Media type of the body; JSON by default. */
  readonly type?: string
  /** The reply is text, not JSON. */
  readonly isText?: true
  /** The timeout in milliseconds. */
  readonly timeout: number
}

/** The reply: parsed JSON, or null if it was not JSON; or text. */
export interface AdminReply {
  readonly status: number
  readonly body: unknown
  /** The origin, for messages. */
  readonly from: string
  /** Whether the request had a token. */
  readonly hadToken: boolean
}

/** Sends a request to the admin listener, with its token. Rejects with UsageError, ConfigError, or CommandError if there is no reply. */
export async function requestAdmin(
  options: AdminOptions,
  { path, method = 'POST', body = '', type = 'application/json', isText, timeout }: AdminRequest,
): Promise<AdminReply> {
  const { url, token } = await findAdmin(options)
  const endpoint = URL.parse(path, url)
  if (endpoint === null) throw new UsageError(`--admin ${url} is not a URL; expected one such as ${ADMIN}.`)
  const authorization = token !== '' && { Authorization: `Bearer ${token}` }
  const headers = { 'Content-Type': type, 'X-Requested-With': 'sallyport', ...authorization }
  const request = {
    method,
    headers,
    ...((method === 'POST' || method === 'PUT') && { body }),
    redirect: 'error',
  } as const
  const response = await fetch(endpoint, { ...request, signal: AbortSignal.timeout(timeout) }).catch(
    (error: unknown) => {
      throw new CommandError(
        `${endpoint.origin} does not answer: ${reasonOf(error)}. Is the gateway running? --admin names another address.`,
      )
    },
  )
  const answer: unknown = await (isText === true ? response.text() : response.json()).catch(() => null)
  return { status: response.status, body: answer, from: endpoint.origin, hadToken: token !== '' }
}

/** Why it refused the request: the detail of its problem document (RFC 9457). */
export function refusalOf({ status, body, from, hadToken }: AdminReply): CommandError {
  const detail = fieldOf(body, 'detail')
  const reason = typeof detail === 'string' ? detail : 'this is not the response of an admin listener.'
  const sent = hadToken
    ? 'The token that this command sent is not valid.'
    : 'This command sent no token: ADMIN_TOKEN is not set.'
  return new CommandError(`${from} answered ${status}: ${reason}${status === 401 ? ` ${sent}` : ''}`)
}

interface AdminPlace {
  readonly url: string
  /** "" for none. */
  readonly token: string
}

/** From the command line, the configuration, or the default. */
async function findAdmin({ admin, config: named }: AdminOptions): Promise<AdminPlace> {
  const token = process.env['ADMIN_TOKEN'] ?? ''
  if (admin !== undefined) return { url: admin, token }
  const file = named ?? DEFAULT_FILE
  if (named === undefined && !existsSync(file)) return { url: ADMIN, token }
  const listener = (await writtenAdmin(file)) ?? (await loadedAdmin(file))
  if (listener === false) throw new CommandError(`${file} has no admin listener: give its address with --admin.`)
  return { url: `http://${formatAddress(reachable(listener.address))}`, token: listener.token || token }
}

/**
 * The admin listener in a YAML file, whatever else is wrong with it or unknown here: the gateway may have variables that this command does
 * not. Null if they cannot be determined.
 */
async function writtenAdmin(file: string): Promise<z.output<typeof adminPlaceSchema> | null> {
  if (isModule(file)) return null
  try {
    const { value } = readYaml(await readFile(file, 'utf8'), file, process.env)
    if (!isFields(value)) return null
    return adminPlaceSchema.safeParse(fieldOf(withAdminToken(value, process.env), 'admin') ?? {}).data ?? null
  } catch {
    return null
  }
}

/** The admin settings of the fully loaded configuration. */
async function loadedAdmin(file: string): Promise<GatewayConfig['admin']> {
  const { loadConfig } = await import('../config/load.ts')
  try {
    return (await loadConfig(file, process.env)).admin
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error
    const advice =
      'No gateway was asked, because the file does not say where its admin listener is: fix it, or use --admin.'
    throw new CommandError(`${error.message}\n${advice}`, { cause: error })
  }
}

/** The wildcard address is not one to connect to. */
function reachable({ host, port }: Address): Address {
  const own = new Map([
    ['0.0.0.0', '127.0.0.1'],
    ['::', '::1'],
  ])
  return { host: own.get(host) ?? host, port }
}

/** fetch puts the reason for a failure into the cause. */
function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  const { cause } = error
  if (codeOf(cause) === 'ERR_SSL_WRONG_VERSION_NUMBER') return 'it does not speak TLS, so its URL begins with http://'
  return cause instanceof Error ? cause.message : error.message
}
