#!/bin/sh
# Brings everything back with hokatsu, and proves it: hokatsu.sh IMAGE SHEET PLACE PROGRAM
#
# IMAGE: the disk, as it was pulled out of the machine that is gone. SHEET: the text of the paper. PLACE: an empty
# directory. PROGRAM: what a new machine has. Nothing else is read: no settings, no password file.
set -eu
image=$1 sheet=$2 place=$3 hokatsu=$4

mkdir "$place/disk" "$place/new"
mount -o loop "$image" "$place/disk"
trap 'umount "$place/disk"' EXIT

tr -s ' \n' '\n' <"$sheet" | awk '
  number && /^[a-z]+$/ && length > 2 && !(number in word) { word[number] = $0 }
  { number = ($0 ~ /^[0-9]+$/ && $0 >= 1 && $0 <= 18) ? $0 : 0 }
  END { for (i = 1; i <= 18; i++) printf "%s%s", word[i], i < 18 ? " " : "" }' |
  (umask 077 && cat >"$place/words")

repository=$(dirname "$(find "$place/disk" -maxdepth 3 -name config -type f | head -n 1)")
data=$place/new/data
"$hokatsu" --data "$data" --operator 試験 --reason 何もない機械 \
  restore --from "$repository" --words-file "$place/words" --at "$(date -u +%Y-%m-%dT%H:%M:%SZ)" --yes
rm "$place/words"

"$hokatsu" --data "$data" audit verify
"$hokatsu" --data "$data" attachments check
sqlite3 "$data/hokatsu.db" "select count(*) from residents"
