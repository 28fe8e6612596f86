import { durationOrZero } from '../../core/units.ts'

/** Schema of how long a new instance gets less than its full share. */
export const slowStartSchema = durationOrZero.prefault('0s')
