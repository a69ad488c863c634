import { FAILURES } from './failure.ts'

/** The text of docs/exit-codes.md, made from the one table of failures. Written by `npm run docs:exit-codes`. */
export function exitCodesMarkdown(): string {
  return `${INTRODUCTION}\n${table()}\n${REMARKS}`
}

const INTRODUCTION = `# Exit codes

Generated from \`coordinator/contract/failure.ts\` by \`npm run docs:exit-codes\`; do not edit.

Every command exits with 0 when it has done what was asked. A command that fails says why on stderr in one line, and the
next step in a second one that begins with \`Next:\`. With \`--json\` the same is one object on stdout:

\`\`\`json
{"schemaVersion":1,"error":{"code":"not-found","exitCode":5,"message":"No worker is known by \\"w1\\".","hint":"coordinator list -a"}}
\`\`\`

What \`./hal9000\` itself has to say, before it reaches the parent, is text on stderr also with \`--json\`; the exit codes
are the same.

Exit codes and the words in \`code\` are a promise: new ones may be added, none changes its meaning.
`

function table(): string {
  const rows = Object.entries(FAILURES)
    .map(([code, { exitCode, meaning }]) => ({ code, exitCode, meaning }))
    .sort((a, b) => a.exitCode - b.exitCode)
    .map(({ code, exitCode, meaning }) => `| ${exitCode} | \`${code}\` | ${meaning} |\n`)
  return `| exit code | code | meaning |\n| --- | --- | --- |\n${rows.join('')}`
}

const REMARKS = `## The command's own exit code

\`spawn\` in the foreground, \`exec\`, \`shell\`, \`wait\`, and \`attach\` when the command ends, exit with the command's own
code. That may be any number from 0 to 255, also one from the table above. A command that a signal ended has 128 and the signal's number, as
in a shell. To tell whose code it is, use \`--json\`: \`source\` is \`command\` or \`hal9000\`. Where the command left no code,
ours is 125.

\`attach\` exits with 0 when you detach, and with 4 when the coordinator went away and no other came. \`spawn --detach\`
exits with 0 once the command could be executed, whatever comes of it later; 126 and 127 say that it could not.

\`./hal9000\` exits with 129, 130 or 143 when HUP, INT or TERM ended it. The worker goes on.
`
