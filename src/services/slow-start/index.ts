import { durationOrZero } from '../../core/units.ts'

/** Schema of how long an instance that comes to its service gets less than its share. */
export const slowStartSchema = durationOrZero.prefault('0s')
