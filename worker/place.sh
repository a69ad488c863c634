# shellcheck shell=bash
# Makes the container a place for this user and this project. What needs no assignment is done before one comes, what
# the command alone can see is done while tmux starts.

# Before the assignment: folders and fifos. A fifo with a name, not a bash pipe: a process that is not root may reopen
# /dev/stderr only if the file behind it lets it write.
make_room() {
  umask 022
  # shellcheck disable=SC2174 # the folder above is for everyone
  mkdir -p -m 0700 $user $clients $run/commands /home/worker
  mkfifo -m 0666 $user/{control,go,out,err} $clients/.deaths # the last one is root's own
}

# The least that must be there before anything runs as the user.
move_in() {
  local mine=("$user") found='' image=()
  is_mounted /home/worker || mine+=(/home/worker) # a host folder keeps its owner
  exec 10< <(stat -c %d:%i -- "$project")

  printf '%s\0' "$uid" "$gid" "$project" "$size" "$name" >$run/identity
  # Files of root in a folder that only the user can enter.
  printf '%s\0' "${argv[@]}" >$user/argv
  mapfile -d '' -t image </proc/self/environ # as it was given to this process, whatever has been set since
  printf '%s\0' "${image[@]}" HOME=/home/worker USER=worker LOGNAME=worker SHELL=/bin/bash "${env[@]}" >$user/env
  ((${#secret[@]} == 0)) || write_secrets
  ((${#input[@]} == 0)) || mine+=("$user/input")
  chown "$uid:$gid" "${mine[@]}"

  # The directory that was checked may have been swapped before it was mounted. Asked before anything runs in it, or
  # with an environment that may have its files loaded.
  read -r -u 10 found || :
  exec 10<&-
  [[ $found == "$identity" ]] ||
    refuse project-changed "$project is not the directory that was checked (${found:-missing} instead of $identity)."
}

# The rest, in the shade of the starting session; the command waits for it.
finish_place() {
  [[ -e /workspace || -L /workspace ]] || ln -s -- "$project" /workspace
  # First line wins: ours is found before another name of the same number (0, 33, group 20), so that the user is never
  # somebody else and never nobody.
  prepend /etc/passwd "worker:x:$uid:$gid::/home/worker:/bin/bash"
  prepend /etc/group "worker:x:$gid:"
}

prepend() { # FILE LINE
  local lines=()
  mapfile lines <"$1"
  # A kept container that is started again has its line already.
  [[ ${lines[0]-} == "$2"$'\n' ]] || printf '%s' "$2"$'\n' "${lines[@]}" >"$1"
}

is_mounted() { # PATH
  local lines=() line
  mapfile -t lines </proc/self/mountinfo
  for line in "${lines[@]}"; do
    # The fifth field; the fourth may look the same.
    [[ $line == *" $1 "* && $line =~ ^([^\ ]+\ ){4}"$1"\  ]] && return 0
  done
  return 1
}

write_secrets() {
  local entry file
  mkdir -p /run/secrets
  for entry in "${secret[@]}"; do
    file=/run/secrets/${entry%%=*}
    # Through a pipe: a here-string may become a file on disk.
    (
      umask 0277
      printf '%s' "${entry#*=}" | base64 -d >"$file"
    ) || refuse bad-assignment "The secret ${entry%%=*} is not base64."
    mine+=("$file")
  done
}
