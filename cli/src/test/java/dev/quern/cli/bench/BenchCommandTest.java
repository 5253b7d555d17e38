package dev.quern.cli.bench;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.quern.cli.Quern;
import dev.quern.cli.TinyFolder;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/// `quern synthesize` and `quern bench` in this JVM: what they write and what they refuse. No
/// figure's size is checked, only that it is one.
class BenchCommandTest {
  @TempDir Path folder;

  @Test
  void everyFigureIsReported() throws IOException {
    Path model = synthesize();
    Path json = folder.resolve("bench.json");
    Quern result =
        quern(
            "bench --provider scalar --prompt-tokens 9 --gen-tokens 5 --depth 7 --repetitions 3 --warmup 0.01"
                + " --threads 2 --read-bandwidth --profile --model "
                + model
                + " --json "
                + json);
    assertEquals(0, result.code(), result.err());
    for (String part :
        new String[] {
          "prefill 9, tok/s",
          "decode 5, tok/s",
          "first token, s",
          "peak memory",
          "GB/s of weights",
          "plain read loop on 2 threads",
          "outside kernels",
          "serial kernels",
          "waiting",
          "linear",
          "Q6_K",
          "context 16"
        }) {
      assertTrue(result.out().contains(part), part + " in " + result.out());
    }
    assertTrue(result.err().contains("warm-up 1"), result.err());
    assertTrue(result.err().contains("repetition 3 of 3"), result.err());

    JsonNode root = new ObjectMapper().readTree(json.toFile());
    for (String figure :
        new String[] {
          "prefillTokensPerSecond",
          "decodeTokensPerSecond",
          "timeToFirstTokenSeconds",
          "loadSeconds",
          "peakResidentBytes",
          "decodeBytesPerSecond",
          "readLoopBytesPerSecond",
          "decodeShareOutsideKernels",
          "decodeShareSerial",
          "decodeShareWaiting"
        }) {
      assertTrue(root.path(figure).asDouble() > 0, figure + " in " + root);
    }
    assertEquals(3, root.at("/spread/decodeTokensPerSecond/samples").size());
    assertEquals("scalar", root.at("/providers/0/provider").asText());
    assertTrue(root.at("/decodeKernelSecondsPerToken/linear").asDouble() > 0, root.toString());
    assertTrue(root.path("decodeShareOutsideKernels").asDouble() < 1, root.toString());
    assertEquals(16, root.path("context").asInt());
    assertTrue(root.path("warmups").asInt() >= 1, root.toString());
    assertFalse(result.out().contains("first tokens"), result.out());
    assertEquals(3, root.path("tokenSeconds").size());
    double sum = 0;
    for (JsonNode token : root.at("/tokenSeconds/0")) {
      sum += token.asDouble();
    }
    assertEquals(5, root.at("/tokenSeconds/0").size());
    double rate = root.at("/spread/decodeTokensPerSecond/samples/0").asDouble();
    assertEquals(5 / rate, sum, 0.5 * sum, root.toString());
  }

  @Test
  void whatIsLeftOutIsNullAndNotZero() throws IOException {
    Path json = folder.resolve("bench.json");
    Quern result =
        quern(
            "bench --provider scalar --prompt-tokens 0 --gen-tokens 2 --repetitions 1 --warmup 0 --json "
                + json);
    assertEquals(0, result.code(), result.err());
    assertFalse(result.out().contains("prefill"), result.out());
    assertTrue(result.out().contains("one repetition"), result.out());
    assertTrue(result.out().lines().anyMatch(l -> l.matches("first tokens +[0-9.]+ [0-9.]+ ms")));
    JsonNode root = new ObjectMapper().readTree(json.toFile());
    assertTrue(root.path("prefillTokensPerSecond").isNull(), root.toString());
    assertTrue(root.path("decodeShareOutsideKernels").isNull(), root.toString());
    assertTrue(root.path("decodeTokensPerSecond").asDouble() > 0, root.toString());
    assertEquals(0, root.path("warmups").asInt());
  }

  @Test
  void aFoldersWeightsAreItsShards() throws IOException {
    Path model = TinyFolder.write(folder.resolve("hf"));
    Path json = folder.resolve("bench.json");
    Quern result =
        quern(
            "bench --provider scalar --prompt-tokens 2 --gen-tokens 2 --repetitions 1 --warmup 0 --read-bandwidth --model "
                + model
                + " --json "
                + json);
    assertEquals(0, result.code(), result.err());
    assertTrue(result.out().contains("plain read loop"), result.out());
    JsonNode root = new ObjectMapper().readTree(json.toFile());
    assertTrue(root.path("readLoopBytesPerSecond").asDouble() > 0, root.toString());
    long shards =
        Files.size(model.resolve("model-00001-of-00002.safetensors"))
            + Files.size(model.resolve("model-00002-of-00002.safetensors"));
    assertEquals(shards, root.path("fileBytes").asLong());
  }

  @Test
  void aConversationIsDecodedAfterItsPromptAndCounted() throws IOException {
    Path model = synthesize();
    Path json = folder.resolve("bench.json");
    Quern result =
        quern(
            "bench --provider scalar --prompt-tokens 9 --gen-tokens 5 --after-prompt --full-context --context 300"
                + " --repetitions 1 --warmup 0.000001 --profile --model "
                + model
                + " --json "
                + json);
    assertEquals(0, result.code(), result.err());
    assertTrue(result.err().contains("KV cache up to 0.3 MiB (300 positions, F16)"), result.err());
    assertTrue(result.err().contains("filling the context of 300"), result.err());
    JsonNode root = new ObjectMapper().readTree(json.toFile());
    assertEquals(1, root.path("warmups").asInt());
    assertEquals(4, root.path("decodedTokens").asInt());
    assertEquals(2L * 2 * 2 * 64 * 300 * 2, root.path("kvCacheBytes").asLong());
    long kernels = 0;
    for (JsonNode choice : root.path("providers")) {
      if (choice.path("operator").asText().equals("linear")) {
        kernels += choice.path("uses").asLong();
      }
    }
    assertEquals(5 * kernels, root.at("/kernelCalls/linear").asLong(), "1 + 4 forward passes");
    assertTrue(root.at("/kernelCalls/attention").asLong() > 0, root.toString());
  }

  @Test
  void severalDepthsAreACurve() throws IOException {
    Path model = synthesize();
    Path json = folder.resolve("bench.json");
    Path html = folder.resolve("bench.html");
    Quern result =
        quern(
            "bench --provider scalar --prompt-tokens 2 --gen-tokens 2 --depth 40,0,600 --fill noise --repetitions 1 --warmup 0 --model "
                + model
                + " --json "
                + json
                + " --html "
                + html);
    assertEquals(0, result.code(), result.err());
    assertTrue(result.out().contains("decode, ms/token"), result.out());
    JsonNode depths = new ObjectMapper().readTree(json.toFile()).path("depths");
    assertEquals(3, depths.size());
    for (int i = 0; i < 3; i++) {
      assertEquals(new int[] {0, 40, 600}[i], depths.get(i).path("depth").asInt());
      assertEquals("noise", depths.get(i).path("fill").asText());
      assertTrue(depths.get(i).path("decodeTokensPerSecond").asDouble() > 0);
    }
    String page = Files.readString(html);
    assertTrue(page.contains("tokens of context</text>"), page);
    assertTrue(page.contains("random keys and values"), page);
  }

  @Test
  void anExistingFileIsKeptUnlessForced() throws IOException {
    Path model = synthesize();
    byte[] before = Files.readAllBytes(model);
    Quern refused = quern("synthesize --shape tiny --format F16 --out " + model);
    assertEquals(1, refused.code(), refused.err());
    assertTrue(refused.err().contains("--force"), refused.err());
    assertEquals(before.length, Files.size(model));
    assertEquals(0, quern("synthesize --shape tiny --format F16 --force --out " + model).code());
    assertTrue(Files.size(model) > before.length);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "bench --prompt-tokens 0 --gen-tokens 0|2|something to measure",
        "bench --repetitions 0|2|--repetitions: 0, expected at least 1",
        "bench --warmup -1|2|--warmup: -1.0, expected 0 to 3600",
        "bench --depth -1|2|--depth: -1",
        "bench --context 4|1|--context: 4, expected at least 512",
        "bench --read-bandwidth|2|--model",
        "bench --model a --model b|2|--model: several, expected one, or --protocol",
        "bench --provider a --provider b|2|--provider: several",
        "bench --from a.json|2|--from: expected --protocol",
        "bench --html x.html|2|one depth, expected several",
        "bench --depth 1,x|2|--depth",
        "bench --after-prompt --gen-tokens 1|2|--after-prompt",
        "bench --protocol llama|2|--protocol",
        "bench --protocol executorch|2|--protocol: no model",
        "bench --protocol executorch --model a --depth 3|2|--depth: the protocol decides it",
        "bench --protocol executorch --model a --context 3|2|--context: the protocol decides it",
        "bench --protocol executorch --model a --from b.json|2|expected no --model",
        "bench --protocol executorch --from b.json --json c.json|2|expected no --json",
        "bench --protocol executorch --model a --repetitions 0|2|--repetitions: 0",
        "bench --protocol executorch --from absent.json|1|absent.json: no such file",
        "bench --protocol executorch --from pom.xml|1|not JSON",
        "bench --protocol executorch --model a --html /absent/x.html|1|--html: /absent/x.html: no folder /absent",
        "bench --protocol executorch --model a|1|QUERN_LAUNCHER is not set",
        "bench --model absent.gguf|1|absent.gguf",
        "bench --provider scalar --prompt-tokens 1 --gen-tokens 1 --warmup 0 --json /absent/x.json|1|--json: /absent/x.json: no folder /absent",
        "synthesize --shape llama --format Q4_0 --out x.gguf|2|expected one of llama-3.2-1b",
        "synthesize --shape tiny --format IQ3_S --out x.gguf|2|expected one of F32",
        "synthesize --shape tiny --format Q4_0 --out /absent/x.gguf|1|no folder /absent",
        "synthesize --shape tiny --format Q4_0 --out / --force|2|expected the name of a file",
      })
  void mistakesGetOneClearLine(String command, int code, String part) {
    Quern result = quern(command);
    assertEquals(code, result.code(), result.err());
    String line = result.err().lines().filter(l -> l.startsWith("quern: ")).findFirst().orElse("");
    assertTrue(line.contains(part), result.err());
    assertFalse(result.err().contains("\tat "), result.err());
  }

  private Path synthesize() {
    Path model = folder.resolve("tiny.gguf");
    Quern result = quern("synthesize --shape tiny --format Q4_0 --seed 7 --out " + model);
    assertEquals(0, result.code(), result.err());
    assertTrue(result.err().contains("seed 7"), result.err());
    return model;
  }

  private static Quern quern(String command) {
    return Quern.run(command.split(" "));
  }
}
