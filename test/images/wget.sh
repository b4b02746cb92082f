#!/bin/bash
# Of wget what health checks ask of it: `wget -q -O /dev/null http://HOST:PORT/PATH`, code 0 on an answer 200. The image has no other programs.
url=${!#}
rest=${url#http://}
host=${rest%%/*}
exec 3<>"/dev/tcp/${host%:*}/${host##*:}" || exit 4
printf 'GET /%s HTTP/1.0\r\nHost: %s\r\n\r\n' "${rest#*/}" "$host" >&3
read -r -t 4 _ status _ <&3
[ "$status" = 200 ] || exit 8
