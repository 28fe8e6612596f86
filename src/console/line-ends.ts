import { compare } from './patch.ts'

const LINE_END = /\r?\n|\r/

/** A text as browsers edit it: all lines end with a line feed. */
export function withLineFeeds(text: string): string {
  return text.replaceAll(new RegExp(LINE_END, 'g'), '\n')
}

/** An edited text with the line ends of the text before: a new line has that of the one that it replaces or follows. */
export function withLineEnds(edited: string, before: string): string {
  const ends = before.match(new RegExp(LINE_END, 'g')) ?? []
  if (ends.every((end) => end === '\n')) return edited
  let [end = '\n'] = ends
  let at = 0
  let text = ''
  // The last line has no end.
  let endBefore = ''
  const lines = compare(before.split(LINE_END), edited.split('\n'))
  for (const { kind, text: line } of lines) {
    if (kind !== '+') end = ends[at++] ?? end
    if (kind === '-') continue
    text += endBefore + line
    endBefore = end
  }
  return text
}
