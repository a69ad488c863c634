# shellcheck shell=bash
# The one way from root to the worker's user. Every script that runs something of the user's goes through here; on the
# other side `dropped.sh` checks that it worked.

# Root finds its own tools in these places only: a project may be mounted over another place on the image's PATH.
PATH=/usr/sbin:/usr/bin:/sbin:/bin

# The worker's user, as the entrypoint wrote it down in a file only root can change.
know_user() {
  local place=()
  mapfile -d '' -t place </run/hal9000/identity
  uid=${place[0]} gid=${place[1]}
}

# Numeric ids, because the names in the image may mean somebody else. Nothing of the assignment's environment may be
# set yet: with LD_PRELOAD from a project file setpriv would run that library as root.
drop() {
  # Root itself owns the project. What runs as root may change our very scripts, which nobody must then run with more
  # rights: such a container is given no capability at all, and so none that dropping these takes. One that has some
  # fails the check.
  [[ $uid != 0 ]] || exec setpriv --no-new-privs -- "$@"
  exec setpriv --reuid "$uid" --regid "$gid" --clear-groups --no-new-privs --bounding-set=-all --inh-caps=-all -- "$@"
}
