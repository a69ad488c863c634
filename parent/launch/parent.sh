# shellcheck shell=sh
# The parent container, seen from the host. Read by ./hal9000, which sets home, instance, parent, image and socket.
# shellcheck disable=SC2154,SC2034 # set there, used there

# The docker client waits for ever on a socket that accepts and says nothing.
bounded() { if command -v timeout >/dev/null; then timeout 10 "$@"; else "$@"; fi; }

# Sets state to the parent's state in Docker's words and the time of its start, or to "absent". Without an engine: ends.
look() {
  failed=0
  state=$(bounded docker container inspect --format '{{.State.Status}} {{.State.StartedAt}}' "$parent" 2>&1) || failed=$?
  case $failed:$state in
    0:*) ;;
    124:*) fail 3 "The Docker engine accepts connections but has not answered for 10 s." "restart it, for example: systemctl restart docker" ;;
    *[Nn]o\ such\ container*) state=absent ;;
    *) "$home/images/engine" --check || exit
      fail 3 "The Docker engine does not tell about $parent: $state" "docker container inspect $parent" ;;
  esac
}

# Sets variables to "-e NAME" for each of the user's settings, and names to "--setting NAME", for deploy.
settings() {
  variables='' names=''
  # A line within a value that looks like a name does no harm: docker leaves out what is not set.
  for name in $(env | sed -n 's/^\([A-Z][A-Z0-9_]*\)=.*/\1/p'); do
    case $name in
      # The parent has its own.
      HAL9000_NAME | HAL9000_HOME | HAL9000_SOCKET | HAL9000_DOCKER_SOCKET | HAL9000_PROJECT_ROOTS | HAL9000_HOST_HOME) ;;
      HAL9000_* | WORKER_*)
        variables="$variables -e $name" names="$names --setting $name" ;;
      TERM | COLORTERM | NO_COLOR | AGENTIC_IN_CONTAINER) variables="$variables -e $name" ;;
    esac
  done
}

# True if the word is among the words before "--". Arguments: the word, the words.
given() {
  sought=$1
  shift
  for word; do
    case $word in
      --) return 1 ;;
      "$sought") return 0 ;;
    esac
  done
  return 1
}

wants_help() { given --help "$@" || given -h "$@"; }

# Runs words of the coordinator, or spawn, in the parent and exits with their code; starts the parent where it is down.
pass() {
  [ "${1:-}" = spawn ] || set -- coordinator "$@"
  if wants_help "$@" || [ "$*" = coordinator ]; then help_inside "$@"; fi
  look
  case $state in
    running*) ;;
    *) up >&2; look ;;
  esac
  settings
  # Inside there is no terminal to look at: this says that stdout is one here, and how wide.
  if [ -t 1 ]; then
    # Within $() stdout is a pipe: by another number it is still the terminal.
    { size=$(stty size <&8 2>/dev/null) || size='24 80'; } 8<&1
    variables="$variables -e HAL9000_TERMINAL=1 -e HAL9000_COLUMNS=${size#* }"
  fi
  [ ! -t 2 ] || variables="$variables -e HAL9000_STDERR_TERMINAL=1"
  here=$(pwd -P)
  on_terminal=no
  if [ -t 0 ] && [ -t 1 ]; then on_terminal=yes; fi
  exec 3<&0
  lifeline
  case $on_terminal:$1:${2:-} in
    yes:coordinator:attach | yes:coordinator:shell) shift; relay "$@" ;;
    yes:coordinator:exec)
      shift
      if given --no-tty "$@" || given -T "$@" || given --no-stdin "$@"; then pipe "$@"; else relay "$@"; fi ;;
    yes:spawn:*)
      # Without a session there is nothing to attach to, and output must not wait for the end.
      if given --stdin "$@"; then fed "$@"; elif given --no-tty "$@"; then inside 3 -i "$@"; else spawn_here "$@"; fi ;;
    yes:coordinator:stop-all) if [ -t 2 ]; then asked "$@"; else inside 5 -i "$@"; fi ;;
    *:coordinator:exec) shift; pipe "$@" ;;
    *) if given --stdin "$@"; then fed "$@"; else inside 5 "-i -e HAL9000_LIFELINE=1" "$@"; fi ;;
  esac
  exit "$code"
}

# Help needs no parent that runs, only its image; and without an image there is still this file's.
help_inside() {
  failed=0
  bounded docker exec "$parent" "$@" 2>/dev/null || failed=$?
  if [ "$failed" != 0 ] && [ "$failed" != 124 ]; then
    failed=0 program=$1
    shift
    bounded docker run --rm --network none --entrypoint "/usr/local/bin/$program" "$image" "$@" 2>/dev/null || failed=$?
  fi
  [ "$failed" != 0 ] || exit 0
  usage
  say "More help comes from the parent's image. Next: ./hal9000 build"
  exit 0
}
