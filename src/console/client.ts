import type { Problem } from './answers.ts'

/** What the admin API has refused, or that it does not answer. */
export class Refusal extends Error {
  /** 0 where nobody answers. */
  readonly status: number
  readonly problems: readonly Problem[]

  constructor(status: number, message: string, problems: readonly Problem[] = []) {
    super(message)
    this.status = status
    this.problems = problems
  }
}

/** What is asked for besides a path. */
export interface Asked {
  readonly method?: 'GET' | 'PUT' | 'POST' | 'DELETE'
  /** Goes along as JSON. */
  readonly json?: unknown
  /** Goes along as it is. */
  readonly text?: string
  readonly ifMatch?: string
  readonly signal?: AbortSignal
}

const TOKEN = 'sallyport-token'

let token = sessionStorage.getItem(TOKEN) ?? ''
/** What is answered before anybody has logged in. */
const OPEN = new Set(['/login', '/login/oidc', '/logout', '/session'])
/** Whether nobody is logged in, or no more: nothing else is asked until somebody is. */
let locked = false
/** Called where that is found out. */
let whenLocked = (): void => {}

/** Has `locked` called whenever a request is refused because nobody is logged in. */
export function onLocked(listener: () => void): void {
  whenLocked = listener
}

/** Sends that token from now on, until the tab is closed; "" for none. */
export function useToken(value: string): void {
  token = value
  locked = false
  if (value === '') sessionStorage.removeItem(TOKEN)
  else sessionStorage.setItem(TOKEN, value)
}

/** Asks again from now on, as somebody has logged in. */
export function unlock(): void {
  locked = false
}

/** Whether a token is sent. */
export function hasToken(): boolean {
  return token !== ''
}

/** Asks the admin API, and resolves with its answer. Rejects with Refusal. */
export async function ask<Answer>(path: string, asked: Asked = {}): Promise<Answer> {
  const response = await send(path, asked)
  return read<Answer>(response.status === 204 ? 'null' : await response.text())
}

/** What JSON of the admin API says. */
// oxlint-disable-next-line typescript/no-unnecessary-type-parameters -- the caller knows what it has asked for
export function read<Answer>(json: string): Answer {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the admin API answers what answers.ts says
  return JSON.parse(json) as Answer
}

/** The same with the response, whose body is still to come. */
export async function send(
  path: string,
  { method = 'GET', json, text, ifMatch, signal }: Asked = {},
): Promise<Response> {
  if (locked && !OPEN.has(path)) throw new Refusal(401, 'Nobody is logged in.')
  const headers = new Headers({ Accept: 'application/json, text/event-stream', 'X-Requested-With': 'console' })
  if (token !== '') headers.set('Authorization', `Bearer ${token}`)
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
    throw new Refusal(0, 'The gateway does not answer.')
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
}

async function problemOf(response: Response): Promise<Refusal> {
  const { status } = response
  try {
    const { detail, title, problems = [] } = read<ProblemDocument>(await response.text())
    return new Refusal(status, detail ?? title, problems)
  } catch {
    return new Refusal(status, `The admin API answered ${status}.`)
  }
}

/** What went wrong, in words. */
export function wordsOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
