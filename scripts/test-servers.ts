/** The servers that the tests use: installed if possible, otherwise reported as missing. */
import { spawnSync } from 'node:child_process'
import { accessSync, constants, existsSync } from 'node:fs'
import { delimiter, isAbsolute, join } from 'node:path'
import { ensureKubernetesTools } from './kubernetes-tools.ts'
import type { Machine } from './machine.ts'

/** A program that some tests start. */
export interface TestServer {
  /** Looked up on PATH by this name, or the full path of a file. */
  readonly command: string
  /** The Debian package that contains it. */
  readonly package: string
  /** What cannot be tested without it. */
  readonly tests: string
  /** Set if it does not exist for other systems, so that its tests run on Linux only. */
  readonly linuxOnly?: true
}

/** All servers, one per line. */
const servers: readonly TestServer[] = [
  { command: 'chromium', package: 'chromium', tests: 'cross-origin requests in a browser' },
  { command: 'curl', package: 'curl', tests: 'what clients and load balancers send' },
  { command: 'curl', package: 'curl', tests: 'the lines that the demo prints' },
  { command: 'dnsmasq', package: 'dnsmasq-base', tests: 'instances that DNS names' },
  { command: 'docker-compose', package: 'docker-compose', tests: 'the compose file' },
  { command: 'fish', package: 'fish', tests: 'what completes commands in a shell' },
  { command: 'haproxy', package: 'haproxy', tests: 'the PROXY protocol' },
  { command: 'jq', package: 'jq', tests: 'what runbooks look for in the log' },
  { command: 'logrotate', package: 'logrotate', tests: 'rotating the log' },
  { command: 'nginx', package: 'nginx', tests: 'the PROXY protocol' },
  {
    command: '/usr/lib/nginx/modules/ngx_stream_module.so',
    package: 'libnginx-mod-stream',
    tests: 'the PROXY protocol of nginx',
    linuxOnly: true,
  },
  { command: 'openssl', package: 'openssl', tests: 'certificates as others read them' },
  { command: 'pebble', package: 'pebble', tests: 'certificates of ACME' },
  { command: 'prometheus', package: 'prometheus', tests: 'dashboards and alerts against real metrics' },
  { command: 'promtool', package: 'prometheus', tests: 'the rules of Prometheus' },
  { command: 'redis-server', package: 'redis-server', tests: 'the Redis store of rate limits' },
  { command: 'systemd-analyze', package: 'systemd', tests: 'the unit for systemd', linuxOnly: true },
  { command: 'unzip', package: 'unzip', tests: 'the manifests of Kubernetes' },
  { command: 'script', package: 'bsdutils', tests: 'what is shown in a terminal' },
  { command: 'zsh', package: 'zsh', tests: 'what completes commands in a shell' },
]

/** What to do before the tests run: nothing, install packages, or tell the user what is missing. */
export type Plan = { do: 'nothing' } | { do: 'install'; packages: string[] } | { do: 'tell'; message: string }

/** Makes the decision, without acting on it. */
export function plan(wanted: readonly TestServer[], machine: Machine): Plan {
  const missing = wanted.filter(({ command, linuxOnly }) => {
    return !machine.has(command) && !(linuxOnly && !machine.platform.startsWith('linux-'))
  })
  if (missing.length === 0) return { do: 'nothing' }
  const packages = [...new Set(missing.map((server) => server.package))]
  if (machine.debian && machine.root) return { do: 'install', packages }
  const lines = missing.map((server) => `  ${server.command}: ${server.tests}`)
  const advice = machine.debian
    ? `Run: sudo apt-get install --yes ${packages.join(' ')}`
    : `Install them so that they are on PATH (Debian packages: ${packages.join(' ')}).`
  return { do: 'tell', message: ['The tests need servers that are missing:', ...lines, advice].join('\n') }
}

/**
 * Makes the servers and tools available; returns the folders to search before PATH. Throws an Error that says what is missing and what to
 * run.
 */
export function ensureServers(): string[] {
  ensure(servers)
  return ensureKubernetesTools(thisMachine())
}

/** Makes these programs available; throws an Error that says what is missing and what to run. */
export function ensure(wanted: readonly TestServer[]): void {
  const decided = plan(wanted, thisMachine())
  if (decided.do === 'nothing') return
  if (decided.do === 'tell') throw new Error(decided.message)
  apt('update')
  apt('install', '--yes', '--no-install-recommends', ...decided.packages)
}

function thisMachine(): Machine {
  const folders = (process.env['PATH'] ?? '').split(delimiter)
  return {
    has: (command) =>
      isAbsolute(command) ? existsSync(command) : folders.some((folder) => isExecutable(join(folder, command))),
    debian: existsSync('/etc/debian_version'),
    root: process.getuid?.() === 0,
    platform: `${process.platform}-${process.arch}`,
  }
}

function isExecutable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK)
    return true
  } catch {
    return false
  }
}

function apt(...args: string[]): void {
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' }
  const { status } = spawnSync('apt-get', ['--quiet', ...args], { stdio: ['ignore', 'inherit', 'inherit'], env })
  if (status !== 0)
    throw new Error(`apt-get ${args.join(' ')} failed: install the packages in the message by hand, then try again.`)
}
