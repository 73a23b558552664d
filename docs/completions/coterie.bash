# Completions of Coterie for bash. Made by npm run manual.

_coterie_client() {
  local word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD-1]}
  case $before in
    -e|--execute) mapfile -t COMPREPLY < <(compgen -W 'create_user login logout change_password reset_password delete_account whoami create_group list_groups join_group leave_group list_members list_requests accept_request reject_request remove_member upload_file list_files list_versions download_file stop_share share_link list_links revoke_link subscribe unsubscribe list_subscriptions show_downloads pause_download resume_download cancel_download prioritize wait limit show_uploads watch why doctor show_page help events clear quit' -- "$word"); return ;;
    --data-dir) mapfile -t COMPREPLY < <(compgen -d -- "$word"); return ;;
  esac
  if [[ $word == -* ]]; then
    mapfile -t COMPREPLY < <(compgen -W '--data-dir --advertise -e --execute -f --file --json --keep-going --stop-at-error --password-file --linger --upload-limit --download-limit --map-port --relay --metrics --web --drop-folder --guests --guest-cert --audit --tls --insecure-plain --version -h --help' -- "$word")
  else
    mapfile -t COMPREPLY < <(compgen -f -- "$word")
  fi
}
complete -o filenames -F _coterie_client coterie ./client

_coterie_tracker() {
  local word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD-1]}
  case $before in
    --data-dir) mapfile -t COMPREPLY < <(compgen -d -- "$word"); return ;;
  esac
  if [[ $word == -* ]]; then
    mapfile -t COMPREPLY < <(compgen -W '--data-dir --memory --log --log-ca --log-credentials --advertise --advertised --relay --tls --insecure-plain --registration --log-level --audit --metrics --version -h --help' -- "$word")
  else
    mapfile -t COMPREPLY < <(compgen -f -- "$word")
  fi
}
complete -o filenames -F _coterie_tracker coterie-tracker ./tracker
