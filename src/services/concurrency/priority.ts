import { z } from 'zod'

/** Priority of a route's requests when load is shed: 'high' is shed last, 'low' first. */
export const priorities = ['high', 'normal', 'low'] as const

/** A priority. */
export type Priority = (typeof priorities)[number]

/** Schema of the priority of a route. */
export const prioritySchema = z.enum(priorities)
