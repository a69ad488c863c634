import { Option } from 'commander'

/** The end of a verb's help: command lines that run as they stand. */
export function examples(...lines: string[]): string {
  return ['', lines.length === 1 ? 'Example:' : 'Examples:', ...lines.map((line) => `  ${line}`)].join('\n')
}

export function jsonOption(): Option {
  return new Option('--json', 'print one JSON object on stdout, also for failures')
}
