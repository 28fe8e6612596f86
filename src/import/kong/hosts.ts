import { parseHostPattern } from '../../routing/host.ts'
import { PatternError } from '../../routing/pattern.ts'
import type { Entry } from '../report.ts'

/** The hosts of a route that can be imported; null if there were some but none of them can. */
export function importHosts(written: readonly string[], entry: Entry): readonly string[] | null {
  const hosts = written.flatMap((text) => {
    const withoutPort = text.replace(/:\d+$/, '')
    if (withoutPort !== text) entry.tell('different', `The port of ${text} is not matched: see match.listener.`)
    if (isHost(withoutPort)) return [withoutPort.toLowerCase()]
    entry.tell(
      written.length === 1 ? 'left out' : 'narrower',
      `The host ${text} was left out: wildcards have the form *.example.com.`,
    )
    return []
  })
  return written.length > 0 && hosts.length === 0 ? null : [...new Set(hosts)]
}

function isHost(text: string): boolean {
  try {
    parseHostPattern(text)
    return true
  } catch (error) {
    if (error instanceof PatternError) return false
    throw error
  }
}
