import { fileURLToPath } from 'node:url'
import { Server, ServerCredentials, type ServiceDefinition, type UntypedServiceImplementation } from '@grpc/grpc-js'
import { loadSync } from '@grpc/proto-loader'

/** A server of gRPC that listens. */
export interface RunningGrpc {
  readonly url: string
  /** Resolves when the calls in flight are answered. */
  close(): Promise<void>
}

/** A service of a .proto file, by its full name. Throws an Error where the file has none of that name. */
export function serviceIn(file: URL, name: string): ServiceDefinition {
  const definition = loadSync(fileURLToPath(file), { enums: String, defaults: true })[name]
  if (definition === undefined || 'format' in definition) throw new Error(`${file.pathname} has no service ${name}`)
  return definition
}

/** Serves a service, and grpc.health.v1 beside it; rejects when the port is taken. Port 0 takes a free one. */
export async function startGrpc(
  definition: ServiceDefinition,
  implementation: UntypedServiceImplementation,
  { host = '127.0.0.1', port }: { readonly host?: string | undefined; readonly port: number },
): Promise<RunningGrpc> {
  const server = new Server()
  server.addService(definition, implementation)
  server.addService(serviceIn(new URL('health.proto', import.meta.url), 'grpc.health.v1.Health'), {
    Check: (_: unknown, reply: (error: null, message: object) => void) => reply(null, { status: 'SERVING' }),
  })
  const bound = await new Promise<number>((resolve, reject) => {
    const address = host.includes(':') ? `[${host}]` : host
    server.bindAsync(`${address}:${port}`, ServerCredentials.createInsecure(), (error, taken) =>
      error === null ? resolve(taken) : reject(error),
    )
  })
  return {
    url: `http://${host}:${bound}`,
    close: () => new Promise((resolve) => server.tryShutdown(() => resolve())),
  }
}
