const SIZE = /^(\d+(?:\.\d+)?)\s*(?:([kmgt])i?)?b?$/i
const SIZE_FACTOR: Record<string, number> = { '': 1, k: 2 ** 10, m: 2 ** 20, g: 2 ** 30, t: 2 ** 40 }
const DURATION_PART = /(\d+(?:\.\d+)?)(ms|s|m|h|d)/y
const DURATION_FACTOR: Record<string, number> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 }

/** "512m", "4g", "1.5G", "1073741824" → bytes (powers of 1024, as Docker reads them); undefined if it is no size. */
export function parseSize(text: string): number | undefined {
  const match = SIZE.exec(text.trim())
  if (!match) return undefined
  const bytes = Math.floor(Number(match[1]) * (SIZE_FACTOR[(match[2] ?? '').toLowerCase()] ?? 1))
  return Number.isSafeInteger(bytes) ? bytes : undefined
}

/** "90s", "10m", "1h30m", "250ms", "45" (seconds) → milliseconds; undefined if it is no duration. */
export function parseDuration(text: string): number | undefined {
  const trimmed = text.trim()
  if (/^\d+(\.\d+)?$/.test(trimmed)) return bounded(Number(trimmed) * 1000)
  let total = 0
  DURATION_PART.lastIndex = 0
  while (DURATION_PART.lastIndex < trimmed.length) {
    const match = DURATION_PART.exec(trimmed)
    if (!match) return undefined
    total += Number(match[1]) * (DURATION_FACTOR[match[2] ?? ''] ?? Number.NaN)
  }
  return trimmed === '' ? undefined : bounded(total)
}

function bounded(milliseconds: number): number | undefined {
  const rounded = Math.round(milliseconds)
  return Number.isSafeInteger(rounded) ? rounded : undefined
}

/** Bytes for people: "1.5 GiB", "4 GiB", "512 MiB", "900 B". */
export function formatSize(bytes: number): string {
  const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB']
  let value = bytes
  let unit = 0
  while (value >= 1024 && unit < units.length - 1) {
    value /= 1024
    unit += 1
  }
  return `${value >= 10 || unit === 0 || Number.isInteger(value) ? Math.round(value) : value.toFixed(1)} ${units[unit] ?? ''}`
}

/** Milliseconds for people, one or two parts: "3 s", "4 m 10 s", "2 h 5 m", "3 d 1 h". */
export function formatDuration(milliseconds: number): string {
  const seconds = Math.max(0, Math.floor(milliseconds / 1000))
  const parts: [number, string][] = [
    [Math.floor(seconds / 86_400), 'd'],
    [Math.floor(seconds / 3600) % 24, 'h'],
    [Math.floor(seconds / 60) % 60, 'm'],
    [seconds % 60, 's'],
  ]
  const first = parts.findIndex(([amount]) => amount > 0)
  if (first === -1) return '0 s'
  return parts
    .slice(first, first + 2)
    .filter(([amount]) => amount > 0)
    .map(([amount, unit]) => `${amount} ${unit}`)
    .join(' ')
}

/** A time limit for people; a short one to the millisecond: "0.5 s", "10 m". */
export function formatTimeLimit(milliseconds: number): string {
  return milliseconds < 60_000 ? `${milliseconds / 1000} s` : formatDuration(milliseconds)
}
