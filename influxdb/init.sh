#!/bin/bash
# Brings InfluxDB 2.7 or later to what Wattmark needs: databases, how long they keep, and the users of the v1 API
# with their rights. What is right already is left alone. A database of the v1 API is the bucket of its name.
# Runs inside InfluxDB's own image: by its entry point on an empty volume, by `make stack` and `make stack-update`
# on one that exists.
#   init.sh                 make it so, and print a line for each change
#   init.sh show            print the lines alone
#   init.sh password USER   give USER (or admin, of the browser) a new password
# Passwords come from the array `passwords`, where a caller has put it in front of this script, else from
# /run/secrets; none is ever an argument of a process.
set -euo pipefail

mode=${1:-make}
long=${WATTMARK_RETENTION:-730d}
databases=(telemetry telemetry_1m power_10s power_1m power_10m power_1h results)
samples="telemetry telemetry_1m power_10s power_1m power_10m power_1h"
declare -A keep=([telemetry]=14d [telemetry_1m]=$long [power_10s]=14d [power_1m]=$long [power_10m]=$long
    [power_1h]=$long [results]=0)
declare -A reads=([collector]=$samples [runner]="telemetry telemetry_1m results" [grafana]=${databases[*]})
declare -A writes=([collector]=$samples [runner]=results [grafana]=)
declare -p passwords >/dev/null 2>&1 || declare -A passwords=()

if ! [[ $long =~ ^(0|[1-9][0-9]*[hdw])$ ]]; then
    echo "WATTMARK_RETENTION=$long is no time like 730d (h, d or w; 0 keeps for ever)" >&2
    exit 2
fi

change() { # LINE: print it; is it to be done?
    echo "$1"
    [ "$mode" = make ]
}

hours() { # 14d, 2w, or what the server prints: 336h0m0s, infinite
    case $1 in
        0 | infinite) echo 0 ;;
        *w) echo $((${1%w} * 168)) ;;
        *d) echo $((${1%d} * 24)) ;;
        *) echo "${1%%h*}" ;;
    esac
}

kept() { if [ "$1" = 0 ]; then echo "for ever"; else echo "$1"; fi; }

password() { # USER
    if [ -n "${passwords[$1]-}" ]; then
        printf %s "${passwords[$1]}"
    else
        tr -d '\r\n' <"/run/secrets/influxdb-$1-password"
    fi
}

set_password() { # PATH USER: over HTTP, for the command line takes a password as an argument only
    local token body
    token=$(sed -nE 's/^[[:space:]]*token = "(.*)"$/\1/p' "$INFLUX_CONFIGS_PATH" | head -n 1)
    body=$(password "$2" | sed -E 's/[\\"]/\\&/g')
    printf '{"password": "%s"}' "$body" | curl -sS -f -o /dev/null -X POST --data-binary @- \
        -H "Content-Type: application/json" -H @<(printf 'Authorization: Token %s\n' "$token") \
        "${INFLUX_HOST:-http://localhost:8086}$1"
}

if [ "$mode" = password ]; then
    if [ "$2" = admin ]; then
        set_password "/api/v2/users/$(influx user list --name admin --hide-headers | cut -f 1)/password" admin
    else
        id=$(influx v1 auth list --username "$2" --hide-headers | cut -f 1)
        set_password "/private/legacy/authorizations/$id/password" "$2"
    fi
    exit
fi

declare -A ids=() retentions=()
buckets() {
    local id name retention rest
    while IFS=$'\t' read -r id name retention rest; do
        ids[$name]=$id retentions[$name]=$retention
    done < <(influx bucket list --hide-headers | tr -s '\t')
}

buckets
for name in "${databases[@]}"; do
    wanted=${keep[$name]}
    if [ -z "${ids[$name]-}" ]; then
        if change "database $name: new, kept $(kept "$wanted")"; then
            influx bucket create --name "$name" --retention "$wanted" >/dev/null
        fi
    elif [ "$wanted" = "$long" ] && [ "$(hours "${retentions[$name]}")" != "$(hours "$long")" ]; then
        if change "database $name: kept $(kept "$long"), was ${retentions[$name]}"; then
            influx bucket update --id "${ids[$name]}" --retention "$long" >/dev/null
        fi
    fi
done
buckets

# The rights of a user cannot be changed, and its name is taken while it exists: it goes, and comes back with the
# password that it had. For that moment its requests are refused; collector and runner try again.
for user in collector runner grafana; do
    options=() wanted=""
    for name in ${reads[$user]}; do
        options+=(--read-bucket "${ids[$name]-}") wanted+="read:${ids[$name]-$name}"$'\n'
    done
    for name in ${writes[$user]}; do
        options+=(--write-bucket "${ids[$name]-}") wanted+="write:${ids[$name]-$name}"$'\n'
    done
    there=$(influx v1 auth list --username "$user" --hide-headers 2>/dev/null || true)
    rights=$(grep -oE '(read|write):[^] ]*' <<<"$there" | sed -E 's#:.*/#:#' || true)
    if [ "$(sort <<<"${wanted%$'\n'}")" = "$(sort <<<"$rights")" ]; then
        continue
    fi
    may="reads ${reads[$user]// /, }${writes[$user]:+; writes ${writes[$user]// /, }}"
    if change "user $user: ${there:+now }$may"; then
        if [ -n "$there" ]; then
            influx v1 auth delete --username "$user" >/dev/null
        fi
        id=$(influx v1 auth create --username "$user" --no-password --hide-headers "${options[@]}" | cut -f 1)
        if ! set_password "/private/legacy/authorizations/$id/password" "$user"; then
            influx v1 auth delete --username "$user" >/dev/null # or the next call would take it for done
            exit 1
        fi
    fi
done
