package dev.quern.benchmarks;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.quern.llama.LlamaModel;
import dev.quern.measure.synthetic.FormatMix;
import dev.quern.measure.synthetic.ModelShape;
import dev.quern.measure.synthetic.SyntheticModelFile;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/// The comparison with scripts in the place of both engines: which commands run, in which order,
/// and what becomes of their figures.
class VersusLlamaCppTest {
  @TempDir Path folder;
  private Path model;
  private Path log; // a line for each command that ran

  @BeforeEach
  void makeEngines() throws IOException {
    model = folder.resolve("tiny.gguf");
    new SyntheticModelFile(
            ModelShape.byName("tiny").orElseThrow(), FormatMix.byName("Q4_0").orElseThrow(), 1)
        .write(model);
    log = folder.resolve("log");
    script(
        "quern",
        """
        echo "quern $*" >>LOG
        sleep 0.1 # so that its memory can be looked at
        while [ $# -gt 1 ]; do
          if [ "$1" = --json ]; then
            echo '{"prefillTokensPerSecond": 60.0, "decodeTokensPerSecond": 30.0, "providers": [
              {"operator": "rope", "provider": "scalar"}, {"operator": "linear", "provider": "x86"},
              {"operator": "linear", "provider": "vector"}, {"operator": "linear", "provider": "x86"}]}' >"$2"
          fi
          shift
        done
        """);
    // Flash attention off is the better one: 40 tok/s, and 20 with it on.
    script(
        "peer",
        """
        echo "$*" >>LOG
        sleep 0.1
        echo "load_backend: loaded CPU backend from /x/libggml-cpu-haswell.so" >&2
        off='{"build_number": 7, "flash_attn": 0, "samples_ts": [40, 10, 50]}'
        on='{"build_number": 7, "flash_attn": 1, "samples_ts": [20, 20, 20]}'
        case "$*" in
          *'-fa 0,1'*) echo "[$off, $on]" ;;
          *'-fa 0'*) echo "[$off]" ;;
          *) echo "[$on]" ;;
        esac
        """);
  }

  @Test
  void enginesAlternateAndRatiosAreOfPairs() throws IOException {
    Run result = compare("--workloads", "prefill64,decode4096", "--pairs", "2", model.toString());
    assertEquals(0, result.code, result.err);
    assertTrue(
        result.out.contains(
            "| prefill64 | tiny.gguf | tok/s | 60.00 [60.00 .. 60.00] | 40.00 [40.00 .. 40.00] | **1.50 [1.50 .. 1.50]** |"),
        result.out);
    assertTrue(result.out.contains("| decode4096 | tiny.gguf | tok/s | 30.00"), result.out);
    assertTrue(result.out.contains("build 7, libggml-cpu-haswell.so"), result.out);
    List<String> ran = Files.readAllLines(log);
    assertEquals(
        List.of("quern", "llama-bench", "llama-bench", "quern", "llama-bench"),
        ran.subList(0, 5).stream().map(line -> line.split(" ")[0]).toList());
    assertTrue(ran.get(1).endsWith("-fa 0,1 -o json"), ran.get(1)); // asked once
    assertTrue(ran.get(2).endsWith("-fa 0 -o json"), ran.get(2));
    assertTrue(ran.get(4).contains("-p 64 -n 0 -d 0"), ran.get(4));
    assertTrue(ran.get(5).contains("--gen-tokens 128 --depth 4096"), ran.get(5));
    assertTrue(ran.getLast().contains("-m /peer/tiny.gguf"), ran.getLast());
  }

  @Test
  void memoryAndColdRunsTakeTheSameTextOfSixtyFourTokens() throws IOException {
    Run result = compare("--workloads", "memory,cold", "--quick", model.toString());
    assertEquals(0, result.code, result.err);
    String prompt = PromptText.ofTokens(model, 64);
    assertEquals(64, LlamaModel.loadTokenizer(model).encodePrompt(prompt, false).length);
    List<String> ran = Files.readAllLines(log);
    assertEquals(8, ran.size());
    for (String line : ran) {
      assertTrue(line.contains(prompt), line);
    }
    assertTrue(ran.get(0).contains("--max-tokens 32"), ran.get(0));
    assertTrue(ran.get(5).startsWith("llama-completion"), ran.get(5));
    assertTrue(ran.get(5).contains("-n 1 "), ran.get(5));
  }

  @Test
  void eachComparisonAddsALineToTheFile() throws IOException {
    Path csv = folder.resolve("results.csv");
    Files.writeString(csv, ""); // as good as none
    for (String pairs : List.of("2", "1")) {
      Run result =
          compare(
              "--csv",
              csv.toString(),
              "--class",
              "some, \"kind\"",
              "--pairs",
              pairs,
              "--workloads",
              "prefill64,memory",
              model.toString());
      assertEquals(0, result.code, result.err);
    }
    List<String> lines = Files.readAllLines(csv);
    assertEquals(5, lines.size(), lines.toString());
    assertTrue(
        lines.getFirst().startsWith("date,cpu,class,provider,workload,model,unit,quern_median,"),
        lines.getFirst());
    assertTrue(
        lines
            .get(1)
            .endsWith(
                ",\"some, \"\"kind\"\"\",x86+vector,prefill64,tiny.gguf,tok/s,60.0,60.0,60.0,40.0,40.0,40.0,1.5,1.5,1.5,2,7,libggml-cpu-haswell.so"),
        lines.get(1));
    List<Result> read = new ResultsFile(csv).read();
    assertEquals("some, \"kind\"", read.get(1).cpuClass());
    assertEquals("memory", read.get(1).workload().name());
    assertEquals("auto", read.get(1).provider(), "quern run does not tell");
    assertEquals(List.of(2, 2, 1, 1), read.stream().map(r -> r.pairs()).toList());
  }

  @ParameterizedTest
  @CsvSource({
    "'-Xmx1g -Dquern.provider=scalar -Dquern.provider=vector?,x86', kleidi, 'vector?,x86'",
    "-Dquern.provider.linear=scalar, kleidi, kleidi"
  })
  void whereQuernDoesNotTellItsProviderIsTheOneThatWasAskedFor(
      String options, String variable, String expected) {
    Map<String, String> environment =
        Map.of("QUERN_JAVA_OPTS", options, "QUERN_PROVIDER", variable);
    assertEquals(
        expected,
        new QuernEngine("quern", environment, 1, 1)
            .provider(Workload.byName("cold").orElseThrow(), model));
  }

  @Test
  void aFileOfSomethingElseIsRefusedBeforeAnythingRuns() throws IOException {
    Path csv = folder.resolve("other.csv");
    Files.writeString(csv, "a,b\n1,2\n");
    Run result = compare("--csv", csv.toString(), model.toString());
    assertEquals(1, result.code, result.out);
    assertEquals(1, result.err.lines().count(), result.err);
    assertTrue(result.err.contains("'a,b', expected 'date,cpu,"), result.err);
    assertFalse(Files.exists(log), "an engine ran");
    assertEquals("a,b\n1,2\n", Files.readString(csv));
    result = compare("--csv", folder.resolve("absent/r.csv").toString(), model.toString());
    assertEquals(1, result.code, result.out);
    assertTrue(result.err.contains("r.csv: can't be written (NoSuchFile"), result.err);
    assertFalse(Files.exists(log), "an engine ran");
  }

  @Test
  void aFailingEngineEndsTheComparisonWithItsWords() throws IOException {
    script("peer", "echo 'no such model' >&2; exit 3\n");
    Run result = compare("--workloads", "decode128", model.toString());
    assertEquals(1, result.code, result.out);
    assertTrue(result.err.contains("exit code 3"), result.err);
    assertTrue(result.err.contains("no such model"), result.err);
    assertFalse(result.out.contains("|"), result.out);
  }

  @Test
  void mistakesAreNamed() {
    assertTrue(compare("absent.gguf").err.contains("absent.gguf: no such file"));
    Run workload = compare("--workloads", "decode", model.toString());
    assertEquals(2, workload.code, workload.out);
    assertTrue(workload.err.contains("decode128"), workload.err);
  }

  @Test
  void aBusyCoreEndsWithItsUse() throws Exception {
    try (BusyCore _ = new BusyCore(0)) {
      Thread.sleep(50); // long enough for taskset to refuse a core
    }
    assertTrue(
        ProcessHandle.current().children().noneMatch(ProcessHandle::isAlive),
        "a child outlived its use");
  }

  private void script(String name, String body) throws IOException {
    Path file = folder.resolve(name);
    Files.writeString(file, "#!/bin/sh\n" + body.replace("LOG", log.toString()));
    assertTrue(file.toFile().setExecutable(true));
  }

  private record Run(int code, String out, String err) {}

  private Run compare(String... args) {
    StringWriter out = new StringWriter();
    StringWriter err = new StringWriter();
    Map<String, String> environment =
        Map.of("LLAMA_CPP", folder.resolve("peer").toString(), "LLAMA_CPP_MODELS", "/peer");
    int code =
        VersusLlamaCpp.run(
            new VersusLlamaCpp(environment, folder.resolve("quern").toString()),
            new PrintWriter(out, true),
            new PrintWriter(err, true),
            args);
    return new Run(code, out.toString(), err.toString());
  }
}
