import { getSmall } from './get-small.ts'
import type { Scenario } from './scenario.ts'

/** The cost of several workers: the same requests handled by one and by two, on the same core. */
export const twoWorkers: Scenario = {
  ...getSmall,
  name: 'two-workers',
  title: `${getSmall.title}, with one worker and with two`,
  goals: [{ figure: 'cpu', ratio: 1.05, of: 'Sallyport with two workers', to: 'Sallyport' }],
  peers: ['nginx', 'Sallyport', 'Sallyport with two workers'],
}
