# shellcheck shell=bash
# The assignment: NUL-terminated `key=value` entries on stdin, `hal9000=1` first, `end=` last. Where the second one is
# `input=LENGTH`, so many raw bytes stand behind it: the command's input. Sets uid, gid, project, identity, mode, size,
# name and the lists env, secret, input and argv; refuses anything it does not understand.

# In the background, because a trap runs during `wait` but not during a command.
begin_reading() {
  (spool) <&0 &
  reader=$!
  exec </dev/null
}

# The input to a file of its own, the entries to another. bash reads a pipe byte by byte (100 kB took it a tenth of a
# second) and holds no NUL: it reads two entries, head the input, cat the rest. In the user's folder, which is root's
# yet, the input is in its place: 8 MB are copied once. A stream that breaks off, wherever, has no `end=`.
spool() {
  local LC_ALL=C entry
  umask 0077
  exec >$run/assignment
  for _ in 1 2; do
    IFS='' read -r -d '' entry || break
    printf '%s\0' "$entry"
    [[ ! $entry =~ ^input=(0|[1-9][0-9]{0,7})$ ]] || head -c "${BASH_REMATCH[1]}" >$user/input
  done
  exec cat
}

read_assignment() {
  # Values may hold any byte: in the C locale none of them is an invalid character, and slicing is fast.
  local LC_ALL=C entries=()
  wait "$reader" || refuse never-assigned 'The assignment could not be read.'
  mapfile -d '' -t entries <$run/assignment
  : >$run/assignment

  ((${#entries[@]})) || refuse never-assigned 'The input ended without an assignment.'
  [[ ${entries[-1]} == end= ]] || refuse never-assigned 'The assignment broke off before its end.'
  [[ ${entries[0]} == hal9000=1 ]] || refuse bad-assignment 'The assignment is not of protocol version 1.'
  take_entries "${entries[@]:1:${#entries[@]}-2}"
  check_assignment
}

take_entries() {
  local entry
  name=worker uid='' gid='' project='' identity='' mode='' size=80x24
  env=() secret=() input=() argv=()
  for entry; do
    case $entry in
      arg=*) argv+=("${entry:4}") ;;
      env=*) env+=("${entry:4}") ;;
      secret=*) secret+=("${entry:7}") ;;
      name=*) name=${entry:5} ;;
      project=*) project=${entry:8} ;;
      identity=*) identity=${entry:9} ;;
      uid=*) uid=${entry:4} ;;
      gid=*) gid=${entry:4} ;;
      mode=*) mode=${entry:5} ;;
      size=*) size=${entry:5} ;;
      input=*) input+=("${entry:6}") ;;
      term=*) ;; # of use to a client only, and `attach` is told it again
      *) refuse bad-assignment "Unknown entry \"${entry%%=*}\"." ;;
    esac
  done
}

check_assignment() {
  local entry
  check name "$name" '^[A-Za-z0-9][A-Za-z0-9_.-]{0,39}$'
  check uid "$uid" '^(0|[1-9][0-9]{0,9})$'
  check gid "$gid" '^(0|[1-9][0-9]{0,9})$'
  check identity "$identity" '^[0-9]+:[0-9]+$'
  check project "$project" '^/'
  check mode "$mode" '^(session|pipes)$'
  check size "$size" '^[1-9][0-9]{0,3}x[1-9][0-9]{0,3}$'
  ((${#input[@]} == 0)) || [[ -e $user/input ]] || refuse bad-assignment "The assignment's input is not where it belongs."
  for entry in "${env[@]}"; do check 'name in env' "${entry%%=*}" '^[A-Za-z_][A-Za-z0-9_]*$' "$entry"; done
  # A name without a slash that does not begin with a dot cannot leave /run/secrets.
  for entry in "${secret[@]}"; do check 'name in secret' "${entry%%=*}" '^[A-Za-z0-9_][A-Za-z0-9_.-]*$' "$entry"; done
  ((${#argv[@]})) || refuse bad-assignment 'The assignment has no command.'
  # Root without capabilities (drop.sh) cannot change its group: in root's project new files belong to group 0.
  [[ $uid != 0 ]] || gid=0
}

# check WHAT VALUE PATTERN [ENTRY]: names the key, never the value, which may be a secret. ENTRY must hold a `=`.
check() {
  [[ $2 =~ $3 && ${4-=} == *=* ]] || refuse bad-assignment "The assignment's $1 is missing or malformed."
}
