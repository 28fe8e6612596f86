/**
 * Strips the failed command, which the client library attaches to errors and nested errors: its arguments can be whole replies of services,
 * key digests, client names or passwords, which must not be logged.
 */
export function withoutCommand(error: unknown): unknown {
  if (!(error instanceof Error)) return error
  Reflect.deleteProperty(error, 'command')
  for (const inner of Object.values(error)) withoutCommand(inner)
  return error
}
