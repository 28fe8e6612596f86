import type { Problem } from './answers.ts'

/** A refusal of the admin API, or a failure to reach it. */
export class Refusal extends Error {
  /** 0 if there was no reply. */
  readonly status: number
  readonly problems: readonly Problem[]

  constructor(status: number, message: string, problems: readonly Problem[] = []) {
    super(message)
    this.status = status
    this.problems = problems
  }
}

/** Options of a request in addition to the path. */
export interface RequestOptions {
  readonly method?: 'GET' | 'PUT' | 'POST' | 'DELETE'
  /** A body to send as JSON. */
  readonly json?: unknown
  /** A body to send as text. */
  readonly text?: string
  readonly ifMatch?: string
  readonly signal?: AbortSignal
}

/** Endpoints that are available before login. */
const OPEN = new Set(['/login', '/login/oidc', '/logout', '/session'])
/** Whether no one is logged in (any more): no other requests are sent until someone is. */
let locked = false
/** Called when that is detected. */
let whenLocked = (): void => {}

/** Calls `listener` whenever a request is refused because no one is logged in. */
export function onLocked(listener: () => void): void {
  whenLocked = listener
}

/** Resumes requests after a login. */
export function unlock(): void {
  locked = false
}

/** Sends a request to the admin API and resolves with its reply. Rejects with Refusal. */
export async function callApi<Answer>(path: string, options: RequestOptions = {}): Promise<Answer> {
  const response = await send(path, options)
  return read<Answer>(response.status === 204 ? 'null' : await response.text())
}

/** Parses JSON of the admin API. */
// oxlint-disable-next-line typescript/no-unnecessary-type-parameters -- the caller knows what it has asked for
export function read<Answer>(json: string): Answer {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the admin API answers what answers.ts says
  return JSON.parse(json) as Answer
}

/** Does the same but resolves with the response, whose body has not been read yet. */
export async function send(
  path: string,
  { method = 'GET', json, text, ifMatch, signal }: RequestOptions = {},
): Promise<Response> {
  if (locked && !OPEN.has(path)) throw new Refusal(401, 'You are not logged in.')
  const headers = new Headers({ Accept: 'application/json, text/event-stream', 'X-Requested-With': 'console' })
  if (ifMatch !== undefined) headers.set('If-Match', ifMatch)
  if (json !== undefined) headers.set('Content-Type', 'application/json')
  if (text !== undefined) headers.set('Content-Type', 'application/yaml')
  const body = json === undefined ? text : JSON.stringify(json)
  const response = await fetch(path, {
    method,
    headers,
    cache: 'no-store',
    ...(body !== undefined && { body }),
    ...(signal && { signal }),
  }).catch((error: unknown) => {
    if (signal?.aborted === true) throw error
    throw new Refusal(0, 'The gateway does not respond.')
  })
  if (response.ok) return response
  const problem = await problemOf(response)
  if (response.status === 401 && !OPEN.has(path)) {
    locked = true
    whenLocked()
  }
  throw problem
}

/** RFC 9457. */
interface ProblemDocument {
  readonly title: string
  readonly detail?: string
  readonly problems?: readonly Problem[]
  /** Whether the file was changed and not reloaded: the detail says what to do in terms of the API. */
  readonly fileChanged?: boolean
}

const FILE_CHANGED =
  'The file has been changed and not reloaded. See what it would change under “The file” on the page Configuration, and apply it there first.'

async function problemOf(response: Response): Promise<Refusal> {
  const { status } = response
  try {
    const { detail, title, problems = [], fileChanged = false } = read<ProblemDocument>(await response.text())
    return new Refusal(status, fileChanged ? FILE_CHANGED : (detail ?? title), problems)
  } catch {
    return new Refusal(status, `The admin API responded with ${status}.`)
  }
}

/** A description of the error. */
export function wordsOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
