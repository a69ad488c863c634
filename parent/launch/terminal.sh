# shellcheck shell=sh
# docker exec, attended: it forwards no signals, exits 0 when one ends it, and leaves what it started running inside.
# What is inside learns that its caller is gone by one thing only, the end of its stdin. So stdin is always open (-i):
# the caller's own where that is wanted, or a lifeline that ends with this process, however that happens.
# Read by ./hal9000.
# shellcheck disable=SC2154

client='' feeder='' guarded='' saved='' raw='' command=''

# Opens 4 and 5, the two ends of the lifeline, and 6 and 7 to write and read an answer; nothing is left on disk.
lifeline() {
  scratch=$(mktemp -d "${TMPDIR:-/tmp}/hal9000.XXXXXX")
  mkfifo "$scratch/line"
  # shellcheck disable=SC2094 # two ends of one pipe, two offsets in one file: meant so
  exec 4<>"$scratch/line" 5<"$scratch/line" 6>"$scratch/answer" 7<"$scratch/answer"
  rm -r "$scratch"
}

# Runs words in the parent and sets code. Arguments: 3 (the caller's stdin) or 5 (the lifeline), options of docker exec
# in one word, the words.
inside() {
  input=$1 options="$2 $variables"
  shift 2
  trap leave EXIT
  trap 'exit 129' HUP
  trap 'exit 130' INT
  trap 'exit 143' TERM
  # shellcheck disable=SC2086 # options without spaces
  docker exec -e HAL9000_CWD="$here" $options "$parent" "$@" <&"$input" 3<&- 4>&- 5<&- 6>&- 7<&- &
  client=$!
  if [ -n "$raw$command" ]; then guard & guarded=yes; fi
  while :; do
    code=0
    wait "$client" || code=$?
    # A signal, such as a resize, ends the wait and not the client.
    kill -0 "$client" 2>/dev/null || break
  done
  client='' command=''
  [ "$code" = 0 ] || blame
}

# A code that is not the command's: the parent went away while it ran.
blame() {
  before=$state
  look
  [ "$state" = "$before" ] || { restore cut; fail 4 "The parent $parent stopped while the command ran; workers go on." "./hal9000 status"; }
}

# On every way out. The client ends at a TERM; inside, the end of stdin follows.
leave() {
  code=$?
  trap '' HUP INT TERM
  if [ -n "$client" ]; then
    kill "$client" 2>/dev/null || :
    hang_up
    restore cut
  fi
  # Once it is done, its number may be another process's.
  [ -z "$feeder" ] || read -r _ <&7 || kill "$feeder" 2>/dev/null || :
  restore
  dismiss
  exit "$code"
}

# Gives the terminal back. With "cut", where nothing inside could clean up, also leaves what full-screen programs set:
# mouse (1000-1006), bracketed paste (2004), the other screen (1047), a hidden cursor (25), colours.
restore() {
  [ -n "$saved" ] || return 0
  stty "$saved" <&3 2>/dev/null || :
  [ "${1:-}" != cut ] ||
    printf '\033[?1000l\033[?1002l\033[?1003l\033[?1006l\033[?2004l\033[?1047l\033[?25h\033[0m' 2>/dev/null || :
  saved='' raw=''
}

# Beside a relay or an exec: waits for a line, which says that all is well, or for the end of the lifeline: then this
# script was killed (KILL), and the terminal, the client and the command are still as it left them.
guard() {
  exec 4>&- 6>&- 7<&-
  trap '' HUP INT TTOU
  read -r _ <&5 && exit
  if [ -n "$raw" ] && [ "$(stty -g <&3)" = "$raw" ]; then stty "$saved" <&3; fi
  kill "$client"
  hang_up
}

dismiss() { [ -z "$guarded" ] || echo >&4; guarded=''; }

# A command without a terminal sees no difference between the end of its input and the end of its caller: it is told.
hang_up() { [ -z "$command" ] || docker exec "$parent" coordinator hang-up "$command" 4>&- >/dev/null 2>&1 || :; }

# Takes this terminal into a worker: raw here, no terminal in docker exec, sizes sent by hand. Arguments: attach, shell or
# exec, the words after it.
relay() {
  relay=$(new_id)
  size=$(stty size) verb=$1
  shift
  saved=$(stty -g)
  stty raw -echo
  raw=$(stty -g)
  trap resize WINCH
  inside 3 -i coordinator "$verb" --relay "$relay" --columns "${size#* }" --rows "${size% *}" --term "${TERM:-dumb}" "$@"
  restore
  dismiss
}

# exec without a terminal on both sides. Arguments: the words after it.
pipe() {
  command=$(new_id)
  shift
  inside 3 -i coordinator exec --id "$command" "$@"
  dismiss
}

new_id() { od -An -N8 -tx1 /dev/urandom | tr -d ' \n'; }

resize() {
  size=$(stty size) || return 0
  # At first the attachment may not be known yet.
  for _ in 1 2 3; do
    docker exec "$parent" coordinator resize "$relay" "${size#* }" "${size% *}" 4>&- >/dev/null 2>&1 && return
    sleep 0.2
  done
}

# spawn from a terminal: where it is to be attached, spawn ends with "handoff NAME [OPTION...]", and the terminal stays here.
spawn_here() {
  size=$(stty size)
  inside 5 "-i -e HAL9000_LIFELINE=1 -e HAL9000_HANDOFF=1 -e HAL9000_COLUMNS=${size#* } -e HAL9000_ROWS=${size% *}" "$@" >&6
  IFS= read -r line <&7 || :
  case $code:$line in
    0:handoff\ *)
      set -f # words, in which a "[" is one
      # shellcheck disable=SC2086
      relay attach ${line#handoff } ;;
    *) [ -z "$line" ] || printf '%s\n' "$line"
      cat <&7 ;;
  esac
}

# spawn --stdin: the caller's stdin goes into the lifeline. The mark behind it says that this was all; a client that is
# killed in the middle makes an end of it, too.
fed() {
  mark=$(new_id)
  feed &
  feeder=$!
  inside 5 "-i -e HAL9000_INPUT_MARK=$mark" "$@"
}

feed() {
  exec 5<&- 7<&-
  trap 'kill "$!"; exit' TERM
  cat <&3 >&4 6>&- &
  if wait "$!"; then all=y; else all=n; fi
  trap - TERM
  printf %s "$mark$all" >&4
  echo >&6
}

# A verb that asks: docker's own terminal will do, since nothing stays behind that matters.
asked() {
  saved=$(stty -g)
  inside 3 -it "$@"
  restore
}
