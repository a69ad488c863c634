# shellcheck shell=bash
# Starts the command in two steps: first a launch script, as the user, that waits; then, when all is in place, the go.
# Between go and `ready` lies the question whether the command could be executed, answered without a fork.
#
# The control fifo is the one line from the user's side: `piping PID`, `launched PID SERVER`, `refused WORD MESSAGE`,
# `dead STATUS SIGNAL`; `stop` is our own word to ourselves (end.sh). Whoever forges a line there fools nobody but his own
# worker, and only in these very forms: bash would execute what stands in a text that it takes for a number.
number='[1-9][0-9]{0,9}'
spoken="^(stop|piping $number|launched $number $number|refused [a-z-]{1,40} .*|dead ((0|[1-9][0-9]{0,2}) -|- [1-9][0-9]?))\$"

# Fifos are held open for reading and writing: neither side then waits for the other or sees an early end of file.
start_command() {
  # shellcheck disable=SC2094 # a fifo
  exec 5<>$user/control 6<$user/control 7<>$user/go 8<>$user/out 9<>$user/err
  # Job control for the fork only: a process group of its own to signal, and no SIGINT that bash would have it ignore.
  child=''
  set -m
  if [[ $mode == session ]]; then
    # The tmux server inherits 5 and is the only one to keep it: end of file on 6 says that it is gone. What it runs
    # does not inherit it (tmux closes everything above stderr first).
    (drop $lib/session) 3>&- 4>&- 6<&- 7>&- 8>&- 9>&- &
    set +m
    exec 5>&-
  else
    exec 10<>$clients/.deaths
    trap note_death CHLD
    (drop $lib/launch pipes) 3>&- 4>&- 5>&- 6<&- 7>&- 8>&- 9>&- 10>&- &
    set +m
  fi
  child=$!
}

# hear SECONDS: one line from the user's side, in word, first and rest. A timeout may strike in the middle of a line,
# and often does at a millisecond: what was read of it is kept for the next time.
hear() {
  local LC_ALL=C part='' # any byte is a character
  if ! IFS='' read -r -t "$1" -u 6 part; then
    heard=${heard:0:4096}$part part=''
    # Or it struck just after the line's end was read: a line is written at once, so nothing more of it is there then.
    [[ -n $heard ]] && ! read -t 0 -u 6 || return 1
  fi
  part=$heard$part heard=''
  [[ $part =~ $spoken ]] && read -r word first rest <<<"$part"
}

# Waits until the launch script stands ready, and in a session the pipe of its pane.
await_launch() {
  local word first rest
  server='' piper=''
  while [[ -z $server || ($mode == session && -z $piper) ]]; do
    if ! hear 20; then
      last_words
      refuse session "The $mode could not be started: $REPLY"
    fi
    case $word in
      piping) piper=$first ;;
      launched) pid=$first server=$rest ;;
      refused) refuse "$first" "$rest" ;;
    esac
  done
  mapfile -d '' -t launch_line <"/proc/$pid/cmdline"
  read_stat "$pid"
  started=${stat[19]}
}

# Returns when the command has been executed, refuses when it could not be. exec replaces the process's command line:
# the same line means not yet, no line means ended. A failed exec says so on the fifo, before it exits.
await_exec() {
  local word first rest line turn last=''
  echo go >&7
  # A command that is this very launch script never changes the line: hence an end.
  for ((turn = 0; turn < 2000; turn++)); do
    if hear 0.001; then
      case $word in
        refused) refuse_command "$first" "$rest" ;;
        dead) ended="$first $rest" && return ;;
      esac
    fi
    [[ -z $last ]] || return 0
    line=()
    # The refusal may come between the look at the fifo and this one: look once more.
    mapfile -d '' -t line 2>/dev/null <"/proc/$pid/cmdline" || last=yes
    [[ "${line[*]}" == "${launch_line[*]}" ]] || last=yes
  done
}

refuse_command() {
  case $1 in
    command-not-found) refuse "$1" "$2" 127 ;;
    command-not-executable) refuse "$1" "$2" 126 ;;
    *) refuse "$1" "$2" ;;
  esac
}
