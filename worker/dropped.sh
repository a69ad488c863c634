# shellcheck shell=bash
# What every script needs that runs as the worker's user: the place it is in, the proof that it was dropped, and the
# environment of the assignment.

user=/run/hal9000/user

know_place() {
  local place=()
  mapfile -d '' -t place </run/hal9000/identity
  # shellcheck disable=SC2034 # not every script needs every fact
  uid=${place[0]} gid=${place[1]} project=${place[2]} size=${place[3]} name=${place[4]}
}

# Fails, with REPLY saying what is wrong, unless this very process is the user and nothing more. The kernel's word,
# read without a fork: a child's status would be another process's.
is_dropped() {
  local line lines=() right=0 t=$'\t'
  mapfile -t lines </proc/self/status
  for line in "${lines[@]}"; do
    case $line in
      "Uid:$t$uid$t$uid$t$uid$t$uid" | "Gid:$t$gid$t$gid$t$gid$t$gid") right=$((right + 1)) ;;
      Cap???:"$t"0000000000000000 | NoNewPrivs:"$t"1) right=$((right + 1)) ;;
      Uid:* | Gid:* | Cap???:* | NoNewPrivs:*) REPLY=${line//$t/ } && return 1 ;;
      "Groups:$t$gid ") ;; # nothing more than it has: Docker's root, who cannot leave it
      Groups:*[0-9]*) REPLY=${line//$t/ } && return 1 ;;
    esac
  done
  REPLY="only $right of 8 facts found"
  ((right == 8))
}

# At the memory limit the kernel kills the largest process. Of many small ones that would be tmux, or the shell that watches
# over the command: then the whole worker is gone, and nobody is left to tell why. A handicap of 16 MB, in thousandths of
# the limit, keeps it to the command and its children.
volunteer() {
  local file limit=''
  for file in /sys/fs/cgroup/memory.max /sys/fs/cgroup/memory/memory.limit_in_bytes; do
    [[ ! -r $file ]] || read -r limit <$file
  done
  [[ $limit =~ ^[1-9][0-9]{6,18}$ ]] || return 0 # "max"
  limit=$((16777216000 / limit))
  echo $((limit > 1000 ? 1000 : limit)) >/proc/self/oom_score_adj
} 2>/dev/null

# Sets entries to the command's environment: the image's, what every worker has, the assignment's.
know_environment() { mapfile -d '' -t entries <$user/env; }

# load_environment ENTRY...: the last thing before an exec. An entry may have the name of any variable here; what is
# left to do must read positional parameters only, which no environment can name. Of the names that bash has a use for,
# all arrive as they are but these: UID, EUID and PPID (the true value), SHLVL (one less), and _, SHELLOPTS, BASHOPTS,
# BASH_VERSINFO, BASH_ARGC, BASH_ARGV, BASH_LINENO, BASH_SOURCE, PIPESTATUS (not at all).
load_environment() {
  unset OLDPWD SHLVL
  while (($#)); do
    case $1 in
      UID=* | EUID=* | PPID=*) export "${1%%=*}" ;;
      SHELLOPTS=* | BASHOPTS=* | BASH_VERSINFO=*) ;; # read-only, and of this shell, not of the command
      # Unset, a name has no more meaning to bash than any other: RANDOM, LINENO, GROUPS. `command`: with
      # POSIXLY_CORRECT what fails would end the shell.
      *) ! command unset -v "${1%%=*}" || command export "$1" || : ;;
    esac
    shift
  done
}
