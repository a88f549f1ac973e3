# shellcheck shell=bash
# print_skipped REPORT: how many tests ctest did not run, their names and why, read from its JUnit report.
print_skipped() {
  if [ ! -s "$1" ]; then
    printf '\nctest left no report; nothing is known about skipped tests.\n'
    return
  fi
  awk '
    function plain(text) {
      gsub(/&lt;/, "<", text); gsub(/&gt;/, ">", text); gsub(/&quot;/, "\"", text); gsub(/&apos;/, "\047", text)
      gsub(/&#x?[0-9A-Fa-f]+;/, " ", text); gsub(/&amp;/, "\\&", text)
      return text
    }
    function finish() {
      if (name != "" && reason == "") reason = message == "" ? "no reason given" : message
      if (name != "" && skipped) { names[++count] = name; reasons[count] = plain(reason) }
      name = ""; reason = ""; message = ""; skipped = 0; taking = 0
    }
    /<testcase / {
      finish()
      name = $0; sub(/.*<testcase name="/, "", name); sub(/".*/, "", name); name = plain(name)
      if ($0 ~ /status="disabled"/) { skipped = 1; message = "disabled in the source" }
    }
    /<skipped/ {
      skipped = 1
      message = $0; sub(/.*message="/, "", message); sub(/".*/, "", message)
      if (message == "SKIP_REGULAR_EXPRESSION_MATCHED") message = ""
    }
    # GoogleTest writes "FILE:LINE: Skipped", then the reason up to an empty line.
    taking && (/^$/ || /\[  SKIPPED \]/ || /<\/system-out>/) { taking = 0 }
    taking { reason = reason == "" ? $0 : reason " " $0 }
    /: Skipped$/ { taking = 1 }
    /<\/testsuite>/ { finish() }
    END {
      finish()
      if (count == 0) { print "\nSkipped tests: none"; exit }
      printf "\nSkipped tests: %d\n", count
      for (i = 1; i <= count; i++) printf "  %s: %s\n", names[i], reasons[i]
    }' "$1"
}
