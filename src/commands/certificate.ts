import type { Command } from 'commander'
import { X509Certificate } from 'node:crypto'
import { existsSync, mkdirSync, readFileSync } from 'node:fs'
import { isIP } from 'node:net'
import { homedir, hostname, userInfo } from 'node:os'
import { join, relative } from 'node:path'
import { domainToASCII } from 'node:url'
import {
  AuthorityError,
  type LocalAuthority,
  openAuthority,
  replaceFile,
  writeKeyPair,
} from '../tls/local-authority.ts'
import { addExamples, CommandError, UsageError } from './command.ts'

const DEFAULT_NAMES = ['localhost', '127.0.0.1', '::1']
/** Apple's systems refuse a longer validity. */
const MAX_DAYS = 825
/** Maximum length of a common name (RFC 5280, appendix A.1, ub-common-name). */
const MAX_NAME = 64

interface Options {
  readonly out: string
  readonly ca?: string
  readonly days: string
  readonly client?: true
  readonly force?: true
}

interface Files {
  readonly cert: string
  readonly key: string
  readonly ca: string
}

/** `sallyport certificate`: makes a certificate for development, signed by the user's own authority. */
export function defineCertificate(command: Command): void {
  command
    .description(
      'Creates a certificate for development, signed by a local certificate authority that is created on first use: ' +
        'trust that authority once, and every certificate of this command is trusted.',
    )
    .argument('[names...]', `host names and IP addresses of the certificate (default: ${DEFAULT_NAMES.join(', ')})`)
    .option('-o, --out <folder>', 'folder for the certificate and its key', 'tls')
    .option('--ca <folder>', `folder of the certificate authority (default: ${join('~', ...OWN_FOLDER)})`)
    .option('--days <number>', `validity in days, at most ${MAX_DAYS}`, String(MAX_DAYS))
    .option('--client', 'create a client certificate, with the name of the client instead of host names')
    .option('--force', 'overwrite an existing certificate')
    .action(makeCertificate)
  addExamples(command, [
    ['sallyport certificate', 'for localhost, 127.0.0.1 and ::1'],
    [`sallyport certificate shop.test '*.shop.test' --out certificates`, 'for other names, into another folder'],
    ['sallyport certificate --client alice', 'a client certificate, for mutual TLS'],
  ])
}

const OWN_FOLDER = ['.local', 'share', 'sallyport']

function makeCertificate(requested: readonly string[], options: Options): void {
  const { client = false, force = false } = options
  if (client && requested.length === 0)
    throw new UsageError('--client: expected the name of the client, such as "sallyport certificate --client alice"')
  const names = (requested.length === 0 ? DEFAULT_NAMES : requested).map((name) => nameOf(name, client))
  const days = daysOf(options.days)
  const files = filesFor(options.out, names[0] ?? '')
  const folder = options.ca ?? ownFolder()
  const [cert, authority] = attempt(() => {
    refuseTaken([files.cert, files.key], force)
    const opened = openAuthority(folder, `Sallyport development CA (${userName()})`.slice(0, MAX_NAME), Date.now())
    const subject = client ? { commonName: names[0] ?? '' } : { organization: 'Sallyport development certificate' }
    const made = opened.issue({ subject, names, purpose: client ? 'client' : 'server', days })
    const isKnown = existsSync(files.ca) && readFileSync(files.ca, 'utf8') === opened.cert
    if (!isKnown) refuseTaken([files.ca], force)
    mkdirSync(options.out, { recursive: true })
    writeKeyPair(made, files)
    if (!isKnown) replaceFile(files.ca, opened.cert)
    return [made.cert, opened] as const
  })
  const made = madeText(files, names, new X509Certificate(cert).validToDate, folder, authority)
  console.log(client ? made : `${made}\n\n${usageText(files, names)}`)
}

/** A key that is overwritten cannot be recovered. */
function refuseTaken(files: readonly string[], force: boolean): void {
  const existing = files.find((file) => existsSync(file))
  if (existing !== undefined && !force)
    throw new CommandError(
      `${existing} already exists: overwrite it with --force, or choose another folder with --out.`,
    )
}

/** A name in the form used in certificates. */
function nameOf(name: string, client: boolean): string {
  if (isIP(name) !== 0) return name
  const bare = name.startsWith('*.') ? name.slice(2) : name
  const ascii = client && /^[!-~]+@[!-~]+$/.test(name) ? name : domainToASCII(bare)
  if (/^[\w.@+-]+$/.test(ascii) && !isEmptyLabel(ascii) && (!client || ascii.length <= MAX_NAME))
    return bare === name ? ascii : `*.${ascii}`
  throw new UsageError(
    `${JSON.stringify(name)} is not a valid name: expected one such as "shop.test", "*.shop.test" or "192.168.1.7"`,
  )
}

function isEmptyLabel(name: string): boolean {
  return name.split('.').includes('')
}

function daysOf(text: string): number {
  const days = /^\d{1,4}$/.test(text) ? Number(text) : 0
  if (days >= 1 && days <= MAX_DAYS) return days
  throw new UsageError(`--days: expected a number from 1 to ${MAX_DAYS}, not ${JSON.stringify(text)}`)
}

function filesFor(folder: string, name: string): Files {
  const plainName = name.replace('*', '_wildcard').replaceAll(/[^\w.@+-]/g, '_')
  const base = plainName === 'ca' ? '_ca' : plainName
  return { cert: join(folder, `${base}.pem`), key: join(folder, `${base}-key.pem`), ca: join(folder, 'ca.pem') }
}

/** One authority for all projects of the user, outside the projects, so that its key does not end up in a repository or an image. */
function ownFolder(): string {
  const data = process.env['XDG_DATA_HOME']
  if (data !== undefined && data !== '') return join(data, 'sallyport')
  try {
    return join(homedir(), ...OWN_FOLDER)
  } catch (error) {
    // For example in a container whose user has a number but no name.
    throw new CommandError('The user has no home folder for the certificate authority: choose a folder with --ca.', {
      cause: error,
    })
  }
}

function userName(): string {
  try {
    return plain(`${userInfo().username}@${hostname()}`)
  } catch {
    return plain(hostname())
  }
}

function plain(name: string): string {
  return name.replaceAll(/[^\w.@-]/g, '_')
}

/** File system errors are reported unchanged: they name the file. */
function attempt<Result>(make: () => Result): Result {
  try {
    return make()
  } catch (error) {
    if (error instanceof AuthorityError || (error instanceof Error && 'code' in error))
      throw new CommandError(error.message, { cause: error })
    throw error
  }
}

function madeText(files: Files, names: readonly string[], end: Date, folder: string, made: LocalAuthority): string {
  const until = end.toISOString().slice(0, 10)
  const rows = [
    [files.cert, `the certificate for ${names.join(', ')}, valid until ${until}`],
    [files.key, 'its private key'],
    [files.ca, `the authority, ${made.isNew ? 'which is new' : 'the same as before'}: its own key stays in ${folder}`],
  ] as const
  const width = Math.max(...rows.map(([file]) => file.length))
  return rows.map(([file, what]) => `${file.padEnd(width)}  ${what}`).join('\n')
}

function usageText({ cert, key, ca }: Files, names: readonly string[]): string {
  const host = names.find((name) => !name.startsWith('*')) ?? 'localhost'
  return `For a configuration in this folder:

  listeners:
    - address: 0.0.0.0:8443
      tls: { certificates: [{ cert: ${relative('.', cert)}, key: ${relative('.', key)} }] }

To trust the authority:

  curl --cacert ${ca} https://${host.includes(':') ? `[${host}]` : host}:8443/
  NODE_EXTRA_CA_CERTS=${ca} node app.js
  browsers: import ${ca} in their settings, as an authority that may identify websites`
}
