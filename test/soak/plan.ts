import { bytes } from '../support/bytes.ts'
import type { Random } from './random.ts'

/** What the service does with a request, and how often. */
const MOODS = {
  /** Answers. */
  good: 60,
  /** Answers after early hints, or after a while. */
  hints: 3,
  late: 3,
  /** Answers and closes the connection without announcing it. */
  hangup: 4,
  /** Answers with extra bytes after the reply. */
  extra: 2,
  /** Answers before it has read the request. */
  early: 3,
  /** Never answers, or stalls within the reply. */
  silent: 1,
  stall: 1,
  /** Closes the connection within the reply, or without one. */
  cut: 4,
  vanish: 4,
  /** Answers with something other than HTTP, or ambiguous HTTP. */
  garbage: 2,
  split: 2,
  both: 2,
  badchunk: 2,
  flood: 1,
} as const

export type Mood = keyof typeof MOODS

/** How the service frames its reply. */
const FRAMINGS = { length: 5, chunked: 4, close: 1 } as const

export type Framing = keyof typeof FRAMINGS

/** One request and its expected outcome. */
export interface Plan {
  readonly id: number
  readonly mood: Mood
  readonly framing: Framing
  /** Bytes of the reply. */
  readonly size: number
  /** The number of pieces in which the sender writes its content. */
  readonly pieces: number
  /** Content of the request; null for GET. */
  readonly body: Buffer | null
}

const CONTENT = bytes(400_000)

/** The content of the reply to a request, different for each. */
export function contentOf(id: number, size: number): Buffer {
  const start = (id * 31) % 60_000
  return CONTENT.subarray(start, start + size)
}

export function makePlan(id: number, random: Random): Plan {
  const size = (): number => (random.below(10) < 7 ? random.below(2_000) : random.below(300_000))
  return {
    id,
    mood: random.pick(MOODS),
    framing: random.pick(FRAMINGS),
    size: size(),
    pieces: 1 + random.below(6),
    body: random.below(3) === 0 ? contentOf(id + 7, size()) : null,
  }
}

/** Where the request contains the plan, for the service. */
export function pathOf({ id, mood, framing, size, pieces }: Plan): string {
  return `/${id}/${mood}/${framing}/${size}/${pieces}`
}

/** The plan in a path, as far as the service needs it. */
export function planOf(path: string): Omit<Plan, 'body'> {
  const [, id, mood, framing, size, pieces] = path.split('/')
  return { id: Number(id), mood: mood as Mood, framing: framing as Framing, size: Number(size), pieces: Number(pieces) }
}

/** The content cut into that many pieces. */
export function cut(content: Buffer, pieces: number): Buffer[] {
  const size = Math.max(1, Math.ceil(content.length / pieces))
  return Array.from({ length: Math.ceil(content.length / size) }, (_, i) => content.subarray(i * size, (i + 1) * size))
}
