import type { GatewayConfig } from './schema.ts'

/** The parts of a configuration that are compared. */
export interface Judged {
  readonly config: GatewayConfig
  /** The file as written; null if there is none. */
  readonly text: string | null
}

/**
 * Why a valid configuration does not replace the current one unless that is requested explicitly: the file appears to be truncated, or
 * nothing would be served any more. Null if there is no objection.
 */
export function refusalOf(before: Judged, after: Judged): string | null {
  if (before.config.routes.length > 0 && after.config.routes.length === 0)
    return `the new configuration has no routes, but the running one has ${before.config.routes.length}: nothing would be served`
  if (before.text === null || after.text === null) return null
  if (after.text.length < before.text.length && before.text.startsWith(after.text))
    return 'the file is only the beginning of the running one: it may be incomplete'
  if (endsLine(before.text) && !endsLine(after.text))
    return 'the file ends within a line: it may be incomplete; if it is not, end it with a line break'
  return null
}

function endsLine(text: string): boolean {
  return /\n[ \t]*$/.test(text)
}
