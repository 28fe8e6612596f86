import { type Drill, usual } from '../drill.ts'
import { well } from '../service/behavior.ts'

/** Nothing goes wrong: the baseline for the other drills. */
export const healthy: Drill = {
  ...usual,
  name: 'healthy',
  title: 'Nothing goes wrong',
  goal: 'nothing fails',
  behavior: well,
  begin() {},
  end() {},
  isMet: ({ gets, posts }) => gets.failed === 0 && posts.failed === 0 && posts.twice === 0,
}

/** A healthy service that takes 10 ms for most requests and 1 to 2.5 s for 8 of 100, for ten minutes. */
export const bimodal: Drill = {
  ...usual,
  name: 'bimodal',
  title: 'A healthy service in which 8 of 100 requests take 1 to 2.5 s',
  goal: 'nothing fails or is shed, no instance is ejected',
  span: { total: 600, from: 0, to: 600 },
  short: { total: 60, from: 0, to: 60 },
  gets: 300,
  behavior: { ...well, slow: { share: 0.08, from: 1000, to: 2500 } },
  begin() {},
  end() {},
  isMet: ({ gets, posts, ejections, shed }) => gets.failed === 0 && posts.failed === 0 && ejections === 0 && shed === 0,
}
