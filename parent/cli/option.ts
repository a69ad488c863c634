import { InvalidArgumentError } from 'commander'

/** A commander parser for whole numbers within bounds. */
export function wholeNumber(least: number, most: number): (text: string) => number {
  return (text) => {
    const value = Number(text)
    if (/^\d+$/.test(text) && value >= least && value <= most) return value
    throw new InvalidArgumentError(`It must be a whole number from ${least} to ${most}.`)
  }
}

/** A commander parser for an option that may be given several times. */
export function collect(value: string, before: string[] = []): string[] {
  return [...before, value]
}
