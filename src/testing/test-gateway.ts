import { present } from '../core/present.ts'
import { createGateway, type GatewayInput, type GatewayOptions, type OwnPolicyInput } from '../gateway.ts'
import { createMemoryLogger } from '../telemetry/memory-logger.ts'

/** A gateway for tests. */
export interface TestGateway extends AsyncDisposable {
  /** Where it listens, such as "http://127.0.0.1:40123". */
  readonly url: string
  /** The lines of its log so far, including the line of each request. */
  readonly log: readonly Readonly<Record<string, unknown>>[]
  close(): Promise<void>
}

/**
 * Runs a gateway on a free port of 127.0.0.1 in this thread, without an admin listener unless the configuration has one, and resolves when
 * it is ready. `await using` closes it at the end of the test. Throws ConfigError like `createGateway`.
 */
export async function startTestGateway<const Own extends readonly OwnPolicyInput[] = readonly []>(
  config: GatewayInput<Own>,
  options: Omit<GatewayOptions, 'output'> = {},
): Promise<TestGateway> {
  const output = createMemoryLogger('debug', options.clock)
  const listeners = [{ address: '127.0.0.1:0' }]
  const gateway = await createGateway(
    { admin: false, drainTimeout: '1s', ...config, listeners },
    { ...options, output },
  )
  await gateway.ready
  const { port } = present(gateway.addresses[0], 'listener')
  const close = (): Promise<void> => gateway.close()
  return {
    url: `http://127.0.0.1:${port}`,
    log: output.lines,
    close,
    [Symbol.asyncDispose]: close,
  }
}
