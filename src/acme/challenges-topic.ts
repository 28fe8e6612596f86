import { defineTopic } from '../core/threads.ts'

/** What threads answer challenges with. */
export interface ShownChallenges {
  /** Rises with each change. */
  readonly version: number
  /** Token -> what it is answered with (http-01). */
  readonly answers: Readonly<Record<string, string>>
  /** DNS name -> the certificate that says so (tls-alpn-01), PEM. */
  readonly certificates: Readonly<Record<string, { readonly cert: string; readonly key: string }>>
}

/** A thread asks which challenges it is to answer; the main thread answers. */
export const challengesTopic = defineTopic<null, ShownChallenges>('acme-challenges')

/** The main thread tells all threads which challenges they are to answer from now on. */
export const challengesChangedTopic = defineTopic<ShownChallenges, null>('acme-challenges-changed')
