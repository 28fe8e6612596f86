/** How a stream of messages is written. */
export interface StreamForm {
  readonly type: string
  readonly start: string
  readonly before: string
  readonly between: string
  readonly after: string
  readonly end: string
}

/** A list: valid JSON once it is complete. */
const LIST: StreamForm = { type: 'application/json', start: '[', before: '', between: ',', after: '', end: ']' }
/** One message per line. */
const LINES: StreamForm = { type: 'application/x-ndjson', start: '', before: '', between: '', after: '\n', end: '' }
/** One message per event (HTML, "Server-sent events"). */
const EVENTS: StreamForm = {
  type: 'text/event-stream',
  start: '',
  before: 'data: ',
  between: '',
  after: '\n\n',
  end: '',
}

/** All forms; the first one is the default. */
export const streamForms: readonly StreamForm[] = [LIST, LINES, EVENTS]

const LINES_ASKED = /(?:^|[,\s])application\/(?:x-ndjson|jsonl|x-jsonlines|json-lines)(?=[;,\s]|$)/i
const EVENTS_ASKED = /(?:^|[,\s])text\/event-stream(?=[;,\s]|$)/i

/** The form that Accept asks for: a list unless it names another one. */
export function streamForm(accept: string | undefined): StreamForm {
  if (accept === undefined) return LIST
  if (LINES_ASKED.test(accept)) return LINES
  return EVENTS_ASKED.test(accept) ? EVENTS : LIST
}
