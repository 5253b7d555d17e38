package dev.quern.benchmarks;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Pattern;
import javax.xml.parsers.DocumentBuilderFactory;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.w3c.dom.NodeList;

/// Charts of results: which of them are bars, in which order and colour.
class ChartCommandTest {
  private static final String BLUE = "fill:rgb(0,114,178)"; // x86
  private static final String ORANGE = "fill:rgb(230,159,0)"; // llama.cpp
  private static final String GREEN = "fill:rgb(0,158,115)"; // vector

  @TempDir Path folder;
  private ResultsFile file;
  private Path svg;

  @BeforeEach
  void makeFile() throws IOException {
    file = new ResultsFile(folder.resolve("results.csv"));
    svg = folder.resolve("chart.svg");
    file.prepare();
  }

  @Test
  void aGroupHasLlamaCppAndItsProvidersInOneOrderAndColour() throws Exception {
    add(1, "avx2", "vector", "prefill512", "a.gguf", 30);
    add(2, "avx2", "x86", "prefill512", "a.gguf", 60);
    add(3, "avx512", "x86", "prefill512", "a.gguf", 90);
    Run run = chart();
    assertEquals(0, run.code, run.err);
    assertEquals(
        List.of(
            "Prefill of 512 tokens, a.gguf",
            "tok/s",
            "avx2",
            "llama.cpp: 40.0",
            "x86: 60.0 (1.50 × llama.cpp)",
            "vector: 30.0 (0.75 × llama.cpp)",
            "avx512",
            "llama.cpp: 40.0",
            "x86: 90.0 (2.25 × llama.cpp)"),
        texts());
    assertEquals(List.of(ORANGE, BLUE, GREEN, ORANGE, BLUE), colors());
    String text = Files.readString(svg);
    assertTrue(text.contains("prefers-color-scheme: dark"), text);
    assertTrue(text.contains("fill:currentColor"), text);
  }

  @Test
  void ofResultsThatAreAlikeTheLatestCounts() throws Exception {
    add(2, "avx2", "x86", "decode128", "a.gguf", 20);
    add(2, "avx2", "x86", "decode128", "a.gguf", 8); // of one moment the last
    add(1, "avx2", "x86", "decode128", "a.gguf", 10);
    Run run = chart();
    assertEquals(0, run.code, run.err);
    assertEquals("x86: 8.00 (0.20 × llama.cpp)", texts().getLast());
    assertEquals(List.of(ORANGE, BLUE), colors());
  }

  @Test
  void optionsChooseAndSort() throws Exception {
    for (String workload : List.of("cold", "decode128", "prefill64", "prefill512")) {
      for (String model : List.of("a.gguf", "b.gguf", "c.gguf")) {
        add(1, "", "x86", workload, model, 10);
        add(1, "avx2", "x86", workload, model, 10);
      }
    }
    assertEquals(0, chart().code);
    assertEquals(6, titles().size(), "two workloads of three models");
    assertEquals("Prefill of 512 tokens, a.gguf", titles().getFirst());
    Run run =
        chart("--workloads", "prefill64,cold", "--model", "c.gguf,a.gguf", "--classes", "avx2");
    assertEquals(0, run.code, run.err);
    assertEquals(
        List.of(
            "Prefill of 64 tokens, c.gguf",
            "Prefill of 64 tokens, a.gguf",
            "Cold start to the first token, c.gguf",
            "Cold start to the first token, a.gguf"),
        titles());
    assertFalse(texts().contains("Some CPU"), "the class without a name was left out");
    assertTrue(texts().contains("s, less is better"), texts().toString());
    assertEquals(0, chart("--classes", "avx2", "--classes", "").code);
    assertTrue(texts().indexOf("avx2") < texts().indexOf("Some CPU"), texts().toString());
  }

  @ParameterizedTest
  @CsvSource({
    "--workloads, cold, expected some of [prefill64]",
    "--workloads, prefill, expected some of [prefill64]",
    "--model, b.gguf, expected some of [a.gguf]",
    "--classes, amx, expected some of [avx2]",
    "--model, a.gguf, 'results of [prefill64], expected some of [prefill512, decode128]'"
  })
  void whatIsNotThereIsNamed(String option, String value, String message) throws IOException {
    add(1, "avx2", "x86", "prefill64", "a.gguf", 10);
    Run run = chart(option, value);
    assertEquals(1, run.code, run.err);
    assertTrue(run.err.contains(message), run.err);
    assertEquals(1, run.err.lines().count(), run.err);
    assertFalse(Files.exists(svg));
  }

  @Test
  void aGroupIsOfOneProcessor() throws IOException {
    add(1, "avx2", "x86", "prefill512", "a.gguf", 10);
    file.append(result(2, "Other CPU", "avx2", "vector", "prefill512", "a.gguf", 10));
    Run run = chart();
    assertEquals(1, run.code);
    assertTrue(run.err.contains("Some CPU and Other CPU"), run.err);
    // Neither another class nor what does not count stands in the way.
    add(3, "avx2", "vector", "prefill512", "a.gguf", 10);
    file.append(result(4, "Other CPU", "amx", "vector", "prefill512", "a.gguf", 10));
    assertEquals(0, chart().code);
  }

  @Test
  void namesAreTextWhateverTheyHold() throws Exception {
    add(1, "<&\"avx2", "mine & yours", "prefill512", "a<b>.gguf", 10);
    assertEquals(0, chart().code);
    assertTrue(texts().contains("<&\"avx2"), texts().toString());
    assertEquals(List.of("Prefill of 512 tokens, a<b>.gguf"), titles());
  }

  @Test
  void aFileThatIsAbsentIsNamed() {
    Run run = run(folder.resolve("absent.csv").toString(), svg.toString());
    assertEquals(1, run.code);
    assertTrue(run.err.contains("absent.csv: no such file"), run.err);
  }

  private void add(
      int hour, String cpuClass, String provider, String workload, String model, double median)
      throws IOException {
    file.append(result(hour, "Some CPU", cpuClass, provider, workload, model, median));
  }

  private static Result result(
      int hour,
      String cpu,
      String cpuClass,
      String provider,
      String workload,
      String model,
      double median) {
    return new Result(
        Instant.parse("2026-11-22T10:00:00Z").plusSeconds(3600 * hour),
        cpu,
        cpuClass,
        provider,
        Workload.byName(workload).orElseThrow(),
        model,
        new Summary(median, median - 1, median + 2),
        new Summary(40, 39, 42),
        new Summary(median / 40, median / 50, median / 30),
        5,
        new LlamaCppEngine.Build("7", "libggml-cpu-haswell.so"));
  }

  private record Run(int code, String err) {}

  private Run chart(String... options) {
    List<String> args = new ArrayList<>(List.of(file.path().toString(), svg.toString()));
    args.addAll(List.of(options));
    return run(args.toArray(String[]::new));
  }

  private static Run run(String... args) {
    StringWriter out = new StringWriter();
    StringWriter err = new StringWriter();
    int code = ChartCommand.run(new PrintWriter(out, true), new PrintWriter(err, true), args);
    return new Run(code, err.toString());
  }

  /// Of all charts, without the numbers on the axis.
  private List<String> texts() throws Exception {
    return contents("text").stream().filter(t -> !t.matches("[\\d,.]+")).toList();
  }

  private List<String> titles() throws Exception {
    return contents("title");
  }

  private List<String> contents(String element) throws Exception {
    NodeList found =
        DocumentBuilderFactory.newInstance()
            .newDocumentBuilder()
            .parse(svg.toFile())
            .getElementsByTagName(element);
    List<String> contents = new ArrayList<>();
    for (int i = 0; i < found.getLength(); i++) {
      contents.add(found.item(i).getTextContent());
    }
    return contents;
  }

  /// Of the bars, in their order.
  private List<String> colors() throws IOException {
    return Pattern.compile("<rect [^>]*style=\"(fill:rgb\\([\\d,]+\\))")
        .matcher(Files.readString(svg))
        .results()
        .map(m -> m.group(1))
        .filter(c -> !c.equals("fill:rgb(255,255,255)"))
        .toList();
  }
}
