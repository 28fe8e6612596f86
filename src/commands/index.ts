import type { CommandEntry } from './command.ts'

/** Every command, in the order of the help. This is the only list of them. */
export const commands: readonly CommandEntry[] = [
  {
    name: 'init',
    summary: 'create a configuration, a policy with its test, and a Dockerfile',
    load: async () => (await import('./init.ts')).defineInit,
  },
  {
    name: 'start',
    summary: 'run the gateway',
    outlivesReader: true,
    load: async () => (await import('./start.ts')).defineStart,
  },
  {
    name: 'health',
    summary: 'ask the gateway on this machine whether it is alive',
    load: async () => (await import('./health.ts')).defineHealth,
  },
  {
    name: 'check',
    summary: 'check a configuration and print its routing table',
    load: async () => (await import('./check.ts')).defineCheck,
  },
  {
    name: 'plan',
    summary: 'show what a changed configuration would do',
    load: async () => (await import('./plan.ts')).definePlan,
  },
  {
    name: 'replay',
    summary: 'show which logged requests a changed configuration would answer differently',
    load: async () => (await import('./replay.ts')).defineReplay,
  },
  {
    name: 'import',
    summary: 'convert a Kong configuration or an OpenAPI document',
    load: async () => (await import('./import.ts')).defineImport,
  },
  {
    name: 'top',
    summary: 'show what a running gateway does',
    load: async () => (await import('./top.ts')).defineTop,
  },
  {
    name: 'requests',
    summary: 'show the requests of a running gateway',
    load: async () => (await import('./requests.ts')).defineRequests,
  },
  {
    name: 'why',
    summary: 'explain why a request ended as it did',
    load: async () => (await import('./why.ts')).defineWhy,
  },
  {
    name: 'explain',
    summary: 'explain how a request would be handled',
    load: async () => (await import('./explain.ts')).defineExplain,
  },
  {
    name: 'reload',
    summary: 'reload the configuration of a running gateway',
    load: async () => (await import('./reload.ts')).defineReload,
  },
  {
    name: 'limits',
    summary: 'show clients near their rate limits, and reset them',
    load: async () => (await import('./limits.ts')).defineLimits,
  },
  {
    name: 'drain',
    summary: 'drain an instance',
    load: async () => (await import('./drain.ts')).defineDrain,
  },
  {
    name: 'undrain',
    summary: 'put a drained instance back into service',
    load: async () => (await import('./drain.ts')).defineUndrain,
  },
  {
    name: 'log-level',
    summary: 'change the log level of a running gateway',
    load: async () => (await import('./log-level.ts')).defineLogLevel,
  },
  {
    name: 'policy',
    summary: 'create custom policies',
    load: async () => (await import('./policy.ts')).definePolicyCommands,
  },
  {
    name: 'password',
    summary: 'hash a password',
    load: async () => (await import('./password.ts')).definePassword,
  },
  {
    name: 'keys',
    summary: 'create, list, rotate and revoke API keys',
    load: async () => (await import('./keys.ts')).defineKeys,
  },
  {
    name: 'certificate',
    summary: 'create a certificate for development',
    load: async () => (await import('./certificate.ts')).defineCertificate,
  },
  {
    name: 'cache',
    summary: 'purge stored replies of a running gateway',
    load: async () => (await import('./cache.ts')).defineCache,
  },
  {
    name: 'completions',
    summary: 'print shell completions',
    aboutAll: true,
    load: async () => (await import('./completions/command.ts')).defineCompletions,
  },
]
