package dev.quern.cli.accuracy;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.quern.cli.Quern;
import dev.quern.demo.DemoModelFile;
import dev.quern.llama.HuggingFaceFolder;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// `quantize`, `perplexity`, `accuracy` and `inspect --against`, on the demo model (F16, width
/// 128).
class QuantizeCommandTest {
  @TempDir Path folder;
  private Path demo;
  private Path out;
  private Path text;

  @BeforeEach
  void copyDemo() throws IOException {
    demo = folder.resolve("demo.gguf");
    out = folder.resolve("out.gguf");
    text = folder.resolve("text.txt");
    try (var in = DemoModelFile.open()) {
      Files.copy(in, demo);
    }
    Files.writeString(
        text,
        "Once upon a time, there was a clever boy named Oskar. Every day Oskar went to the barn with a clever donkey. On a rainy day, Oskar saw a basket lying on the path.\n");
  }

  @Test
  void quantizesAndRunsAndSaysWhatItDid() {
    Quern made =
        quern("quantize", "--in", demo, "--out", out, "--scheme", "int4-block", "--group", "128");
    assertEquals(0, made.code(), made.err());
    assertTrue(made.out().contains("F16 to INT4_B128"), made.out());
    assertTrue(made.out().contains("F16 to INT8_C"), made.out());
    assertTrue(made.out().contains("0.0 % of the matrices' weights"), made.out());
    Quern run = quern("run", "--model", out, "--prompt", "Once upon a time", "-n", "5");
    assertEquals(0, run.code(), run.err());
    assertTrue(run.out().startsWith("Once upon a time, there was"), run.out());
    Quern listed = quern("inspect", out);
    assertTrue(listed.out().contains("INT4_B128"), listed.out());
  }

  @Test
  void anExistingFileIsKeptUnlessForced() throws IOException {
    Files.writeString(out, "precious");
    Quern refused = quern("quantize", "--in", demo, "--out", out, "--scheme", "q8_0");
    assertEquals(1, refused.code());
    assertTrue(refused.err().contains("--force"), refused.err());
    assertEquals("precious", Files.readString(out));
    Quern forced = quern("quantize", "--in", demo, "--out", out, "--scheme", "q8_0", "--force");
    assertEquals(0, forced.code(), forced.err());
    assertTrue(Files.size(out) > 100_000);
    Quern itself = quern("quantize", "--in", demo, "--out", demo, "--scheme", "q8_0", "--force");
    assertEquals(1, itself.code());
    assertTrue(itself.err().contains("part of the model itself"), itself.err());
  }

  @Test
  void aGroupThatNoWidthFitsIsRefusedAndLeavesNothing() throws IOException {
    Quern refused =
        quern("quantize", "--in", demo, "--out", out, "--scheme", "int4-block", "--group", "256");
    assertEquals(1, refused.code(), refused.err());
    assertTrue(refused.err().contains("no matrix can become INT4_B256"), refused.err());
    assertFalse(Files.exists(out));
    try (var files = Files.list(folder)) {
      assertEquals(2, files.count());
    }
  }

  @Test
  void perplexityAgainstTheOriginal() throws IOException {
    quern("quantize", "--in", demo, "--out", out, "--scheme", "q4_0");
    Path json = folder.resolve("p.json");
    Quern result =
        quern(
            "perplexity",
            "--provider",
            "scalar",
            "--model",
            out,
            "--text",
            text,
            "-c",
            "16",
            "--against",
            demo,
            "--json",
            json);
    assertEquals(0, result.code(), result.err());
    for (String part :
        List.of(
            ", prefill (",
            ", decode (",
            "from its own prefill",
            "KL divergence        mean 0.",
            "prefill kernels: linear: scalar ",
            "decode kernels: linear: scalar ")) {
      assertTrue(result.out().contains(part), part + " in " + result.out());
    }
    JsonNode phases = new ObjectMapper().readTree(json.toFile()).path("phases");
    for (String phase : List.of("prefill", "decode")) {
      JsonNode root = phases.path(phase);
      double value = root.at("/perplexity/value").asDouble();
      double reference = root.at("/against/perplexity").asDouble();
      double ratio = root.at("/against/logRatio/value").asDouble();
      assertEquals(Math.log(value / reference), ratio, 1e-9);
      assertTrue(root.at("/against/klDivergence/value").asDouble() > 0);
      assertEquals(root.get("chunks").asInt() * 7, root.get("scored").asInt());
      assertEquals(phase.equals("decode") ? 1 : 7, root.get("rows").asInt());
      JsonNode kernel = root.at("/kernels/0");
      assertEquals("scalar", kernel.path("provider").asText(), root.toString());
      assertEquals("exact-f32", kernel.path("numerics").asText(), root.toString());
    }
    assertEquals(0, phases.at("/decode/fromPrefill/klDivergence/value").asDouble(), 1e-6);
    assertFalse(phases.path("prefill").has("fromPrefill"));
  }

  @Test
  void onePhaseAlone() {
    for (String phase : List.of("prefill", "decode")) {
      Quern result =
          quern("perplexity", "--model", demo, "--text", text, "-c", "16", "--phase", phase);
      assertEquals(0, result.code(), result.err());
      assertTrue(
          result.out().lines().findFirst().orElseThrow().contains(", " + phase + " ("),
          result.out());
      assertEquals(1, result.out().lines().filter(l -> l.startsWith("perplexity ")).count());
      assertEquals(1, result.out().lines().filter(l -> l.contains(" kernels: ")).count());
    }
    Quern none = quern("perplexity", "--text", text, "--phase", "all");
    assertEquals(2, none.code(), none.err());
  }

  @Test
  void accuracyIsATableWithARowForEachScheme() {
    Quern result =
        quern(
            "accuracy",
            "--model",
            demo,
            "--text",
            text,
            "-c",
            "16",
            "--speed",
            "scalar",
            "--turns",
            "1");
    assertEquals(0, result.code(), result.err());
    String[] lines = result.out().split("\n");
    assertTrue(lines[0].contains("| numerics in prefill |"), lines[0]);
    assertTrue(lines[2].contains("| exact-f32 |"), lines[2]);
    assertEquals(2 + 1 + 8, lines.length, result.out());
    assertTrue(lines[7].startsWith("| int4-block 32, classifier int8-channel"), result.out());
    assertTrue(lines[10].endsWith("no matrix has such a width |"), result.out());
    for (int i = 0; i < 10; i++) {
      assertEquals(14, lines[i].chars().filter(c -> c == '|').count(), lines[i]);
    }
  }

  @Test
  void inspectAgainstSaysHowFarAndWhatIsEqual() {
    quern("quantize", "--in", demo, "--out", out, "--scheme", "q8_0", "--embedding", "f16");
    Quern result = quern("inspect", out, "--against", demo);
    assertEquals(0, result.code(), result.err());
    String embedding =
        result.out().lines().filter(l -> l.startsWith("token_embd")).findFirst().orElseThrow();
    assertTrue(embedding.endsWith("equal bytes"), embedding);
    assertEquals(1, result.out().lines().filter(l -> l.endsWith("equal bytes")).count());
  }

  @Test
  void aModelsFolderGivesWhatItsGgufFileGives() throws IOException {
    Path model = HuggingFaceFolder.write(demo, folder.resolve("model"), 3);
    Quern made = quern("quantize", "--in", model, "--out", out, "--scheme", "q8_0");
    assertEquals(0, made.code(), made.err());
    Path fromFile = folder.resolve("from-file.gguf");
    quern("quantize", "--in", demo, "--out", fromFile, "--scheme", "q8_0");
    Quern equal = quern("inspect", out, "--against", fromFile);
    assertEquals(
        29, equal.out().lines().filter(l -> l.endsWith("equal bytes")).count(), equal.out());
    Quern source = quern("inspect", model, "--against", demo);
    assertEquals(
        29, source.out().lines().filter(l -> l.endsWith("equal bytes")).count(), source.out());
    Quern table = quern("accuracy", "--model", model, "--text", text, "-c", "16");
    assertEquals(0, table.code(), table.err());
    assertEquals(quern("accuracy", "--model", demo, "--text", text, "-c", "16").out(), table.out());
  }

  @Test
  void aFileOfTheModelsFolderIsNotReplaced() throws IOException {
    Path model = HuggingFaceFolder.write(demo, folder.resolve("model"), 1);
    Path weights = model.resolve("model.safetensors");
    Quern refused =
        quern("quantize", "--in", model, "--out", weights, "--scheme", "q8_0", "--force");
    assertEquals(1, refused.code());
    assertTrue(refused.err().contains("part of the model itself"), refused.err());
  }

  @Test
  void aFolderWithoutAVocabularyGivesAFileWithoutOneAndSaysSo() throws IOException {
    Path model = HuggingFaceFolder.write(demo, folder.resolve("model"), 1);
    Files.delete(model.resolve("tokenizer.json"));
    Quern made = quern("quantize", "--in", model, "--out", out, "--scheme", "q8_0");
    assertEquals(0, made.code(), made.err());
    assertTrue(made.out().contains("has no vocabulary"), made.out());
    Quern run = quern("run", "--model", out, "--prompt", "Once");
    assertEquals(1, run.code());
    assertTrue(run.err().contains("the file holds no vocabulary"), run.err());
  }

  private static Quern quern(Object... args) {
    return Quern.run(Stream.of(args).map(Object::toString).toArray(String[]::new));
  }
}
