import type { Report } from './report.ts'

/** The result of an import: a configuration, and a report. */
export interface Imported {
  /** The text of a sallyport.yaml. */
  readonly yaml: string
  readonly report: Report
}
