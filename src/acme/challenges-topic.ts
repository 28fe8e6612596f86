import { defineTopic } from '../core/threads.ts'

/** The answers to challenges that threads give. */
export interface ShownChallenges {
  /** Increases with each change. */
  readonly version: number
  /** Token -> answer (http-01). */
  readonly answers: Readonly<Record<string, string>>
  /** DNS name -> certificate with the answer (tls-alpn-01), PEM. */
  readonly certificates: Readonly<Record<string, { readonly cert: string; readonly key: string }>>
}

/** Asked by a thread for the current answers; the main thread responds. */
export const challengesTopic = defineTopic<null, ShownChallenges>('acme-challenges')

/** The main thread notifies all threads of changed answers. */
export const challengesChangedTopic = defineTopic<ShownChallenges, null>('acme-challenges-changed')
