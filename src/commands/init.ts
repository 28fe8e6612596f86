import { existsSync } from 'node:fs'
import { basename, join, resolve } from 'node:path'
import { createInterface, type Interface } from 'node:readline/promises'
import type { Command } from 'commander'
import { parseInstanceUrl } from '../config/addresses.ts'
import { version } from '../core/version.ts'
import { addExamples, CommandError, DEFAULT_FILE, UsageError } from './command.ts'
import { newPolicy } from './new-policy.ts'
import { listOf, type NewFile, writeNew } from './write-new.ts'

const DEFAULT_PORT = '8000'
const DEFAULT_SERVICE = 'http://127.0.0.1:3000'
const POLICY = 'greeting'
const MANIFEST = 'package.json'

interface Answers {
  readonly port: string
  /** URL of the first service. */
  readonly service: string
}

/** `sallyport init`: writes the files of a new project. */
export function defineInit(command: Command): void {
  command
    .description(
      `Creates a configuration, a custom policy with its test, and a Dockerfile. Asks for a port and the URL of a service; with --yes ` +
        `it uses ${DEFAULT_PORT} and ${DEFAULT_SERVICE}. Existing files are never overwritten.`,
    )
    .argument('[folder]', 'folder for the files', '.')
    .option('-y, --yes', 'use the defaults instead of asking')
    .action(async (folder: string, { yes }: { yes?: true }) => {
      const answers = yes === true ? { port: DEFAULT_PORT, service: DEFAULT_SERVICE } : await ask()
      const files = filesFor(folder, answers)
      writeNew(folder, files, 'choose another folder, as in "sallyport init gateway"')
      console.log(`${listOf(folder, files)}\n\n${nextSteps(folder, answers)}`)
    })
  addExamples(command, [
    ['sallyport init', 'in this folder, after two questions'],
    ['sallyport init gateway --yes', 'in the folder "gateway", without questions'],
  ])
}

async function ask(): Promise<Answers> {
  if (!process.stdin.isTTY)
    throw new UsageError('Cannot ask questions, because standard input is not a terminal: use --yes.')
  const lines = createInterface({ input: process.stdin, output: process.stdout })
  const left = new AbortController()
  lines.once('close', () => left.abort())
  try {
    const port = await answer(lines, left.signal, `Port of the gateway [${DEFAULT_PORT}]: `, DEFAULT_PORT, portProblem)
    const question = `URL of a service behind it [${DEFAULT_SERVICE}]: `
    return { port, service: await answer(lines, left.signal, question, DEFAULT_SERVICE, serviceProblem) }
  } catch (error) {
    if (left.signal.aborted) throw new CommandError('\nNothing was written.', { cause: error })
    throw error
  } finally {
    lines.close()
  }
}

/** Asks until the answer is valid; an empty line means the default. */
async function answer(
  lines: Interface,
  signal: AbortSignal,
  question: string,
  preset: string,
  problemOf: (text: string) => string | null,
): Promise<string> {
  for (;;) {
    const text = (await lines.question(question, { signal })).trim() || preset
    const problem = problemOf(text)
    if (problem === null) return text
    console.log(problem)
  }
}

function portProblem(text: string): string | null {
  const isPort = /^\d{1,5}$/.test(text) && Number(text) >= 1 && Number(text) <= 65_535
  return isPort ? null : 'Expected a number from 1 to 65535.'
}

function serviceProblem(text: string): string | null {
  const isUrl = /^[\w:/.[\]-]+$/.test(text) && parseInstanceUrl(text) !== undefined
  return isUrl ? null : `Expected a URL without a path, such as ${DEFAULT_SERVICE}.`
}

function filesFor(folder: string, answers: Answers): NewFile[] {
  const manifest = { path: MANIFEST, text: manifestText(folder), what: 'the package that it needs' }
  return [
    { path: DEFAULT_FILE, text: configText(answers), what: 'the configuration' },
    ...newPolicy(POLICY),
    { path: 'Dockerfile', text: dockerText(answers), what: 'a container image with all of this' },
    // An existing project has its own.
    ...(existsSync(join(folder, MANIFEST)) ? [] : [manifest]),
  ]
}

function nextSteps(folder: string, { port }: Answers): string {
  const has = existsSync(join(folder, 'node_modules', 'sallyport'))
  const steps = [
    ...(folder === '.' ? [] : [`cd ${folder}`]),
    ...(has ? [] : ['npm install sallyport']),
    'npx sallyport check',
    'npx sallyport start',
    `curl -i http://127.0.0.1:${port}/hello`,
  ]
  return `Next:\n${steps.map((step) => `  ${step}`).join('\n')}`
}

function configText({ port, service }: Answers): string {
  return `# yaml-language-server: $schema=./node_modules/sallyport/sallyport.schema.json

# \${NAME:-default} is replaced by an environment variable. "sallyport check" reports mistakes with line and column.

listeners:
  - address: \${SALLYPORT_ADDRESS:-127.0.0.1:${port}}

admin: # for operators: shows what the gateway is doing, and why
  address: \${SALLYPORT_ADMIN_ADDRESS:-127.0.0.1:9000}

services:
  api:
    instances: ['\${API_URL:-${service}}'] # separate several with commas: requests are balanced
    health: false # or { path: /health, interval: 10s }, for a service that has one

ownPolicies:
  - ./policies/${POLICY}.ts

policies: # for every route, unless the route overrides them
  correlation-id: {}
  rate-limit: { tiers: { unauthenticated: 600/m } }
  ${POLICY}: { value: hello }

routes: # the most specific one wins; their order does not matter
  - id: hello
    match: { path: /hello }
    reply: { body: 'Hello from the gateway' }
  - id: api
    match: { path: /* }
    service: api
`
}

function dockerText({ port }: Answers): string {
  const [major = ''] = process.versions.node.split('.', 1)
  return `FROM node:${major}-bookworm-slim
WORKDIR /app
COPY package*.json ./
RUN npm install --omit=dev --no-audit --no-fund
COPY sallyport.yaml ./
COPY policies policies
ENV NODE_ENV=production SALLYPORT_ADDRESS=0.0.0.0:${port}
USER node
EXPOSE ${port}
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=30s --timeout=5s --start-period=30s CMD ["node_modules/.bin/sallyport", "health"]
CMD ["node_modules/.bin/sallyport", "start"]
`
}

function manifestText(folder: string): string {
  const name = basename(resolve(folder))
    .toLowerCase()
    .replaceAll(/[^a-z0-9-]+/g, '-')
    .replaceAll(/^-+|-+$/g, '')
  const manifest = {
    name: name === '' ? 'gateway' : name,
    private: true,
    type: 'module',
    scripts: { start: 'sallyport start', check: 'sallyport check', test: 'node --test' },
    dependencies: { sallyport: `^${version}` },
  }
  return `${JSON.stringify(manifest, null, 2)}\n`
}
