import { send } from './client.ts'

/** One sample of a document. */
export interface Sample {
  readonly name: string
  readonly labels: Readonly<Record<string, string>>
  readonly value: number
}

/** The metrics of a gateway at one time. */
export class Scrape {
  readonly text: string
  readonly samples: readonly Sample[]

  constructor(text: string) {
    this.text = text
    this.samples = text
      .split('\n')
      .filter((line) => line !== '' && !line.startsWith('#'))
      .map(parseSample)
  }

  /** The samples with that name and those labels, whatever other labels they have. */
  all(name: string, labels: Readonly<Record<string, string>> = {}): Sample[] {
    return this.samples.filter(
      (sample) =>
        sample.name === name && Object.entries(labels).every(([label, value]) => sample.labels[label] === value),
    )
  }

  /** Their sum. */
  sum(name: string, labels: Readonly<Record<string, string>> = {}): number {
    return this.all(name, labels).reduce((sum, { value }) => sum + value, 0)
  }
}

/** Fetches the metrics of a gateway. */
export async function scrape(port: number, accept?: string): Promise<Scrape> {
  const { status, text } = await send(port, {
    path: '/metrics',
    headers: accept === undefined ? {} : { Accept: accept },
  })
  if (status !== 200) throw new Error(`GET /metrics answered ${status}: ${text}`)
  return new Scrape(text)
}

function parseSample(line: string): Sample {
  const match = /^([a-zA-Z_:][\w:]*)(?:\{(.*?)\})? (\S+)(?: # .*)?$/.exec(line)
  if (match === null) throw new Error(`no sample: ${line}`)
  const [, name = '', labels = '', value = ''] = match
  const pairs = [...labels.matchAll(/(\w+)="((?:[^"\\]|\\.)*)"/g)].map(([, label = '', text = '']) => [label, text])
  return { name, labels: Object.fromEntries(pairs) as Record<string, string>, value: Number(value) }
}
