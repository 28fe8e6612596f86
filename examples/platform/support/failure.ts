/** Why a start failed, in words for the one who started it; a port that is taken is named. */
export function describeFailure(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  const taken = takenPort(error)
  return taken === null ? error.message : `${taken.words}: stop what listens there (lsof -i :${taken.port} shows it).`
}

/** The port that could not be listened on because it is taken, and that in words; null for any other error. */
export function takenPort(error: Error): { readonly port: number; readonly words: string } | null {
  if (!isListenError(error) || error.code !== 'EADDRINUSE') return null
  return { port: error.port, words: `Port ${error.port} on ${error.address} is taken` }
}

interface ListenError extends Error {
  readonly code: string
  readonly address: string
  readonly port: number
}

function isListenError(error: Error): error is ListenError {
  return 'code' in error && 'address' in error && 'port' in error
}
