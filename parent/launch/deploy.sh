# shellcheck shell=sh
# Bringing the deployment about and removing it. What is to be done is decided by coordinator/deploy/, which runs in a
# short-lived container of the parent's image. Read by ./hal9000.
# shellcheck disable=SC2154

# Everything from the engine to a parent that is ready to spawn. Silent when there is nothing to do.
up() {
  yes='' offline='' quick=yes count=$#
  # Each word is taken from the front; what deploy must know goes to the end.
  while [ "$count" -gt 0 ]; do
    word=$1 count=$((count - 1))
    shift
    case $word in
      --yes) yes=--yes ;;
      --offline-base) offline=--offline-base ;;
      --cut-workers) set -- "$@" "$word" ;;
      --restart) set -- "$@" "$word"; quick=no ;;
      --projects=*) set -- "$@" --projects "$(physical "${word#*=}")" || exit ;;
      --projects)
        [ "$count" -gt 0 ] || fail 2 "--projects needs a directory." "./hal9000 --help"
        root=$(physical "$1") || exit
        count=$((count - 1))
        shift
        set -- "$@" --projects "$root" ;;
      *) fail 2 "up does not know \"$word\"." "./hal9000 --help" ;;
    esac
  done
  [ -n "$socket" ] ||
    fail 3 "DOCKER_HOST is $DOCKER_HOST: projects are mounted by path, so the engine must be on this host." "unset DOCKER_HOST"
  # shellcheck disable=SC2086 # an option or nothing
  "$home/images/engine" $yes || exit
  # shellcheck disable=SC2086
  build $offline || exit
  settings
  set -- "$@" --name "$instance" --image "$image" --socket "$socket" --home "$(cd && pwd -P)" \
    --project "$(cd -- "$(git rev-parse --show-toplevel 2>/dev/null || echo .)" && pwd -P)"
  [ -z "${HAL9000_PUBLISH+set}" ] || set -- "$@" --publish "$HAL9000_PUBLISH"
  # The parent can tell in a fraction of the time whether anything is to be done; only another container can replace it.
  # An older parent sees that the image is another and says no; a parent that is down says nothing.
  # shellcheck disable=SC2086,SC2016 # names without spaces; the inner shell expands
  [ "$quick" = no ] || ! bounded docker exec $variables "$parent" \
    sh -c '/usr/lib/hal9000/deploy.cjs "$@" && exec coordinator ready' deploy check $names "$@" >/dev/null 2>&1 || return 0
  # The volume holds the project roots that are remembered.
  labels=volume-label=hal9000.managed=true,volume-label=hal9000.instance=$instance,volume-label=hal9000.schema=1
  # shellcheck disable=SC2086
  deploy "$variables --mount type=volume,source=$instance-state,target=/var/lib/hal9000,$labels" up $names "$@"
}

# A root's path without links: by another path the same project would be another project.
physical() {
  (cd -- "$1" 2>/dev/null && pwd -P) || fail 5 "There is no directory $1 that this user may enter." "ls -ld $1"
}

# Removes the deployment. Where there is none, nothing is done, and no image needed.
down() {
  "$home/images/engine" --check || exit
  filter=label=hal9000.instance=$instance
  found=$(docker ps -aq --filter "$filter"; docker network ls -q --filter "$filter"; docker volume ls -q --filter "$filter")
  [ -n "$found" ] || return 0
  # Any version of the program can remove a deployment: no image is built for it while there is one.
  docker image inspect "$image" >/dev/null 2>&1 || build parent || exit
  terminal=''
  if [ -t 0 ] && [ -t 2 ]; then terminal=-it; fi
  deploy "$terminal" down --name "$instance" "$@"
}

# Runs the deploying program. Arguments: options of docker run in one word, arguments of the program.
deploy() {
  options=$1
  shift
  # shellcheck disable=SC2086 # words without spaces
  docker run --rm --init --network none --read-only --cap-drop ALL --cap-add DAC_OVERRIDE \
    --security-opt no-new-privileges --log-driver none --volume "$socket:/var/run/docker.sock" $options \
    --entrypoint /usr/lib/hal9000/deploy.cjs "$image" "$@"
}
