/** Marks that take no cell of their own. */
const NO_CELL = /^[\p{Mn}\p{Me}\p{Cf}]$/u
/** First and last code points of what terminals draw two cells wide (Unicode, East Asian Width W and F, and emoji). */
const TWO_CELLS: readonly [number, number][] = [
  [0x1100, 0x115f],
  [0x2e80, 0x303e],
  [0x3041, 0xa4cf],
  [0xac00, 0xd7a3],
  [0xf900, 0xfaff],
  [0xfe30, 0xfe6f],
  [0xff00, 0xff60],
  [0xffe0, 0xffe6],
  [0x1f300, 0x1f64f],
  [0x1f680, 0x1f6ff],
  [0x1f900, 0x1faff],
  [0x20000, 0x3fffd],
]

/** How many cells of a terminal a printable text takes. */
export function width(text: string): number {
  let cells = 0
  for (const character of text) cells += cellsOf(character)
  return cells
}

/** Cut to a width, with an ellipsis where the cut is: at the end, or at the start (paths differ at their end). */
export function truncate(text: string, limit: number, where: 'start' | 'end' = 'end'): string {
  if (width(text) <= limit) return text
  // Code points, as the widths are of code points.
  const characters = where === 'start' ? Array.from(text).toReversed() : Array.from(text)
  const kept: string[] = []
  let cells = 1
  for (const character of characters) {
    cells += cellsOf(character)
    if (cells > limit) break
    kept.push(character)
  }
  return where === 'start' ? `…${kept.toReversed().join('')}` : `${kept.join('')}…`
}

function cellsOf(character: string): number {
  const code = character.codePointAt(0) ?? 0
  if (code < 0x300) return 1
  if (NO_CELL.test(character)) return 0
  return TWO_CELLS.some(([first, last]) => code >= first && code <= last) ? 2 : 1
}
