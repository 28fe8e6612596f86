import type { Figures, Goal, PeerResult, ScenarioResult } from './results.ts'
import { spread, type Spread } from './statistics.ts'

/** A figure of one proxy over the rounds that count; undefined if none does. */
export function figureOf(peer: PeerResult, figure: keyof Figures): Spread | undefined {
  return spread(peer.rounds.flatMap((round) => ('invalid' in round ? [] : [round[figure]])))
}

/** The figure divided by the baseline's in the same round, over the rounds in which both count. */
export function ratioOf(peer: PeerResult, baseline: PeerResult, figure: keyof Figures): Spread | undefined {
  return spread(
    peer.rounds.flatMap((round, index) => {
      const other = baseline.rounds[index]
      if ('invalid' in round || other === undefined || 'invalid' in other) return []
      return [round[figure] / other[figure]]
    }),
  )
}

/** The peers of a scenario that Sallyport should beat but does not, by the figure of the goal. */
export function aheadOf(scenario: ScenarioResult, subject: string, exempt: string[]): string[] {
  const figure = figureIn(scenario)
  const own = medianOf(scenario, subject, figure)
  return scenario.peers
    .filter(({ name }) => name !== subject && !exempt.includes(name))
    .filter(({ name }) => medianOf(scenario, name, figure) < own)
    .map(({ name }) => name)
}

/** The figure by which the peers of a scenario are compared. */
export function figureIn({ goals }: ScenarioResult): Goal['figure'] {
  return goals[0]?.figure ?? 'cpu'
}

/** One proxy's result in a scenario; undefined if it did not take part. */
export function peerIn(scenario: ScenarioResult, name: string): PeerResult | undefined {
  return scenario.peers.find((peer) => peer.name === name)
}

function medianOf(scenario: ScenarioResult, name: string, figure: keyof Figures): number {
  const peer = peerIn(scenario, name)
  return (peer && figureOf(peer, figure)?.median) ?? Number.NaN
}
