#!/bin/sh
# Certifies a client in parts, one after the other on this machine, and joins them. With a machine for each part, play
# the line of the loop on each of them, with its own number, and bring the folders together before the last line.
#
#   CLIENT="node adapter.js" RUNS=runs/today sh shell.sh
set -eu

PARTS="${PARTS:-5}"

for part in $(seq "$PARTS"); do
    # Whatever comes of a part, the others are played: the last line gives the verdict of the whole.
    linkproof certify --client "$CLIENT" --shard "$part/$PARTS" --run-dir "$RUNS/part-$part" || echo "part $part: exit code $?"
done

linkproof merge "$RUNS"/part-* --run-dir "$RUNS/whole"
