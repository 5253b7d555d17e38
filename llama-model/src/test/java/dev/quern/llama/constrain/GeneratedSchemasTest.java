package dev.quern.llama.constrain;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.networknt.schema.JsonSchema;
import com.networknt.schema.JsonSchemaFactory;
import com.networknt.schema.SchemaValidatorsConfig;
import com.networknt.schema.SpecVersion;
import dev.quern.llama.LlamaModel;
import dev.quern.llama.LoadOptions;
import dev.quern.llama.error.LlamaException;
import dev.quern.llama.sampling.Sampler;
import dev.quern.llama.sampling.SamplingOptions;
import dev.quern.llama.tokenizer.StreamingDecoder;
import dev.quern.llama.tokenizer.Tokenizer;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.util.Locale;
import java.util.Random;
import java.util.Set;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/// Whatever a model says under a generated schema, a validator that knows nothing of Quern takes.
class GeneratedSchemasTest {
  private static final int SCHEMAS = 500;
  private static final int FREELY = 60; // tokens, before it is brought to an end
  private static final int MOST = 3000;

  private static final ObjectMapper JSON =
      new ObjectMapper()
          .enable(DeserializationFeature.USE_BIG_DECIMAL_FOR_FLOATS)
          .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS)
          .disable(JsonParser.Feature.ALLOW_COMMENTS);

  private static LlamaModel model;

  @BeforeAll
  static void load() throws IOException {
    model = LlamaModel.loadDemo(LoadOptions.defaults().withThreads(1));
  }

  @AfterAll
  static void close() {
    model.close();
  }

  @Test
  void everyOutputValidates() throws IOException {
    int refused = 0;
    int made = 0;
    int recursive = 0;
    for (long seed = 0; made < SCHEMAS; seed++) {
      ObjectNode schema = new SchemaGenerator(seed).schema();
      Constraint constraint;
      try {
        constraint = Constraint.jsonSchema(schema.toString());
      } catch (LlamaException e) { // a requirement of itself, and the like
        assertTrue(e.getMessage().startsWith("constraint: "), e.getMessage());
        refused++;
        assertTrue(refused < 100, () -> schema + ": " + e.getMessage());
        continue;
      }
      made++;
      recursive += schema.deepCopy().without("$defs").toString().contains("$ref") ? 1 : 0;
      JsonSchema validator = validator(schema);
      for (int i = 0; i < 3; i++) {
        String text = generate(constraint, new Random(31 * seed + i));
        JsonNode value = JSON.readTree(text);
        assertEquals(Set.of(), validator.validate(value), () -> schema + "\n" + text);
      }
    }
    System.out.printf(
        Locale.ROOT, "%d schemas (%d with references), %d refused%n", made, recursive, refused);
    assertTrue(recursive > SCHEMAS / 20, recursive + " with references");
  }

  static JsonSchema validator(JsonNode schema) {
    return JsonSchemaFactory.getInstance(SpecVersion.VersionFlag.V202012)
        .getSchema(schema, SchemaValidatorsConfig.builder().formatAssertionsEnabled(true).build());
  }

  /// What a model with random logits says; after some tokens the end is likelier, and what leads to
  /// it.
  private static String generate(Constraint constraint, Random random) {
    Tokenizer tokenizer = model.tokenizer();
    ConstraintState state = constraint.start(tokenizer, tokenizer.endOfGeneration());
    StreamingDecoder decoder = StreamingDecoder.continuing(tokenizer, false);
    StringBuilder text = new StringBuilder();
    float[] logits = new float[tokenizer.vocabularySize()];
    Sampler sampler = new Sampler(SamplingOptions.GREEDY, logits.length);
    for (int i = 0; i < MOST; i++) {
      for (int t = 0; t < logits.length; t++) {
        logits[t] = random.nextFloat() * (i < FREELY ? 1 : closing(tokenizer, t));
      }
      int token = sampler.next(MemorySegment.ofArray(logits), state.allowed());
      if (tokenizer.isEndOfGeneration(token)) {
        assertTrue(state.isAccepting());
        return text.toString();
      }
      state.accept(token);
      text.append(decoder.next(token));
      if (state.isComplete()) {
        return text.toString();
      }
    }
    throw new AssertionError("no end: " + text);
  }

  private static float closing(Tokenizer tokenizer, int token) {
    if (tokenizer.isEndOfGeneration(token)) {
      return 100;
    }
    return switch (tokenizer.decode(new int[] {token}, false)) {
      case "\"" -> 20;
      case "]", "}", "n", "a", "b", "x", "y" -> 5; // patterns want letters
      default -> 1;
    };
  }
}
