# shellcheck shell=bash
# The end of a worker: what a stop does, how the command's true end is learned, that its last byte is out before the
# container goes. Nothing here forks: at the end a fork bomb may hold every pid.

# Both cats stay root's: only root may write to the container's own stdout and stderr.
copy_output() {
  cat </dev/fd/8 >&3 3>&- 4>&- 5>&- 6<&- 7>&- 8>&- 9>&- &
  copiers=($!) moved=0
  [[ $mode == pipes ]] || return 0
  cat </dev/fd/9 >&4 3>&- 4>&- 5>&- 6<&- 7>&- 8>&- 9>&- &
  copiers+=($!)
}

# A signal while the command runs. In a session it comes in the middle of a `read` with a timeout: bash would do a trap's
# work there and then, jump out of what that reads when the time is up, and abort. So the trap only says a word into the
# fifo, by way of the descriptor: the path is the user's.
heed_signal() {
  if [[ $mode == session ]]; then
    passed_on=''
    echo stop >/proc/self/fd/6
  else
    stop_command
  fi
}

# TERM to the command's group and, in a session, to the group in the foreground. An interactive shell ignores TERM: a
# command that does gets what a closing terminal would send it. CONT: a stopped process would not act on either.
stop_command() {
  passed_on=yes
  local group line lines=() ignored='' groups=("$pid")
  if [[ $mode == session ]] && read_stat "$pid"; then
    group=${stat[5]}
    ((group <= 1 || group == pid)) || groups+=("$group")
    mapfile -t lines 2>/dev/null <"/proc/$pid/status" || :
    # The fourth hexadecimal digit from the right has TERM, signal 15, as its third bit.
    for line in "${lines[@]}"; do [[ $line != SigIgn:*[4-7c-f]??? ]] || ignored=yes; done
  fi
  for group in "${groups[@]}"; do
    kill -TERM -- "-$group" || :
    kill -CONT -- "-$group" || :
  done
  [[ -z $ignored ]] || kill -HUP "$pid" || :
}

# Sets exit_code and signal_name.
await_end() {
  local status killed
  if [[ $mode == session ]]; then await_pane; else await_child; fi
  read -r status killed <<<"$ended"
  exit_code=$status signal_name=-
  [[ $killed != - ]] || return 0
  exit_code=$((128 + killed))
  signal_name=${signals[killed]-$killed}
}

# By number, as signal(7) has them: `kill -l` would need a fork or a file. A real-time signal keeps its number.
signals=(- HUP INT QUIT ILL TRAP ABRT BUS FPE KILL USR1 SEGV USR2 PIPE ALRM TERM STKFLT CHLD CONT STOP TSTP TTIN TTOU
  URG XCPU XFSZ VTALRM PROF WINCH IO PWR SYS)

# tmux tells the true end of the pane's process. Where it cannot any more (its server was killed, the pane was closed
# over the command's head), the command has lost its terminal: that is a HUP.
await_pane() {
  local word first rest gone='' patience=1
  while [[ -z $ended ]]; do
    [[ -z $stopping || -n $passed_on ]] || stop_command
    if hear "$patience"; then
      [[ $word != dead ]] || ended="$first $rest"
    elif [[ -n $gone ]]; then
      ended='- 1'
    elif [[ ! -d /proc/$server ]]; then
      gone=yes patience=0.2 # the message may be on the way
    elif ! is_alive "$pid" "$started"; then
      gone=yes patience=5 # it is, unless the pane was closed: on a busy machine tmux may take its time
    else
      nap # at an end of file without an end, do not spin
    fi
  done
}

# `wait` gives 143 for `exit 143` and for a TERM alike; only the job table knows which, and only before the wait is over.
# Through a fifo: it has room when the user has filled /run.
note_death() {
  local LC_ALL=C table=()
  [[ -n $child ]] || return 0
  { jobs -l && printf '\0'; } >&10
  mapfile -d '' -n 1 -t table <&10
  [[ $'\n'${table[*]} =~ $'\n'\[[0-9]+\][-+\ ]*"$child"\ +([A-Z][a-z]*) ]] || return 0
  case ${BASH_REMATCH[1]} in
    Running | Stopped) ;;
    Done | Exit) manner=exited ;;
    *) manner=killed ;;
  esac
}

await_child() {
  local status
  while [[ -z $ended ]]; do
    interrupted=''
    wait "$child" && status=0 || status=$?
    # A stop interrupts the wait; so does nothing else.
    [[ -n $manner && -z $interrupted ]] || continue
    if [[ $manner == exited ]]; then ended="$status -"; else ended="- $((status - 128))"; fi
  done
}

# Returns when the last byte of the command is out, or when nothing has moved for a second.
drain() {
  trap '' TERM INT HUP
  if [[ $mode == session ]]; then
    settle_tmux
    leave_tmux
  else
    kill_leftovers
  fi
  exec 8>&- 9>&-
  local idle=0
  while ((idle < 1000)) && [[ -d /proc/${copiers[0]} || -d /proc/${copiers[-1]} ]]; do
    nap
    has_moved && idle=0 || idle=$((idle + 1))
  done
}

# Output goes: tmux → (socket) → its pipe → (fifo) → our cat. tmux drops what it still holds when it leaves, so leave
# it only when it has nothing: fifo empty, its pipe asleep (hence its socket empty), tmux asleep (hence nothing to
# write); three times running, because one look is not one instant.
settle_tmux() {
  local still=0 idle=0
  while ((still < 3 && idle < 1000)); do
    if ! read -t 0 -u 8 && is_asleep "$piper" && is_asleep "$server"; then
      still=$((still + 1))
    else
      still=0
      has_moved && idle=0 || idle=$((idle + 1))
    fi
    nap
  done
}

is_asleep() { # PID; gone counts as asleep
  ! read_stat "$1" || [[ ${stat[0]} == [SZ] ]]
}

# TERM, not KILL: attached clients are told, and give the person's terminal back in order.
leave_tmux() {
  local turn
  kill -TERM "$server" || return 0
  for ((turn = 0; turn < 500; turn++)); do
    compgen -G "$clients/*" >/dev/null || [[ -d /proc/$server ]] || return 0
    nap
  done
}

# A background process would hold the fifos open; it ends with the container anyhow. Twice, for what was just forked.
kill_leftovers() {
  local turn leftover
  for turn in 1 2; do
    for leftover in /proc/[0-9]*; do
      leftover=${leftover##*/}
      [[ " 1 $$ ${copiers[*]} " == *" $leftover "* ]] || kill -KILL "$leftover" || :
    done
  done
}

# A millisecond without a fork: nobody answers on the go fifo.
nap() { read -r -t 0.001 -u 7 || :; }

# Have the copiers read anything since the last look?
has_moved() {
  local copier word count sum=0
  for copier in "${copiers[@]}"; do
    if read -r word count 2>/dev/null <"/proc/$copier/io"; then sum=$((sum + count)); fi
  done
  ((sum != moved)) && moved=$sum
}

# Sets oom and pids: how often the kernel's limits hit, as far as the container can see (cgroup v2, then v1).
count_limits() {
  local at=/sys/fs/cgroup
  count oom_kill $at/memory.events $at/memory/memory.oom_control && oom=$REPLY
  count max $at/pids.events $at/pids/pids.events && pids=$REPLY
}

count() { # KEY FILE...
  local key=$1 file word value
  REPLY=-
  for file in "${@:2}"; do
    [[ -r $file ]] || continue
    while read -r word value; do
      [[ $word != "$key" ]] || REPLY=$value
    done <"$file"
  done
}
