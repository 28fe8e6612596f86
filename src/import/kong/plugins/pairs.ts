import { itemsOf } from '../../../core/value.ts'
import { textOf } from '../../read.ts'
import { markVariables } from '../../variables.ts'

/** Items such as "name:value"; the value is empty if there is no colon. */
export function pairsOf(list: unknown): (readonly [name: string, value: string])[] {
  return itemsOf(list).flatMap((item) => {
    const text = textOf(item)
    if (text === undefined || text === '') return []
    const colon = text.indexOf(':')
    if (colon === -1) return [[text.trim(), ''] as const]
    return [[text.slice(0, colon).trim(), markVariables(text.slice(colon + 1).trim())] as const]
  })
}
