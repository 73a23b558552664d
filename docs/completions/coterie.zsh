#compdef coterie ./client coterie-tracker ./tracker
# Completions of Coterie for zsh. Made by npm run manual.

_coterie_client() {
  _arguments -s \
    '*--data-dir[keep accounts, shares and unfinished downloads in this folder]:value:_files' \
    '*--advertise[where others reach this client, if not at the address that a tracker sees]:value:_files' \
    '*-e[run this command and end; may be given several times]:command:(create_user login logout change_password reset_password delete_account whoami create_group list_groups join_group leave_group list_members list_requests accept_request reject_request remove_member upload_file list_files list_versions download_file stop_share share_link list_links revoke_link subscribe unsubscribe list_subscriptions show_downloads pause_download resume_download cancel_download prioritize wait limit show_uploads watch why doctor show_page help events clear quit)' \
    '*--execute[run this command and end; may be given several times]:command:(create_user login logout change_password reset_password delete_account whoami create_group list_groups join_group leave_group list_members list_requests accept_request reject_request remove_member upload_file list_files list_versions download_file stop_share share_link list_links revoke_link subscribe unsubscribe list_subscriptions show_downloads pause_download resume_download cancel_download prioritize wait limit show_uploads watch why doctor show_page help events clear quit)' \
    '*-f[run the commands of this file and end; - is standard input]:value:_files' \
    '*--file[run the commands of this file and end; - is standard input]:value:_files' \
    '*--json[print replies and events as JSON, one a line]' \
    '*--keep-going[go on after a command that failed, as for standard input]' \
    '*--stop-at-error[stop at a command that fails, as for -e and -f]' \
    '*--password-file[read the password for commands that need one from this file]:value:_files' \
    '*--linger[keep sharing after the end of piped commands, until SIGINT or SIGTERM]' \
    '*--upload-limit[limit all uploads together]:value:_files' \
    '*--download-limit[limit all downloads together]:value:_files' \
    '*--map-port[have the router of your network forward the port of this client (UPnP, NAT-PMP)]' \
    '*--relay[forward between members who cannot reach each other, so much a second]:value:_files' \
    '*--metrics[serve metrics for Prometheus on this port of 127.0.0.1]:value:_files' \
    '*--web[serve a page for browsers on this machine, and print a link to it (preset\: "0")]' \
    '*--drop-folder[copy files that are dropped into the page into this folder, and share them]:value:_files' \
    '*--guests[serve people without an account over HTTPS there, by links that share_link makes]:value:_files' \
    '*--guest-cert[show guests this certificate, whose key is in the same file (PEM), instead of one that is made]:value:_files' \
    '*--audit[write to this file which links were made, used and ended, and by whom]:value:_files' \
    '*--tls[encrypt all connections, on this machine too]' \
    '*--insecure-plain[encrypt nothing\: whoever listens can take over accounts]' \
    '*--version[print the version]' \
    '*-h[print this help]' \
    '*--help[print this help]' \
    '*:file:_files'
}
compdef _coterie_client coterie ./client

_coterie_tracker() {
  _arguments -s \
    '*--data-dir[keep the data in this folder]:value:_files' \
    '*--memory[keep the data in memory only\: it is lost when the tracker ends]' \
    '*--log[keep the data in NATS JetStream, for trackers on several machines]:value:_files' \
    '*--log-ca[the certificate of the authority of the NATS servers, if this machine does not trust it]:value:_files' \
    '*--log-credentials[the login of this tracker at NATS\: lines like user\: "…" and password\: "…"]:value:_files' \
    '*--advertise[where clients reach this tracker, for the line that it prints for their lists]:value:_files' \
    '*--advertised[which addresses clients may advertise, beside the one that the tracker sees (default\: "observed")]:value:_files' \
    '*--relay[forward between clients that cannot reach each other, so many bytes a second\: 4M, none for no limit]:value:_files' \
    '*--tls[take only encrypted connections, on this machine too]' \
    '*--insecure-plain[encrypt nothing\: whoever listens can take over accounts]' \
    '*--registration[who may register, at all trackers of the community, until it is set again (choices\: "open", "invited", "closed")]:value:_files' \
    '*--log-level[what to log on standard error (choices\: "silent", "fatal", "error", "warn", "info", "debug", default\: "warn")]:value:_files' \
    '*--audit[write who did what to this file, of this tracker alone]:value:_files' \
    '*--metrics[serve metrics for Prometheus on this port of 127.0.0.1]:value:_files' \
    '*--version[print the version]' \
    '*-h[print this help]' \
    '*--help[print this help]' \
    '*:file:_files'
}
compdef _coterie_tracker coterie-tracker ./tracker

# Where it is installed, zsh reads this file at the first completion, which it has to answer too.
case ${service-} in
  coterie) _coterie_client "$@" ;;
  coterie-tracker) _coterie_tracker "$@" ;;
esac
