package dev.quern.release;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;

/// Whether what is about to be released breaks callers of the last release: `ApiCheck OLD_FOLDER
/// OLD_SOURCES NEW_FOLDER ACCEPTED`. Both folders are ones that a build deployed into; sources say
/// by `@stability` what a type promises. Breaks are printed, and end with code 1 unless ACCEPTED
/// has them.
public final class ApiCheck {
  private final Path accepted;
  private final String oldVersion;
  private final String newVersion;
  private final List<String> faults = new ArrayList<>();

  ApiCheck(Path accepted, String oldVersion, String newVersion) {
    this.accepted = accepted;
    this.oldVersion = oldVersion;
    this.newVersion = newVersion;
  }

  public static void main(String[] args) throws IOException {
    if (args.length != 4) {
      System.err.println("usage: ApiCheck OLD_FOLDER OLD_SOURCES NEW_FOLDER ACCEPTED");
      System.exit(2);
    }
    Artifacts before = Artifacts.in(Path.of(args[0]));
    Artifacts after = Artifacts.in(Path.of(args[2]));
    ApiCheck check = new ApiCheck(Path.of(args[3]), before.version(), after.version());
    List<String> faults =
        check.faults(ApiBreaks.between(before, after, Stability.in(Path.of(args[1]))));
    faults.forEach(fault -> System.err.println("release: " + fault));
    if (!faults.isEmpty()) {
      System.exit(1);
    }
    System.out.printf(
        "release: the API of %s breaks nobody who calls %s, but for what %s accepts%n",
        after.version(), before.version(), args[3]);
  }

  /// @param breaks by type: what breaks whom
  List<String> faults(TreeMap<String, String> breaks) throws IOException {
    Set<String> excused = new TreeSet<>();
    for (String line : Files.readAllLines(accepted)) {
      if (!line.isBlank() && !line.startsWith("#")) {
        String[] words = line.strip().split("\\s+", 2);
        if (words.length < 2) {
          faults.add(accepted.getFileName() + ": " + line + ": expected TYPE REASON");
        }
        excused.add(words[0]);
      }
    }
    breaks.forEach((type, what) -> {
      if (!excused.contains(type)) {
        faults.add(
            type
                + ": "
                + what
                + " (since "
                + oldVersion
                + "); undo it, or say why in "
                + accepted.getFileName()
                + " and in the changelog");
      }
    });
    for (String type : excused) {
      if (!breaks.containsKey(type)) {
        faults.add(accepted.getFileName() + ": " + type + " breaks nothing; take the line out");
      }
    }
    if (!breaks.isEmpty() && !mayBreak()) {
      faults.add(
          "a release that breaks callers raises the minor version before 1.0, the major one from then on: "
              + oldVersion
              + " to "
              + newVersion
              + " does not");
    }
    return faults;
  }

  private boolean mayBreak() {
    int[] before = numbers(oldVersion);
    int[] after = numbers(newVersion);
    return after[0] > before[0] || (after[0] == 0 && before[0] == 0 && after[1] > before[1]);
  }

  private static int[] numbers(String version) {
    if (!version.matches("\\d{1,6}\\.\\d{1,6}\\.\\d{1,6}")) {
      throw new IllegalArgumentException("version " + version + ": expected three numbers");
    }
    String[] parts = version.split("\\.");
    return new int[] {Integer.parseInt(parts[0]), Integer.parseInt(parts[1])};
  }
}
