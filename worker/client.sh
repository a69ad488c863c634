# shellcheck shell=bash
# Whoever comes in from outside, by `docker exec`: as root, with an id that the coordinator made.

# The user's own folder is $run/user; these two only root can enter.
# shellcheck disable=SC2034 # used by those who read this
clients=/run/hal9000/clients commands=/run/hal9000/commands

# Fails unless the argument is an id, and so no path.
check_id() {
  [[ $1 =~ ^[A-Za-z0-9_-]{1,64}$ ]] || { echo "hal9000: \"$1\" is no client's id" >&2 && exit 2; }
}

# know_terminal TERM COLORTERM: the client's own, where this image knows it (xterm-ghostty it does not: tmux would leave at
# once). Nothing else of the client's environment comes in.
know_terminal() {
  TERM=$1
  [[ $TERM =~ ^[A-Za-z0-9][A-Za-z0-9+._-]{0,63}$ ]] && infocmp "$TERM" >/dev/null 2>&1 || TERM=xterm-256color
  export TERM
  unset COLORTERM
  [[ $2 != truecolor && $2 != 24bit ]] || export COLORTERM=$2
}
