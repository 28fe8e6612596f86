import { type ComponentChildren, h } from 'preact'
import type { Tone } from './marks.ts'

/** One important number, with a line of its recent values. */
export function Figure({
  name,
  value,
  tone,
  points,
  about,
}: {
  name: string
  value: string
  tone?: Tone
  points?: readonly number[]
  about?: string
}): ComponentChildren {
  return h(
    'div',
    { class: `figure ${tone ?? ''}` },
    h('div', { class: 'figure-name' }, name),
    h('div', { class: 'figure-value' }, value),
    points === undefined
      ? h('div', { class: 'figure-about' }, about ?? '')
      : h(Spark, { points, label: `${name} in the last minute` }),
  )
}

const WIDTH = 120

const HEIGHT = 28

/** Number of seconds in a line. */
const POINTS = 60

/** A line of the last minute, with one point per second. */
export function Spark({
  points,
  label,
  tone,
}: {
  points: readonly number[]
  label: string
  tone?: Tone
}): ComponentChildren {
  const most = Math.max(...points, 0)
  if (most === 0)
    return h(
      'svg',
      {
        class: 'spark idle',
        viewBox: `0 0 ${WIDTH} ${HEIGHT}`,
        preserveAspectRatio: 'none',
        role: 'img',
        'aria-label': `${label}: none`,
      },
      h('polyline', { class: 'spark-line', points: `0,${HEIGHT - 1} ${WIDTH},${HEIGHT - 1}` }),
    )
  const first = POINTS - points.length
  const at = points.map((value, i) => {
    const x = ((first + i) / (POINTS - 1)) * WIDTH
    const y = HEIGHT - 1 - (most === 0 ? 0 : value / most) * (HEIGHT - 3)
    return `${x.toFixed(1)},${y.toFixed(1)}`
  })
  const start = ((first / (POINTS - 1)) * WIDTH).toFixed(1)
  return h(
    'svg',
    {
      class: `spark ${tone ?? ''}`,
      viewBox: `0 0 ${WIDTH} ${HEIGHT}`,
      preserveAspectRatio: 'none',
      role: 'img',
      'aria-label': label,
    },
    at.length > 1 &&
      h('polygon', { class: 'spark-area', points: `${start},${HEIGHT} ${at.join(' ')} ${WIDTH},${HEIGHT}` }),
    at.length > 1 && h('polyline', { class: 'spark-line', points: at.join(' ') }),
  )
}
