import type { Decision } from './answers.ts'

/** The policy and its decision in a few words: "rate-limit" and "refused, tier api_key". */
export function decisionWords({ name, attributes }: Decision): readonly [who: string, what: string] {
  const known = Object.entries(attributes).filter(([, value]) => value !== null && value !== undefined)
  const words = known.map(([key, value]) => {
    const short = key.startsWith(`${name}.`) ? key.slice(name.length + 1) : key.replace(/^sallyport\./, '')
    return short === 'outcome' || short === 'status' ? String(value) : `${short.replaceAll('_', ' ')} ${String(value)}`
  })
  return [name.replace(/^sallyport\./, '').replaceAll('_', '-'), words.join(', ')]
}
