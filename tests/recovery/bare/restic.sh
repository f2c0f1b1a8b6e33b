#!/bin/sh
# Brings everything back with what Debian has, and proves it: restic.sh IMAGE SHEET PLACE
#
# IMAGE: the disk, as it was pulled out of the machine that is gone. SHEET: the text of the paper. PLACE: an empty
# directory. Nothing else is read: no settings, no program of ours.
set -eu
image=$1 sheet=$2 place=$3

mkdir "$place/disk" "$place/back"
mount -o loop,ro "$image" "$place/disk"
trap 'umount "$place/disk"' EXIT

# The words stand behind their numbers, one to eighteen.
words=$(tr -s ' \n' '\n' <"$sheet" | awk '
  number && /^[a-z]+$/ && length > 2 && !(number in word) { word[number] = $0 }
  { number = ($0 ~ /^[0-9]+$/ && $0 >= 1 && $0 <= 18) ? $0 : 0 }
  END { for (i = 1; i <= 18; i++) printf "%s%s", word[i], i < 18 ? " " : "" }')
export RESTIC_PASSWORD="$words"

repository=$(dirname "$(find "$place/disk" -maxdepth 3 -name config -type f | head -n 1)")
restic --no-cache --no-lock --quiet -r "$repository" restore latest --target "$place/back"

test "$(sqlite3 "$place/back/hokatsu.db" 'pragma integrity_check')" = ok
# An attachment is called by its hash.
find "$place/back/attachments" -type f | while read -r file; do
  test "$(sha256sum <"$file" | cut -d ' ' -f 1)" = "$(basename "$file")"
done
sqlite3 "$place/back/hokatsu.db" "select count(*) from residents;
  select lower(hex(hash)) from audit_entries order by id desc limit 1"
