import { onTerminal, type World } from '../context.ts'

export type Size = { columns: number; rows: number }

/** The terminal's size: ours, or the one the launcher holds and tells us; undefined when there is none. */
export function terminalSize(world: World): Size | undefined {
  if (onTerminal(world)) return sizeOf(world.stdout.columns, world.stdout.rows)
  if (!handedOff(world)) return undefined
  return sizeOf(Number(world.env['HAL9000_COLUMNS']), Number(world.env['HAL9000_ROWS']))
}

/** The terminal's kind, where there is a terminal and its name is one. */
export function terminalName(world: World): string | undefined {
  const name = world.env['TERM'] ?? ''
  return (onTerminal(world) || handedOff(world)) && /^[a-zA-Z0-9][a-zA-Z0-9+._-]{0,63}$/.test(name) ? name : undefined
}

/** The launcher on the host keeps the terminal and runs the attachment itself. */
export function handedOff(world: World): boolean {
  return world.env['HAL9000_HANDOFF'] === '1'
}

/** A terminal that has not been told its size yet says 0. */
function sizeOf(columns: number | undefined, rows: number | undefined): Size | undefined {
  const fits = (value: number | undefined): value is number => Number.isInteger(value) && Number(value) >= 1
  return fits(columns) && fits(rows) ? { columns: Math.min(columns, 1000), rows: Math.min(rows, 1000) } : undefined
}
