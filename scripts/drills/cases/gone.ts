import { atMost, backAfter, type Drill, usual } from '../drill.ts'
import { well } from '../service/behavior.ts'

/** An instance hangs with open connections, as if it were swapping or stopped by a debugger. */
export const stopped: Drill = {
  ...usual,
  name: 'stopped',
  title: 'One of three is stopped for 30 s (SIGSTOP)',
  goal: 'at most 10 of 7,500 GETs fail, no POST is sent twice',
  short: { total: 46, from: 6, to: 36 },
  behavior: well,
  begin: ({ instances }) => instances[0]?.freeze(),
  end: ({ instances }) => instances[0]?.thaw(),
  isMet: (result) => atMost(10 / 7500, result),
}

/** An instance dies under load and is restarted. */
export const killed: Drill = {
  ...usual,
  name: 'killed',
  title: 'One of three is killed under load (kill -9), and started again',
  goal: 'no GET fails, no POST is sent twice',
  behavior: well,
  begin: ({ instances }) => instances[0]?.kill(),
  end: ({ instances }) => instances[0]?.start(),
  isMet: (result) => atMost(0, result),
}

/** No instance accepts connections for a while. */
export const refused: Drill = {
  ...usual,
  name: 'refused',
  title: 'All three refuse connections for 20 s',
  goal: 'recovered 1 s after the instances are back',
  span: { total: 40, from: 5, to: 25 },
  short: { total: 40, from: 5, to: 25 },
  behavior: well,
  begin: ({ instances }) => instances.forEach((instance) => instance.behave({ listening: false })),
  end: ({ instances }) => instances.forEach((instance) => instance.behave({ listening: true })),
  figure: backAfter,
  isMet: ({ recovery, posts }) => recovery !== null && recovery <= 1 && posts.twice === 0,
}

/** The DNS name of the service changes to other instances; the old ones stop 10 s later. */
export const moved: Drill = {
  ...usual,
  name: 'moved',
  title: 'The name of the service moves to other instances, and the previous ones stop 10 s later',
  goal: 'no GET fails, no POST is sent twice',
  span: { total: 30, from: 5, to: 15 },
  short: { total: 30, from: 5, to: 15 },
  instances: 6,
  isNamed: true,
  behavior: well,
  begin: ({ instances, dns }) => dns?.move(instances.slice(3).map(({ host }) => host)),
  end: ({ instances }) => instances.slice(0, 3).forEach((instance) => instance.kill()),
  isMet: (result) => atMost(0, result),
}
