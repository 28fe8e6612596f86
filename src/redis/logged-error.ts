/**
 * The error without the command that failed, as the client library attaches it, also to errors within: its arguments are
 * whole replies of services, digests of keys, names of clients, or a password, which have no place in a log.
 */
export function withoutCommand(error: unknown): unknown {
  if (!(error instanceof Error)) return error
  Reflect.deleteProperty(error, 'command')
  for (const inner of Object.values(error)) withoutCommand(inner)
  return error
}
