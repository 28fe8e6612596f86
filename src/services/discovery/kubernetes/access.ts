import { readFile } from 'node:fs/promises'
import { messageOf } from '../../../core/error-facts.ts'
import type { KubernetesOptions } from './options.ts'

/** Mounted by Kubernetes into every pod that may access its API server. */
const MOUNT = '/var/run/secrets/kubernetes.io/serviceaccount'

/** Current API server access. */
export interface Access {
  /** Without a trailing slash. */
  readonly server: string
  readonly token: string | null
  /** PEM; null for Node's default authorities. */
  readonly ca: string | null
  readonly namespace: string
}

/** Identifies the server and the files. */
type Place = Pick<KubernetesOptions, 'server' | 'tokenFile' | 'caFile' | 'namespace'>

/**
 * Determines how to access the API server: from the options, or as pods do. Files are read on every call, as tokens are renewed within the
 * hour. Rejects with an Error that says what is missing.
 */
export async function accessOf(options: Place, env: NodeJS.ProcessEnv, mount = MOUNT): Promise<Access> {
  const { server, tokenFile, caFile, namespace } = options
  const inside = server === undefined
  const token = await read(tokenFile ?? (inside ? `${mount}/token` : null))
  const ca = await read(caFile ?? (inside ? `${mount}/ca.crt` : null))
  const own = await read(namespace === undefined ? `${mount}/namespace` : null)
  return { server: server?.replace(/\/+$/, '') ?? serverOf(env), token, ca, namespace: namespace ?? own ?? 'default' }
}

function serverOf(env: NodeJS.ProcessEnv): string {
  const { KUBERNETES_SERVICE_HOST: host = '', KUBERNETES_SERVICE_PORT: port = '443' } = env
  if (host === '') throw new Error('not in a cluster, as KUBERNETES_SERVICE_HOST is not set: set the server')
  return `https://${host.includes(':') ? `[${host}]` : host}:${port}`
}

async function read(file: string | null): Promise<string | null> {
  if (file === null) return null
  try {
    const text = await readFile(file, 'utf8')
    return text.trim()
  } catch (error) {
    throw new Error(
      `${file} cannot be read (${messageOf(error)}): set the server, the namespace and the files, or run in a pod`,
      {
        cause: error,
      },
    )
  }
}
