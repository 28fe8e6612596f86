import { type Command, InvalidArgumentError } from 'commander'
import { z } from 'zod'
import { messageOf } from '../core/error-facts.ts'
import { GatewayError } from '../core/errors.ts'
import {
  type AskedUrl,
  type AssumedConsumer,
  type Explanation,
  type Question,
  readAskedUrl,
} from '../front/explain/explanation.ts'
import { paintFor } from '../telemetry/paint.ts'
import { requestAdmin, refusalOf } from './admin-client.ts'
import { addExamples, CommandError, UsageError } from './command.ts'
import { explanationText } from './explain-text.ts'

/** The timeout of the request to the gateway, in milliseconds. */
const TIMEOUT = 30_000

/** A reply of the admin API: a reply without these members comes from something else. */
const answerSchema = z.custom<Explanation>(
  (answer) =>
    z.looseObject({ path: z.object({}), policies: z.unknown().array(), outcome: z.string() }).safeParse(answer).success,
)

type Field = readonly [name: string, value: string]

interface Options {
  readonly header?: readonly Field[]
  readonly data?: string
  readonly from: string
  readonly as?: string
  readonly roles?: string
  readonly scopes?: string
  readonly tier?: string
  readonly token?: string
  readonly listener?: string
  readonly config?: string
  readonly admin?: string
  readonly json?: true
}

/** `sallyport explain`: shows what would happen to a request, and why. */
export function defineExplain(command: Command): void {
  command
    .description(
      'Explains how a request would be handled: the routes that are considered, the verdict of each policy, the instances of the service, ' +
        'and the request as it would be sent, or the reply. Nothing is sent, counted or stored, but a token or an API key may be looked up. Asks ' +
        'the running gateway whose admin listener is in sallyport.yaml or given by --admin; with --config, no gateway is needed. ' +
        'Exits with 0 if there is an explanation, whatever would happen to the request.',
    )
    .argument('<method>', 'the method, such as GET')
    .argument('<url>', 'https://host/path?query, or /path?query alone')
    .option('-H, --header <field>', 'a header, "Name: value"; can be repeated', addField)
    .option('-d, --data <text>', 'the body of the request')
    .option('--from <ip>', 'the address of the client', '127.0.0.1')
    .option('--as <consumer>', 'act as this consumer, user:ID or key:ID, without credentials')
    .option('--roles <names>', 'the roles of that consumer, separated by commas')
    .option('--scopes <names>', 'its scopes, separated by commas')
    .option('--tier <name>', 'its tier (default: authenticated, or api_key for key:ID)')
    .option('--token <token>', 'a bearer token, which is verified')
    .option('--listener <name>', 'the listener that receives the request (default: the first one for the scheme)')
    .option('-c, --config <file>', 'use this configuration instead of a running gateway')
    .option('--admin <url>', 'URL of the admin listener of the gateway; the token is read from ADMIN_TOKEN')
    .option('--json', 'print JSON, as from POST /explain of the admin API')
    .action(explainRequest)
  addExamples(command, [
    ['sallyport explain GET /books/7', 'a request to the gateway running on this machine'],
    [
      'sallyport explain POST https://api.example.com/books --as user:42 --roles editor',
      'a request of a user with a role',
    ],
    [
      "sallyport explain GET /books -H 'X-API-Key: …' --from 203.0.113.9 --json",
      'with credentials, which are verified, as JSON',
    ],
    ['sallyport explain GET /books --config new.yaml', 'with a configuration that is not running yet'],
  ])
}

async function explainRequest(method: string, url: string, options: Options): Promise<void> {
  const read = readAskedUrl(url)
  if (read === null) throw new UsageError(`${url}: expected https://host/path, http://host/path, or /path.`)
  const explanation = await (options.config === undefined
    ? askGateway(method, url, options)
    : explainFile(method, read, options, options.config))
  if (options.json === true) console.log(JSON.stringify(explanation, null, 2))
  else process.stdout.write(explanationText(explanation, paintFor(1, process.env)))
}

async function explainFile(method: string, read: AskedUrl, options: Options, file: string): Promise<Explanation> {
  if (options.admin !== undefined)
    throw new UsageError('--config and --admin cannot be used together: choose a configuration or a running gateway.')
  const { loadChecked } = await import('./load-checked.ts')
  const { explainOffline } = await import('../front/explain/offline.ts')
  const { config, chain } = await loadChecked(file)
  const question: Question = {
    ...read,
    method,
    headers: fieldsOf(options),
    body: options.data ?? null,
    from: options.from,
    listener: options.listener ?? null,
    as: consumerOf(options),
  }
  try {
    return await explainOffline(question, config, chain)
  } catch (error) {
    if (error instanceof GatewayError) throw new CommandError(messageOf(error), { cause: error })
    throw error
  }
}

async function askGateway(method: string, url: string, options: Options): Promise<Explanation> {
  const consumer = consumerOf(options)
  const headers: Record<string, string[]> = {}
  for (const [name, value] of fieldsOf(options)) headers[name] = [...(headers[name] ?? []), value]
  const body = JSON.stringify({
    method,
    url,
    headers,
    body: options.data,
    from: options.from,
    listener: options.listener,
    as: consumer ?? undefined,
  })
  const { admin } = options
  const reply = await requestAdmin(admin === undefined ? {} : { admin }, { path: '/explain', body, timeout: TIMEOUT })
  const { data } = answerSchema.safeParse(reply.body)
  if (reply.status !== 200 || data === undefined) throw refusalOf(reply)
  return data
}

function addField(text: string, before: readonly Field[] = []): readonly Field[] {
  const [, name, value = ''] = /^([^:\s]+):\s*(.*)$/.exec(text) ?? []
  if (name === undefined) throw new InvalidArgumentError('expected "Name: value".')
  return [...before, [name, value]]
}

function fieldsOf({ header = [], token }: Options): readonly Field[] {
  return token === undefined ? header : [...header, ['Authorization', `Bearer ${token}`]]
}

function consumerOf({ as: text, roles, scopes, tier }: Options): AssumedConsumer | null {
  if (text === undefined) {
    if (roles !== undefined || scopes !== undefined || tier !== undefined)
      throw new UsageError('--roles, --scopes and --tier describe the consumer of --as: add --as.')
    return null
  }
  const [, kind = 'user', id = ''] = /^(?:(user|key):)?(.*)$/s.exec(text) ?? []
  if (id === '') throw new UsageError('--as: expected user:ID or key:ID.')
  const isKey = kind === 'key'
  return {
    id,
    roles: wordsOf(roles),
    scopes: wordsOf(scopes),
    tier: tier ?? (isKey ? 'api_key' : 'authenticated'),
    key: isKey ? id : null,
  }
}

function wordsOf(list = ''): string[] {
  return list
    .split(',')
    .map((word) => word.trim())
    .filter((word) => word !== '')
}
