package dev.quern.cli.text;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.quern.cli.Quern;
import dev.quern.demo.DemoModelFile;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// What `run` does beyond one text with the usual choices.
class RunCommandTest {
  private static final String PROMPT = "Once upon a time";

  @TempDir Path folder;

  private static Quern run(String tokens, String... more) {
    List<String> words = new ArrayList<>(List.of("run", "-p", PROMPT, "-n", tokens));
    words.addAll(List.of(more));
    Quern result = Quern.run(words.toArray(String[]::new));
    assertEquals(0, result.code(), result.err());
    return result;
  }

  @Test
  void logProbabilitiesAreInTheStatistics() throws IOException {
    Path stats = folder.resolve("stats.json");
    String text =
        run("14", "--logprobs", "3", "--repeat-penalty", "1.3", "--stats-json", stats.toString())
            .out();
    JsonNode json = new ObjectMapper().readTree(stats.toFile());
    assertEquals(14, json.get("generatedTokens").intValue());
    assertEquals(14, json.get("logprobs").size());
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    for (JsonNode token : json.get("logprobs")) {
      token.get("bytes").forEach(b -> bytes.write(b.intValue()));
      JsonNode top = token.get("top_logprobs");
      assertEquals(3, top.size());
      assertTrue(top.get(0).get("logprob").doubleValue() >= token.get("logprob").doubleValue());
      assertTrue(
          top.get(1).get("logprob").doubleValue() >= top.get(2).get("logprob").doubleValue());
      assertTrue(top.get(0).get("logprob").doubleValue() <= 0);
      assertTrue(token.hasNonNull("id") && token.hasNonNull("token"), token.toString());
    }
    assertEquals(text, PROMPT + bytes.toString(StandardCharsets.UTF_8));
  }

  @Test
  void completionsAreTheTextsOfTheirSeeds() throws IOException {
    Quern three =
        run("14", "--temperature", "1", "--seed", "7", "--completions", "3", "--stats-json", "-");
    StringBuilder expected = new StringBuilder();
    JsonNode json = new ObjectMapper().readTree(three.err());
    assertEquals(3, json.get("completions").size());
    for (int i = 0; i < 3; i++) {
      String seed = Integer.toString(7 + i);
      String text = run("14", "--temperature", "1", "--seed", seed).out();
      expected.append(
          String.format(Locale.ROOT, "--- %d of 3, seed %s ---%n%s%n", i + 1, seed, text));
      JsonNode one = json.get("completions").get(i);
      assertEquals(text, PROMPT + one.get("text").textValue());
      assertEquals(7 + i, one.get("seed").longValue());
      assertEquals("MAX_TOKENS", one.get("stop").textValue());
      assertEquals(14, one.get("generatedTokens").intValue());
      assertFalse(one.has("logprobs"));
    }
    assertEquals(expected.toString(), three.out());
    assertFalse(json.has("stop"));
    assertTrue(json.hasNonNull("timeToFirstTokenSeconds"));
  }

  @Test
  void eachCompletionHasItsLineOfMetrics() {
    String err = run("14", "--temperature", "1", "--completions", "2").err();
    assertEquals(2, err.lines().filter(line -> line.startsWith("load ")).count(), err);
  }

  /// Each of them reaches the sampler: the text is another one.
  @ParameterizedTest
  @ValueSource(
      strings = {
        "--frequency-penalty 3",
        "--presence-penalty 3",
        "--typical 0.05",
        "--repeat-penalty 1.5",
      })
  void eachOptionChangesTheText(String option) {
    String[] words = ("--temperature 0.7 --min-p 0 --top-k 0 " + option).split(" ");
    String usual = run("60", "--temperature", "0.7", "--min-p", "0", "--top-k", "0").out();
    String changed = run("60", words).out();
    assertNotEquals(usual, changed);
    if (!option.startsWith("--typical")) {
      List<String> nothingIsRecent = new ArrayList<>(List.of(words));
      nothingIsRecent.addAll(List.of("--repeat-last-n", "0"));
      assertEquals(usual, run("60", nothingIsRecent.toArray(String[]::new)).out());
    }
  }

  @Test
  void biasesForbidAndFavour() throws IOException {
    Path stats = folder.resolve("stats.json");
    run("1", "--logprobs", "2", "--stats-json", stats.toString());
    JsonNode first = new ObjectMapper().readTree(stats.toFile()).get("logprobs").get(0);
    String chosen = first.get("id").asText();
    String second = first.get("top_logprobs").get(1).get("id").asText();
    String forbidden =
        run("1", "--logit-bias", chosen + "-inf", "--logprobs", "0", "--stats-json", "-").err();
    assertEquals(second, onlyToken(forbidden));
    String favoured =
        run(
                "1",
                "--logit-bias",
                second + "+60.5",
                "--logit-bias",
                second + "+39.5",
                "--logit-bias",
                chosen + "+0.5",
                "--logprobs",
                "0",
                "--stats-json",
                "-")
            .err();
    assertEquals(second, onlyToken(favoured));
    Quern beyond = Quern.run("run", "-p", "x", "--logit-bias", "999999+1");
    assertEquals(1, beyond.code());
    assertTrue(beyond.err().startsWith("quern: sampling: logitBias of token id 999999"));
  }

  @ParameterizedTest
  @ValueSource(strings = {"0", "0.8"})
  void guessesChangeNoText(String temperature) throws IOException {
    Path demo = folder.resolve("demo.gguf");
    try (InputStream model = DemoModelFile.open()) {
      Files.copy(model, demo);
    }
    String[] usual = {"--temperature", temperature, "--numerics", "invariant"};
    String[] more =
        Stream.concat(Stream.of(usual), Stream.of("--draft", demo.toString(), "--lookup", "2"))
            .toArray(String[]::new);
    Quern guessed = run("200", more);
    assertEquals(run("200", usual).out(), guessed.out());
    assertTrue(guessed.err().matches("(?s).*guesses: [1-9]\\d* of \\d+ right; .*"), guessed.err());
  }

  @Test
  void guessesAreInTheStatistics() throws IOException {
    JsonNode json =
        new ObjectMapper().readTree(run("60", "--lookup", "3", "--stats-json", "-").err());
    assertTrue(json.get("guesses").get("guessed").isIntegralNumber());
    assertTrue(json.get("guesses").get("accepted").isIntegralNumber());
    Quern refused = Quern.run("run", "-p", "x", "--lookup", "17");
    assertEquals(1, refused.code());
    assertEquals("quern: engine: lookup=17, expected <= 16\n", refused.err());
    assertEquals("", refused.out()); // before the prompt is shown
    assertEquals(2, Quern.run("run", "-p", "x", "--lookup", "2", "--profile").code());
    Quern alone = Quern.run("run", "-p", "x", "--draft-tokens", "2");
    assertEquals(2, alone.code());
    assertTrue(alone.err().startsWith("quern: --draft-tokens: expected --draft too"), alone.err());
  }

  @Test
  void textHasTheFormThatIsAskedFor() throws IOException {
    String[] words = {"run", "-p", "Once ", "-n", "80", "--regex", "(upon|there) [a-z]{3,8}\\."};
    Quern expression = Quern.run(words);
    assertEquals(0, expression.code(), expression.err());
    assertTrue(expression.out().matches("Once (upon|there) [a-z]{3,8}\\.\\R?"), expression.out());
    Path schema = folder.resolve("schema.json");
    Files.writeString(
        schema,
        """
        {"type": "object", "required": ["animal"],
          "properties": {"animal": {"enum": ["cat", "dog"]}, "legs": {"const": 4}}}
        """);
    Quern json = Quern.run("run", "-p", "", "-n", "80", "--json-schema", schema.toString());
    assertEquals(0, json.code(), json.err());
    JsonNode animal = new ObjectMapper().readTree(json.out());
    assertTrue(List.of("cat", "dog").contains(animal.get("animal").asText()), json.out());
    Quern object = Quern.run("run", "-p", "", "-n", "1", "--json-object");
    assertTrue(object.out().startsWith("{"), object.out());
  }

  @Test
  void formsThatCannotBeKeptToAreRefusedBeforeAModelIsLoaded() throws IOException {
    Quern look = Quern.run("run", "-p", "x", "--model", "none.gguf", "--regex", "(?=a)");
    assertEquals(1, look.code());
    assertTrue(look.err().startsWith("quern: constraint: regex, character 1: '?'"), look.err());
    Path schema = folder.resolve("schema.json");
    Files.writeString(schema, "{\"not\": {}}");
    Quern not = Quern.run("run", "-p", "x", "--json-schema", schema.toString());
    assertEquals(1, not.code());
    assertTrue(not.err().startsWith("quern: constraint: schema, '/not': can't"), not.err());
    assertEquals(2, Quern.run("run", "-p", "x", "--regex", "a", "--json-object").code());
  }

  private static String onlyToken(String json) throws IOException {
    JsonNode tokens = new ObjectMapper().readTree(json).get("logprobs");
    assertEquals(1, tokens.size());
    return tokens.get(0).get("id").asText();
  }

  @Test
  void aTextAsJsonIsOneObject() throws IOException {
    String plain = run("14", "-q").out();
    Quern json = run("14", "--json", "--logprobs", "2");
    assertEquals("", json.err());
    JsonNode tree = new ObjectMapper().readTree(json.out());
    assertEquals(1, json.out().lines().count());
    assertEquals(plain, PROMPT + tree.get("text").asText());
    assertEquals(14, tree.get("tokens").size());
    assertEquals("MAX_TOKENS", tree.get("stop").asText());
    assertEquals(42, tree.get("seed").intValue());
    assertEquals(14, tree.get("logprobs").size());
    assertTrue(tree.get("timeToFirstTokenSeconds").isNumber());
    JsonNode table = tree.get("report");
    assertEquals(
        List.of("kleidi", "scalar", "vector", "x86"),
        table.get("providers").findValuesAsText("name").stream().sorted().toList());
    assertTrue(table.get("kernels").get(0).hasNonNull("provider"), table.toString());

    JsonNode two =
        new ObjectMapper()
            .readTree(run("3", "--json", "--temperature", "1", "--completions", "2").out());
    assertEquals(2, two.get("completions").size());
    assertEquals(3, two.get("completions").get(1).get("tokens").size());
  }

  @Test
  void quietIsTheTextAlone() {
    Quern quiet = run("5", "--quiet", "-c", "100");
    assertEquals("", quiet.err());
    assertEquals(run("5").out(), quiet.out());
    assertEquals(2, Quern.run("run", "-p", "x", "-q", "-v").code());
    assertEquals(2, Quern.run("run", "-p", "x", "-q", "--profile").code());
  }

  @Test
  void logProbabilitiesAreATableForThoseWhoAskForMore() {
    Quern verbose = run("3", "--verbose", "--logprobs", "2");
    List<String> lines = verbose.err().lines().toList();
    assertEquals(4, lines.size(), verbose.err());
    assertTrue(lines.get(1).matches("'.*' -0\\.\\d{3} +of  '.*' -0\\.\\d{3}  '.*' -\\d+\\.\\d{3}"));
    Quern alone = Quern.run("run", "-p", "x", "--logprobs", "2");
    assertEquals(2, alone.code());
    assertTrue(alone.err().startsWith("quern: --logprobs: expected --json or --verbose"));
  }

  @Test
  void aSeedThatIsDrawnIsSaid() throws IOException {
    Quern drawn = run("9", "--seed", "random", "--temperature", "2", "--json");
    String seed = drawn.err().strip().replaceFirst("quern: --seed ", "");
    JsonNode json = new ObjectMapper().readTree(drawn.out());
    assertEquals(seed, json.get("seed").asText());
    assertEquals(
        PROMPT + json.get("text").asText(), run("9", "--seed", seed, "--temperature", "2").out());
    Quern wrong = Quern.run("run", "-p", "x", "--seed", "randon");
    assertEquals(2, wrong.code());
    assertTrue(wrong.err().contains("a whole number of 64 bits, or random"), wrong.err());
  }

  @Test
  void anotherKindOfGrammarIsNamed() {
    Quern grammar = Quern.run("run", "-p", "x", "--grammar", "g.gbnf");
    assertEquals(1, grammar.code());
    assertTrue(grammar.err().contains("expected --json-schema FILE"), grammar.err());
  }
}
