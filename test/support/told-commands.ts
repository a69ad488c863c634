import { globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseAst } from 'vitest/node'

const ROOT = join(import.meta.dirname, '..', '..')

/** A command line that a text of ours tells people to run. */
export type Told = {
  /** "coordinator", "spawn" or "./hal9000", and its words. */
  words: string[]
  /** The files with such a text. */
  where: string[]
}

/** What the commands are told about: a worker, its project, and that one's hash. */
export type Subject = { worker: string; project: string; hash: string }

/**
 * Every command of ours that a text in the sources tells people to run: what stands at the beginning of a text, or behind
 * ":", ";", "," or "or". Expressions, and words in capitals, become what they stand for.
 */
export function toldCommands(subject: Subject): Told[] {
  const lines = [...typescriptTexts(), ...shellTexts()].flatMap(({ file, text }) =>
    [...text.matchAll(COMMAND)].map(([, line = '']) => ({ file, line: line.trim().replace(/\.$/, '') })),
  )
  const told = lines.map(({ file, line }) => ({ file, words: wordsOf(line, subject) }))
  return [...Map.groupBy(told, ({ words }) => JSON.stringify(words)).values()].map((same) => ({
    words: same[0]?.words ?? [],
    where: [...new Set(same.map(({ file }) => file))],
  }))
}

/** Every option that a hint names, in a command or not: "wait longer with --wait 10m". */
export function hintedOptions(): { option: string; where: string }[] {
  const hints = typescriptTexts().filter(({ isHint }) => isHint)
  return hints.flatMap(({ file, text }) => {
    const own = text.replaceAll(EXPRESSION, '')
    return [...own.matchAll(/(?<![\w-])--[a-z][a-z-]+/g)].map(([option]) => ({ option, where: `${file}: ${own}` }))
  })
}

/** An expression within a text: \u0001, its source, \u0002. */
const EXPRESSION = /\u0001([^\u0002]*)\u0002/g
const COMMAND = new RegExp(
  String.raw`(?:^|[:;,(] +|\bor |\bNext: )(?:[A-Z0-9_]+=\S+ )?` +
    String.raw`((?:coordinator|spawn|\./hal9000|\u0001command\u0002) (?:"[^"]*"|'[^']*'|\u0001[^\u0002]*\u0002|[^,;()|<"'\n\u0001])+)`,
  'g',
)

type Text = { file: string; text: string; isHint: boolean }

function typescriptTexts(): Text[] {
  const files = ['coordinator', 'parent', 'images'].flatMap((folder) => globSync(`${folder}/**/*.ts`, { cwd: ROOT }))
  const sources = files.filter((file) => !/\.test\.ts$|\/testing/.test(file))
  return sources.flatMap((file) => {
    const source = readFileSync(join(ROOT, file), 'utf8')
    return textsIn(parseAst(source, { lang: 'ts' }), source, false).map((text) => ({ ...text, file }))
  })
}

/** The string and template literals below a node of the syntax tree, and whether they belong to a `hint:`. */
function textsIn(node: unknown, source: string, isHint: boolean): Omit<Text, 'file'>[] {
  if (Array.isArray(node)) return node.flatMap((one) => textsIn(one, source, isHint))
  if (!isNode(node)) return []
  if (node.type === 'Literal') return typeof node.value === 'string' ? [{ text: node.value, isHint }] : []
  if (node.type === 'TemplateLiteral') return [{ text: templateText(node as unknown as Template, source), isHint }]
  const inHint = isHint || (node.type === 'Property' && isNode(node.key) && node.key.name === 'hint')
  return Object.values(node).flatMap((one) => textsIn(one, source, inHint))
}

type Node = { type: string } & Record<string, unknown>
type Template = { quasis: { value: { cooked: string } }[]; expressions: { start: number; end: number }[] }

function isNode(value: unknown): value is Node {
  return typeof value === 'object' && value !== null && 'type' in value && typeof value.type === 'string'
}

function templateText({ quasis, expressions }: Template, source: string): string {
  return quasis
    .map(({ value }, index) => {
      const expression = expressions[index]
      return value.cooked + (expression ? `\u0001${source.slice(expression.start, expression.end)}\u0002` : '')
    })
    .join('')
}

const SCRIPTS = [
  'hal9000',
  'parent/launch/*',
  'parent/entrypoint',
  'images/{build,engine,host-ca,offline-base}',
  'worker/*',
]

/** What stands between quotes in a script, and the lines of its longer texts; no comments, and no lines of a synopsis. */
function shellTexts(): Text[] {
  return SCRIPTS.flatMap((glob) => globSync(glob, { cwd: ROOT })).flatMap((file) => {
    const lines = readFileSync(join(ROOT, file), 'utf8').split('\n')
    return lines
      .filter((line) => !/^ *#|Usage:|\[PROJECT\]/.test(line))
      .flatMap((line) =>
        /["']/.test(line) ? [...line.matchAll(/"([^"]+)"|'([^']+)'/g)].map(([, a, b]) => a ?? b ?? '') : [line.trim()],
      )
      .map((text) => ({ file, text: text.replaceAll(/\$\{?(\w+)\}?/g, '\u0001$1\u0002'), isHint: false }))
  })
}

/** As a shell splits them. */
function wordsOf(line: string, subject: Subject): string[] {
  const words = [...line.matchAll(/'([^']*)'|"([^"]*)"|((?:\u0001[^\u0002]*\u0002|\S)+)/g)]
  return words.flatMap(([, single, double, bare]) => {
    const text = single ?? double ?? bare ?? ''
    const word = text.replaceAll(EXPRESSION, (_match, expression: string) => meaning(expression, subject))
    if (bare === undefined) return [word]
    return word.replaceAll(/^[A-Z]{3,}$/g, (capitals) => meaning(capitals, subject)).split(' ')
  })
}

/** What an expression, or a word in capitals, stands for. */
function meaning(placeholder: string, { worker, project, hash }: Subject): string {
  if (/^([^(]*\.)?name$|^ref$|^NAME$/.test(placeholder)) return worker
  if (/^quoted\(|^path$|^DIR$|^commandText\(\[project/.test(placeholder)) return project
  if (placeholder.startsWith('projectHash(')) return hash
  if (
    /^candidates\[0\]\.(name|request)$|^commandText\(\[ref\]\)$|^(worker|detail\.worker)\.name$|^again$/.test(
      placeholder,
    )
  )
    return worker
  if (placeholder === 'commandText(words)') return 'true'
  if (placeholder === 'own') return worker
  if (placeholder === 'command') return 'coordinator list'
  throw new Error(`say here what "${placeholder}" stands for in a command`)
}
