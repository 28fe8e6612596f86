import { hash } from 'node:crypto'
import type { Applied } from '../runtime/reloads.ts'

/** ETag of GET /config/text: another text has another one, even if it means the same. */
export function textTag(text: string): string {
  return `"${hash('sha256', text)}"`
}

/** ETag of GET /config, which also shows what comes from variables and files. */
export function configTag({ revision, text }: Pick<Applied, 'revision' | 'text'>): string {
  return `"${hash('sha256', `${revision}\n${text}`)}"`
}

/** What If-Match of a change may have: either of them. */
export function tagsOf(applied: Pick<Applied, 'revision' | 'text'>): readonly string[] {
  const { text } = applied
  return text === null ? [configTag(applied)] : [textTag(text), configTag(applied)]
}
