import { Failure } from '../failure.ts'

/** One record of a CSV file: the line it begins on, and its cells. */
export interface CsvRecord {
  readonly line: number
  readonly cells: readonly string[]
}

/**
 * Reads CSV (RFC 4180): cells between commas, quotes around cells that hold commas, quotes (doubled) or line breaks. Lines without any cell are left
 * out. Throws `Failure` with file and line where a quote does not end, or has something behind it.
 */
export function readCsv(text: string, file: string): readonly CsvRecord[] {
  const records: CsvRecord[] = []
  let [at, line] = [0, 1]
  while (at < text.length) {
    const start = line
    const cells: string[] = []
    for (;;) {
      let cell = ''
      if (text[at] === '"') {
        const opened = line
        for (at++; ; at++) {
          const end = text.indexOf('"', at)
          if (end < 0) throw new Failure(`${file}:${opened}: a quote is opened and never closed`)
          cell += text.slice(at, end)
          at = end + 1
          if (text[at] !== '"') break
          cell += '"'
        }
        line += cell.split('\n').length - 1
        if (at < text.length && text[at] !== ',' && text[at] !== '\n' && text[at] !== '\r')
          throw new Failure(`${file}:${line}: after a closing quote there must be a comma or the end of the line`)
      } else {
        const from = at
        while (at < text.length && text[at] !== ',' && text[at] !== '\n' && text[at] !== '\r') at++
        cell = text.slice(from, at)
      }
      cells.push(cell)
      if (text[at] !== ',') break
      at++
    }
    if (text[at] === '\r') at++
    if (text[at] === '\n') at++
    line++
    if (cells.length > 1 || cells[0] !== '') records.push({ line: start, cells })
  }
  return records
}
