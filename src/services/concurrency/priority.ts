import { z } from 'zod'

/** What a route's requests are for those who have to leave some out: the last to be shed, or the first. */
export const priorities = ['high', 'normal', 'low'] as const

/** One of them. */
export type Priority = (typeof priorities)[number]

/** Schema of the priority of a route. */
export const prioritySchema = z.enum(priorities)
