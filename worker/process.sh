# shellcheck shell=bash
# A process, as the kernel tells of it without a fork.

# read_stat PID: sets stat to the fields of /proc/PID/stat from the state on. The name before it may hold anything, also
# a newline; it ends at the last parenthesis of all. With mapfile: a `read` in a trap takes the timeout from the `read`
# that the trap interrupted, which then never returns.
read_stat() {
  local text=() fields
  mapfile -d '' -t text 2>/dev/null <"/proc/$1/stat" || return 1
  fields=${text[*]}
  fields=${fields##*) }
  [[ $fields =~ ^[A-Za-z](\ -?[0-9]+){20,}$'\n'$ ]] || return 1
  # shellcheck disable=SC2206 # numbers and a letter, to be split
  stat=($fields)
}

# is_alive PID START: the very process that was started then, in ticks since boot: its number alone may be another's by now.
is_alive() {
  read_stat "$1" && [[ ${stat[19]} == "$2" ]]
}
