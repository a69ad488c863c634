import { printable } from '../../../coordinator/contract/printable.ts'

export { printable }

/** A command as a person would type it, on one line. */
export function commandText(words: readonly string[]): string {
  return words.map((word) => printable(quoted(word))).join(' ')
}

function quoted(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", String.raw`'\''`)}'`
}
