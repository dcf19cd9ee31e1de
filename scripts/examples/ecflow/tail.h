trap - EXIT TERM INT
ecflow_client --complete
exit 0
