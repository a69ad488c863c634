# shellcheck shell=bash
# What every script needs that runs as the worker's user: the place it is in, the proof that it was dropped, and the
# environment of the assignment.

user=/run/hal9000/user

know_place() {
  local place=()
  mapfile -d '' -t place </run/hal9000/identity
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
      Groups:*[0-9]*) REPLY=${line//$t/ } && return 1 ;;
    esac
  done
  REPLY="only $right of 8 facts found"
  ((right == 8))
}

load_environment() {
  local entry entries=()
  mapfile -d '' -t entries <$user/env
  for entry in "${entries[@]}"; do
    case $entry in
      # bash keeps these for itself; the true value is exported instead.
      UID=* | EUID=* | PPID=*) export "${entry%%=*}" ;;
      SHELLOPTS=* | BASHOPTS=* | BASH_VERSINFO=*) ;;
      *) export "$entry" ;;
    esac
  done
}
