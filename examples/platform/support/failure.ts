/** Why a start failed, in words for the one who started it; a port that is taken is named. */
export function describeFailure(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  if (!isListenError(error) || error.code !== 'EADDRINUSE') return error.message
  return `Port ${error.port} on ${error.address} is taken: stop what listens there (lsof -i :${error.port} shows it).`
}

interface ListenError extends Error {
  readonly code: string
  readonly address: string
  readonly port: number
}

function isListenError(error: Error): error is ListenError {
  return 'code' in error && 'address' in error && 'port' in error
}
