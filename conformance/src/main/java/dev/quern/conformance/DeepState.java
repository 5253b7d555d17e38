package dev.quern.conformance;

import dev.quern.conformance.judge.Outcome;
import dev.quern.files.NewFile;
import dev.quern.files.OutputException;
import java.io.IOException;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;

/// How far a [DeepRun] has come, and the file that keeps it: lines of words between tabs, of which
/// the first names the kind and the second what the run is of. A run of anything else begins with
/// another file.
final class DeepState {
  private static final String KIND = "quern-conformance-deep 1";

  private final Path file;
  private final String of;

  /// The round that is running, from 1.
  int round = 1;

  /// Seconds of all runs.
  double seconds;

  /// Steps of this round that are done.
  final Set<String> done = new LinkedHashSet<>();

  /// Steps that failed in any round; they are not tried again.
  final Set<String> failed = new LinkedHashSet<>();

  /// Nanoseconds of each step, over all rounds.
  final Map<String, Long> nanos = new LinkedHashMap<>();

  final Coverage coverage = new Coverage();
  private final Map<List<String>, CellResult> cells = new LinkedHashMap<>();

  private DeepState(Path file, String of) {
    this.file = file;
    this.of = of;
  }

  /// Reads the file, or begins where there is none.
  ///
  /// @param of what the run is of: provider, tries, seed, and what else its results depend on
  /// @throws DeepException if the file is of another run, or none of these files at all
  static DeepState open(Path file, String of) throws IOException {
    DeepState state = new DeepState(file, of);
    NewFile.check(file, true);
    try {
      state.read(Files.readString(file).lines().toList());
    } catch (NoSuchFileException _) {
      // the first run
    } catch (CharacterCodingException | IllegalArgumentException e) {
      throw new DeepException(
          String.format(
              Locale.ROOT,
              "%s is no state of a deep run (%s); name another file",
              file,
              e.getMessage()),
          e);
    }
    return state;
  }

  /// Adds to what there is of the same rule, subject and class of shapes.
  void add(CellResult cell) {
    List<String> key = List.of(cell.operator(), cell.testName(), cell.subject(), cell.shapeClass());
    cells.merge(key, cell, CellResult::plus);
  }

  List<CellResult> cells() {
    return List.copyOf(cells.values());
  }

  /// Writes the file.
  void save() throws OutputException {
    StringBuilder text = new StringBuilder();
    line(text, List.of(KIND));
    line(text, List.of(of));
    line(text, List.of("round", Integer.toString(round), Double.toString(seconds)));
    done.forEach(name -> line(text, List.of("done", name)));
    failed.forEach(name -> line(text, List.of("failed", name)));
    nanos.forEach((name, n) -> line(text, List.of("nanos", name, Long.toString(n))));
    cells
        .values()
        .forEach(c -> {
          line(text, cell(c));
          c.firstFailure().ifPresent(f -> line(text, failure(f)));
        });
    coverage
        .lines()
        .forEach(l -> {
          List<String> words = new ArrayList<>(List.of("coverage"));
          words.addAll(l);
          line(text, words);
        });
    NewFile.write(file, text.toString().getBytes(StandardCharsets.UTF_8));
  }

  private static void line(StringBuilder text, List<String> words) {
    text.append(words.stream().map(DeepState::escaped).collect(Collectors.joining("\t")))
        .append('\n');
  }

  private static String escaped(String word) {
    return word.replace("\\", "\\\\")
        .replace("\t", "\\t")
        .replace("\n", "\\n")
        .replace("\r", "\\r");
  }

  private static List<String> words(String line) {
    return List.of(line.split("\t", -1)).stream().map(DeepState::unescaped).toList();
  }

  private static String unescaped(String word) {
    StringBuilder text = new StringBuilder();
    for (int i = 0; i < word.length(); i++) {
      char c = word.charAt(i);
      if (c == '\\' && i + 1 < word.length()) {
        c = word.charAt(++i);
        c = c == 't' ? '\t' : c == 'n' ? '\n' : c == 'r' ? '\r' : c;
      }
      text.append(c);
    }
    return text.toString();
  }

  private void read(List<String> lines) {
    if (lines.size() < 3 || !words(lines.get(0)).equals(List.of(KIND))) {
      throw new IllegalArgumentException("expected its first line to be " + KIND);
    }
    String found = words(lines.get(1)).getFirst();
    if (!found.equals(of)) {
      throw new DeepException(
          String.format(
              Locale.ROOT,
              "%s is the state of another run; name another file, or delete it to begin anew. It is of: %s. Asked for: %s",
              file,
              found,
              of),
          null);
    }
    List<List<String>> covered = new ArrayList<>();
    CellResult last = null;
    try {
      for (String line : lines.subList(2, lines.size())) {
        List<String> w = words(line);
        switch (w.getFirst()) {
          case "round" -> {
            round = Integer.parseInt(w.get(1));
            seconds = Double.parseDouble(w.get(2));
          }
          case "done" -> done.add(w.get(1));
          case "failed" -> failed.add(w.get(1));
          case "nanos" -> nanos.put(w.get(1), Long.valueOf(w.get(2)));
          case "cell" -> add(last = cell(w));
          case "failure" -> add(last.onlyFailure(failure(w)));
          case "coverage" -> covered.add(w.subList(1, w.size()));
          default -> throw new IllegalArgumentException("'" + w.getFirst() + "' begins no line");
        }
      }
    } catch (IndexOutOfBoundsException | NullPointerException e) {
      throw new IllegalArgumentException("a line is cut", e);
    }
    coverage.addLines(covered);
  }

  private static List<String> cell(CellResult c) {
    List<String> words =
        new ArrayList<>(
            List.of(
                "cell",
                c.rule(),
                c.name(),
                c.operator(),
                c.subject(),
                c.shapeClass(),
                Integer.toString(c.tries()),
                Integer.toString(c.passes()),
                Integer.toString(c.failures()),
                Double.toString(c.worstRatio()),
                c.worstCase()));
    c.skips().forEach((reason, count) -> words.addAll(List.of(reason, count.toString())));
    return words;
  }

  private static CellResult cell(List<String> w) {
    Map<String, Integer> skips = new HashMap<>();
    for (int i = 11; i < w.size(); i += 2) {
      skips.put(w.get(i), Integer.valueOf(w.get(i + 1)));
    }
    return new CellResult(
        w.get(1),
        w.get(2),
        w.get(3),
        w.get(4),
        w.get(5),
        Integer.parseInt(w.get(6)),
        Integer.parseInt(w.get(7)),
        Integer.parseInt(w.get(8)),
        skips,
        Double.parseDouble(w.get(9)),
        w.get(10),
        Optional.empty());
  }

  private static List<String> failure(Failure f) {
    List<String> words =
        new ArrayList<>(
            List.of(
                "failure",
                f.rule(),
                f.text(),
                f.provider(),
                f.operator(),
                f.subject(),
                f.outcome().where(),
                f.outcome().expected(),
                f.outcome().actual(),
                f.outcome().bound(),
                Double.toString(f.outcome().ratio()),
                f.replay(),
                f.original(),
                Long.toString(f.seed())));
    words.addAll(f.inputs());
    return words;
  }

  private static Failure failure(List<String> w) {
    return new Failure(
        w.get(1),
        w.get(2),
        w.get(3),
        w.get(4),
        w.get(5),
        new Outcome.Fail(w.get(6), w.get(7), w.get(8), w.get(9), Double.parseDouble(w.get(10))),
        w.subList(14, w.size()),
        w.get(11),
        w.get(12),
        Long.parseLong(w.get(13)));
  }
}
