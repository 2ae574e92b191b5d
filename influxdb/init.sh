#!/bin/bash
# Runs once, in InfluxDB 2.7's own image, on an empty volume: the databases beside `telemetry`, and the
# users of the v1 API by least privilege. A 2.x database of the v1 API is the bucket of the same name.
set -euo pipefail

influx bucket create --name telemetry_1m --retention 104w >/dev/null
influx bucket create --name results --retention 0 >/dev/null

id() { influx bucket list --name "$1" --hide-headers | cut -f 1; }
telemetry=$(id telemetry) minutes=$(id telemetry_1m) results=$(id results)

user() { # NAME PERMISSION...
    influx v1 auth create --username "$1" --password "$(cat "/run/secrets/influxdb-$1-password")" \
        "${@:2}" >/dev/null
}
# The collector reads what it has written, to make the one-minute values of it.
user collector --write-bucket "$telemetry" --read-bucket "$telemetry" \
    --write-bucket "$minutes" --read-bucket "$minutes"
user runner --read-bucket "$telemetry" --read-bucket "$minutes" \
    --read-bucket "$results" --write-bucket "$results"
user grafana --read-bucket "$telemetry" --read-bucket "$minutes" --read-bucket "$results"
