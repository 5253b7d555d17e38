package dev.quern.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.quern.demo.DemoModelFile;
import dev.quern.testing.SharedFiles;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/// The commands, in this JVM: what they print, where, and with which exit code.
class CommandLineTest {
  private static final String STORY = "Once upon a time, there was a curious boy named Oskar.";

  @TempDir Path folder;

  @Test
  void runPrintsPromptAndContinuationAndMetrics() throws IOException {
    Path stats = folder.resolve("stats.json");
    Quern result =
        Quern.run(
            "run",
            "--prompt",
            "Once upon a time",
            "--max-tokens",
            "14",
            "--stats-json",
            stats.toString());
    assertEquals(0, result.code(), result.err());
    assertEquals(STORY, result.out());
    for (String part :
        new String[] {"load ", "first token ", "prefill ", "decode ", "peak memory ", "linear: "}) {
      assertTrue(result.err().contains(part), result.err());
    }
    assertEquals(1, result.err().lines().count(), result.err());
    JsonNode json = new ObjectMapper().readTree(stats.toFile());
    for (String key :
        new String[] {
          "loadSeconds",
          "timeToFirstTokenSeconds",
          "prefillTokensPerSecond",
          "decodeTokensPerSecond",
          "peakResidentBytes",
          "providers"
        }) {
      assertTrue(json.hasNonNull(key), key + " in " + json);
    }
  }

  @Test
  void profilePrintsSharesThatMakeAHundredPercent() {
    Quern result = Quern.run("run", "--prompt", "Once upon a time", "-n", "8", "--profile");
    assertEquals(0, result.code(), result.err());
    double prompt = 0;
    double decode = 0;
    int rows = 0;
    for (String line : result.err().split("\n")) {
      if (line.matches(".* %.* s .* %.* s\\s*") && !line.startsWith("load")) {
        String[] words = line.replace("outside kernels", "outside").trim().split("\\s+");
        prompt += Double.parseDouble(words[1]);
        decode += Double.parseDouble(words[5]);
        rows++;
      }
    }
    assertEquals(6, rows, result.err());
    assertEquals(100, prompt, 0.5, result.err());
    assertEquals(100, decode, 0.5, result.err());
    assertFalse(result.err().matches("(?s).* -\\d.*"), "no share is negative: " + result.err());
  }

  @Test
  void runIsByteForByteWhatTwoOtherEnginesPrint() throws IOException {
    Path model = SharedFiles.file("models/stories260K.gguf");
    String expected = Files.readString(SharedFiles.file("models/stories260K.expected.txt"));
    Quern result =
        Quern.run(
            "run",
            "--model",
            model.toString(),
            "--prompt",
            "",
            "--temperature",
            "0",
            "--max-tokens",
            "200");
    assertEquals(0, result.code(), result.err());
    assertEquals(expected, result.out());
  }

  @Test
  void theSameSeedGivesTheSameText() {
    String[] command = {
      "run", "--prompt", "Once", "--temperature", "1", "--max-tokens", "30", "--seed", "7"
    };
    assertEquals(Quern.run(command).out(), Quern.run(command).out());
    command[8] = "8";
    String other = Quern.run(command).out();
    command[8] = "7";
    assertFalse(other.equals(Quern.run(command).out()), other);
  }

  @Test
  void tokenizePrintsIds() {
    Quern result = Quern.run("tokenize", "--ids", STORY);
    assertEquals(0, result.code(), result.err());
    // The reference's ids, less the start token.
    assertEquals(
        "[79,110,347,420,287,258,431,355,44,259,283,276,258,266,117,307,282,115,419,424,382,46]",
        result.out().strip());
    assertTrue(Quern.run("tokenize", "--ids", "--special", STORY).out().startsWith("[506,79,"));
    assertTrue(Quern.run("tokenize", STORY).out().lines().count() == 22);
  }

  @Test
  void logitsPrintsOneArrayAPosition() throws IOException {
    Quern result = Quern.run("logits", "--tokens", "506,79,110", "--kv", "f32");
    assertEquals(0, result.code(), result.err());
    JsonNode json = new ObjectMapper().readTree(result.out());
    assertEquals(3, json.size());
    json.forEach(row -> assertEquals(512, row.size()));
    assertEquals(-7.80518, json.get(0).get(0).asDouble(), 0.02); // llama.cpp's, F16 weights
  }

  @Test
  void inspectListsMetadataAndTensors() throws IOException {
    Path model = folder.resolve("demo.gguf");
    try (var in = DemoModelFile.open()) {
      Files.copy(in, model);
    }
    Quern result = Quern.run("inspect", model.toString());
    assertEquals(0, result.code(), result.err());
    assertTrue(result.out().contains("general.architecture"), result.out());
    assertTrue(result.out().contains("blk.3.ffn_down.weight"), result.out());
  }

  @Test
  void inspectShowsTheDemoModel() {
    Quern result = Quern.run("inspect");
    assertEquals(0, result.code(), result.err());
    assertTrue(result.out().contains("'Quern demo'"), result.out());
  }

  @Test
  void helpIsACommandToo() {
    assertEquals(Quern.run("run", "--help").out(), Quern.run("help", "run").out());
    assertEquals(Quern.run("--help").out(), Quern.run("help").out());
    assertEquals(0, Quern.run("run", "-h").code());
    assertEquals(Quern.run("--version").out(), Quern.run("bench", "-V").out());
  }

  @Test
  void shortFormsAreThePromptsAndTheProviders() {
    Quern result = Quern.run("run", "-p", "Once", "-n", "1", "-P", "scalar", "-t", "1");
    assertEquals(0, result.code(), result.err());
    assertTrue(result.out().startsWith("Once "), result.out());
  }

  @Test
  void figuresMayGoToStandardError() throws IOException {
    Quern result = Quern.run("run", "-p", "Once", "-n", "1", "--stats-json", "-");
    assertEquals(0, result.code(), result.err());
    assertTrue(result.out().startsWith("Once"), result.out());
    assertEquals(1, result.err().lines().count(), result.err());
    assertEquals(1, new ObjectMapper().readTree(result.err()).get("generatedTokens").asInt());
  }

  @Test
  void explainNamesWhoRunsWhat() {
    Quern result = Quern.run("explain");
    assertEquals(0, result.code(), result.err());
    for (String word :
        new String[] {"scalar", "linear", "attention", "rmsnorm", "rope", "swiglu"}) {
      assertTrue(result.out().contains(word), word + " in " + result.out());
    }
    assertTrue(result.out().contains("\nmemory: "), result.out());
    try {
      result = Quern.run("explain", "-Dquern.hugepages=off"); // sets the property
    } finally {
      System.clearProperty("quern.hugepages");
    }
    assertTrue(
        result
            .out()
            .contains("\nmemory: no huge pages: quern.hugepages=off" + System.lineSeparator()),
        result.out());
    result = Quern.run("explain", "--threads", "3");
    assertTrue(result.out().contains("\nthreads: 3 (cores "), result.out());
  }

  @Test
  void exactNumericsAndProviderOptionsReachTheReport() {
    Quern result = Quern.run("explain", "--provider", "scalar", "--numerics", "exact");
    assertEquals(0, result.code(), result.err());
    assertTrue(result.out().contains("exact-f32"), result.out());
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "run --prompt x --model absent.gguf|1|absent.gguf",
        "run --prompt x --provider scalr|1|scalar",
        "run --prompt x --threads 0|1|threads=0",
        "run --prompt x --context 100000|1|context=100000",
        "run --prompt x --max-tokens -1|1|maxTokens=-1",
        "run --prompt x --temperature -1|1|temperature",
        "logits --tokens 1,9999|1|token id 9999",
        "run|2|--prompt",
        "run --prompt x --kv f17|2|f17",
        "run --prompt x --nonsense|2|--nonsense",
        "logits --tokens 1,x|2|x",
        "run --prompt x --file y|2|--file",
        "run --file absent.txt|1|absent.txt: no such file",
        "run --file src|1|src: can't be read: Is a directory",
        "run --prompt x --temperature nan|2|nan",
        "run --prompt x --temperature NaN|1|temperature=NaN",
        "run --prompt x --top-k -1|1|topK=-1",
        "run --prompt x --frequency-penalty 101|1|frequencyPenalty=101",
        "run --prompt x --presence-penalty NaN|1|presencePenalty=NaN",
        "run --prompt x --typical 0|1|typicalP=0.0",
        "run --prompt x --repeat-last-n -1|1|repeatLastN=-1",
        "run --prompt x --logit-bias 15043|2|15043-1",
        "run --prompt x --logit-bias 15043+1.2.3|2|15043-1",
        "run --prompt x --logit-bias 99999999999+1|2|15043-1",
        "run --prompt x --logit-bias 5+inf|1|logitBias of token 5=Infinity",
        "run --prompt x --logprobs 2|2|--stats-json",
        "run --prompt x --logprobs -1 --stats-json -|1|logProbabilities=-1",
        "run --prompt x --completions 0|2|--completions 0: expected at least 1",
        "run --prompt x --completions 2|2|--temperature above 0",
        "run --prompt x --completions 2 --temperature 1 --profile|2|--profile",
        "run --prompt x --max-tokens 99999999999|2|99999999999",
        "run --prompt x --context -1|1|context=-1",
        "run --prompt x --threads 99999|1|threads=99999",
        "run --promt x|2|did you mean --prompt?",
        "run --prompt x --max-token=3|2|did you mean --max-tokens?",
        "run x|2|unexpected word 'x'",
        "run --model|2|--model",
        "fly|2|unknown command 'fly'",
        "rnu|2|did you mean run?",
        "insepct a|2|did you mean inspect?",
        "help rnu|2|rnu",
        "inspect a --model b|2|two models",
        "bench --prompt-tokens 0 -n 0|2|--gen-tokens",
        "bench --prompt-tokens -1|2|--prompt-tokens",
        "bench -n 2147483647 --depth 2147483647|2|--depth",
        "bench --depth 1,x|2|x",
        "bench -r 0|2|--repetitions",
        "bench --warmup nan|2|nan",
        "bench --warmup NaN|2|--warmup",
        "inspect --model absent.gguf|1|absent.gguf",
        "selfcheck --clear --provider scalar|2|--clear",
        "quantize --in absent.gguf --out x.gguf --scheme q4_0|1|absent.gguf",
        "quantize --in absent.gguf --out x.gguf --scheme q4_9|1|int4-block",
        "quantize --in absent.gguf --out x.gguf --scheme q4_0 --group 64|1|--group",
        "quantize --in absent.gguf --out x.gguf --scheme int4-block --group 48|1|group=48",
        "quantize --in absent.gguf --out x.gguf --scheme q4_0 --classifier int2|1|int2",
        "quantize --in absent.gguf --scheme q4_0|2|--out",
        "perplexity|2|--text",
        "perplexity --text absent.txt|1|absent.txt",
        "perplexity --text absent.txt --chunks -1|1|--chunks",
        "accuracy|1|--model",
        "selfcheck --provider absent|1|absent",
      })
  void mistakesGetOneClearLineAndNoStackTrace(String command, int code, String part) {
    Quern result = Quern.run(command.split(" "));
    assertEquals(code, result.code(), result.err());
    assertTrue(result.err().contains(part), result.err());
    assertFalse(result.err().contains("\tat "), result.err());
    assertTrue(result.err().startsWith("quern: "), result.err());
    assertEquals("", result.out());
  }

  @Test
  void everyCommandExplainsItself() {
    for (String command :
        new String[] {
          "run",
          "chat",
          "explain",
          "inspect",
          "tokenize",
          "logits",
          "bench",
          "synthesize",
          "selfcheck",
          "quantize",
          "perplexity",
          "accuracy",
          "warm"
        }) {
      Quern result = Quern.run(command, "--help");
      assertEquals(0, result.code(), result.err());
      assertTrue(result.out().contains("Usage: quern " + command), result.out());
    }
  }
}
