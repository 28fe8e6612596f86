import type { Report } from './report.ts'

/** What became of a source: a configuration, and what to know of it. */
export interface Imported {
  /** The text of a sallyport.yaml. */
  readonly yaml: string
  readonly report: Report
}
