package dev.quern.cli.text;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.quern.cli.Quern;
import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/// `run --prompts`: results, what fails, and how a run goes on.
class PromptsTest {
  private static final String LINES =
      """
      {"id": "a", "prompt": "Once upon a time", "max_tokens": 5}
      {"id": 2, "prompt": "Once upon a time", "temperature": 1.5, "min_p": 0}

      {"id": "c", "messages": [{"role": "user", "content": "the day"}], "stop": ["zzz"]}
      {"id": "d", "prompt": "Once upon a time", "temperature": 1.5, "min_p": 0}
      {"id": "e", "prompt": "Once ", "regex": "(upon|there) [a-z]{3,8}", "seed": 9007199254740991}
      """;

  @TempDir Path folder;
  private Path prompts;
  private Path out;

  @BeforeEach
  void write() throws IOException {
    prompts = Files.writeString(folder.resolve("prompts.jsonl"), LINES);
    out = folder.resolve("out.jsonl");
  }

  private Quern run(String... more) {
    List<String> words =
        new ArrayList<>(
            List.of(
                "run",
                "--prompts",
                prompts.toString(),
                "--out",
                out.toString(),
                "-n",
                "12",
                "--numerics",
                "invariant"));
    words.addAll(List.of(more));
    return Quern.run(words.toArray(String[]::new));
  }

  /// By id.
  private Map<String, JsonNode> results() throws IOException {
    Map<String, JsonNode> results = new TreeMap<>();
    for (String line : Files.readAllLines(out)) {
      JsonNode result = new ObjectMapper().readTree(line);
      assertEquals(null, results.put(result.get("id").asText(), result), "twice: " + line);
    }
    return results;
  }

  private Map<String, String> texts() throws IOException {
    Map<String, String> texts = new TreeMap<>();
    results().forEach((id, result) -> texts.put(id, result.get("text").asText()));
    return texts;
  }

  @Test
  void eachLineHasItsResult() throws IOException {
    Quern run = run("--logprobs", "1");
    assertEquals(0, run.code(), run.err());
    assertEquals("", run.out());
    Map<String, JsonNode> results = results();
    assertEquals("[2, a, c, d, e]", results.keySet().toString());
    assertEquals(
        Quern.run("run", "-p", "Once upon a time", "-n", "5", "--numerics", "invariant").out(),
        "Once upon a time" + results.get("a").get("text").asText());
    assertEquals(5, results.get("a").get("tokens").size());
    assertEquals("MAX_TOKENS", results.get("a").get("stop").asText());
    assertTrue(results.get("2").get("id").isInt(), "the id is what it was");
    assertEquals(12, results.get("2").get("logprobs").size());
    assertNotEquals(
        results.get("2").get("text"), results.get("d").get("text"), "seeds of their own");
    assertEquals(9007199254740991L, results.get("e").get("seed").longValue());
    assertTrue(results.get("e").get("text").asText().matches("(upon|there) [a-z]{3,8}"));
    assertTrue(run.err().contains("5 results, 0 of them there before"), run.err());
  }

  @Test
  void anotherRunSaysTheSame() throws IOException {
    run();
    Map<String, String> first = texts();
    out = folder.resolve("again.jsonl");
    run("--parallel", "1");
    assertEquals(first, texts());
    out = folder.resolve("other.jsonl");
    run("--seed", "7");
    assertNotEquals(first.get("d"), texts().get("d"));
    assertEquals(first.get("a"), texts().get("a"), "it is greedy");
  }

  @ParameterizedTest
  @ValueSource(ints = {0, 1, 40, 400, 1200, -1})
  void aRunThatWasKilledGoesOn(int kept) throws IOException {
    run();
    Map<String, String> whole = texts();
    byte[] bytes = Files.readAllBytes(out);
    int length = kept < 0 ? bytes.length + kept : kept;
    Files.write(out, java.util.Arrays.copyOf(bytes, length));
    Quern again = run();
    assertEquals(0, again.code(), again.err());
    assertEquals(whole, texts());
    assertEquals(
        length > 0 && bytes[length - 1] != '\n', again.err().contains("cut off a last line"));
    Quern done = run("--provider", "scalar");
    assertEquals(0, done.code(), done.err());
    assertFalse(done.err().contains("linear: "), "no model was loaded: " + done.err());
    assertEquals(whole, texts());
  }

  @Test
  void changedOptionsAndPromptsAreRefused() throws IOException {
    run();
    String before = Files.readString(out);
    for (String other :
        List.of("--temperature=1", "--stop=x", "--seed=1", "--kv=f32", "--special")) {
      Quern refused = run(other);
      assertEquals(1, refused.code(), other);
      assertTrue(refused.err().contains("made with other options"), refused.err());
    }
    Files.writeString(prompts, LINES.replace("the day", "the night"));
    Quern changed = run();
    assertEquals(1, changed.code(), changed.err());
    assertTrue(changed.err().contains("prompts.jsonl: line 4 is not the one"), changed.err());
    Files.writeString(prompts, LINES.substring(0, 60));
    assertEquals(1, run().code());
    Files.writeString(prompts, LINES + "{\"id\": \"f\", \"prompt\": \"x\"}\n");
    assertEquals(before, Files.readString(out));
    assertEquals(0, run().code(), "lines may be added");
    assertEquals(6, results().size());
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '`',
      textBlock =
          """
          nonsense                                        | the line: no JSON (line 1, column 1)
          []                                              | no JSON object, expected
          {"prompt": "x"}                                 | id: expected a text or a whole number
          {"id": 1.5, "prompt": "x"}                      | id: expected a text or a whole number
          {"id": "x"}                                     | expected a prompt or messages
          {"id": "x", "prompt": "x", "messages": []}      | expected a prompt or messages
          {"id": "x", "messages": []}                     | messages: expected an array of messages
          {"id": "x", "messages": [{"role": "user"}]}     | messages: message 1: no content
          {"id": "x", "prompt": 1}                        | prompt: expected a text
          {"id": "x", "prompt": "x", "tempratur": 1}      | no member of a line: tempratur
          {"id": "x", "prompt": "x", "temperature": -1}   | sampling: temperature=-1.0
          {"id": "x", "prompt": "x", "temperature": "1"}  | temperature: expected a number
          {"id": "x", "prompt": "x", "max_tokens": 1e9}   | max_tokens: expected a whole number
          {"id": "x", "prompt": "x", "max_tokens": -1}    | maxTokens=-1
          {"id": "x", "prompt": "x", "stop": [1]}         | stop: expected a text, or a list of them
          {"id": "x", "prompt": "x", "stop": ""}          | stop string: empty
          {"id": "x", "prompt": "x", "regex": "("}        | constraint: regex
          {"id": "x", "prompt": "x", "json_schema": {"not": {}}} | constraint: schema
          {"id": "x", "id": "y", "prompt": "x"}           | the line: no JSON
          """)
  void aLineThatFailsStopsNoOther(String line, String error) throws IOException {
    Files.writeString(prompts, line + "\n{\"id\": \"good\", \"prompt\": \"x\"}\n");
    Quern run = run();
    assertEquals(1, run.code(), run.err());
    assertTrue(run.err().contains("1 of 2 lines failed"), run.err());
    assertFalse(run.err().contains("defect"), run.err());
    List<JsonNode> results = new ArrayList<>();
    for (String l : Files.readAllLines(out)) {
      results.add(new ObjectMapper().readTree(l));
    }
    assertEquals(2, results.size());
    JsonNode failed = results.stream().filter(r -> r.has("error")).findFirst().orElseThrow();
    assertTrue(failed.get("error").asText().startsWith(error), failed.toString());
    assertEquals(1, failed.get("line").intValue());
    assertTrue(results.stream().anyMatch(r -> r.path("id").asText().equals("good")));
    assertEquals(1, run().code(), "what failed has failed");
  }

  @Test
  void whatIsTooLongOrNoTextFailsAlone() throws IOException {
    byte[] bad =
        "{\"id\": \"x\", \"prompt\": \"b\u00e9\"}\n"
            .getBytes(java.nio.charset.StandardCharsets.ISO_8859_1);
    Files.write(prompts, bad);
    Files.writeString(
        prompts,
        "{\"id\": \"long\", \"prompt\": \"" + "x ".repeat(2000) + "\"}",
        StandardOpenOption.APPEND);
    Quern run = run();
    assertEquals(1, run.code(), run.err());
    List<String> lines = Files.readAllLines(out);
    assertEquals(2, lines.size());
    assertTrue(lines.stream().anyMatch(l -> l.contains("not UTF-8")), lines.toString());
    assertTrue(lines.stream().anyMatch(l -> l.contains("\"long\",\"error\":\"")), lines.toString());
  }

  @Test
  void manyLinesAreAnswered() throws IOException {
    StringBuilder lines = new StringBuilder();
    for (int i = 0; i < 300; i++) {
      lines
          .append("{\"id\": ")
          .append(i)
          .append(", \"prompt\": \"the\", \"max_tokens\": ")
          .append(i % 7)
          .append("}\n");
    }
    Files.writeString(prompts, lines);
    Quern run = run("--parallel", "3", "-q");
    assertEquals(0, run.code(), run.err());
    assertEquals("", run.err());
    Map<String, JsonNode> results = results();
    assertEquals(300, results.size());
    for (int i = 0; i < 300; i++) {
      assertEquals(i % 7, results.get(Integer.toString(i)).get("generatedTokens").intValue());
    }
  }

  @Test
  void whatIsNoResultIsLeftAlone() throws IOException {
    for (String text : List.of("a diary\n", "a diary", "{\"id\": 1}\n", "{\"text\": \"x\"}")) {
      Files.writeString(out, text);
      Quern refused = run();
      assertEquals(1, refused.code(), refused.err());
      assertTrue(refused.err().contains("line 1 is no result of run --prompts"), refused.err());
      assertEquals(text, Files.readString(out));
    }
    Quern same = Quern.run("run", "--prompts", prompts.toString(), "--out", prompts.toString());
    assertEquals(1, same.code());
    assertTrue(same.err().startsWith("quern: --out: "), same.err());
    assertEquals(LINES, Files.readString(prompts));
  }

  @Test
  void twoDoNotWriteOneFile() throws IOException {
    try (FileChannel other =
        FileChannel.open(out, StandardOpenOption.CREATE, StandardOpenOption.WRITE)) {
      other.lock();
      Quern refused = run();
      assertEquals(1, refused.code());
      assertEquals("quern: " + out + ": another quern writes it\n", refused.err());
    }
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "--prompts x",
        "--out x",
        "--parallel 2 -p x",
        "--prompts x --out y --parallel 0",
        "--prompts x --out y -p z",
        "--prompts x --out y --completions 2 --temperature 1",
        "--prompts x --out y --json",
        "--prompts x --out y --lookup 2",
        "--prompts x --out y --stats-json -"
      })
  void whatDoesNotGoTogetherIsRefused(String words) {
    Quern refused = Quern.run(("run " + words).split(" "));
    assertEquals(2, refused.code(), refused.err());
    assertTrue(refused.err().startsWith("quern: "), refused.err());
  }

  @Test
  void anEmptyFileIsAMistake() throws IOException {
    Files.writeString(prompts, "\n \n");
    Quern refused = run();
    assertEquals(1, refused.code());
    assertTrue(refused.err().contains("no line in it"), refused.err());
  }
}
