package dev.quern.benchmarks;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.MappingIterator;
import com.fasterxml.jackson.dataformat.csv.CsvGenerator;
import com.fasterxml.jackson.dataformat.csv.CsvMapper;
import com.fasterxml.jackson.dataformat.csv.CsvParser;
import com.fasterxml.jackson.dataformat.csv.CsvSchema;
import java.io.IOException;
import java.nio.charset.CharacterCodingException;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.DateTimeException;
import java.time.Instant;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/// Results, a line each, as CSV (RFC 4180, but with `\n`) in UTF-8 below a line of the columns'
/// names.
///
/// @param path the file
record ResultsFile(Path path) {
  private static final List<String> COLUMNS =
      List.of(
          "date",
          "cpu",
          "class",
          "provider",
          "workload",
          "model",
          "unit",
          "quern_median",
          "quern_min",
          "quern_max",
          "llama_cpp_median",
          "llama_cpp_min",
          "llama_cpp_max",
          "ratio_median",
          "ratio_min",
          "ratio_max",
          "pairs",
          "llama_cpp_build",
          "llama_cpp_variant");

  private static final String HEAD = String.join(",", COLUMNS);

  private static final CsvSchema SCHEMA =
      CsvSchema.builder().addColumns(COLUMNS, CsvSchema.ColumnType.STRING).build();

  private static final CsvMapper CSV =
      CsvMapper.csvBuilder()
          .enable(CsvGenerator.Feature.STRICT_CHECK_FOR_QUOTING) // else all long words are quoted
          .enable(CsvParser.Feature.FAIL_ON_MISSING_COLUMNS)
          .enable(CsvParser.Feature.SKIP_EMPTY_LINES)
          .build();

  /// Makes the file where there is none, so that what would keep a line out of it is known before
  /// anything is measured.
  ///
  /// @throws CompareException if it is no file of results, or can't be written
  void prepare() throws IOException {
    boolean empty = !Files.exists(path) || Files.isRegularFile(path) && Files.size(path) == 0;
    String text = empty ? "" : text();
    // A last line without an end would take in the next one.
    write(empty ? HEAD + "\n" : text.endsWith("\n") ? "" : "\n");
  }

  /// Adds a line to a file that is prepared.
  void append(Result result) throws IOException {
    Map<String, Object> cells = new LinkedHashMap<>();
    cells.put("date", result.date().toString());
    cells.put("cpu", result.cpu());
    cells.put("class", result.cpuClass());
    cells.put("provider", result.provider());
    cells.put("workload", result.workload().name());
    cells.put("model", result.model());
    cells.put("unit", result.workload().kind().unit());
    put(cells, "quern", result.ours());
    put(cells, "llama_cpp", result.theirs());
    put(cells, "ratio", result.ratio());
    cells.put("pairs", result.pairs());
    cells.put("llama_cpp_build", result.llamaCpp().number());
    cells.put("llama_cpp_variant", result.llamaCpp().variant());
    write(CSV.writer(SCHEMA).writeValueAsString(cells));
  }

  /// All results, in the file's order.
  ///
  /// @throws CompareException naming file and line, if a line is no result
  List<Result> read() throws IOException {
    List<Result> results = new ArrayList<>();
    try (MappingIterator<Map<String, String>> rows =
        CSV.readerFor(Map.class).with(SCHEMA.withSkipFirstDataRow(true)).readValues(text())) {
      while (rows.hasNextValue()) {
        Map<String, String> cells = rows.nextValue();
        try {
          results.add(result(cells));
        } catch (IllegalArgumentException | DateTimeException e) {
          throw problem(results.size() + 1, e.getMessage(), e);
        }
      }
    } catch (JsonProcessingException e) {
      throw problem(results.size() + 1, e.getOriginalMessage(), e);
    }
    return results;
  }

  private static void put(Map<String, Object> cells, String name, Summary figure) {
    cells.put(name + "_median", figure.median());
    cells.put(name + "_min", figure.min());
    cells.put(name + "_max", figure.max());
  }

  private static Result result(Map<String, String> cells) {
    Workload workload = Workload.byName(cells.get("workload")).orElse(null);
    if (workload == null || !cells.get("unit").equals(workload.kind().unit())) {
      throw new IllegalArgumentException(
          String.format(
              Locale.ROOT,
              "%s in %s, expected a workload in its unit",
              cells.get("workload"),
              cells.get("unit")));
    }
    return new Result(
        Instant.parse(cells.get("date")),
        cells.get("cpu"),
        cells.get("class"),
        cells.get("provider"),
        workload,
        cells.get("model"),
        summary(cells, "quern"),
        summary(cells, "llama_cpp"),
        summary(cells, "ratio"),
        Integer.parseInt(cells.get("pairs")),
        new LlamaCppEngine.Build(cells.get("llama_cpp_build"), cells.get("llama_cpp_variant")));
  }

  private static Summary summary(Map<String, String> cells, String name) {
    return new Summary(
        number(cells, name + "_median"),
        number(cells, name + "_min"),
        number(cells, name + "_max"));
  }

  private static double number(Map<String, String> cells, String column) {
    try {
      return Double.parseDouble(cells.get(column));
    } catch (NumberFormatException e) {
      throw new IllegalArgumentException(
          String.format(Locale.ROOT, "%s '%s', expected a number", column, cells.get(column)), e);
    }
  }

  /// The file's text, with the right head.
  private String text() throws IOException {
    if (!Files.isRegularFile(path)) {
      throw new CompareException(path + ": no such file, expected a file of results");
    }
    String text;
    try {
      text = Files.readString(path);
    } catch (CharacterCodingException e) {
      throw new CompareException(path + ": not UTF-8, expected a file of results", e);
    }
    String head = text.lines().findFirst().orElse("");
    if (!head.equals(HEAD)) {
      throw new CompareException(
          String.format(
              Locale.ROOT,
              "%s: its first line is '%s', expected '%s'; name another file",
              path,
              head.length() > 200 ? head.substring(0, 200) + "..." : head,
              HEAD));
    }
    return text;
  }

  private void write(String text) throws IOException {
    try {
      Files.writeString(path, text, StandardOpenOption.CREATE, StandardOpenOption.APPEND);
    } catch (FileSystemException e) {
      throw new CompareException(
          String.format(
              Locale.ROOT, "%s: can't be written (%s)", path, e.getClass().getSimpleName()),
          e);
    }
  }

  /// @param number of the result in the file, from 1
  private CompareException problem(int number, String message, Exception cause) {
    return new CompareException(
        String.format(Locale.ROOT, "%s, result %d: %s", path, number, message), cause);
  }
}
